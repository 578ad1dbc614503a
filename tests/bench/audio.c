#include "tests/bench/audio.h"

#include <opus/opus.h>

#include "tests/bench/floor.h"
#include "tests/bench/media.h"

enum { RATE = 48000, FRAME = RATE / 50, VOICES = 10, BITRATE = 32000, COMPLEXITY = 5 };

struct talker {
	struct media *voice;
	int next; /* packet of voice */
	OpusDecoder *dec;
	float pcm[FRAME];
};

struct audio {
	int talkers, outputs;
	struct media voice[VOICES];
	struct talker *talker;
	OpusEncoder **enc; /* one per talker, then the full mix */
	float mix[FRAME], out[FRAME];
	int64_t bytes;
};

static OpusEncoder *encoder_new(void)
{
	int err;
	OpusEncoder *e = opus_encoder_create(RATE, 1, OPUS_APPLICATION_AUDIO, &err);

	if (!e || opus_encoder_ctl(e, OPUS_SET_BITRATE(BITRATE)) ||
	    opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(COMPLEXITY)))
		die("opus encoder: %s", opus_strerror(err));
	return e;
}

struct audio *audio_new(const char *dir, int talkers, int shared)
{
	struct audio *a = calloc(1, sizeof *a);
	char path[4096];
	int err;

	if (!a)
		die("out of memory");
	a->talkers = talkers;
	a->outputs = talkers + !!shared;
	a->talker = calloc((size_t)talkers + 1, sizeof *a->talker);
	a->enc = calloc((size_t)a->outputs + 1, sizeof *a->enc);
	if (!a->talker || !a->enc)
		die("out of memory");
	for (int i = 0; i < talkers && i < VOICES; i++) {
		snprintf(path, sizeof path, "%s/voice%d.ogg", dir, i);
		media_load(&a->voice[i], path);
	}
	for (int i = 0; i < talkers; i++) {
		struct talker *t = &a->talker[i];

		t->voice = &a->voice[i % VOICES];
		t->next = i * 37 % t->voice->count; /* nobody speaks in step */
		t->dec = opus_decoder_create(RATE, 1, &err);
		if (!t->dec)
			die("opus decoder: %s", opus_strerror(err));
	}
	for (int i = 0; i < a->outputs; i++)
		a->enc[i] = encoder_new();
	return a;
}

void audio_free(struct audio *a)
{
	for (int i = 0; i < a->talkers; i++)
		opus_decoder_destroy(a->talker[i].dec);
	for (int i = 0; i < a->outputs; i++)
		opus_encoder_destroy(a->enc[i]);
	for (int i = 0; i < VOICES; i++)
		media_free(&a->voice[i]);
	free(a->talker);
	free(a->enc);
	free(a);
}

static void talker_decode(struct talker *t)
{
	const AVPacket *p = t->voice->pkt[t->next];
	int n = opus_decode_float(t->dec, p->data, p->size, t->pcm, FRAME, 0);

	if (n != FRAME)
		die("opus decode: %d samples", n);
	t->next = (t->next + 1) % t->voice->count;
}

/* out = mix - own, clamped to full scale; own may be NULL. */
static void mix_minus(float *restrict out, const float *restrict mix, const float *restrict own)
{
	for (int i = 0; i < FRAME; i++) {
		float v = own ? mix[i] - own[i] : mix[i];

		v = v > 1.0f ? 1.0f : v;
		out[i] = v < -1.0f ? -1.0f : v;
	}
}

void audio_tick(struct audio *a)
{
	unsigned char pkt[1500];

	memset(a->mix, 0, sizeof a->mix);
	for (int i = 0; i < a->talkers; i++) {
		talker_decode(&a->talker[i]);
		for (int k = 0; k < FRAME; k++)
			a->mix[k] += a->talker[i].pcm[k];
	}
	for (int i = 0; i < a->outputs; i++) {
		int n;

		mix_minus(a->out, a->mix, i < a->talkers ? a->talker[i].pcm : NULL);
		n = opus_encode_float(a->enc[i], a->out, FRAME, pkt, sizeof pkt);
		if (n < 0)
			die("opus encode: %s", opus_strerror(n));
		a->bytes += n;
	}
}

int64_t audio_bytes(const struct audio *a)
{
	return a->bytes;
}

int audio_outputs(const struct audio *a)
{
	return a->outputs;
}
