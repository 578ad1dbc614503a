/* What is told of a call to who keeps records. */
#include "signaling/sip_call_priv.h"

#include <stdio.h>

static int64_t wall_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

struct sip_cdr *call_record(struct sip_call *c)
{
	return &c->cdr;
}

void call_record_begin(struct sip_call *c, const struct sip_call_start *start)
{
	const struct sip_cdr_sink *sink = c->set->side.cdr;

	c->cdr.started_ms = wall_ms();
	snprintf(c->cdr.room, sizeof(c->cdr.room), "%s", c->room);
	snprintf(c->cdr.uri, sizeof(c->cdr.uri), "%s", start->uri ? start->uri : "");
	snprintf(c->cdr.number, sizeof(c->cdr.number), "%s", start->number ? start->number : "");
	snprintf(c->cdr.user, sizeof(c->cdr.user), "%s", start->user ? start->user : "");
	snprintf(c->cdr.trunk, sizeof(c->cdr.trunk), "%s", start->trunk ? start->trunk : "");
	c->recorded = sink != NULL;
	if (sink)
		sink->begin(sink->ctx, &c->cdr);
}

void call_record_answered(struct sip_call *c)
{
	const struct sip_cdr_sink *sink = c->set->side.cdr;

	c->cdr.answered_ms = wall_ms();
	c->cdr.sip_status = 200;
	if (c->recorded)
		sink->answered(sink->ctx, &c->cdr);
}

void call_record_end(struct sip_call *c, enum sip_end end, const char *reason)
{
	const struct sip_cdr_sink *sink = c->set->side.cdr;

	if (c->end_told)
		return;
	c->end_told = true;
	c->cdr.ended_ms = wall_ms();
	c->cdr.end = end;
	snprintf(c->cdr.reason, sizeof(c->cdr.reason), "%s", reason ? reason : "");
	if (c->room[0])
		snprintf(c->cdr.room, sizeof(c->cdr.room), "%s", c->room);
	if (c->recorded)
		sink->ended(sink->ctx, &c->cdr);
}
