#include "mcu/room/overload.h"

#include "mcu/base/clock.h"

enum { FEW_JOBS = 10, HANDICAP_MS = 33 };

void overload_init(struct overload *o)
{
	*o = (struct overload){ .patience_ns = OVERLOAD_PATIENCE_MS * NS_PER_MS };
}

int overload_fps(enum overload_level level, int fps)
{
	static const struct { int num, den; } part[] = {
		[OVERLOAD_NONE] = { 1, 1 },    [OVERLOAD_FPS_2_3] = { 2, 3 },
		[OVERLOAD_FPS_1_2] = { 1, 2 }, [OVERLOAD_FPS_1_3] = { 1, 3 },
		[OVERLOAD_NO_TOP] = { 1, 3 },  [OVERLOAD_FROZEN] = { 0, 1 },
	};
	int n = fps * part[level].num / part[level].den;

	return n > 0 ? n : 1;
}

const char *overload_text(enum overload_level level)
{
	switch (level) {
	case OVERLOAD_NONE:
		return "The server keeps up again: the picture is as it should be.";
	case OVERLOAD_NO_TOP:
		return "The server is very busy: the picture is smaller for a while. The sound goes on.";
	case OVERLOAD_FROZEN:
		return "The server cannot keep up: the picture stands still for a while. The sound goes "
		       "on.";
	default:
		return "The server is busy: the picture moves less smoothly for a while.";
	}
}

enum mood { CALM = 1, STRAIN, SEVERE, BETWEEN };

static bool late_itself(const struct overload_room *r, unsigned percent)
{
	uint64_t jobs = r->jobs < FEW_JOBS ? FEW_JOBS : r->jobs;

	return r->late * 100 >= jobs * percent;
}

static enum mood mood_of(const struct overload_load *l, struct overload_room *const *room, size_t n)
{
	uint64_t jobs = 0, late = 0;

	for (size_t i = 0; i < n; i++) {
		jobs += room[i]->jobs;
		late += room[i]->late;
	}
	if (jobs < FEW_JOBS)
		jobs = FEW_JOBS; /* one late job of two says little */
	if (l->audio_missed || l->overdue_ns >= OVERLOAD_SEVERE_OVERDUE_MS * NS_PER_MS ||
	    late * 100 >= jobs * OVERLOAD_SEVERE_PERCENT)
		return SEVERE;
	if (l->overdue_ns >= OVERLOAD_OVERDUE_MS * NS_PER_MS ||
	    late * 100 >= jobs * OVERLOAD_LATE_PERCENT)
		return STRAIN;
	return late * 100 < jobs * OVERLOAD_CALM_PERCENT ? CALM : BETWEEN;
}

/* The next level down that gives something up; the same: there is none. */
static enum overload_level below(const struct overload_room *r, bool severe)
{
	switch (r->level) {
	case OVERLOAD_FPS_1_3:
		if (!r->keeps_top)
			return OVERLOAD_NO_TOP;
		return severe ? OVERLOAD_FROZEN : r->level;
	case OVERLOAD_NO_TOP:
		return severe ? OVERLOAD_FROZEN : r->level;
	case OVERLOAD_FROZEN:
		return r->level;
	default:
		return r->level + 1;
	}
}

static enum overload_level above(const struct overload_room *r)
{
	if (r->level == OVERLOAD_FROZEN && r->keeps_top)
		return OVERLOAD_FPS_1_3;
	return r->level - 1;
}

/* The dearest that has that next; NULL: none has. */
static struct overload_room *dearest(struct overload_room *const *room, size_t n, bool severe,
				     bool frozen)
{
	struct overload_room *best = NULL;

	for (size_t i = 0; i < n; i++) {
		enum overload_level to = below(room[i], severe);

		if (to != room[i]->level && (to == OVERLOAD_FROZEN) == frozen && room[i]->cpu_ns &&
		    (!best || room[i]->cpu_ns > best->cpu_ns))
			best = room[i];
	}
	return best;
}

/* A quarter of the rooms: to stand still is much, and what it saves shows first. */
static bool freeze_some(struct overload_room *const *room, size_t n, uint64_t least)
{
	struct overload_room *r;
	size_t done = 0;

	while (done < (n + 3) / 4 && (r = dearest(room, n, true, true)) && r->cpu_ns >= least) {
		r->awake_ns = r->cpu_ns;
		r->level = OVERLOAD_FROZEN;
		done++;
	}
	return done;
}

static bool step_down(struct overload_room *const *room, size_t n, bool severe)
{
	const struct overload_room *moving = dearest(room, n, severe, false);
	const struct overload_room *still = severe ? dearest(room, n, severe, true) : NULL;
	uint64_t most = moving ? moving->cpu_ns : 0;
	bool any;

	if (still && still->cpu_ns > most)
		most = still->cpu_ns;
	any = severe && most && freeze_some(room, n, most / 2);
	for (size_t i = 0; most && i < n; i++) {
		enum overload_level to = below(room[i], severe);

		if (to == OVERLOAD_FROZEN || to == room[i]->level || room[i]->cpu_ns < most / 2)
			continue;
		room[i]->level = to;
		any = true;
	}
	return any;
}

/* Processor time in a window that a step up adds, guessed from above. */
static uint64_t cost_of_step(const struct overload_room *r)
{
	if (r->level == OVERLOAD_FROZEN)
		return r->awake_ns;
	return r->level == OVERLOAD_FPS_1_2 ? r->cpu_ns / 3 : r->cpu_ns / 2;
}

static bool may_rise(const struct overload_room *r, int64_t now_ns)
{
	return !late_itself(r, OVERLOAD_CALM_PERCENT) && now_ns - r->down_ns >= r->patience_ns;
}

/* Of the rooms at the lowest level the cheapest that could come up; NULL: none. */
static struct overload_room *next_up(struct overload_room *const *room, size_t n,
				     enum overload_level lowest, int64_t now_ns)
{
	struct overload_room *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (room[i]->level == lowest && may_rise(room[i], now_ns) &&
		    (!best || cost_of_step(room[i]) < cost_of_step(best)))
			best = room[i];
	return best;
}

/* Of those that could come up. */
static enum overload_level lowest_of(struct overload_room *const *room, size_t n, int64_t now_ns)
{
	enum overload_level lowest = OVERLOAD_NONE;

	for (size_t i = 0; i < n; i++)
		if (room[i]->level > lowest && may_rise(room[i], now_ns))
			lowest = room[i]->level;
	return lowest;
}

/* As many of the lowest as there is processor time for; must: one at least. */
static bool step_up(const struct overload_load *l, struct overload_room *const *room, size_t n,
		    bool must, int64_t now_ns)
{
	enum overload_level lowest = lowest_of(room, n, now_ns);
	uint64_t used = l->processors_ns / 1000 * l->permille;
	uint64_t most = l->processors_ns / 1000 * OVERLOAD_ROOM_PERMILLE;
	struct overload_room *r;
	bool any = false;

	while (lowest && (r = next_up(room, n, lowest, now_ns))) {
		used += cost_of_step(r);
		if (used > most && !(must && !any))
			break;
		r->level = above(r);
		r->up_ns = now_ns;
		any = true;
	}
	return any;
}

static void set_handicaps(struct overload_room *const *room, size_t n)
{
	uint64_t sum = 0, share;
	size_t active = 0;

	for (size_t i = 0; i < n; i++) {
		sum += room[i]->cpu_ns;
		active += room[i]->cpu_ns > 0;
	}
	share = active ? sum / active : 0;
	for (size_t i = 0; i < n; i++) {
		struct overload_room *r = room[i];
		uint64_t ms = 0;

		/* a quarter more than its share is nothing to speak of */
		if (share && r->cpu_ns > share + share / 4)
			ms = (r->cpu_ns - share) * HANDICAP_MS / share;
		if (ms > OVERLOAD_HANDICAP_MAX_MS)
			ms = OVERLOAD_HANDICAP_MAX_MS;
		r->handicap_ns = (int64_t)ms * NS_PER_MS;
	}
}

static int64_t twice(int64_t patience_ns)
{
	return patience_ns < OVERLOAD_PATIENCE_MAX_MS * NS_PER_MS / 2 ?
		       patience_ns * 2 : OVERLOAD_PATIENCE_MAX_MS * NS_PER_MS;
}

static void relapsed(struct overload *o, int64_t now_ns)
{
	if (o->up_ns && now_ns - o->up_ns < OVERLOAD_RELAPSE_MS * NS_PER_MS)
		o->patience_ns = twice(o->patience_ns);
	o->up_ns = 0;
}

/* Likewise, of one that is late alone: the others need not wait for it. */
static void relapsed_alone(struct overload_room *r, int64_t now_ns)
{
	int64_t up = now_ns - r->up_ns;

	if (!r->patience_ns || (r->up_ns && up >= OVERLOAD_FORGET_MS * NS_PER_MS))
		r->patience_ns = OVERLOAD_PATIENCE_MS * NS_PER_MS;
	if (r->up_ns && up < OVERLOAD_RELAPSE_MS * NS_PER_MS)
		r->patience_ns = twice(r->patience_ns);
	r->up_ns = 0;
	r->down_ns = now_ns;
}

static bool under_strain(struct overload *o, enum mood mood, struct overload_room *const *room,
			 size_t n, int64_t now_ns)
{
	unsigned needed = o->stepped ? OVERLOAD_NEXT_WINDOWS : OVERLOAD_FIRST_WINDOWS;
	bool severe;

	o->calm_ns = o->well_ns = 0;
	o->strained++;
	o->severe = mood == SEVERE ? o->severe + 1 : 0;
	if (o->strained < needed)
		return false;
	severe = o->severe >= needed;
	o->strained = o->severe = 0;
	if (!step_down(room, n, severe))
		return false;
	o->stepped = true;
	relapsed(o, now_ns);
	return true;
}

/* One encoder alone may be too slow while the processors have time: that is its
 * room's affair. */
static bool late_alone(struct overload_room *const *room, size_t n, int64_t now_ns)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct overload_room *r = room[i];

		if (!late_itself(r, OVERLOAD_LATE_PERCENT)) {
			r->strained -= r->strained > 0;
			continue;
		}
		if (++r->strained < OVERLOAD_FIRST_WINDOWS)
			continue;
		r->strained = 0;
		if (below(r, false) == r->level)
			continue;
		r->level = below(r, false);
		relapsed_alone(r, now_ns);
		any = true;
	}
	return any;
}

static bool in_calm(struct overload *o, const struct overload_load *l,
		    struct overload_room *const *room, size_t n, int64_t now_ns)
{
	int64_t calm;

	o->stepped = false;
	if (!o->calm_ns)
		o->calm_ns = now_ns;
	calm = now_ns - o->calm_ns;
	if (!lowest_of(room, n, now_ns)) {
		if (!o->well_ns)
			o->well_ns = now_ns;
		if (now_ns - o->well_ns >= OVERLOAD_FORGET_MS * NS_PER_MS)
			o->patience_ns = OVERLOAD_PATIENCE_MS * NS_PER_MS;
		return false;
	}
	o->well_ns = 0;
	if (calm < o->patience_ns)
		return false;
	/* What was guessed may have become wrong: after a long calm it is tried. */
	if (!step_up(l, room, n, calm >= 6 * o->patience_ns, now_ns))
		return false;
	o->calm_ns = o->up_ns = now_ns;
	return true;
}

bool overload_step(struct overload *o, const struct overload_load *l,
		   struct overload_room *const *room, size_t n, int64_t now_ns)
{
	enum mood mood = mood_of(l, room, n);
	bool alone;

	set_handicaps(room, n);
	if (mood == STRAIN || mood == SEVERE)
		return under_strain(o, mood, room, n, now_ns);
	o->severe = 0;
	alone = late_alone(room, n, now_ns);
	if (mood == CALM) {
		o->strained = 0;
		return in_calm(o, l, room, n, now_ns) || alone;
	}
	o->strained -= o->strained > 0;
	o->calm_ns = o->well_ns = 0;
	return alone;
}
