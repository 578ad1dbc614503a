/* Recorded sounds from files of all kinds. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mixer/audio/prompt_file.h"
#include "tests/support/tone.h"

static char path[] = "/tmp/mcu-prompt-XXXXXX";

struct kind {
	unsigned kind, channels, hz, bits;
};

static void put(FILE *f, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		putc((int)(v >> (8 * i) & 0xff), f);
}

/* A second of 440 Hz, half as loud as may be, in the first channel; the rest silent. */
static void write_tone(const struct kind *k, uint32_t data_len)
{
	unsigned step = k->bits / 8, frame = step * k->channels;
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	fputs("RIFF", f);
	put(f, 0, 4);
	fputs("WAVEJUNK", f);
	put(f, 3, 4);
	put(f, 0, 4); /* three octets, and one to make it even */
	fputs("fmt ", f);
	put(f, 16, 4);
	put(f, k->kind, 2);
	put(f, k->channels, 2);
	put(f, k->hz, 4);
	put(f, k->hz * frame, 4);
	put(f, frame, 2);
	put(f, k->bits, 2);
	fputs("data", f);
	put(f, data_len ? data_len : k->hz * frame, 4);
	for (unsigned i = 0; i < k->hz; i++)
		for (unsigned c = 0; c < k->channels; c++) {
			double v = c ? 0 : 0.5 * sin(2 * M_PI * 440 * i / k->hz);
			float g = (float)v;
			uint32_t raw;

			memcpy(&raw, &g, 4);
			if (k->kind != 3)
				raw = (uint32_t)(int32_t)(v * 2147483647.0) >> (32 - k->bits);
			if (k->kind != 3 && k->bits == 8)
				raw = (raw + 128) & 0xff;
			put(f, raw, (int)step);
		}
	fclose(f);
}

static void check_tone(double wanted)
{
	struct prompt *p = NULL;
	struct errmsg why;
	float *pcm;

	if (prompt_file_read(&p, path, &why))
		fail_msg("%s", why.text);
	assert_true(p->n > 47900 && p->n < 48200);
	pcm = calloc(p->n, sizeof *pcm);
	assert_int_equal(prompt_mix(p, 0, pcm, p->n, 1), p->n);
	assert_near(tone_amplitude(pcm + 4000, 40000, 1, 440), wanted, 0.01);
	free(pcm);
	free(p);
}

static void test_formats(void **state)
{
	static const struct kind kinds[] = {
		{ 1, 1, 8000, 16 }, { 1, 1, 22050, 16 }, { 1, 1, 48000, 16 }, { 1, 1, 16000, 8 },
		{ 1, 1, 24000, 24 }, { 1, 1, 44100, 32 }, { 3, 1, 48000, 32 },
	};
	static const struct kind two = { 1, 2, 44100, 16 };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		write_tone(&kinds[i], 0);
		check_tone(0.5);
	}
	write_tone(&two, 0);
	check_tone(0.25);
	/* who wrote it to a pipe did not know the length */
	write_tone(&kinds[0], 0xffffffff);
	check_tone(0.5);
}

static void refused(int err)
{
	struct prompt *p = NULL;
	struct errmsg why;

	assert_int_equal(prompt_file_read(&p, path, &why), err);
	assert_null(p);
	assert_non_null(strstr(why.text, path));
}

static void test_what_is_none(void **state)
{
	static const struct kind kinds[] = {
		{ 7, 1, 8000, 8 }, { 1, 3, 8000, 16 }, { 1, 0, 8000, 16 }, { 1, 1, 4000, 16 },
		{ 1, 1, 400000, 16 }, { 1, 1, 8000, 12 }, { 3, 1, 8000, 16 }, { 0xfffe, 1, 8000, 16 },
	};
	FILE *f;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		write_tone(&kinds[i], 0);
		refused(-EINVAL);
	}
	f = fopen(path, "wb");
	fclose(f);
	refused(-EINVAL);
	f = fopen(path, "wb");
	fputs("ID3 this is another kind of file altogether", f);
	fclose(f);
	refused(-EINVAL);
	f = fopen(path, "wb");
	fwrite("RIFF\0\0\0\0WAVEfmt \x10", 1, 17, f);
	fclose(f);
	refused(-EINVAL);
	unlink(path);
	refused(-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_what_is_none),
	};

	if (mkstemp(path) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
