/* Adaptive jitter buffer of one audio stream (RFC 3550 sequence and time stamp).
 *
 * It holds encoded packets, puts them in order, and says what to decode next.
 * It judges delay against the fastest packet of the last ten seconds: a packet
 * is due at (fastest transit + its time stamp + target), the target being a high
 * quantile of what packets lately came later than the fastest. A jump of the
 * time stamp without one of the sequence is the sender's silence (DTX), not
 * loss. Bounded: AJB_SLOTS packets and cap_ms of sound; beyond that the oldest
 * go and are counted.
 *
 * Pure: no clock, no lock; nothing is allocated after _new. One thread at a
 * time; the owner is struct audio_in. */
#ifndef MCU_RTP_AUDIO_JITTER_H
#define MCU_RTP_AUDIO_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"

struct audio_jitter;

enum { AJB_SLOTS = 256 };

struct ajb_cfg {
	uint32_t clock_hz; /* of the time stamps: 48000 for Opus */
	int min_ms;        /* bounds of the target; 0: 20 */
	int max_ms;        /* 0: 200 */
	int cap_ms;        /* more sound than this is never held; 0: 500 */
};

enum ajb_what {
	/* Nothing there: not started yet, or the stream ran dry. Conceal for a
	 * moment, then be silent. */
	AJB_EMPTY,
	AJB_PACKET, /* decode pkt */
	AJB_LOST,   /* ticks of sound are missing; next: the following payload, for FEC, or NULL */
	AJB_DTX,    /* the sender is silent; nothing was lost */
};

struct ajb_out {
	struct buf *pkt;     /* PACKET: now the caller's; others may hold references */
	const uint8_t *data; /* PACKET: the payload, inside pkt */
	size_t len;
	uint32_t ticks;      /* PACKET: as put; else how much time to fill */
	uint32_t ts;         /* PACKET: its time stamp */
	const uint8_t *next; /* LOST: borrowed until the next call */
	size_t next_len;
};

struct ajb_stats {
	uint64_t received, lost, late, duplicate, overflow, restarts;
	uint64_t recovered; /* lost, but given from a redundant copy; not in lost */
	int target_ms;
};

int audio_jitter_new(struct audio_jitter **out, const struct ajb_cfg *cfg);
void audio_jitter_free(struct audio_jitter **j);
/* Forgets the stream (new SSRC, unmute); the counters stay. */
void audio_jitter_reset(struct audio_jitter *j);

/* Takes pkt, whose data/len is the payload. ticks: its duration in units of
 * clock_hz, > 0. */
void audio_jitter_put(struct audio_jitter *j, struct buf *pkt, uint16_t seq, uint32_t ts,
		      uint32_t ticks, int64_t arrival_ns);

/* A copy of an earlier packet that came inside a later one (RFC 2198), put after
 * that one: data, inside pkt, which is referenced when it is taken. It counts
 * only when the packet itself does not come. */
void audio_jitter_put_redundant(struct audio_jitter *j, struct buf *pkt, const uint8_t *data,
				size_t len, uint16_t seq, uint32_t ts, uint32_t ticks);
/* The stream goes on with another clock: forgets it as _reset does. */
void audio_jitter_set_clock(struct audio_jitter *j, uint32_t clock_hz);

/* What to play from play_ns on: the time of the tick plus what the caller still
 * has decoded. fill_ticks: how much time the caller fills if there is no packet
 * (EMPTY, DTX may say less, never more). */
enum ajb_what audio_jitter_get(struct audio_jitter *j, int64_t play_ns, uint32_t fill_ticks,
			       struct ajb_out *out);

/* The caller filled so much time by itself, without asking: nothing was here. */
void audio_jitter_pass(struct audio_jitter *j, int64_t ticks);

/* A packet will soon be put, and one got. */
void audio_jitter_prefetch(const struct audio_jitter *j);

/* How far the sound that the next get would give lags behind the fastest
 * possible playing, and the target for it. Meaningful while playing. */
bool audio_jitter_playing(const struct audio_jitter *j);
int64_t audio_jitter_delay_ns(const struct audio_jitter *j, int64_t play_ns);
int64_t audio_jitter_target_ns(const struct audio_jitter *j);
/* Delay beyond the target in ms, >= 0: to be removed from the sound. */
int audio_jitter_excess_ms(const struct audio_jitter *j, int64_t play_ns);

/* The least target from now on, e.g. so much that a lost packet's successor is
 * usually there when its FEC is needed. */
void audio_jitter_set_min_ms(struct audio_jitter *j, int min_ms);

/* Sound held, in units of clock_hz. */
uint32_t audio_jitter_held_ticks(const struct audio_jitter *j);
void audio_jitter_stats(const struct audio_jitter *j, struct ajb_stats *out);

#endif
