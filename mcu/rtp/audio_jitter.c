#include "mcu/rtp/audio_jitter.h"

#include <errno.h>

#include "mcu/base/clock.h"
#include "mcu/base/hot.h"
#include "mcu/rtp/audio_target.h"
#include "mcu/rtp/seq.h"

enum {
	/* RFC 3550 A.1: a jump beyond these is a restart, believed at the second
	 * packet of the new sequence. */
	MAX_DROPOUT = 3000,
	MAX_MISORDER = 300,
	/* A hole longer than this is jumped over, not concealed. */
	CONCEAL_MS = 120,
};

struct slot {
	struct buf *pkt; /* NULL: empty */
	const uint8_t *data;
	size_t len;
	int64_t seq, ts; /* unwrapped */
	uint32_t ticks;
	bool redundant; /* a copy: gives way to the packet itself */
};

struct audio_jitter {
	struct ajb_cfg cfg;
	struct audio_target target;
	struct ajb_stats stats;
	bool started; /* a packet came */
	bool playing; /* a packet was given */
	int64_t highest_seq, last_ts;
	int64_t lowest_seq; /* held; while not playing */
	int64_t next_seq, next_ts; /* to give; while playing */
	uint32_t last_ticks;
	/* Time that the caller filled because nothing was here. If it turns out
	 * that packets were lost then, they have been concealed already. */
	int64_t waited_ticks;
	int restart_seq; /* what would prove a restart; -1: nothing */
	size_t held;
	uint32_t held_ticks;
	struct slot slots[AJB_SLOTS];
};

int audio_jitter_new(struct audio_jitter **out, const struct ajb_cfg *cfg)
{
	struct audio_jitter *j;

	if (!cfg->clock_hz)
		return -EINVAL;
	j = hot_calloc(sizeof *j);
	if (!j)
		return -ENOMEM;
	j->cfg = *cfg;
	if (j->cfg.min_ms <= 0)
		j->cfg.min_ms = 20;
	if (j->cfg.max_ms <= 0)
		j->cfg.max_ms = 200;
	if (j->cfg.cap_ms <= 0)
		j->cfg.cap_ms = 500;
	audio_jitter_reset(j);
	*out = j;
	return 0;
}

void audio_jitter_free(struct audio_jitter **j)
{
	if (!*j)
		return;
	audio_jitter_reset(*j);
	hot_free(*j, sizeof **j);
	*j = NULL;
}

static struct slot *slot_of(struct audio_jitter *j, int64_t seq)
{
	return &j->slots[seq & (AJB_SLOTS - 1)];
}

static void empty_slot(struct audio_jitter *j, struct slot *s)
{
	j->held--;
	j->held_ticks -= s->ticks;
	s->pkt = NULL;
}

static void drop_all(struct audio_jitter *j)
{
	for (size_t i = 0; i < AJB_SLOTS; i++)
		if (j->slots[i].pkt) {
			buf_unref(&j->slots[i].pkt);
			empty_slot(j, &j->slots[i]);
		}
}

void audio_jitter_reset(struct audio_jitter *j)
{
	drop_all(j);
	j->started = false;
	j->playing = false;
	j->waited_ticks = 0;
	j->last_ticks = 0;
	j->restart_seq = -1;
	audio_target_init(&j->target, j->cfg.min_ms, j->cfg.max_ms);
}

void audio_jitter_set_clock(struct audio_jitter *j, uint32_t clock_hz)
{
	j->cfg.clock_hz = clock_hz;
	audio_jitter_reset(j);
}

static int64_t ticks_to_ns(const struct audio_jitter *j, int64_t ticks)
{
	int64_t hz = j->cfg.clock_hz;

	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

static int64_t ns_to_ticks(const struct audio_jitter *j, int64_t ns)
{
	int64_t hz = j->cfg.clock_hz;

	return ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
}

/* The oldest packet held, or NULL. */
static struct slot *head_of(struct audio_jitter *j)
{
	int64_t seq = j->playing ? j->next_seq : j->lowest_seq;

	if (!j->held)
		return NULL;
	for (int k = 0; k < AJB_SLOTS; k++, seq++)
		if (slot_of(j, seq)->pkt && slot_of(j, seq)->seq == seq)
			return slot_of(j, seq);
	return NULL;
}

/* Everything ahead of seq and ts has been played or dropped, or is lost. */
static void go_to(struct audio_jitter *j, int64_t seq, int64_t ts)
{
	if (j->playing && seq > j->next_seq)
		j->stats.lost += (uint64_t)(seq - j->next_seq);
	j->next_seq = seq;
	j->next_ts = ts;
	j->lowest_seq = seq;
}

static void drop_head(struct audio_jitter *j, struct slot *s)
{
	go_to(j, s->seq, s->ts);
	j->next_seq = j->lowest_seq = s->seq + 1;
	j->next_ts += s->ticks;
	j->stats.overflow++;
	buf_unref(&s->pkt);
	empty_slot(j, s);
}

/* A flood, or what a stalled network let go at once: keep the newest. */
static void enforce_cap(struct audio_jitter *j)
{
	int64_t keep = ns_to_ticks(j, j->target.target_ns);

	if (j->held_ticks <= (uint64_t)j->cfg.cap_ms * j->cfg.clock_hz / 1000)
		return;
	while (j->held > 1 && j->held_ticks > keep)
		drop_head(j, head_of(j));
}

/* The packet does not fit into the window that begins with what is played next. */
static void move_window(struct audio_jitter *j, int64_t seq, int64_t ts)
{
	size_t held = j->held;

	drop_all(j);
	go_to(j, seq, ts);
	j->stats.overflow += held;
	if (j->playing)
		j->stats.lost -= held;
}

/* false: not a packet of this sequence (yet). */
static bool accept_sequence(struct audio_jitter *j, uint16_t seq, uint32_t ts)
{
	int64_t useq;

	if (j->started) {
		useq = seq_unwrap(j->highest_seq, seq);
		if (useq <= j->highest_seq + MAX_DROPOUT && useq >= j->highest_seq - MAX_MISORDER) {
			j->restart_seq = -1;
			return true;
		}
		if (j->restart_seq != seq) {
			j->restart_seq = (uint16_t)(seq + 1);
			return false;
		}
		audio_jitter_reset(j);
		j->stats.restarts++;
	}
	j->started = true;
	j->highest_seq = 65536 + seq;
	j->lowest_seq = j->highest_seq;
	j->last_ts = (INT64_C(1) << 32) + ts;
	return true;
}

/* Where the packet goes, or NULL when it is of no use. */
static struct slot *place_for(struct audio_jitter *j, int64_t seq, int64_t ts)
{
	struct slot *s = slot_of(j, seq);

	if (j->playing && seq < j->next_seq) {
		j->stats.late++;
		return NULL;
	}
	if (s->pkt && s->seq == seq && s->redundant) {
		buf_unref(&s->pkt);
		empty_slot(j, s);
		return s;
	}
	if (s->pkt && s->seq == seq) {
		j->stats.duplicate++;
		return NULL;
	}
	if (j->playing ? seq - j->next_seq >= AJB_SLOTS :
			 j->held && seq - j->lowest_seq >= AJB_SLOTS) {
		move_window(j, seq, ts);
	} else if (!j->playing) {
		if (j->held && j->highest_seq - seq >= AJB_SLOTS) {
			j->stats.late++;
			return NULL;
		}
		if (!j->held || seq < j->lowest_seq)
			j->lowest_seq = seq;
	}
	return s;
}

void audio_jitter_put(struct audio_jitter *j, struct buf *pkt, uint16_t seq, uint32_t ts,
		      uint32_t ticks, int64_t arrival_ns)
{
	int64_t useq, uts;
	struct slot *s;

	j->stats.received++;
	if (!ticks || ticks > j->cfg.clock_hz || !accept_sequence(j, seq, ts)) {
		buf_unref(&pkt);
		return;
	}
	useq = seq_unwrap(j->highest_seq, seq);
	uts = ts_unwrap(j->last_ts, ts);
	audio_target_put(&j->target, arrival_ns - ticks_to_ns(j, uts), arrival_ns,
			 ticks_to_ns(j, ticks));
	s = place_for(j, useq, uts);
	if (useq >= j->highest_seq) {
		j->highest_seq = useq;
		j->last_ts = uts;
	}
	if (!s) {
		buf_unref(&pkt);
		return;
	}
	*s = (struct slot){ .pkt = pkt, .data = pkt->data, .len = pkt->len, .seq = useq,
			    .ts = uts, .ticks = ticks };
	j->held++;
	j->held_ticks += ticks;
	enforce_cap(j);
}

/* The neighbours, where they are held, leave room for ts … ts + ticks: a sender
 * that left out a packet's number or sent silence in between is not believed. */
static bool fits_between(struct audio_jitter *j, int64_t seq, int64_t ts, uint32_t ticks)
{
	const struct slot *before = slot_of(j, seq - 1), *after = slot_of(j, seq + 1);

	if (before->pkt && before->seq == seq - 1 && before->ts + before->ticks > ts)
		return false;
	if (after->pkt && after->seq == seq + 1 && after->ts < ts + ticks)
		return false;
	return !j->playing || ts >= j->next_ts;
}

void audio_jitter_put_redundant(struct audio_jitter *j, struct buf *pkt, const uint8_t *data,
				size_t len, uint16_t seq, uint32_t ts, uint32_t ticks)
{
	int64_t useq = seq_unwrap(j->highest_seq, seq), uts = ts_unwrap(j->last_ts, ts);
	struct slot *s = slot_of(j, useq);

	if (!j->started || !ticks || ticks > j->cfg.clock_hz || useq >= j->highest_seq)
		return;
	/* Ahead of what is held first: it would only delay the start. */
	if (useq < (j->playing ? j->next_seq : j->lowest_seq) || s->pkt)
		return;
	if (useq - (j->playing ? j->next_seq : j->lowest_seq) >= AJB_SLOTS ||
	    !fits_between(j, useq, uts, ticks))
		return;
	*s = (struct slot){ .pkt = buf_ref(pkt), .data = data, .len = len, .seq = useq,
			    .ts = uts, .ticks = ticks, .redundant = true };
	j->held++;
	j->held_ticks += ticks;
	enforce_cap(j);
}

static int64_t due_ns(const struct audio_jitter *j, const struct slot *s)
{
	return j->target.base_ns + ticks_to_ns(j, s->ts) + j->target.target_ns;
}

static enum ajb_what give(struct audio_jitter *j, struct slot *s, struct ajb_out *out)
{
	out->pkt = s->pkt;
	out->data = s->data;
	out->len = s->len;
	j->stats.recovered += s->redundant;
	out->ticks = s->ticks;
	out->ts = (uint32_t)s->ts;
	j->playing = true;
	j->next_seq = s->seq + 1;
	j->next_ts = s->ts + s->ticks;
	j->last_ticks = s->ticks;
	j->waited_ticks = 0;
	empty_slot(j, s);
	return AJB_PACKET;
}

/* Nothing to play before due_ns: fills at most up to there. */
static enum ajb_what fill_until(const struct audio_jitter *j, enum ajb_what what, int64_t play_ns,
				int64_t due, uint32_t fill_ticks, struct ajb_out *out)
{
	int64_t ticks = ns_to_ticks(j, due - play_ns) + 1;

	out->ticks = ticks < fill_ticks ? (uint32_t)ticks : fill_ticks;
	return what;
}

/* Packets are missing ahead of s. True: *out says what to conceal; false: it
 * needs no (more) concealment, look again. */
static bool fill_hole(struct audio_jitter *j, const struct slot *s, struct ajb_out *out)
{
	int64_t missing = s->seq - j->next_seq, gap = s->ts - j->next_ts;
	int64_t ticks = gap / missing, hole;

	if (ticks > j->last_ticks)
		ticks = j->last_ticks;
	hole = ticks * missing;
	if (hole <= j->waited_ticks) {
		int64_t end = j->next_ts + (hole > 0 ? hole : 0);

		j->waited_ticks -= hole > 0 ? hole : 0;
		go_to(j, s->seq, end);
		return false;
	}
	if (ticks_to_ns(j, hole - j->waited_ticks) > CONCEAL_MS * NS_PER_MS) {
		go_to(j, s->seq, s->ts);
		return false;
	}
	go_to(j, j->next_seq + 1, j->next_ts + ticks);
	if (j->waited_ticks >= ticks) {
		j->waited_ticks -= ticks;
		return false;
	}
	out->ticks = (uint32_t)ticks;
	if (missing == 1 && gap == ticks) {
		out->next = s->data;
		out->next_len = s->len;
	}
	return true;
}

enum ajb_what audio_jitter_get(struct audio_jitter *j, int64_t play_ns, uint32_t fill_ticks,
			       struct ajb_out *out)
{
	struct slot *s = head_of(j);

	*out = (struct ajb_out){ 0 };
	if (!s) {
		out->ticks = fill_ticks;
		if (j->playing)
			j->waited_ticks += fill_ticks;
		return AJB_EMPTY;
	}
	if (!j->playing) {
		if (play_ns < due_ns(j, s))
			return fill_until(j, AJB_EMPTY, play_ns, due_ns(j, s), fill_ticks, out);
		return give(j, s, out);
	}
	while (s->seq > j->next_seq)
		if (fill_hole(j, s, out))
			return AJB_LOST;
	if (s->ts > j->next_ts && play_ns < due_ns(j, s))
		return fill_until(j, AJB_DTX, play_ns, due_ns(j, s), fill_ticks, out);
	return give(j, s, out);
}

void audio_jitter_pass(struct audio_jitter *j, int64_t ticks)
{
	if (j->playing)
		j->waited_ticks += ticks;
}

void audio_jitter_prefetch(const struct audio_jitter *j)
{
	const char *p = (const char *)j, *slots = (const char *)j->slots;

	for (size_t at = 0; p + at < slots; at += 64)
		__builtin_prefetch(p + at);
}

bool audio_jitter_playing(const struct audio_jitter *j)
{
	return j->playing;
}

int64_t audio_jitter_delay_ns(const struct audio_jitter *j, int64_t play_ns)
{
	return j->playing ? play_ns - j->target.base_ns - ticks_to_ns(j, j->next_ts) : 0;
}

int64_t audio_jitter_target_ns(const struct audio_jitter *j)
{
	return j->target.target_ns;
}

int audio_jitter_excess_ms(const struct audio_jitter *j, int64_t play_ns)
{
	int64_t excess = audio_jitter_delay_ns(j, play_ns) - j->target.target_ns;
	int64_t held = ticks_to_ns(j, j->held_ticks);

	if (!j->playing || excess <= 0)
		return 0;
	/* What is not here cannot be removed. */
	return (int)((excess < held ? excess : held) / NS_PER_MS);
}

void audio_jitter_set_min_ms(struct audio_jitter *j, int min_ms)
{
	audio_target_set_min_ms(&j->target, min_ms);
}

uint32_t audio_jitter_held_ticks(const struct audio_jitter *j)
{
	return j->held_ticks;
}

void audio_jitter_stats(const struct audio_jitter *j, struct ajb_stats *out)
{
	*out = j->stats;
	out->target_ms = (int)(j->target.target_ns / NS_PER_MS);
}
