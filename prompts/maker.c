/* Makes the sound files of the server's announcements, when it is built:
 *
 *     prompt-maker shape IN.wav OUT.wav   silence cut off, all equally loud
 *     prompt-maker music OUT.wav          for those who wait: goes round without a seam
 *     prompt-maker join|leave OUT.wav     chimes
 *
 * Everything is of one channel and 16 bits. It shares no code with the server. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MUSIC_HZ = 24000,
	BEAT_MS = 500,
	BEATS = 64,
	HEADER_BYTES = 44,
	MOST_SAMPLES = 60 * 48000,
};

#define PI 3.14159265358979323846
#define LOUD_DBFS (-22.0) /* of what is spoken, without its pauses */
#define PEAK_MOST 0.89

struct sound {
	int hz;
	size_t n;
	float *pcm;
};

static uint32_t le(const uint8_t *p, int bytes)
{
	uint32_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static void put_le(uint8_t *p, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static int fail(const char *path, const char *what)
{
	fprintf(stderr, "prompt-maker: %s: %s\n", path, what);
	return -1;
}

/* What espeak-ng writes; its sizes may say that they are not known. */
static int read_wav(struct sound *s, const char *path)
{
	uint8_t h[HEADER_BYTES], two[2];
	FILE *f = fopen(path, "rb");
	int err = 0;

	if (!f)
		return fail(path, "cannot be opened");
	if (fread(h, 1, sizeof h, f) != sizeof h || memcmp(h, "RIFF", 4) ||
	    memcmp(h + 36, "data", 4) || le(h + 20, 2) != 1 || le(h + 22, 2) != 1 ||
	    le(h + 34, 2) != 16)
		err = fail(path, "is not a plain WAV file of one channel and 16 bits");
	s->hz = (int)le(h + 24, 4);
	s->n = 0;
	s->pcm = calloc(MOST_SAMPLES, sizeof *s->pcm);
	if (!s->pcm)
		err = fail(path, "out of memory");
	while (!err && s->n < MOST_SAMPLES && fread(two, 1, 2, f) == 2)
		s->pcm[s->n++] = (float)(int16_t)le(two, 2) / 32768.0f;
	fclose(f);
	return err;
}

static int write_wav(const struct sound *s, const char *path)
{
	uint8_t h[HEADER_BYTES] = "RIFF....WAVEfmt ";
	FILE *f = fopen(path, "wb");
	int err = 0;

	if (!f)
		return fail(path, "cannot be written");
	put_le(h + 4, (uint32_t)(36 + 2 * s->n), 4);
	put_le(h + 16, 16, 4);
	put_le(h + 20, 1, 2);
	put_le(h + 22, 1, 2);
	put_le(h + 24, (uint32_t)s->hz, 4);
	put_le(h + 28, (uint32_t)s->hz * 2, 4);
	put_le(h + 32, 2, 2);
	put_le(h + 34, 16, 2);
	memcpy(h + 36, "data", 4);
	put_le(h + 40, (uint32_t)(2 * s->n), 4);
	fwrite(h, 1, sizeof h, f);
	for (size_t i = 0; i < s->n; i++) {
		uint8_t two[2];

		put_le(two, (uint32_t)(int32_t)lrintf(s->pcm[i] * 32767), 2);
		fwrite(two, 1, 2, f);
	}
	if (ferror(f))
		err = fail(path, "cannot be written");
	if (fclose(f))
		err = fail(path, "cannot be written");
	return err;
}

/* --- speech ------------------------------------------------------------------ */

/* Leaves a little before and after, faded. */
static void trim(struct sound *s)
{
	size_t lead = (size_t)s->hz / 50, tail = (size_t)s->hz / 12, first = 0, last = s->n;

	while (first < last && fabsf(s->pcm[first]) < 0.01f)
		first++;
	while (last > first && fabsf(s->pcm[last - 1]) < 0.01f)
		last--;
	first = first > lead ? first - lead : 0;
	last = last + tail < s->n ? last + tail : s->n;
	s->n = last - first;
	memmove(s->pcm, s->pcm + first, s->n * sizeof *s->pcm);
	for (size_t i = 0; i < lead && i < s->n; i++) {
		s->pcm[i] *= (float)i / (float)lead;
		s->pcm[s->n - 1 - i] *= (float)i / (float)lead;
	}
}

/* By the energy of those 20 ms that are not a pause. */
static void equalise(struct sound *s)
{
	size_t step = (size_t)s->hz / 50, voiced = 0;
	double sum = 0, gain, peak = 0;

	for (size_t i = 0; i + step <= s->n; i += step) {
		double e = 0;

		for (size_t k = 0; k < step; k++)
			e += (double)s->pcm[i + k] * (double)s->pcm[i + k];
		if (e / (double)step < 1e-4)
			continue;
		sum += e;
		voiced += step;
	}
	for (size_t i = 0; i < s->n; i++)
		peak = fmax(peak, fabs((double)s->pcm[i]));
	if (!voiced || peak <= 0)
		return;
	gain = fmin(pow(10, LOUD_DBFS / 20) / sqrt(sum / (double)voiced), PEAK_MOST / peak);
	for (size_t i = 0; i < s->n; i++)
		s->pcm[i] *= (float)gain;
}

static int shape(const char *in, const char *out)
{
	struct sound s = { 0 };
	int err = read_wav(&s, in);

	if (!err) {
		trim(&s);
		equalise(&s);
		err = write_wav(&s, out);
	}
	free(s.pcm);
	return err;
}

/* --- tones ------------------------------------------------------------------- */

static double hz_of(int midi)
{
	return 440 * pow(2, (midi - 69) / 12.0);
}

/* A struck, soft bar; what rings longer than the sound goes on at its beginning. */
static void strike(struct sound *s, double at_s, int midi, double level, double ring_s)
{
	static const struct { double times, level, fall; } part[] = {
		{ 1, 1, 1 }, { 2, 0.22, 1.8 }, { 3.01, 0.07, 3 }, { 5.4, 0.03, 8 },
	};
	size_t first = (size_t)(at_s * s->hz), n = (size_t)(5 * ring_s * s->hz);

	for (size_t i = 0; i < n; i++) {
		double t = (double)i / s->hz, attack = t < 0.008 ? t / 0.008 : 1, v = 0;

		for (size_t p = 0; p < sizeof part / sizeof *part; p++)
			v += part[p].level * exp(-t * part[p].fall / ring_s) *
			     sin(2 * PI * hz_of(midi) * part[p].times * t);
		s->pcm[(first + i) % s->n] += (float)(level * attack * v);
	}
}

static int finish(struct sound *s, double peak_wanted, const char *out)
{
	double peak = 1e-9;
	int err;

	for (size_t i = 0; i < s->n; i++)
		peak = fmax(peak, fabs((double)s->pcm[i]));
	for (size_t i = 0; i < s->n; i++)
		s->pcm[i] *= (float)(peak_wanted / peak);
	err = write_wav(s, out);
	free(s->pcm);
	return err;
}

/* Eight bars of broken chords, twice, the second time with a voice above them. */
static int music(const char *out)
{
	static const int chord[8][4] = {
		{ 48, 55, 64, 71 }, { 45, 52, 60, 67 }, { 53, 57, 64, 72 }, { 43, 50, 59, 65 },
		{ 52, 55, 62, 71 }, { 45, 55, 60, 64 }, { 50, 57, 65, 72 }, { 43, 53, 59, 62 },
	};
	static const int above[16] = {
		76, 0, 74, 71, 72, 0, 0, 67, 69, 0, 72, 76, 74, 0, 0, 0,
	};
	static const int order[8] = { 0, 1, 2, 3, 2, 1, 2, 3 };
	double beat = BEAT_MS / 1000.0;
	struct sound s = { .hz = MUSIC_HZ, .n = (size_t)MUSIC_HZ * BEAT_MS / 1000 * BEATS };

	s.pcm = calloc(s.n, sizeof *s.pcm);
	if (!s.pcm)
		return fail(out, "out of memory");
	for (int b = 0; b < BEATS; b++)
		for (int half = 0; half < 2; half++) {
			const int *c = chord[b / 4 % 8];
			int note = order[(b % 4) * 2 + half];

			strike(&s, (b + half * 0.5) * beat, c[note], note ? 0.5 : 0.8, note ? 0.5 : 1);
		}
	for (int i = 0; i < 16; i++)
		if (above[i])
			strike(&s, (BEATS / 2 + i * 2) * beat, above[i] + 12, 0.35, 0.7);
	return finish(&s, 0.25, out);
}

static int chime(const int note[2], const char *out)
{
	struct sound s = { .hz = MUSIC_HZ, .n = MUSIC_HZ * 6 / 10 };

	s.pcm = calloc(s.n * 4, sizeof *s.pcm);
	if (!s.pcm)
		return fail(out, "out of memory");
	s.n *= 4; /* so that nothing goes round */
	strike(&s, 0, note[0], 1, 0.12);
	strike(&s, 0.14, note[1], 1, 0.12);
	s.n /= 4;
	for (size_t i = 0; i < s.n / 8; i++)
		s.pcm[s.n - 1 - i] *= (float)i / (float)(s.n / 8);
	return finish(&s, 0.2, out);
}

int main(int argc, char **argv)
{
	static const int up[2] = { 76, 83 }, down[2] = { 83, 76 };

	if (argc == 4 && !strcmp(argv[1], "shape"))
		return shape(argv[2], argv[3]) ? 1 : 0;
	if (argc == 3 && !strcmp(argv[1], "music"))
		return music(argv[2]) ? 1 : 0;
	if (argc == 3 && !strcmp(argv[1], "join"))
		return chime(up, argv[2]) ? 1 : 0;
	if (argc == 3 && !strcmp(argv[1], "leave"))
		return chime(down, argv[2]) ? 1 : 0;
	fprintf(stderr, "usage: prompt-maker shape IN OUT | music OUT | join OUT | leave OUT\n");
	return 2;
}
