#include "mcu/playback_clock.h"

#include "mcu/base/clock.h"

enum {
	STARVED_MS = 250,  /* so long after the last of it the position stands */
	FED_MS = 400,	   /* and goes on when there is so much */
	LIVE_MS = 300,	   /* a camera is shown so late */
	LIVE_MOST_MS = 1500
};

const char *playback_state_name(enum playback_state s)
{
	static const char *const name[] = {
		[PLAYBACK_OPENING] = "opening", [PLAYBACK_BUFFERING] = "buffering",
		[PLAYBACK_PLAYING] = "playing", [PLAYBACK_PAUSED] = "paused",
		[PLAYBACK_RECONNECTING] = "reconnecting", [PLAYBACK_ENDED] = "ended",
		[PLAYBACK_FAILED] = "failed",
	};

	return s >= PLAYBACK_OPENING && s <= PLAYBACK_FAILED ? name[s] : "";
}

void playback_clock_init(struct playback_clock *c, bool plays, bool loop)
{
	*c = (struct playback_clock){ .wants = plays, .loop = loop };
}

int64_t playback_clock_position(const struct playback_point *p, int64_t now_ns)
{
	return p->pos_ns + (p->runs && now_ns > p->at_ns ? now_ns - p->at_ns : 0);
}

/* The position stays; whether it runs follows from all that is known. */
static void settle(struct playback_clock *c, int64_t now_ns)
{
	struct playback_point *p = &c->point;

	p->pos_ns = playback_clock_position(p, now_ns);
	p->at_ns = now_ns;
	p->runs = c->open && c->wants && !c->seeking && !c->starved && !c->over && !c->still;
}

void playback_clock_opened(struct playback_clock *c, int64_t duration_ns, bool live, bool still)
{
	c->open = true;
	c->duration_ns = live || still ? 0 : duration_ns;
	c->live = live;
	c->still = still;
}

int64_t playback_clock_seek(struct playback_clock *c, int64_t now_ns, int64_t pos_ns)
{
	if (c->duration_ns && pos_ns > c->duration_ns)
		pos_ns = c->duration_ns;
	if (pos_ns < 0)
		pos_ns = 0;
	c->seeking = true;
	c->starved = c->over = false;
	c->end_ns = 0;
	settle(c, now_ns);
	c->point.pos_ns = c->still ? 0 : pos_ns;
	c->point.serial++;
	return pos_ns;
}

void playback_clock_ready(struct playback_clock *c, int64_t now_ns, uint32_t serial, int64_t pos_ns)
{
	if (serial != c->point.serial || !c->seeking)
		return;
	c->seeking = false;
	settle(c, now_ns);
	if (!c->still && !c->live)
		c->point.pos_ns = pos_ns;
}

void playback_clock_play(struct playback_clock *c, int64_t now_ns, bool plays)
{
	c->wants = plays;
	settle(c, now_ns);
}

void playback_clock_end(struct playback_clock *c, uint32_t serial, int64_t end_ns)
{
	if (serial == c->point.serial)
		c->end_ns = end_ns > 0 ? end_ns : 1;
}

/* What a camera sends may be late, or its clock set, to before too. */
static void keep_up(struct playback_clock *c, int64_t now_ns, int64_t there_ns)
{
	int64_t ahead = there_ns - playback_clock_position(&c->point, now_ns);

	if (!c->live || (ahead <= LIVE_MOST_MS * NS_PER_MS && ahead >= -LIVE_MOST_MS * NS_PER_MS))
		return;
	settle(c, now_ns);
	c->point.pos_ns = there_ns > LIVE_MS * NS_PER_MS ? there_ns - LIVE_MS * NS_PER_MS : 0;
}

enum playback_turn playback_clock_turn(struct playback_clock *c, int64_t now_ns, int64_t there_ns)
{
	int64_t fed = (c->live ? LIVE_MS : FED_MS) * NS_PER_MS, pos, ahead;

	if (!c->open || c->seeking || c->still || !c->wants)
		return PLAYBACK_GOES_ON;
	keep_up(c, now_ns, there_ns);
	pos = playback_clock_position(&c->point, now_ns);
	ahead = there_ns - pos;
	if (c->end_ns) {
		if (c->starved) {
			c->starved = false;
			settle(c, now_ns);
		}
		if (pos < c->end_ns)
			return PLAYBACK_GOES_ON;
		if (c->loop)
			return PLAYBACK_AGAIN;
		c->over = true;
		settle(c, now_ns);
		c->point.pos_ns = c->end_ns;
		return PLAYBACK_OVER;
	}
	if (c->starved ? ahead < fed : ahead >= -STARVED_MS * NS_PER_MS)
		return PLAYBACK_GOES_ON;
	c->starved = !c->starved;
	settle(c, now_ns);
	return PLAYBACK_GOES_ON;
}

enum playback_state playback_clock_state(const struct playback_clock *c)
{
	if (!c->open)
		return PLAYBACK_OPENING;
	if (c->over)
		return PLAYBACK_ENDED;
	if (!c->wants)
		return PLAYBACK_PAUSED;
	if (c->seeking || c->starved)
		return PLAYBACK_BUFFERING;
	return PLAYBACK_PLAYING;
}
