#include "storage/timeline.h"

#include "mcu/base/clock.h"

void timeline_pause(struct timeline *t, int64_t at_ns)
{
	t->resuming = false;
	if (t->paused)
		return;
	t->paused = true;
	/* one after the other, whatever is said */
	t->from_ns = t->begun && at_ns < t->to_ns ? t->to_ns : at_ns;
	t->before_ns = t->lost_ns;
}

void timeline_resume(struct timeline *t, int64_t at_ns)
{
	if (!t->paused)
		return;
	t->resuming = true;
	t->bound_ns = at_ns - TIMELINE_SLACK_MS * NS_PER_MS;
	if (t->bound_ns < t->from_ns)
		t->bound_ns = t->from_ns;
}

bool timeline_waits(const struct timeline *t)
{
	return t->paused ? t->resuming : !t->begun;
}

bool timeline_place(struct timeline *t, int64_t pts_ns, bool begins, int64_t *at_ns)
{
	if (t->paused && t->resuming && begins && pts_ns >= t->bound_ns) {
		t->paused = t->resuming = false;
		t->to_ns = pts_ns;
		t->lost_ns = t->before_ns + (t->begun ? pts_ns - t->from_ns : 0);
		if (t->begun && t->from_ns - t->zero_ns - t->before_ns < t->least_ns)
			t->lost_ns = pts_ns - t->zero_ns - t->least_ns;
	}
	if (!t->begun) {
		if (!begins || (t->paused && pts_ns >= t->from_ns))
			return false;
		t->begun = true;
		t->zero_ns = pts_ns;
		t->lost_ns = t->before_ns = 0;
		if (!t->paused)
			t->from_ns = t->to_ns = pts_ns;
	}
	if (pts_ns < t->zero_ns)
		return false;
	if (t->paused ? pts_ns >= t->from_ns : pts_ns >= t->from_ns && pts_ns < t->to_ns)
		return false;
	*at_ns = pts_ns - t->zero_ns - (pts_ns < t->from_ns ? t->before_ns : t->lost_ns);
	return true;
}

/* Who pauses says when, and only then that. */
enum { MARK_MS = 100 };

enum timeline_verdict timeline_look(const struct timeline_view *v, int64_t pts_ns, int64_t *at_ns)
{
	struct timeline t = v->line;
	bool ended = v->seen_ns == INT64_MAX;

	if (!ended && (!t.begun || pts_ns >= v->seen_ns - MARK_MS * NS_PER_MS))
		return TIMELINE_LATER;
	if (!t.begun)
		return TIMELINE_NOWHERE;
	if (!ended && t.resuming && pts_ns >= t.bound_ns)
		return TIMELINE_LATER;
	return timeline_place(&t, pts_ns, false, at_ns) ? TIMELINE_HERE : TIMELINE_NOWHERE;
}
