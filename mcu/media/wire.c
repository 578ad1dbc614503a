#include "mcu/media/wire.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* A terminated copy without what a terminal, a log or a page would take amiss. */
static void clean(char *text, size_t cap)
{
	text[cap - 1] = 0;
	for (char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

static bool is_code(const char *code)
{
	return *code && strspn(code, "abcdefghijklmnopqrstuvwxyz_") == strlen(code);
}

/* A bool that another process wrote may be neither: read as an octet. */
static bool flag_at(const void *p, size_t offset)
{
	return ((const uint8_t *)p)[offset] != 0;
}

static bool time_ok(int64_t ns)
{
	return ns >= 0 && ns <= MEDIA_MAX_NS;
}

int media_note_read(struct media_note *out, const void *p, size_t len)
{
	struct media_note n;

	if (len != sizeof n)
		return -EBADMSG;
	memcpy(&n, p, sizeof n);
	n.audio = flag_at(p, offsetof(struct media_note, audio));
	n.video = flag_at(p, offsetof(struct media_note, video));
	n.still = flag_at(p, offsetof(struct media_note, still));
	clean(n.code, sizeof n.code);
	clean(n.text, sizeof n.text);
	if (n.type < MEDIA_FACTS || n.type > MEDIA_FAILED || !time_ok(n.pos_ns) ||
	    !time_ok(n.duration_ns) || n.width > MEDIA_MAX_SIDE * 4 ||
	    n.height > MEDIA_MAX_SIDE * 4 || n.pages > MEDIA_MAX_PAGES)
		return -EBADMSG;
	if (n.type == MEDIA_FACTS && !n.audio && !n.video)
		return -EBADMSG;
	if (n.type == MEDIA_FAILED && !is_code(n.code))
		return -EBADMSG;
	*out = n;
	return 0;
}

int media_order_read(struct media_order *out, const void *p, size_t len)
{
	if (len != sizeof *out)
		return -EBADMSG;
	memcpy(out, p, sizeof *out);
	out->url[sizeof out->url - 1] = 0;
	return out->type >= MEDIA_OPEN && out->type <= MEDIA_WANTED ? 0 : -EBADMSG;
}

size_t media_slot_bytes(uint32_t max_w, uint32_t max_h)
{
	return (size_t)max_w * max_h * 3 / 2;
}

size_t media_shm_bytes(uint32_t max_w, uint32_t max_h)
{
	return sizeof(struct media_shm) + MEDIA_SLOTS * media_slot_bytes(max_w, max_h);
}

/* How many there are; -EBADMSG: more than fit. */
static int waiting(uint32_t head, uint32_t tail, uint32_t most)
{
	uint32_t n = head - tail;

	return n <= most ? (int)n : -EBADMSG;
}

int media_reader_peek_block(const struct media_reader *r, struct media_block *head)
{
	int n = waiting(atomic_load_explicit(&r->shm->block_head, memory_order_acquire),
			r->block_tail, MEDIA_BLOCKS);
	const volatile struct media_block *b = &r->shm->block[r->block_tail % MEDIA_BLOCKS];

	if (n <= 0)
		return n;
	head->pts_ns = b->pts_ns;
	head->serial = b->serial;
	head->n = b->n;
	return head->n && head->n <= MEDIA_BLOCK_FRAMES && time_ok(head->pts_ns) ? 1 : -EBADMSG;
}

void media_reader_copy_block(const struct media_reader *r, uint32_t first, uint32_t n, float *out,
			     int channels)
{
	const int16_t *in = &r->shm->block[r->block_tail % MEDIA_BLOCKS].pcm[first * 2];

	if (channels == 2)
		for (uint32_t i = 0; i < n * 2; i++)
			out[i] = (float)in[i] * (1.0f / 32768);
	else
		for (uint32_t i = 0; i < n; i++)
			out[i] = (float)(in[2 * i] + in[2 * i + 1]) * (0.5f / 32768);
}

void media_reader_drop_block(struct media_reader *r)
{
	atomic_store_explicit(&r->shm->block_tail, ++r->block_tail, memory_order_release);
}

int media_reader_peek_slot(const struct media_reader *r, uint32_t ahead, struct media_slot *out)
{
	int n = waiting(atomic_load_explicit(&r->shm->slot_head, memory_order_acquire),
			r->slot_tail, MEDIA_SLOTS);
	const volatile struct media_slot *s = &r->shm->slot[(r->slot_tail + ahead) % MEDIA_SLOTS];

	if (n < 0 || (uint32_t)n <= ahead)
		return n < 0 ? n : 0;
	out->pts_ns = s->pts_ns;
	out->serial = s->serial;
	out->w = s->w;
	out->h = s->h;
	out->rotation = s->rotation;
	return time_ok(out->pts_ns) && out->w >= 2 && out->h >= 2 && !(out->w & 1) &&
			       !(out->h & 1) && out->w <= r->max_w && out->h <= r->max_h &&
			       out->rotation < 360 && out->rotation % 90 == 0 ?
		       1 : -EBADMSG;
}

const uint8_t *media_reader_pixels(const struct media_reader *r, uint32_t ahead)
{
	return (const uint8_t *)(r->shm + 1) +
	       (r->slot_tail + ahead) % MEDIA_SLOTS * media_slot_bytes(r->max_w, r->max_h);
}

void media_reader_drop_slot(struct media_reader *r)
{
	atomic_store_explicit(&r->shm->slot_tail, ++r->slot_tail, memory_order_release);
}
