/* All calls: what is due of them, and their end. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <stdlib.h>

int64_t call_now_ns(const struct sip_call_set *s)
{
	return clock_now_ns(s->side.clock);
}

int sip_call_set_new(struct sip_call_set **out, const struct sip_calls_side *side,
		     const struct sip_dialog_ops *ops)
{
	struct sip_call_set *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct sip_call_set){ .side = *side, .ops = ops, .due_ns = INT64_MAX,
				    .calls = g_ptr_array_new(), .groups = g_ptr_array_new() };
	*out = s;
	return 0;
}

/* Ending one may free it and others: no pointer into the table is kept. */
typedef void each_call(struct sip_call *c);

ON_THREAD(ROLE_CTL) static void for_each(struct sip_call_set *s, each_call *fn)
{
	GPtrArray *all = g_ptr_array_copy(s->calls, NULL, NULL);

	for (guint i = 0; i < all->len; i++)
		call_hold(g_ptr_array_index(all, i));
	for (guint i = 0; i < all->len; i++)
		fn(g_ptr_array_index(all, i));
	for (guint i = 0; i < all->len; i++)
		call_release(g_ptr_array_index(all, i));
	g_ptr_array_unref(all);
}

static void shut_down(struct sip_call *c)
{
	role_assert_ctl();
	call_end(c, SIP_END_SHUTDOWN, 503, "The server is shutting down.");
}

void sip_call_set_shutdown(struct sip_call_set *s)
{
	s->stopping = true;
	for_each(s, shut_down);
}

static void due(struct sip_call_set *s, int64_t at_ns)
{
	if (at_ns && at_ns < s->due_ns)
		s->due_ns = at_ns;
}

void call_due_in(const struct sip_call *c, int64_t *due_ns, int64_t in_ns)
{
	*due_ns = call_now_ns(c->set) + in_ns;
	due(c->set, *due_ns);
}

ON_THREAD(ROLE_CTL) static void still_due(const struct sip_call *c)
{
	due(c->set, c->retry_ns);
	due(c->set, c->gather_ns);
	due(c->set, c->dead_ns);
	due(c->set, call_guide_due_ns(c));
}

static void tick(struct sip_call *c)
{
	int64_t now = call_now_ns(c->set);

	role_assert_ctl();
	if (c->retry_ns && now >= c->retry_ns) {
		c->retry_ns = 0;
		call_try_reoffer(c);
	}
	if (c->gather_ns && now >= c->gather_ns)
		call_gathered(c);
	call_guide_tick(c);
	if (c->state == CALL_ENDING && c->dead_ns && now >= c->dead_ns)
		call_finish(c);
	else
		still_due(c);
}

void sip_call_set_tick(struct sip_call_set *s)
{
	if (call_now_ns(s) >= s->due_ns) {
		s->due_ns = INT64_MAX;
		for_each(s, tick);
	}
	call_groups_tick(s);
}

static void forget(struct sip_call *c)
{
	role_assert_ctl();
	c->dialog = NULL;
	if (call_alive(c))
		call_record_end(c, SIP_END_SHUTDOWN, "");
	if (c->state != CALL_OVER) {
		c->state = CALL_OVER;
		call_let_go(c, LEAVE_SHUTDOWN);
	}
}

void sip_call_set_free(struct sip_call_set **sp)
{
	struct sip_call_set *s = *sp;

	if (!s)
		return;
	s->stopping = true;
	for_each(s, forget);
	call_groups_free(s);
	g_ptr_array_unref(s->calls);
	g_ptr_array_unref(s->groups);
	free(s);
	*sp = NULL;
}
