/* What a room is doing on the video workers, and what it gives up (overload.h). */
#include "mcu/room/room_priv.h"

static bool keeps_top(const struct room *r)
{
	return r->has_sink || ladder_rungs(&r->engine->cfg) == 1;
}

struct overload_room *room_load(struct room *r)
{
	struct overload_room *o = &r->overload;
	struct work_done now;
	struct tick_stats t;

	work_account_get(r->work, &now);
	tick_get_stats(r->tick, &t);
	/* a tick that was left out is a job that was late */
	o->jobs = now.jobs - r->done.jobs + t.skipped - r->skipped;
	o->late = now.late - r->done.late + t.skipped - r->skipped;
	o->cpu_ns = now.cpu_ns - r->done.cpu_ns;
	o->keeps_top = keeps_top(r);
	r->done = now;
	r->skipped = t.skipped;
	return o;
}

void room_give_up(struct room *r)
{
	int fps = overload_fps(r->overload.level, r->engine->cfg.fps);

	work_account_set_handicap(r->work, r->overload.handicap_ns);
	if (r->overload.level == r->gave_up)
		return;
	r->gave_up = r->overload.level;
	tick_set_fps(r->tick, fps);
	for (struct room_encode *x = r->encodes; x; x = x->next)
		video_encode_set_fps(x->v, fps);
	/* who gets which rung, and what is decoded */
	room_touch(r);
}

enum overload_level room_overload(const struct room *r)
{
	return r->gave_up;
}

void room_get_work(const struct room *r, struct work_done *out)
{
	work_account_get(r->work, out);
}

bool room_has_encode(const struct room *r, enum codec codec)
{
	for (const struct room_encode *x = r->encodes; x; x = x->next)
		if (!x->closing && x->codec == codec)
			return true;
	return false;
}

int room_fps(const struct room *r)
{
	return overload_fps(r->gave_up, r->engine->cfg.fps);
}

unsigned room_top_rung(const struct room *r)
{
	return r->gave_up >= OVERLOAD_NO_TOP && !keeps_top(r);
}

bool room_decodes(const struct room *r)
{
	return r->gave_up != OVERLOAD_FROZEN && room_encode_any(r);
}
