/* What a media child says, and what it writes into the memory that it shares. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/media/wire.h"

enum { W = 4, H = 2 };

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text, size_t cap)
{
	check(memchr(text, 0, cap) != NULL);
	for (; *text; text++)
		check(*text >= 0x20 && *text <= 0x7e);
}

static void read_note(const uint8_t *data, size_t size)
{
	struct media_note n;

	if (media_note_read(&n, data, size))
		return;
	check(n.type >= MEDIA_FACTS && n.type <= MEDIA_FAILED);
	check(n.duration_ns >= 0 && n.pos_ns >= 0 && n.pages <= MEDIA_MAX_PAGES);
	check_text(n.code, sizeof n.code);
	check_text(n.text, sizeof n.text);
}

static void read_rings(const uint8_t *data, size_t size)
{
	size_t bytes = media_shm_bytes(W, H);
	struct media_shm *shm = calloc(1, bytes);
	struct media_reader r = { .shm = shm, .max_w = W, .max_h = H };
	struct media_block b;
	struct media_slot s;
	float out[2 * MEDIA_BLOCK_FRAMES];

	if (!shm)
		return;
	memcpy(shm, data, size < bytes ? size : bytes);
	for (int i = 0; i < 2 * MEDIA_BLOCKS && media_reader_peek_block(&r, &b) > 0; i++) {
		media_reader_copy_block(&r, 0, b.n, out, 1 + i % 2);
		for (uint32_t k = 0; k < b.n; k++)
			check(out[k] >= -1 && out[k] <= 1);
		media_reader_drop_block(&r);
	}
	for (int i = 0; i < 2 * MEDIA_SLOTS && media_reader_peek_slot(&r, 0, &s) > 0; i++) {
		const uint8_t *p = media_reader_pixels(&r, 0);

		check(p >= (uint8_t *)shm && p + s.w * s.h * 3 / 2 <= (uint8_t *)shm + bytes);
		media_reader_drop_slot(&r);
	}
	free(shm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (*data & 1)
		read_note(data + 1, size - 1);
	else
		read_rings(data + 1, size - 1);
	return 0;
}
