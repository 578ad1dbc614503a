#include "mcu/quality_log.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/quality.h"
#include "storage/quality.h"

METRIC_COUNTER(m_rows, "mcu_quality_rows_total",
	       "Rows about the quality of connections that were given to the registry.");
METRIC_COUNTER(m_dropped, "mcu_quality_rows_dropped_total",
	       "Such rows that were dropped, because the registry did not keep up or failed.");

enum { DAY_MS = 24 * 3600 * 1000 };

struct quality_log {
	struct db *db;
	int64_t interval_ns;
	int keep_days;
	int under_way; /* batches */
	guint timer;
	size_t n;
	struct quality_row rows[QUALITY_BATCH_MAX];
	size_t sent[QUALITY_LOG_BATCHES]; /* rows of each, a ring: replies come in order */
	unsigned first;
};

static void on_written(void *obj, int err)
{
	struct quality_log *l = obj;

	role_assert_ctl();
	if (err)
		metric_add(&m_dropped, (int64_t)l->sent[l->first]);
	l->first = (l->first + 1) % QUALITY_LOG_BATCHES;
	l->under_way--;
}

void quality_log_flush(struct quality_log *l)
{
	int64_t since = l->keep_days ? clock_wall_ns() / NS_PER_MS - (int64_t)l->keep_days * DAY_MS : 0;

	if (!l->n)
		return;
	if (l->under_way == QUALITY_LOG_BATCHES ||
	    quality_write(l->db, l->rows, l->n, since, on_written, l)) {
		metric_add(&m_dropped, (int64_t)l->n);
	} else {
		metric_add(&m_rows, (int64_t)l->n);
		l->sent[(l->first + (unsigned)l->under_way++) % QUALITY_LOG_BATCHES] = l->n;
	}
	l->n = 0;
}

static gboolean flush_due(gpointer arg)
{
	struct quality_log *l = arg;

	role_assert_ctl();
	l->timer = 0;
	quality_log_flush(l);
	return G_SOURCE_REMOVE;
}

/* --- an interval ------------------------------------------------------------- */

static struct quality_mark mark_of(const struct leg_net_stats *s, int64_t now_ns)
{
	const struct leg_net_flow *up[] = { &s->uplink_audio, &s->uplink_video, &s->uplink_content };
	const struct leg_net_flow *down[] = { &s->downlink_audio, &s->downlink_video,
					      &s->downlink_content };
	struct quality_mark m = { .at_ns = now_ns };

	for (int i = 0; i < 3; i++) {
		m.up += up[i]->packets;
		m.up_lost += up[i]->lost;
		m.up_octets += up[i]->octets;
		m.down += down[i]->packets;
		m.down_lost += down[i]->lost;
		m.down_octets += down[i]->octets;
	}
	return m;
}

/* Counters of a stream that was replaced begin anew, and those of a receiver may sink. */
static double grown(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static void measure(struct quality_row *r, const struct quality_mark *from,
		    const struct quality_mark *to, const struct leg_net_stats *s)
{
	double seconds = (double)(to->at_ns - from->at_ns) / 1e9;
	double up = grown(to->up, from->up), up_lost = grown(to->up_lost, from->up_lost);
	double down = grown(to->down, from->down), down_lost = grown(to->down_lost, from->down_lost);
	double score_up, score_down;

	r->interval_ms = (to->at_ns - from->at_ns) / NS_PER_MS;
	r->loss_up = up_lost > 0 ? up_lost / (up + up_lost) : 0;
	r->loss_down = down_lost > 0 ? down_lost / larger(down, down_lost) : 0;
	r->jitter_up_ms = larger(s->uplink_audio.jitter_ms, s->uplink_video.jitter_ms);
	r->jitter_down_ms = larger(s->downlink_audio.jitter_ms, s->downlink_video.jitter_ms);
	r->rtt_ms = s->rtt_ms;
	r->kbps_up = grown(to->up_octets, from->up_octets) * 8e-3 / seconds;
	r->kbps_down = grown(to->down_octets, from->down_octets) * 8e-3 / seconds;
	score_up = quality_score(r->loss_up, r->jitter_up_ms, r->rtt_ms);
	score_down = quality_score(r->loss_down, r->jitter_down_ms, r->rtt_ms);
	r->score = score_up < score_down ? score_up : score_down;
}

void quality_log_leg(struct quality_log *l, struct quality_mark *mark, int64_t participant_id,
		     const struct leg_net_stats *s, int height, int64_t now_ns, bool leaves)
{
	int64_t least = leaves ? QUALITY_LOG_LEAST_MS * NS_PER_MS : l->interval_ns;
	struct quality_mark now;
	struct quality_row *r;

	if (!l->interval_ns || (mark->at_ns && now_ns - mark->at_ns < least))
		return;
	now = mark_of(s, now_ns);
	if (mark->at_ns) {
		r = &l->rows[l->n++];
		*r = (struct quality_row){ .id = db_new_id(), .participant_id = participant_id,
					   .at_ms = clock_wall_ns() / NS_PER_MS, .height = height };
		measure(r, mark, &now, s);
		if (l->n == QUALITY_BATCH_MAX)
			quality_log_flush(l);
		else if (!l->timer)
			l->timer = g_timeout_add_seconds(QUALITY_LOG_FLUSH_S, flush_due, l);
	}
	*mark = now;
}

/* --- life -------------------------------------------------------------------- */

int quality_log_new(struct quality_log **out, struct db *db, int interval_s, int keep_days)
{
	struct quality_log *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->db = db;
	l->interval_ns = interval_s * NS_PER_S;
	l->keep_days = keep_days;
	*out = l;
	return 0;
}

void quality_log_free(struct quality_log **l)
{
	if (!*l)
		return;
	if ((*l)->timer)
		g_source_remove((*l)->timer);
	free(*l);
	*l = NULL;
}
