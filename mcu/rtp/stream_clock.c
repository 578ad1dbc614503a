#include "mcu/rtp/stream_clock.h"

#include "mcu/base/clock.h"
#include "mcu/rtp/seq.h"

bool stream_clock_is_late(const struct stream_clock *c, const struct stream_stamp *s)
{
	int32_t d = c->begun ? ts_diff(s->ts, (uint32_t)c->ext_ts) : 1;

	/* far behind: it begins anew */
	return c->begun && s->ssrc == c->ssrc && s->hz == c->hz && d <= 0 &&
	       -(int64_t)d * 1000 < (int64_t)STREAM_CLOCK_JUMP_MS * s->hz;
}

/* Beyond it begins anew, so that nanoseconds fit whatever a sender says. */
#define EXT_MAX (INT64_C(1) << 44)

static int64_t time_of(const struct stream_clock *c)
{
	return c->ext_ts / c->hz * NS_PER_S + c->ext_ts % c->hz * NS_PER_S / c->hz;
}

static bool begins(const struct stream_clock *c, const struct stream_stamp *s)
{
	return !c->begun || s->ssrc != c->ssrc || s->hz != c->hz || c->ext_ts > EXT_MAX ||
	       c->ext_ts < -EXT_MAX;
}

static void anchor(struct stream_clock *c, int64_t offset_ns, int64_t now_ns)
{
	c->offset_ns = c->goal_ns = c->best_ns = offset_ns;
	c->window_end_ns = now_ns + STREAM_CLOCK_WINDOW_MS * NS_PER_MS;
	c->late_since_ns = 0;
	c->slewed_ns = time_of(c);
}

/* A stretch in which all is late ends by itself, or the sender has not counted meanwhile. */
static void be_patient(struct stream_clock *c, int64_t distance_ns, int64_t now_ns)
{
	if (!c->late_since_ns) {
		c->late_since_ns = now_ns;
		c->late_best_ns = distance_ns;
	}
	if (distance_ns < c->late_best_ns)
		c->late_best_ns = distance_ns;
	if (now_ns - c->late_since_ns >= STREAM_CLOCK_PATIENCE_MS * NS_PER_MS)
		anchor(c, c->late_best_ns, now_ns);
}

static void follow(struct stream_clock *c, int64_t distance_ns, int64_t now_ns)
{
	int64_t off = distance_ns - c->offset_ns;

	if (off < -STREAM_CLOCK_JUMP_MS * NS_PER_MS) {
		anchor(c, distance_ns, now_ns);
		return;
	}
	if (off > STREAM_CLOCK_JUMP_MS * NS_PER_MS) {
		be_patient(c, distance_ns, now_ns);
		return;
	}
	c->late_since_ns = 0;
	if (distance_ns < c->best_ns)
		c->best_ns = distance_ns;
	if (c->best_ns < c->goal_ns)
		c->goal_ns = c->best_ns;
	if (now_ns < c->window_end_ns)
		return;
	c->goal_ns = c->best_ns;
	c->best_ns = distance_ns;
	c->window_end_ns = now_ns + STREAM_CLOCK_WINDOW_MS * NS_PER_MS;
}

static void follow_play(struct stream_clock *c, int64_t offset_ns, int64_t now_ns)
{
	int64_t off = offset_ns - c->offset_ns;

	if (off > STREAM_CLOCK_JUMP_MS * NS_PER_MS || off < -STREAM_CLOCK_JUMP_MS * NS_PER_MS)
		anchor(c, offset_ns, now_ns);
	c->goal_ns = offset_ns;
	c->late_since_ns = 0;
}

static void slew(struct stream_clock *c)
{
	int64_t at = time_of(c), passed = at - c->slewed_ns;
	int64_t most = passed > 0 ? passed / (1000000 / STREAM_CLOCK_SLEW_PPM) : 0;
	int64_t off = c->goal_ns - c->offset_ns;

	c->slewed_ns = at;
	c->offset_ns += off > most ? most : off < -most ? -most : off;
}

int64_t stream_clock_map(struct stream_clock *c, const struct stream_stamp *s)
{
	int64_t at;

	if (begins(c, s)) {
		c->begun = true;
		c->ssrc = s->ssrc;
		c->hz = s->hz;
		c->ext_ts = s->ts;
		anchor(c, (s->has_play ? s->play_ns : s->arrival_ns) - time_of(c), s->arrival_ns);
	}
	c->ext_ts = ts_unwrap(c->ext_ts, s->ts);
	if (s->has_play)
		follow_play(c, s->play_ns - time_of(c), s->arrival_ns);
	else
		follow(c, s->arrival_ns - time_of(c), s->arrival_ns);
	slew(c);
	at = c->offset_ns + time_of(c);
	if (c->have_last && at < c->last_ns + STREAM_CLOCK_STEP_NS)
		at = c->last_ns + STREAM_CLOCK_STEP_NS;
	c->have_last = true;
	c->last_ns = at;
	return at;
}
