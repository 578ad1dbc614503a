#include "mcu/room/audio_in.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/hot.h"
#include "mcu/room/audio_in_priv.h"
#include "mcu/rtp/audio_jitter.h"
#include "mixer/audio/accelerate.h"
#include "mixer/audio/drift.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/sample_fifo.h"
#include "mixer/audio/voice.h"

enum {
	RATE_HZ = AUDIO_IN_RATE_HZ,
	TICK_MS = 20,
	STEPS_PER_S = 400, /* 2.5 ms: what every codec can conceal */
	/* The longest packet behind an almost complete view of the accelerator. */
	FIFO_SAMPLES = ADEC_MAX_SAMPLES + AUDIO_TICK_SAMPLES + 2 * ACCELERATE_NEED + 256,
	FADE_INS_PER_S = 200,
	CONCEAL_MAX = RATE_HZ / 10, /* then silence */
	/* Delay beyond the target that is removed in silence, and in sound. */
	EXCESS_QUIET_MS = 3,
	EXCESS_SOUND_MS = 6,
	EXCESS_LARGE_MS = 25,
	EXCESS_URGENT_MS = 120,
	/* Delay short of it that is made up for likewise. */
	MISSING_QUIET_MS = 10,
	MISSING_SOUND_MS = 25,
	LENGTHEN_TICKS = 5, /* between two lengthenings in sound */
	SHORTEN_TICKS = 5,  /* between two looks for a period while there is little */
	/* With losses and FEC the successor should be there in time. */
	FEC_MIN_MS = 45,
	PLAIN_MIN_MS = 20,
	FEC_MEMORY_TICKS = 500,
};

_Static_assert((int)VOICE_TICK_SAMPLES == (int)AUDIO_TICK_SAMPLES, "one tick at a time");

/* Of a packet on its way into the fifo: the same for all legs of a worker. */
static _Thread_local float scratch[ADEC_MAX_SAMPLES * AUDIO_IN_MAX_CHANNELS];

#define CORR_SOUND  0.6f
#define CORR_URGENT 0.2f
/* Mean power per sample beyond which a decoder's output is garbage. */
#define POWER_MAX 16.0f

int audio_in_new(struct audio_in **out, int channels)
{
	struct adec *dec = NULL;
	int err = adec_new(&dec, CODEC_OPUS, channels);

	return err ? err : audio_in_new_decoder(out, dec);
}

int audio_in_new_decoder(struct audio_in **out, struct adec *dec)
{
	struct ajb_cfg cfg = { .clock_hz = adec_clock_hz(dec), .min_ms = PLAIN_MIN_MS };
	struct audio_in *a = hot_calloc(sizeof *a);
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
	a->dec = a->dec_of[CODEC_OPUS] = dec;
	a->clock_hz = cfg.clock_hz;
	a->hz = RATE_HZ;
	a->concealed_run = CONCEAL_MAX;
	a->after_silence = true;
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
	for (int c = 0; c < CODEC_AAC; c++)
		adec_free(&(*a)->dec_of[c]);
	hot_free(*a, sizeof **a);
	*a = NULL;
}

void audio_in_restart(struct audio_in *a)
{
	a->have_play_point = false;
	audio_jitter_reset(a->jitter);
	audio_jitter_set_min_ms(a->jitter, PLAIN_MIN_MS);
	adec_reset(a->dec);
	drift_reset(a->drift);
	a->faint = (struct audio_faint){ 0 };
	a->rx_codec = CODEC_NONE;
	a->fec_ticks = 0;
	a->fec_packets = 0;
	a->skipped = a->rests = false;
	a->concealed_run = CONCEAL_MAX;
}

static int64_t samples_to_ns(const struct audio_in *a, size_t n)
{
	return (int64_t)n * NS_PER_S / a->hz;
}

/* The same for as long at 48 kHz. */
static size_t at_full(const struct audio_in *a, size_t n)
{
	return n * (RATE_HZ / a->hz);
}

static size_t tick_samples(const struct audio_in *a)
{
	return a->hz / AUDIO_BAND_TICKS_PER_S;
}

/* What must be there to take a period out and still have a tick. */
static size_t shorten_need(const struct audio_in *a)
{
	return tick_samples(a) + accelerate_at(ACCELERATE_MAX_LAG, a->hz);
}

static void push_silence(struct audio_in *a, size_t n)
{
	sample_fifo_silence(a->fifo, n);
	a->silent_tail += n;
	a->noise_tail = 0;
	a->after_silence = true;
}

/* What comes is at another rate: what is waiting is silence from now on, as long as it
 * was. */
static void follow_rate(struct audio_in *a, unsigned hz)
{
	size_t count = sample_fifo_count(a->fifo);

	if (hz == a->hz)
		return;
	count = (size_t)((uint64_t)count * hz / a->hz);
	a->hz = hz;
	drift_reset(a->drift);
	sample_fifo_clear(a->fifo);
	a->silent_tail = 0;
	push_silence(a, count);
}

/* What the decoder's sound shall be at. */
static void choose_rate(struct audio_in *a, struct adec *dec)
{
	unsigned own = adec_own_hz(dec);

	/* what it cannot, it says itself */
	(void)adec_set_hz(dec, !a->own_rate || a->voice ? RATE_HZ : own ? own : a->hz);
	follow_rate(a, adec_hz(dec));
	a->has_rate = true;
}

/* Decoded or invented sound, n samples in scratch: through the resampler into
 * the fifo. */
static void push_sound(struct audio_in *a, size_t n)
{
	size_t room, floats = n * (size_t)a->channels, fade = a->hz / FADE_INS_PER_S;
	float *to = sample_fifo_space(a->fifo, &room);
	int got;

	/* Written so that a NaN, which would silence the whole room, is caught. */
	if (!(dsp_energy(scratch, floats) <= POWER_MAX * (float)floats)) {
		adec_reset(a->dec);
		memset(scratch, 0, floats * sizeof scratch[0]);
		a->stats.malformed++;
	}
	got = room >= n + DRIFT_SLACK ? drift_run(a->drift, scratch, n, to, room) : -ENOSPC;
	if (got <= 0) {
		push_silence(a, n);
		return;
	}
	if (a->after_silence)
		dsp_ramp(to, (size_t)got < fade ? (size_t)got : fade, a->channels, 0, 1);
	a->after_silence = false;
	a->silent_tail = a->noise_tail = 0;
	sample_fifo_commit(a->fifo, (size_t)got);
}

/* n samples for which there is no packet: the background noise that the last one
 * announced; or the codec's concealment for a tenth of a second, fading at the end,
 * then silence. After silence there is nothing to conceal. */
static void push_concealed(struct audio_in *a, size_t n)
{
	bool last, rests = adec_rests(a->dec);
	size_t noise = a->noise_tail, before = sample_fifo_count(a->fifo);
	size_t step = a->hz / STEPS_PER_S;

	if (!rests && (a->skipped || a->concealed_run >= CONCEAL_MAX)) {
		a->concealed_run = CONCEAL_MAX;
		push_silence(a, n);
		return;
	}
	n = (n + step - 1) / step * step;
	if (n > ADEC_MAX_SAMPLES)
		n = ADEC_MAX_SAMPLES;
	adec_conceal(a->dec, scratch, n);
	if (rests) { /* the sender's background noise, as it said: nothing is invented */
		push_sound(a, n);
		a->noise_tail = noise + sample_fifo_count(a->fifo) - before;
		return;
	}
	a->concealed_run += at_full(a, n);
	last = a->concealed_run >= CONCEAL_MAX;
	if (last)
		dsp_ramp(scratch, n, a->channels, 1, 0);
	a->stats.concealed_samples += at_full(a, n);
	push_sound(a, n);
	a->after_silence = last;
}

static void push_lost(struct audio_in *a, const struct ajb_out *o, size_t n)
{
	if (!o->next || n > ADEC_MAX_SAMPLES || !adec_has_fec(a->dec, o->next, o->next_len)) {
		push_concealed(a, n);
		return;
	}
	adec_decode_fec(a->dec, o->next, o->next_len, scratch, n);
	a->stats.fec_used++;
	a->concealed_run = 0;
	push_sound(a, n);
}

/* n: how long the packet said it was when it came. */
static void push_packet(struct audio_in *a, const struct ajb_out *o, size_t n)
{
	struct adec *dec = a->dec_of[audio_tag_codec(o->pkt->tag)];
	struct buf *pkt = o->pkt;
	/* a copy (RED) is of another packet than the level */
	bool faint = (pkt->tag & AUDIO_TAG_FAINT) && !audio_tag_red(pkt->tag);
	enum audio_faint_what what = audio_faint_next(&a->faint, faint);
	int got;

	a->skipped = what == AUDIO_FAINT_SKIP;
	if (a->skipped) {
		buf_unref(&pkt);
		a->concealed_run = 0;
		push_silence(a, n);
		return;
	}
	if (dec != a->dec)
		adec_reset(dec);
	a->dec = dec;
	choose_rate(a, dec);
	got = adec_decode(dec, o->data, o->len, scratch, ADEC_MAX_SAMPLES);
	/* Encoders leave it out where there is no voice. */
	if (audio_tag_red(pkt->tag) || adec_has_fec(dec, o->data, o->len))
		a->fec_packets = AUDIO_IN_FEC_PACKETS;
	else if (a->fec_packets > 0)
		a->fec_packets--;
	buf_unref(&pkt);
	if (got <= 0) {
		a->stats.malformed++;
		push_concealed(a, n);
		return;
	}
	a->concealed_run = 0;
	if (faint)
		audio_faint_heard(&a->faint, vad_level_dbov(scratch,
							    (size_t)(got * a->channels)));
	a->skipped = what == AUDIO_FAINT_CHECK && !a->faint.doubted;
	if (a->skipped)
		push_silence(a, (size_t)got);
	else
		push_sound(a, (size_t)got);
}

/* One more piece into the fifo, which shall get to `want` samples. */
static void pull(struct audio_in *a, int64_t now_ns, size_t want)
{
	size_t count = sample_fifo_count(a->fifo), step = a->hz / STEPS_PER_S;
	size_t n = (want - count + step - 1) / step * step;
	uint32_t hz = a->clock_hz;
	uint32_t fill_ticks = (uint32_t)((uint64_t)n * hz / a->hz);
	struct ajb_out o;
	enum ajb_what what;

	what = audio_jitter_get(a->jitter, now_ns + samples_to_ns(a, count), fill_ticks, &o);
	n = (size_t)((uint64_t)o.ticks * a->hz / hz);
	n = n ? n : 1;
	switch (what) {
	case AJB_PACKET:
		a->have_play_point = true;
		a->play_ts = o.ts;
		a->play_ns = now_ns + samples_to_ns(a, count);
		push_packet(a, &o, n);
		break;
	case AJB_LOST:
		push_lost(a, &o, n);
		break;
	case AJB_EMPTY:
	case AJB_DTX:
		push_concealed(a, n);
		break;
	}
}

/* A tick; the rate may change meanwhile. */
static void fill(struct audio_in *a, int64_t now_ns)
{
	while (sample_fifo_count(a->fifo) < tick_samples(a))
		pull(a, now_ns, tick_samples(a));
}

static bool quiet(struct audio_in *a)
{
	size_t n = sample_fifo_count(a->fifo), need = accelerate_at(ACCELERATE_NEED, a->hz);

	n = n < need ? n : need;
	return vad_level_dbov(sample_fifo_front(a->fifo), n * (size_t)a->channels) <
	       VAD_ABSOLUTE_DBOV;
}

static void shorten(struct audio_in *a, int64_t now_ns, float excess_ms)
{
	size_t count, lag, excess;
	float corr = 0;

	while (sample_fifo_count(a->fifo) < shorten_need(a) && audio_jitter_held_ticks(a->jitter))
		pull(a, now_ns, shorten_need(a));
	count = sample_fifo_count(a->fifo);
	if (count < shorten_need(a))
		return;
	lag = accelerate_at(ACCELERATE_MAX_LAG, a->hz);
	excess = (size_t)(excess_ms * (float)a->hz / 1000);
	if (!quiet(a)) {
		if (excess_ms < EXCESS_SOUND_MS)
			return;
		if (excess_ms < EXCESS_LARGE_MS && a->shorten_wait-- > 0)
			return;
		a->shorten_wait = SHORTEN_TICKS;
		corr = excess_ms > EXCESS_URGENT_MS ? CORR_URGENT : CORR_SOUND;
	}
	lag = accelerate_shorten(a->hz, sample_fifo_front(a->fifo), count, a->channels,
				 lag < excess ? lag : excess, corr);
	sample_fifo_resize(a->fifo, count - lag);
	a->stats.removed_samples += at_full(a, lag);
}

static void lengthen(struct audio_in *a, float missing_ms)
{
	size_t count = sample_fifo_count(a->fifo), most = accelerate_at(ACCELERATE_MAX_LAG, a->hz);
	size_t lag = (size_t)(missing_ms * (float)a->hz / 1000);
	float corr = 0;

	if (a->lengthen_wait > 0) {
		a->lengthen_wait--;
		return;
	}
	if (!quiet(a)) {
		if (missing_ms < MISSING_SOUND_MS)
			return;
		corr = CORR_SOUND;
		a->lengthen_wait = LENGTHEN_TICKS;
	}
	lag = accelerate_lengthen(a->hz, sample_fifo_front(a->fifo), count, a->channels,
				  lag < most ? lag : most, corr);
	sample_fifo_resize(a->fifo, count + lag);
	a->stats.added_samples += at_full(a, lag);
}

/* Brings the delay to the target: slowly by the resampler, and by a pitch
 * period at a time where it is far off. */
static void adjust_delay(struct audio_in *a, int64_t now_ns)
{
	size_t count = sample_fifo_count(a->fifo);
	int64_t play_ns = now_ns + samples_to_ns(a, count);
	float error_ms, here_ms;

	if (!audio_jitter_playing(a->jitter) || a->concealed_run)
		return;
	error_ms = (float)(audio_jitter_delay_ns(a->jitter, play_ns) -
			   audio_jitter_target_ns(a->jitter)) / (float)NS_PER_MS;
	a->stats.delay_ms = (int)(audio_jitter_delay_ns(a->jitter, play_ns) / NS_PER_MS);
	here_ms = (float)audio_jitter_held_ticks(a->jitter) * 1000 / (float)a->clock_hz +
		  (float)(count - tick_samples(a)) * 1000 / (float)a->hz;
	drift_control(a->drift, error_ms, TICK_MS * 1e-3f);
	/* What has not come cannot be removed. */
	if (error_ms > EXCESS_QUIET_MS && here_ms > EXCESS_QUIET_MS)
		shorten(a, now_ns, error_ms < here_ms ? error_ms : here_ms);
	else if (error_ms < -MISSING_QUIET_MS)
		lengthen(a, -error_ms);
}

static void watch_losses(struct audio_in *a)
{
	struct ajb_stats s;

	audio_jitter_stats(a->jitter, &s);
	if (s.lost + s.recovered != a->lost_seen && a->fec_packets) {
		a->fec_ticks = FEC_MEMORY_TICKS;
		audio_jitter_set_min_ms(a->jitter, FEC_MIN_MS);
	} else if (a->fec_ticks > 0 && --a->fec_ticks == 0) {
		audio_jitter_set_min_ms(a->jitter, PLAIN_MIN_MS);
	}
	a->lost_seen = s.lost + s.recovered;
}

/* The first tick of a mute fades what was left; then there is nothing. */
static bool tick_muted(struct audio_in *a, float *out)
{
	size_t ch = (size_t)a->channels, n = 0;
	bool fade = a->fade_out;

	if (fade)
		n = sample_fifo_take(a->fifo, out, tick_samples(a));
	memset(out + n * ch, 0, (tick_samples(a) - n) * ch * sizeof *out);
	dsp_ramp(out, n, a->channels, 1, 0);
	sample_fifo_clear(a->fifo);
	a->silent_tail = a->noise_tail = 0;
	a->after_silence = true;
	a->fade_out = false;
	if (a->voice)
		voice_rest(a->voice);
	vad_silence(&a->vad);
	return fade;
}

/* Level and activity; of two channels' middle, which is what most will hear. silent: it
 * is, or the sender said that it is nothing but background. */
static void judge(struct audio_in *a, const float *out, bool silent)
{
	if (silent) {
		vad_silence(&a->vad);
	} else if (a->channels == 2) {
		dsp_middle(scratch, out, tick_samples(a));
		vad_update(&a->vad, scratch, tick_samples(a));
	} else {
		vad_update(&a->vad, out, tick_samples(a));
	}
}

bool audio_in_tick(struct audio_in *a, int64_t now_ns, float *out)
{
	size_t count;
	bool silent, noise;

	a->rests = false;
	if (a->muted)
		return tick_muted(a, out);
	watch_losses(a);
	fill(a, now_ns);
	adjust_delay(a, now_ns);
	silent = a->silent_tail >= sample_fifo_count(a->fifo);
	noise = a->noise_tail >= sample_fifo_count(a->fifo);
	sample_fifo_take(a->fifo, out, tick_samples(a));
	count = sample_fifo_count(a->fifo);
	if (a->silent_tail > count)
		a->silent_tail = count;
	if (a->noise_tail > count)
		a->noise_tail = count;
	if (a->voice && silent)
		voice_rest(a->voice);
	else if (a->voice && a->hz == RATE_HZ)
		voice_run(a->voice, out);
	judge(a, out, silent || noise);
	a->rests = silent && a->silent_tail == count && a->concealed_run >= CONCEAL_MAX &&
		   !audio_jitter_held_ticks(a->jitter) && !adec_rests(a->dec) && !a->fec_ticks &&
		   !a->vad.hang_ticks;
	return !silent;
}

void audio_in_prefetch(const struct audio_in *a, unsigned step)
{
	const char *p = (const char *)a;

	if (!step)
		for (size_t at = 0; at < sizeof *a; at += 64)
			__builtin_prefetch(p + at);
	else {
		audio_jitter_prefetch(a->jitter);
		sample_fifo_prefetch(a->fifo, tick_samples(a));
		drift_prefetch(a->drift);
	}
}

bool audio_in_rests(const struct audio_in *a)
{
	return a->rests;
}

void audio_in_rested(struct audio_in *a, int64_t ticks)
{
	audio_jitter_pass(a->jitter, ticks * (a->clock_hz / AUDIO_BAND_TICKS_PER_S));
	a->rests = false;
}

void audio_in_set_voice(struct audio_in *a, struct voice *v)
{
	a->voice = v;
}

void audio_in_set_own_rate(struct audio_in *a, bool own)
{
	a->own_rate = own && a->channels == 1;
}

enum audio_band audio_in_band(const struct audio_in *a)
{
	return audio_band_of(a->hz);
}

bool audio_in_heard(const struct audio_in *a)
{
	return a->has_rate;
}

float audio_in_level_dbov(const struct audio_in *a)
{
	return a->vad.level_dbov;
}

bool audio_in_active(const struct audio_in *a)
{
	return a->vad.active;
}

bool audio_in_speaking(const struct audio_in *a)
{
	return a->vad.speaking;
}

bool audio_in_play_point(const struct audio_in *a, uint32_t *ts, uint32_t *clock_hz,
			 int64_t *play_ns)
{
	*ts = a->play_ts;
	*clock_hz = a->clock_hz;
	*play_ns = a->play_ns;
	return a->have_play_point;
}

void audio_in_set_muted(struct audio_in *a, bool muted)
{
	if (muted == a->muted)
		return;
	a->muted = muted;
	a->fade_out = muted && !a->after_silence;
	audio_in_restart(a);
}

bool audio_in_muted(const struct audio_in *a)
{
	return a->muted;
}

void audio_in_stats(const struct audio_in *a, struct audio_in_stats *out)
{
	struct ajb_stats s;

	audio_jitter_stats(a->jitter, &s);
	*out = a->stats;
	out->received = s.received;
	out->lost = s.lost;
	out->red_used = s.recovered;
	out->late = s.late;
	out->duplicate = s.duplicate;
	out->overflow = s.overflow;
	out->restarts = a->stats.restarts + s.restarts;
	out->target_ms = s.target_ms;
	out->drift_ppm = drift_ppm(a->drift);
}
