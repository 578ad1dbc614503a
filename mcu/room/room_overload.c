/* What a room is doing on the video workers, and what it gives up (overload.h). */
#include "mcu/room/room_priv.h"

ON_THREAD(ROLE_CTL) static bool keeps_top(const struct room *r)
{
	return room_films_top(r) || ladder_rungs(&r->engine->cfg) == 1;
}

static struct work_done since(const struct work_account *a, struct work_done *last)
{
	struct work_done now, d;

	work_account_get(a, &now);
	d = (struct work_done){ now.jobs - last->jobs, now.late - last->late,
				now.cpu_ns - last->cpu_ns };
	*last = now;
	return d;
}

struct overload_room *room_load(struct room *r)
{
	struct overload_room *o = &r->overload;
	struct work_done in, out, made;
	struct tick_stats t;

	tick_get_stats(r->tick, &t);
	in = since(r->work_in, &r->done_in);
	made = since(r->work, &r->done);
	/* a tick that was left out is a job that was late */
	out = (struct work_done){ .jobs = made.jobs + t.skipped - r->skipped,
				  .late = made.late + t.skipped - r->skipped };
	r->skipped = t.skipped;
	/* The many jobs of one kind must not hide that the other is late. */
	if (in.late * out.jobs > out.late * in.jobs)
		out = in;
	o->jobs = out.jobs;
	o->late = out.late;
	o->cpu_ns = in.cpu_ns + made.cpu_ns;
	o->keeps_top = keeps_top(r);
	return o;
}

void room_give_up(struct room *r)
{
	int fps = overload_fps(r->overload.level, r->engine->cfg.fps);

	work_account_set_handicap(r->work, r->overload.handicap_ns);
	work_account_set_handicap(r->work_in, r->overload.handicap_ns);
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
	struct work_done in;

	work_account_get(r->work_in, &in);
	work_account_get(r->work, out);
	out->jobs += in.jobs;
	out->late += in.late;
	out->cpu_ns += in.cpu_ns;
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
