#include "mcu/call_records.h"

#include <stdio.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/quality.h"
#include "storage/calls.h"

METRIC_COUNTER(m_strangers, "mcu_sip_strangers_unanswered_total",
	       "Calls of strangers, by no trunk, that ended before an answer: without a record.");

enum { DAY_MS = 24 * 3600 * 1000 };

static double fraction(uint64_t lost, uint64_t received)
{
	return lost ? (double)lost / (double)(lost + received) : 0;
}

/* What was heard here; where nothing was, nothing is said. */
static void rate(struct call_row *row, const struct leg_totals *t)
{
	double loss = fraction(t->audio_lost, t->audio_in);

	if (!t->audio_in)
		return;
	row->mos = quality_mos(t->audio, loss, t->jitter_ms, t->rtt_ms);
	row->score = quality_score(loss, t->jitter_ms, t->rtt_ms);
}

static void copy_codec(char *to, size_t cap, enum codec c)
{
	snprintf(to, cap, "%s", c == CODEC_NONE ? "" : codec_name(c));
}

void call_records_row(struct call_row *row, const struct sip_cdr *c)
{
	const struct leg_totals *t = &c->media;
	enum sip_end end = c->end;

	/* Who hangs up on a call that nobody has answered takes it back. */
	if (c->out && !c->answered_ms && end == SIP_END_HANGUP_LOCAL)
		end = SIP_END_CANCELLED;
	*row = (struct call_row){
		.id = c->id, .out = c->out, .started_ms = c->started_ms,
		.answered_ms = c->answered_ms, .ended_ms = c->ended_ms,
		.packets_in = (int64_t)t->packets_in, .packets_out = (int64_t)t->packets_out,
		.lost_in = (int64_t)t->lost_in, .lost_out = (int64_t)t->lost_out,
		.jitter_ms = t->jitter_ms, .rtt_ms = t->rtt_ms, .sip_status = c->sip_status,
	};
	snprintf(row->room, sizeof row->room, "%s", c->room);
	snprintf(row->uri, sizeof row->uri, "%s", c->uri);
	snprintf(row->number, sizeof row->number, "%s", c->number);
	snprintf(row->user, sizeof row->user, "%s", c->user);
	snprintf(row->trunk, sizeof row->trunk, "%s", c->trunk);
	snprintf(row->end, sizeof row->end, "%s", sip_end_name(end));
	snprintf(row->reason, sizeof row->reason, "%s", c->reason);
	copy_codec(row->audio, sizeof row->audio, t->audio);
	copy_codec(row->video, sizeof row->video, t->video);
	rate(row, t);
}

bool call_records_kept(const struct sip_cdr *c)
{
	return c->out || c->user[0] || c->trunk[0] || c->answered_ms;
}

ON_THREAD(ROLE_CTL) static void write_row(const struct call_records *r, const struct sip_cdr *c,
					  const struct call_keep *keep)
{
	struct call_row row;

	if (!c->id)
		return;
	call_records_row(&row, c);
	calls_write(r->db, &row, keep);
}

static void begin(void *ctx, struct sip_cdr *c)
{
	role_assert_ctl();
	c->id = db_new_id();
	if (call_records_kept(c))
		write_row(ctx, c, NULL);
}

static void answered(void *ctx, const struct sip_cdr *c)
{
	role_assert_ctl();
	write_row(ctx, c, NULL);
}

static void ended(void *ctx, const struct sip_cdr *c)
{
	struct call_records *r = ctx;
	struct call_keep keep = { 0 };

	role_assert_ctl();
	if (!call_records_kept(c)) {
		metric_add(&m_strangers, 1);
		return;
	}
	if (r->keep_days)
		keep.since_ms = clock_wall_ns() / NS_PER_MS - (int64_t)r->keep_days * DAY_MS;
	if (r->ended++ % CALL_RECORDS_MORE == 0)
		keep.rows = r->keep_rows;
	write_row(r, c, &keep);
}

struct sip_cdr_sink call_records_sink(struct call_records *r)
{
	return (struct sip_cdr_sink){ .ctx = r, .begin = begin, .answered = answered,
				      .ended = ended };
}
