/* The receiving half of a leg's sound: RTP packets in, ticks of 20 ms out, at 48 kHz
 * or at the codec's own rate. The codec may change from packet to packet, among those that the
 * tag names; RED (RFC 2198) is taken apart here. Jitter buffer, decoding, concealment, drift, removal of excess
 * delay, level and voice activity. A sender that stops, lies or floods costs
 * its own sound only. Owned by the leg's audio half; nothing is allocated per
 * packet or tick. */
#ifndef MCU_ROOM_AUDIO_IN_H
#define MCU_ROOM_AUDIO_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/role.h"
#include "mixer/audio/band.h"
#include "mixer/codec/adec.h"

struct audio_in;

enum { AUDIO_TICK_SAMPLES = 960 /* at 48 kHz; no tick has more */ };

/* What ingress says of a packet, in its tag: the codec, the payload type that
 * means it, and whether that is inside RED. Never 0. */
static inline uint32_t audio_tag(enum codec c, uint8_t pt, bool red)
{
	return (uint32_t)red << 16 | (uint32_t)c << 8 | pt;
}

/* Beside it: the sender says that nothing is to be heard in it (audio_faint.h). */
enum { AUDIO_TAG_FAINT = 1 << 17 };

static inline enum codec audio_tag_codec(uint32_t tag)
{
	return (enum codec)(tag >> 8 & 0xff);
}

static inline bool audio_tag_red(uint32_t tag)
{
	return tag >> 16 & 1;
}

struct audio_in_stats {
	uint64_t received, lost, late, duplicate, overflow, restarts; /* packets */
	uint64_t malformed;         /* not RTP, not this payload type, not decodable */
	uint64_t red_used;          /* lost packets of which a later one held a copy (RED) */
	uint64_t fec_used;          /* lost packets restored from their successor */
	uint64_t concealed_samples; /* invented sound; these at 48 kHz */
	uint64_t removed_samples;   /* taken out against excess delay */
	uint64_t added_samples;     /* put in to gain delay */
	int delay_ms, target_ms;    /* delay on top of the fastest packet's transit */
	float drift_ppm;            /* sender's clock against ours, + is fast */
};

/* channels: of the room. The decoder of Opus is there; others are opened when
 * their first packet comes. Any thread. */
int audio_in_new(struct audio_in **out, int channels);
/* With another decoder for CODEC_OPUS, taken (freed on error too). Any thread. */
int audio_in_new_decoder(struct audio_in **out, struct adec *dec);
void audio_in_free(struct audio_in **a);

/* Takes a whole decrypted RTP packet with its audio_tag. */
void audio_in_put(struct audio_in *a, struct buf *pkt, int64_t arrival_ns) ON_THREAD(ROLE_MIXA);
/* Every 20 ms: writes a tick of audio_in_band. false: nothing to play, out
 * is silence and the leg need not be mixed. now_ns: the tick's due time. */
bool audio_in_tick(struct audio_in *a, int64_t now_ns, float *out) ON_THREAD(ROLE_MIXA);

/* After a tick: nothing is to be heard, nothing is held and nothing changes until a packet
 * comes. Ticks may be left out until then. */
bool audio_in_rests(const struct audio_in *a) ON_THREAD(ROLE_MIXA);
/* So many were, since the last one. */
void audio_in_rested(struct audio_in *a, int64_t ticks) ON_THREAD(ROLE_MIXA);

/* A tick is near: steps 0 and 1, one a little after the other. */
void audio_in_prefetch(const struct audio_in *a, unsigned step) ON_THREAD(ROLE_MIXA);

/* Whether the band may be that of the codec, from the next packet on: of one channel, and
 * without a voice. At first it is the full one. */
void audio_in_set_own_rate(struct audio_in *a, bool own) ON_THREAD(ROLE_MIXA);
/* Of the last tick. */
enum audio_band audio_in_band(const struct audio_in *a) ON_THREAD(ROLE_MIXA);
/* A packet was ever decoded: the band says something. */
bool audio_in_heard(const struct audio_in *a) ON_THREAD(ROLE_MIXA);

/* Of the last tick; of two channels' middle. Level in dBov, -127…0; active: this tick has sound; speaking:
 * with hangover, for borders and events. */
float audio_in_level_dbov(const struct audio_in *a) ON_THREAD(ROLE_MIXA);
bool audio_in_active(const struct audio_in *a) ON_THREAD(ROLE_MIXA);
bool audio_in_speaking(const struct audio_in *a) ON_THREAD(ROLE_MIXA);

/* Which time stamp of the sender plays when: false until a packet was decoded. */
bool audio_in_play_point(const struct audio_in *a, uint32_t *ts, uint32_t *clock_hz,
			 int64_t *play_ns) ON_THREAD(ROLE_MIXA);

/* What its sound goes through before it is judged and mixed; NULL: nothing. Borrowed
 * until it is set anew. */
struct voice;
void audio_in_set_voice(struct audio_in *a, struct voice *v) ON_THREAD(ROLE_MIXA);

/* Muted by the server: packets are thrown away undecoded. */
void audio_in_set_muted(struct audio_in *a, bool muted) ON_THREAD(ROLE_MIXA);
bool audio_in_muted(const struct audio_in *a) ON_THREAD(ROLE_MIXA);
void audio_in_stats(const struct audio_in *a, struct audio_in_stats *out) ON_THREAD(ROLE_MIXA);

#endif
