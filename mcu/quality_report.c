/* Statistics of legs, and the scores that everybody is told. */
#include "mcu/conference_priv.h"
#include "mcu/quality.h"

#include <math.h>
#include <stdlib.h>

/* A smaller change is not worth a message to all. */
#define QUALITY_STEP 0.25

static double kbps(uint64_t octets, uint64_t *before, int64_t ns)
{
	uint64_t grown = octets >= *before ? octets - *before : 0;

	*before = octets;
	return ns > 0 ? (double)grown * 8e6 / (double)ns : 0;
}

static void join_flows(struct stream_stats *out, const struct leg_net_flow *a,
		       const struct leg_net_flow *v, double rtt_ms)
{
	out->loss = a->loss > v->loss ? a->loss : v->loss;
	out->jitter_ms = a->jitter_ms > v->jitter_ms ? a->jitter_ms : v->jitter_ms;
	out->rtt_ms = rtt_ms;
}

static double score(const struct leg_stats *s)
{
	double up = quality_score(s->uplink.loss, s->uplink.jitter_ms, s->uplink.rtt_ms);
	double down = quality_score(s->downlink.loss, s->downlink.jitter_ms, s->downlink.rtt_ms);

	return up < down ? up : down;
}

/* What needs no look at the clock. */
static void flows(struct leg_stats *out, const struct leg_net_stats *s)
{
	*out = (struct leg_stats){ 0 };
	join_flows(&out->uplink, &s->uplink_audio, &s->uplink_video, s->rtt_ms);
	if (s->uplink_content.loss > out->uplink.loss)
		out->uplink.loss = s->uplink_content.loss;
	join_flows(&out->downlink, &s->downlink_audio, &s->downlink_video, s->rtt_ms);
	out->score = score(out);
}

int quality_stats(struct leg_handle *p, struct leg_stats *out)
{
	int64_t now = clock_now_ns(p->conf->cfg.engine->clock), past;
	struct leg_net_stats s;
	struct leg_info i;

	leg_get_stats(p->leg, &s);
	leg_get_info(p->leg, &i);
	past = p->stats_at_ns ? now - p->stats_at_ns : 0;
	p->stats_at_ns = now;
	flows(out, &s);
	out->uplink.kbps = kbps(s.uplink_audio.octets + s.uplink_video.octets + s.uplink_content.octets,
				&p->up_octets, past);
	out->downlink.kbps = kbps(s.downlink_audio.octets + s.downlink_video.octets +
				  s.downlink_content.octets, &p->down_octets, past);
	out->view_height = i.view_height;
	return 0;
}

/* To those who were told before, or to those who were not. */
ON_THREAD(ROLE_CTL) static void tell(struct hall *h, const struct leg_score *scores, size_t n,
				      bool newcomers)
{
	struct leg_event ev = { .type = LEG_EVENT_QUALITY, .u.quality = { .legs = scores, .n = n } };
	GPtrArray *all = n ? g_ptr_array_copy(h->people, NULL, NULL) : NULL;
	uint64_t departures = h->departures;

	for (size_t i = 0; all && i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);

		if ((departures == h->departures || hall_has(h, p)) &&
		    p->knows_scores != newcomers)
			p->ev->event(p->obj, &ev);
	}
	if (all)
		g_ptr_array_unref(all);
	leg_event_clear(&ev);
}

static void write_interval(struct leg_handle *p, const struct leg_net_stats *s, bool leaves)
	ON_THREAD(ROLE_CTL)
{
	struct leg_info i;

	leg_get_info(p->leg, &i);
	quality_log_leg(p->conf->quality, &p->mark, p->row_id, s, (int)i.view_height,
			clock_now_ns(p->conf->cfg.engine->clock), leaves);
}

void quality_last(struct leg_handle *p)
{
	struct leg_net_stats s;

	if (!p->connected)
		return;
	leg_get_stats(p->leg, &s);
	write_interval(p, &s, true);
}

ON_THREAD(ROLE_CTL) static bool has_changed(struct leg_handle *p)
{
	struct leg_net_stats s;
	struct leg_stats all;

	leg_get_stats(p->leg, &s);
	write_interval(p, &s, false);
	flows(&all, &s);
	if (p->told_score > 0 && fabs(all.score - p->told_score) < QUALITY_STEP)
		return false;
	p->told_score = all.score;
	return true;
}

/* Who is there learns what has changed, who is new learns all: a message with
 * everybody's for everybody would grow with the square of the room. */
static gboolean report(gpointer arg)
{
	struct hall *h = arg;
	struct leg_score *all = calloc(h->people->len + 1, sizeof *all);
	struct leg_score *changed = calloc(h->people->len + 1, sizeof *changed);
	size_t n = 0, n_changed = 0;

	role_assert_ctl();
	for (size_t i = 0; all && changed && i < h->people->len; i++) {
		struct leg_handle *p = g_ptr_array_index(h->people, i);

		/* Nothing is known of a leg that is not connected. */
		if (!p->connected)
			continue;
		if (has_changed(p))
			changed[n_changed++] = (struct leg_score){ leg_id(p->leg), p->told_score };
		all[n++] = (struct leg_score){ leg_id(p->leg), p->told_score };
	}
	if (n) {
		tell(h, changed, n_changed, false);
		tell(h, all, n, true);
		for (size_t i = 0; i < h->people->len; i++)
			((struct leg_handle *)g_ptr_array_index(h->people, i))->knows_scores = true;
	}
	free(all);
	free(changed);
	return G_SOURCE_CONTINUE;
}

void quality_start(struct hall *h)
{
	h->quality = g_timeout_add_seconds(QUALITY_S, report, h);
}

void quality_stop(struct hall *h)
{
	if (h->quality)
		g_source_remove(h->quality);
	h->quality = 0;
}
