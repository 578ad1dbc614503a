#include "storage/mkv_even.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "mcu/base/clock.h"
#include "storage/files.h"

enum { PICTURE, SOUND, KINDS };

void mkv_even_add(struct mkv_even *e, unsigned track, uint64_t at, int64_t ms, bool gathered)
{
	size_t i = e->n++ % MKV_EVEN_BLOCKS;

	e->block[i].at = at;
	e->block[i].ms = ms;
	e->block[i].track = track;
	e->block[i].gathered = gathered;
}

void mkv_even_written(struct mkv_even *e, uint64_t body_at)
{
	for (size_t i = 0; i < MKV_EVEN_BLOCKS; i++)
		if (e->block[i].gathered) {
			e->block[i].at += body_at;
			e->block[i].gathered = false;
		}
}

void mkv_even_dropped(struct mkv_even *e)
{
	while (e->n && e->block[(e->n - 1) % MKV_EVEN_BLOCKS].gathered) {
		e->block[(e->n - 1) % MKV_EVEN_BLOCKS].gathered = false;
		e->n--;
	}
}

/* A file of one picture, and of one sound whose packets' length is known. */
static bool kinds_of(const struct mkv_head *h, unsigned track[KINDS])
{
	if (h->n_tracks != 2 || h->is_picture[0] == h->is_picture[1])
		return false;
	track[PICTURE] = h->is_picture[0] ? 0 : 1;
	track[SOUND] = !track[PICTURE];
	return h->frame_ns[track[SOUND]];
}

/* The newest block of this track before the one at *i, or of all. False: it is not known. */
static bool before(const struct mkv_even *e, unsigned track, size_t *i)
{
	size_t oldest = e->n > MKV_EVEN_BLOCKS ? e->n - MKV_EVEN_BLOCKS : 0;

	while (*i > oldest) {
		--*i;
		if (e->block[*i % MKV_EVEN_BLOCKS].track == track)
			return true;
	}
	return false;
}

/* Where the block ends; a picture lasts as long as the one before. */
static int64_t end_of(const struct mkv_even *e, const struct mkv_head *h, unsigned track, size_t i)
{
	int64_t ms = e->block[i % MKV_EVEN_BLOCKS].ms, lasts_ns = h->frame_ns[track];

	if (!lasts_ns && before(e, track, &i))
		lasts_ns = (ms - e->block[i % MKV_EVEN_BLOCKS].ms) * NS_PER_MS;
	return ms * NS_PER_MS + lasts_ns;
}

static int take_off(int fd, uint64_t at, int64_t ms, struct mkv_cues *c)
{
	static const uint8_t skip = MKV_VOID;
	struct iovec v = { (void *)(uintptr_t)&skip, 1 };

	if (c->n && c->v[c->n - 1].ms == ms)
		c->n--;
	return files_write_all(fd, &v, 1, at);
}

int mkv_even_out(const struct mkv_even *e, int fd, const struct mkv_head *h, struct mkv_cues *c,
		 int64_t *last_ms)
{
	unsigned track[KINDS];
	size_t at[KINDS] = { e->n, e->n };
	int64_t slack_ns;
	bool changed = false;
	int err = 0;

	if (!kinds_of(h, track))
		return 0;
	slack_ns = h->frame_ns[track[SOUND]] / 2;
	for (int i = 0; i < KINDS; i++)
		if (!before(e, track[i], &at[i]))
			return 0;
	for (bool first = true; !err; first = false) {
		int64_t end_ns[KINDS], ahead_ns;

		for (int i = 0; i < KINDS; i++)
			end_ns[i] = end_of(e, h, track[i], at[i]);
		ahead_ns = end_ns[PICTURE] - end_ns[SOUND];
		if ((first && llabs(ahead_ns) > MKV_EVEN_MS * NS_PER_MS) ||
		    llabs(ahead_ns) <= slack_ns)
			break;

		int longer = ahead_ns > 0 ? PICTURE : SOUND;
		size_t gone = at[longer];

		if (!before(e, track[longer], &at[longer]))
			break;
		err = take_off(fd, e->block[gone % MKV_EVEN_BLOCKS].at,
			       e->block[gone % MKV_EVEN_BLOCKS].ms, c);
		changed = true;
	}
	if (changed) {
		int64_t v = e->block[at[PICTURE] % MKV_EVEN_BLOCKS].ms;
		int64_t a = e->block[at[SOUND] % MKV_EVEN_BLOCKS].ms;

		*last_ms = v > a ? v : a;
	}
	return err;
}
