#include "mcu/room/audio_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/audio_jitter.h"
#include "mcu/rtp/packet.h"
#include "mixer/audio/accelerate.h"
#include "mixer/audio/drift.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/sample_fifo.h"
#include "mixer/audio/vad.h"

enum {
	RATE_HZ = 48000,
	TICK_MS = 20,
	STEP = 120, /* 2.5 ms: what every codec can conceal */
	MAX_CHANNELS = 2,
	/* The longest packet behind an almost complete view of the accelerator. */
	FIFO_SAMPLES = ADEC_MAX_SAMPLES + AUDIO_TICK_SAMPLES + 2 * ACCELERATE_NEED + 256,
	/* What must be there to take a period out and still have a tick. */
	SHORTEN_NEED = AUDIO_TICK_SAMPLES + ACCELERATE_MAX_LAG,
	FADE_IN = 240,
	CONCEAL_MAX = RATE_HZ / 10, /* then silence */
	/* Delay beyond the target that is removed in silence, and in sound. */
	EXCESS_QUIET_MS = 10,
	EXCESS_SOUND_MS = 25,
	EXCESS_URGENT_MS = 120,
	LENGTHEN_TICKS = 5, /* between two lengthenings in sound */
	/* With losses and FEC the successor should be there in time. */
	FEC_MIN_MS = 45,
	PLAIN_MIN_MS = 20,
	FEC_MEMORY_TICKS = 500,
};

#define CORR_SOUND  0.6f
#define CORR_URGENT 0.2f
/* Mean power per sample beyond which a decoder's output is garbage. */
#define POWER_MAX 16.0f

struct audio_in {
	struct adec *dec;
	struct audio_jitter *jitter;
	struct drift *drift;
	struct sample_fifo *fifo;
	struct vad vad;
	int channels;
	bool muted, fade_out;
	bool have_ssrc, have_other;
	uint32_t ssrc, other_ssrc; /* other: seen once, perhaps the next stream */
	size_t concealed_run;      /* samples invented since the last packet */
	size_t silent_tail;        /* samples of plain silence at the fifo's end */
	int lengthen_wait;
	int fec_ticks;             /* how long FEC_MIN_MS holds yet */
	bool stream_has_fec;
	float error_ms;
	struct audio_in_stats stats;
	float scratch[ADEC_MAX_SAMPLES * MAX_CHANNELS];
};

int audio_in_new(struct audio_in **out, int channels)
{
	struct adec *dec = NULL;
	int err = adec_new(&dec, ADEC_OPUS, channels);

	return err ? err : audio_in_new_decoder(out, dec);
}

int audio_in_new_decoder(struct audio_in **out, struct adec *dec)
{
	struct ajb_cfg cfg = { .clock_hz = adec_clock_hz(dec), .min_ms = PLAIN_MIN_MS };
	struct audio_in *a = calloc(1, sizeof *a);
	int err = -ENOMEM;

	if (!a)
		goto out;
	a->channels = adec_channels(dec);
	err = audio_jitter_new(&a->jitter, &cfg);
	if (!err)
		err = drift_new(&a->drift, a->channels);
	if (!err)
		err = sample_fifo_new(&a->fifo, FIFO_SAMPLES, a->channels);
	if (err)
		goto out;
	a->dec = dec;
	vad_init(&a->vad);
	*out = a;
	return 0;
out:
	adec_free(&dec);
	audio_in_free(&a);
	return err;
}

void audio_in_free(struct audio_in **a)
{
	if (!*a)
		return;
	audio_jitter_free(&(*a)->jitter);
	drift_free(&(*a)->drift);
	sample_fifo_free(&(*a)->fifo);
	adec_free(&(*a)->dec);
	free(*a);
	*a = NULL;
}

static void restart(struct audio_in *a)
{
	audio_jitter_reset(a->jitter);
	audio_jitter_set_min_ms(a->jitter, PLAIN_MIN_MS);
	adec_reset(a->dec);
	drift_reset(a->drift);
	a->fec_ticks = 0;
	a->stream_has_fec = false;
}

/* A new SSRC is believed at its second packet in a row. */
static bool accept_ssrc(struct audio_in *a, uint32_t ssrc)
{
	if (a->have_ssrc && ssrc == a->ssrc) {
		a->have_other = false;
		return true;
	}
	if (a->have_ssrc && !(a->have_other && a->other_ssrc == ssrc)) {
		a->have_other = true;
		a->other_ssrc = ssrc;
		return false;
	}
	if (a->have_ssrc) {
		restart(a);
		a->stats.restarts++;
	}
	a->have_ssrc = true;
	a->have_other = false;
	a->ssrc = ssrc;
	return true;
}

void audio_in_put(struct audio_in *a, struct buf *pkt, uint8_t pt, int64_t arrival_ns)
{
	struct rtp_packet p;
	int samples;

	if (a->muted)
		goto drop;
	if (rtp_parse(&p, pkt->data, pkt->len) < 0 || p.pt != pt)
		goto malformed;
	samples = adec_packet_samples(a->dec, p.payload, p.payload_len);
	if (samples <= 0 || samples > ADEC_MAX_SAMPLES)
		goto malformed;
	if (!accept_ssrc(a, p.ssrc))
		goto drop;
	pkt->data = (uint8_t *)(uintptr_t)p.payload;
	pkt->len = p.payload_len;
	audio_jitter_put(a->jitter, pkt, p.seq, p.ts,
			 (uint32_t)((int64_t)samples * adec_clock_hz(a->dec) / RATE_HZ), arrival_ns);
	return;
malformed:
	a->stats.malformed++;
drop:
	buf_unref(&pkt);
}

/* Decoded or invented sound: through the resampler into the fifo. */
static void push_sound(struct audio_in *a, float *pcm, size_t n)
{
	size_t room, rest = sample_fifo_count(a->fifo);
	float *to = sample_fifo_space(a->fifo, &room);
	int got = room >= n + DRIFT_SLACK ? drift_run(a->drift, pcm, n, to, room) : 0;

	if (got <= 0)
		return;
	if (a->silent_tail || !rest)
		if (a->silent_tail >= rest && a->concealed_run == 0)
			dsp_ramp(to, (size_t)got < FADE_IN ? (size_t)got : FADE_IN, a->channels, 0,
				 1);
	a->silent_tail = 0;
	sample_fifo_commit(a->fifo, (size_t)got);
}

static void push_silence(struct audio_in *a, size_t n)
{
	sample_fifo_silence(a->fifo, n);
	a->silent_tail += n;
}

/* Fills n samples for which there is no packet: the codec's concealment for a
 * tenth of a second, fading at the end, then silence. */
static void push_concealed(struct audio_in *a, size_t n)
{
	size_t before = a->concealed_run;

	if (before >= CONCEAL_MAX) {
		push_silence(a, n);
		return;
	}
	n = (n + STEP - 1) / STEP * STEP;
	if (n > ADEC_MAX_SAMPLES)
		n = ADEC_MAX_SAMPLES;
	adec_conceal(a->dec, a->scratch, n);
	a->concealed_run += n;
	if (a->concealed_run >= CONCEAL_MAX)
		dsp_ramp(a->scratch, n, a->channels, 1, 0);
	a->stats.concealed_samples += n;
	push_sound(a, a->scratch, n);
}
