#include "mcu/room/passage.h"

#include "mcu/room/stage.h"
#include "mcu/room/video_encode.h"

void passage_begin(struct passage *p, struct video_leg *v)
{
	p->wanted = p->key_wanted = false;
	while (p->on && p->n < VIDEO_LEG_UNITS && video_leg_pop(v, &p->unit[p->n]))
		p->n++;
}

static void drop(struct passage *p)
{
	for (size_t i = 0; i < p->n; i++)
		buf_unref(&p->unit[i].au);
	p->n = 0;
}

void passage_end(struct passage *p, struct video_leg *v, int64_t now_ns)
{
	drop(p);
	if (p->wanted != p->on) {
		p->on = p->wanted;
		video_leg_set_passing(v, p->on);
	}
	if (!p->key_wanted ||
	    (p->asked_ns && now_ns - p->asked_ns < PASSAGE_ASK_MS * NS_PER_MS))
		return;
	p->asked_ns = now_ns;
	video_leg_request_key(v);
}

void passage_stop(struct passage *p, struct video_leg *v)
{
	drop(p);
	if (p->on)
		video_leg_set_passing(v, false);
	p->on = false;
}

/* Those of a tick share its time, and each has one of its own. */
ON_THREAD(ROLE_MIXV) static void pass(const struct passage *from, struct video_encode *v,
				      int64_t due_ns, int fps)
{
	int64_t each = from->n ? NS_PER_S / fps / (int64_t)from->n : 0;

	for (size_t i = 0; i < from->n; i++)
		video_encode_pass(v, &from->unit[i],
				  due_ns - each * (int64_t)(from->n - 1 - i));
}

bool passage_give(struct passage *from, const struct stage_call *c, size_t at)
{
	bool all = true;

	for (size_t i = 0; i < c->routing->n_encodes; i++) {
		const struct route_encode *e = &c->routing->encode[i];
		bool can;

		if (e->picture != at)
			continue;
		if (from && !e->rung)
			video_encode_pass_from(e->v, from->source);
		can = from && !e->rung && video_encode_can_pass(e->v, c->due_ns);
		if (can) {
			from->wanted = true;
			pass(from, e->v, c->due_ns, c->fps);
			from->key_wanted |= video_encode_needs_source_key(e->v, c->due_ns);
		} else {
			video_encode_end_passing(e->v);
		}
		all = all && video_encode_is_passing(e->v);
	}
	return all;
}
