#include "mixer/audio/prompt_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

enum { WAV_PCM = 1, WAV_FLOAT = 3, WAV_EXTENSIBLE = 0xfffe };
/* A file of the longest sound in the largest format is refused before it is read. */
enum { MOST_BYTES = 128 << 20 };

/* A file in memory, and what it says of itself. */
struct wav {
	uint8_t *file;
	size_t len;
	unsigned kind, channels, hz, bits;
	const uint8_t *data;
	size_t data_len;
};

static uint32_t le(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static int read_all(struct wav *w, const char *path, struct errmsg *why)
{
	FILE *f = fopen(path, "rb");
	long size;
	int err = 0;

	if (!f)
		return errmsg_set(why, errno == ENOENT ? -ENOENT : -EINVAL, "prompt",
				  "%s cannot be read: %s.", path, strerror(errno));
	if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
		err = errmsg_set(why, -EINVAL, "prompt", "%s cannot be read.", path);
	} else if (size > MOST_BYTES) {
		err = errmsg_set(why, -EFBIG, "prompt", "%s is too long: at most %d seconds.", path,
				 PROMPT_FILE_MOST_S);
	} else {
		w->file = malloc((size_t)size + 1);
		if (!w->file)
			err = errmsg_set(why, -ENOMEM, "prompt", "out of memory");
		else
			w->len = fread(w->file, 1, (size_t)size, f);
	}
	fclose(f);
	return err;
}

static void read_format(struct wav *w, const uint8_t *p, size_t len)
{
	w->kind = le(p, 2);
	w->channels = le(p + 2, 2);
	w->hz = le(p + 4, 4);
	w->bits = le(p + 14, 2);
	if (w->kind == WAV_EXTENSIBLE && len >= 40)
		w->kind = le(p + 24, 2);
}

/* Chunks have even lengths; that of the last may be wrong, for who wrote the file did
 * not know it yet. */
static bool find_chunks(struct wav *w)
{
	size_t at = 12;

	if (w->len < 12 || memcmp(w->file, "RIFF", 4) || memcmp(w->file + 8, "WAVE", 4))
		return false;
	while (at + 8 <= w->len) {
		const uint8_t *p = w->file + at;
		size_t len = le(p + 4, 4), rest = w->len - at - 8;

		if (len > rest)
			len = rest;
		if (!memcmp(p, "fmt ", 4) && len >= 16)
			read_format(w, p + 8, len);
		if (!memcmp(p, "data", 4)) {
			w->data = p + 8;
			w->data_len = len;
			return w->kind != 0;
		}
		at += 8 + len + (len & 1);
	}
	return false;
}

static bool is_usable(const struct wav *w)
{
	bool pcm = w->kind == WAV_PCM &&
		   (w->bits == 8 || w->bits == 16 || w->bits == 24 || w->bits == 32);

	return (pcm || (w->kind == WAV_FLOAT && w->bits == 32)) && w->channels >= 1 &&
	       w->channels <= 2 && w->hz >= 8000 && w->hz <= 192000;
}

static float sample(const struct wav *w, const uint8_t *p)
{
	uint32_t v = le(p, (int)w->bits / 8);
	float f;

	if (w->kind == WAV_FLOAT) {
		memcpy(&f, &v, sizeof f);
		return f >= -1 && f <= 1 ? f : 0; /* nor what is no number */
	}
	if (w->bits == 8)
		return ((float)v - 128) / 128;
	return (float)(int32_t)(v << (32 - w->bits)) / 2147483648.0f;
}

/* Both channels in one. */
static float *to_mono(const struct wav *w, size_t *n)
{
	size_t step = w->bits / 8, frames = w->data_len / (step * w->channels);
	float *out = malloc((frames + 1) * sizeof *out);

	if (!out)
		return NULL;
	for (size_t i = 0; i < frames; i++) {
		const uint8_t *p = w->data + i * step * w->channels;

		out[i] = sample(w, p);
		if (w->channels == 2)
			out[i] = (out[i] + sample(w, p + step)) / 2;
	}
	*n = frames;
	return out;
}

/* 48 kHz, 16 bits. */
static int resample(struct prompt **out, const float *pcm, size_t n, int hz)
{
	AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
	size_t most = (size_t)((uint64_t)n * PROMPT_HZ / (unsigned)hz) + PROMPT_HZ / 10;
	struct prompt *p = malloc(sizeof *p + most * sizeof p->pcm[0]);
	const uint8_t *in = (const uint8_t *)pcm;
	uint8_t *to = p ? (uint8_t *)p->pcm : NULL;
	SwrContext *swr = NULL;
	int got = -1, more = 0;

	if (p && !swr_alloc_set_opts2(&swr, &mono, AV_SAMPLE_FMT_S16, PROMPT_HZ, &mono,
				      AV_SAMPLE_FMT_FLT, hz, 0, NULL) && !swr_init(swr))
		got = swr_convert(swr, &to, (int)most, &in, (int)n);
	if (got >= 0) {
		to = (uint8_t *)(p->pcm + got);
		more = swr_convert(swr, &to, (int)most - got, NULL, 0);
	}
	swr_free(&swr);
	if (got < 0 || more < 0) {
		free(p);
		return -ENOMEM;
	}
	p->n = (size_t)(got + more);
	*out = p;
	return 0;
}

static int convert(struct prompt **out, const struct wav *w, const char *path, struct errmsg *why)
{
	size_t n;
	float *mono = to_mono(w, &n);
	int err = -ENOMEM;

	if (mono && n / w->hz > PROMPT_FILE_MOST_S)
		err = errmsg_set(why, -EFBIG, "prompt", "%s is too long: at most %d seconds.", path,
				 PROMPT_FILE_MOST_S);
	else if (mono)
		err = resample(out, mono, n, (int)w->hz);
	free(mono);
	if (err == -ENOMEM)
		errmsg_set(why, err, "prompt", "out of memory");
	return err;
}

int prompt_file_read(struct prompt **out, const char *path, struct errmsg *why)
{
	struct wav w = { 0 };
	int err = read_all(&w, path, why);

	if (!err && (!find_chunks(&w) || !is_usable(&w)))
		err = errmsg_set(why, -EINVAL, "prompt", "%s is not a WAV file of plain samples "
				 "(PCM of 8 to 32 bits or float, one or two channels, 8 to 192 kHz). "
				 "Convert it, for example with \"sox FILE -b 16 %s\".", path, path);
	if (!err)
		err = convert(out, &w, path, why);
	free(w.file);
	return err;
}
