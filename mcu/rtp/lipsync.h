/* Lip sync of one leg: when a video frame must be shown so that it meets its
 * sound. Sender reports map the RTP time of both streams to the sender's clock
 * (RFC 3550 6.4.1); the audio side says when a sample is played.
 *
 * Threads: lipsync_audio_played is the audio worker's (it publishes one atomic
 * word); everything else is the shard's or whoever owns the struct. */
#ifndef MCU_RTP_LIPSYNC_H
#define MCU_RTP_LIPSYNC_H

#include <stdbool.h>
#include <stdint.h>

enum { LIPSYNC_HOLD_MAX_MS = 200 };

enum lipsync_stream { LIPSYNC_AUDIO = 1, LIPSYNC_VIDEO };

struct lipsync_map {
	bool valid;
	uint32_t clock_hz;
	uint32_t rtp_ts;
	int64_t ntp_ns; /* NTP time as ns, in the sender's clock */
};

struct lipsync {
	struct lipsync_map audio, video;
	_Atomic int64_t play_offset_ns; /* play time - rtp_ts / clock; INT64_MIN: nothing yet */
};

void lipsync_init(struct lipsync *l, uint32_t audio_clock_hz, uint32_t video_clock_hz);
/* A sender report; ntp 32.32 as received. A zero ntp (no wall clock) is ignored. */
void lipsync_sr(struct lipsync *l, enum lipsync_stream which, uint64_t ntp, uint32_t rtp_ts);
/* The stream has a new SSRC: its mapping is void until the next report. */
void lipsync_reset(struct lipsync *l, enum lipsync_stream which);
/* The stream's codec, and with it its clock, has changed: as lipsync_reset. */
void lipsync_set_clock(struct lipsync *l, enum lipsync_stream which, uint32_t clock_hz);
/* The sample with this time stamp of clock_hz enters the mix at play_ns. ROLE_MIXA. */
void lipsync_audio_played(struct lipsync *l, uint32_t rtp_ts, uint32_t clock_hz, int64_t play_ns);
/* When, near now_ns, what this time stamp says is to be heard or seen; false: unknown,
 * or nonsensical. */
bool lipsync_play_ns(const struct lipsync *l, enum lipsync_stream which, uint32_t rtp_ts,
		     int64_t now_ns, int64_t *play_ns);
/* How long from now_ns the frame is to be held: 0 … LIPSYNC_HOLD_MAX_MS. 0 when
 * a mapping is missing or nonsensical (more than 5 s apart). */
int64_t lipsync_video_hold_ns(const struct lipsync *l, uint32_t rtp_ts, int64_t now_ns);
/* Where the frame's moment of capture lies in the sender's clock; false: unknown. */
bool lipsync_ntp_ns(const struct lipsync *l, enum lipsync_stream which, uint32_t rtp_ts,
		    int64_t *ntp_ns);

#endif
