/* The insides of a leg's receiving chain: audio_in_rx.c takes packets, audio_in.c
 * makes ticks of them. */
#ifndef MCU_ROOM_AUDIO_IN_PRIV_H
#define MCU_ROOM_AUDIO_IN_PRIV_H

#include "mcu/room/audio_faint.h"
#include "mcu/room/audio_in.h"
#include "mixer/audio/vad.h"

enum {
	AUDIO_IN_RATE_HZ = 48000,
	AUDIO_IN_MAX_CHANNELS = 2,
	/* What a stream with FEC or RED is remembered for. */
	AUDIO_IN_FEC_PACKETS = 100,
};

struct audio_in {
	struct adec *dec_of[CODEC_AAC]; /* by enum codec; NULL: not opened */
	struct adec *dec;               /* of the sound that is played */
	struct audio_jitter *jitter;
	struct drift *drift;
	struct sample_fifo *fifo;
	struct voice *voice; /* borrowed; may be NULL */
	struct vad vad;
	struct audio_faint faint;
	int channels;
	bool has_rate;     /* a packet was decoded: hz says something, whatever restarts */
	bool own_rate;     /* what is played may be at the decoder's own rate */
	unsigned hz;       /* of what is in the fifo */
	uint32_t clock_hz; /* of the time stamps in the jitter buffer */
	bool muted, fade_out;
	bool have_play_point;
	uint32_t play_ts;
	int64_t play_ns; /* when the sample of play_ts is mixed */
	bool after_silence; /* the fifo ends, or ended, in plain silence */
	bool skipped; /* the last packet was silence that was not decoded */
	bool rests;   /* see audio_in_rests */
	bool have_ssrc, have_other;
	uint32_t ssrc, other_ssrc; /* other: seen once, perhaps the next stream */
	enum codec rx_codec;       /* of the newest packet; NONE: no packet yet */
	uint16_t rx_seq;
	size_t concealed_run;      /* samples at 48 kHz invented since the last packet */
	size_t silent_tail;        /* samples of plain silence at the fifo's end */
	size_t noise_tail;         /* of background noise that the sender announced */
	int lengthen_wait, shorten_wait;
	int fec_ticks;             /* how long FEC_MIN_MS holds yet */
	int fec_packets;           /* how long the stream is taken for one with FEC or RED yet */
	uint64_t lost_seen;        /* and recovered */
	struct audio_in_stats stats;
};

/* audio_in.c: the stream begins anew. */
void audio_in_restart(struct audio_in *a);

#endif
