#include "storage/fmp4.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/files.h"
#include "storage/mp4_moof.h"

#define T(a, b, c, d) MP4_TYPE(a, b, c, d)

struct pending {
	struct mp4_out data;
	struct mp4_sample sample[FMP4_PENDING_SAMPLES];
	size_t n;
	int64_t last_ticks;
	bool any; /* last_ticks is set */
};

struct fmp4 {
	int fd;
	struct mp4_movie movie;
	struct mp4_index index;
	struct pending pending[MP4_TRACKS];
	uint32_t nominal[MP4_TRACKS];
	uint64_t free_at, end; /* end: of the last whole fragment */
	uint32_t sequence;
	struct mp4_out head;
};

static int write_one(int fd, const struct mp4_out *o, uint64_t at)
{
	struct iovec v = { o->p, o->len };

	return o->failed ? -ENOMEM : files_write_all(fd, &v, 1, at);
}

int fmp4_new(struct fmp4 **out, int fd, const struct mp4_movie *m,
	     const uint32_t nominal[MP4_TRACKS])
{
	struct fmp4 *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->movie = *m;
	for (size_t i = 0; i < MP4_TRACKS; i++)
		f->nominal[i] = nominal[i];
	mp4_put_ftyp(&f->head);
	f->free_at = f->head.len;
	size_t box = mp4_begin(&f->head, T('f', 'r', 'e', 'e'));

	mp4_put_zero(&f->head, FMP4_FREE_BYTES - 8);
	mp4_end(&f->head, box);
	mp4_put_init_moov(&f->head, m);
	err = write_one(fd, &f->head, 0);
	f->end = f->head.len;
	if (err)
		fmp4_free(&f);
	else
		*out = f;
	return err;
}

void fmp4_free(struct fmp4 **f)
{
	if (!*f)
		return;
	for (size_t i = 0; i < MP4_TRACKS; i++)
		mp4_out_free(&(*f)->pending[i].data);
	mp4_index_free(&(*f)->index);
	mp4_out_free(&(*f)->head);
	free(*f);
	*f = NULL;
}

int fmp4_add(struct fmp4 *f, enum mp4_track_no no, const uint8_t *data, size_t len, int64_t ticks,
	     bool sync)
{
	struct pending *p = &f->pending[no];
	int err = 0;

	if (ticks < 0 || (p->any && (ticks <= p->last_ticks || ticks - p->last_ticks > INT32_MAX)) ||
	    len > FMP4_PENDING_BYTES || !f->movie.track[no].timescale)
		return -EINVAL;
	if (p->n == FMP4_PENDING_SAMPLES || p->data.len + len > FMP4_PENDING_BYTES)
		err = fmp4_flush(f);
	if (err)
		return err;
	size_t before = p->data.len;

	mp4_put(&p->data, data, len);
	if (p->data.failed) {
		p->data.failed = false;
		p->data.len = before;
		return -ENOMEM;
	}
	if (p->n)
		p->sample[p->n - 1].duration = (uint32_t)(ticks - p->last_ticks);
	p->sample[p->n++] = (struct mp4_sample){ .dts = ticks,
						 .size = (uint32_t)len,
						 .duration = f->nominal[no],
						 .sync = sync };
	p->last_ticks = ticks;
	p->any = true;
	return 0;
}

int64_t fmp4_pending_since_ns(const struct fmp4 *f)
{
	int64_t first = -1;

	for (size_t i = 0; i < MP4_TRACKS; i++) {
		if (!f->pending[i].n)
			continue;
		int64_t t = clock_scale(f->pending[i].sample[0].dts, NS_PER_S,
					f->movie.track[i].timescale);

		first = first < 0 || t < first ? t : first;
	}
	return first;
}

static void put_moof(struct fmp4 *f)
{
	struct mp4_run run[MP4_TRACKS];

	for (size_t i = 0; i < MP4_TRACKS; i++)
		run[i] = (struct mp4_run){ f->pending[i].sample, f->pending[i].n,
					   f->pending[i].data.len };
	f->head.len = 0;
	mp4_put_moof(&f->head, f->sequence + 1, run);
}

/* The fragment is in the file. */
static void note_written(struct fmp4 *f)
{
	uint64_t at = f->end + f->head.len;

	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++) {
		struct pending *p = &f->pending[i];

		for (size_t k = 0; k < p->n; k++) {
			p->sample[k].offset = at;
			at += p->sample[k].size;
			if (mp4_index_add(&f->index, i, &p->sample[k]))
				f->index.failed = true;
		}
		p->n = 0;
		p->data.len = 0;
	}
	f->end = at;
	f->sequence++;
}

int fmp4_flush(struct fmp4 *f)
{
	int err;

	if (!f->pending[MP4_VIDEO].n && !f->pending[MP4_AUDIO].n)
		return 0;
	put_moof(f);
	if (f->head.failed) {
		f->head.failed = false;
		return -ENOMEM;
	}
	struct iovec v[] = { { f->head.p, f->head.len },
			     { f->pending[MP4_VIDEO].data.p, f->pending[MP4_VIDEO].data.len },
			     { f->pending[MP4_AUDIO].data.p, f->pending[MP4_AUDIO].data.len } };

	err = files_write_all(f->fd, v, 3, f->end);
	if (!err)
		note_written(f);
	else if (ftruncate(f->fd, (off_t)f->end))
		return err; /* the repair at the next start cuts it */
	return err;
}

int fmp4_complete_file(int fd, uint64_t free_at, uint64_t end, const struct mp4_movie *m,
		       const struct mp4_index *x, uint64_t *bytes)
{
	struct mp4_out moov = { 0 }, mdat = { 0 };
	int err = x->failed ? -ENOMEM : 0;

	mp4_put_final_moov(&moov, m, x);
	if (!err)
		err = write_one(fd, &moov, end);
	if (!err && fdatasync(fd))
		err = -errno;
	mp4_put32(&mdat, 1);
	mp4_put32(&mdat, T('m', 'd', 'a', 't'));
	mp4_put64(&mdat, end - free_at);
	if (!err)
		err = write_one(fd, &mdat, free_at);
	else if (ftruncate(fd, (off_t)end))
		err = -EIO;
	if (!err && fdatasync(fd))
		err = -errno;
	if (!err)
		*bytes = end + moov.len;
	mp4_out_free(&moov);
	mp4_out_free(&mdat);
	return err;
}

void fmp4_drop_pending(struct fmp4 *f)
{
	for (size_t i = 0; i < MP4_TRACKS; i++) {
		f->pending[i].n = 0;
		f->pending[i].data.len = 0;
	}
}

int fmp4_finish(struct fmp4 *f)
{
	uint64_t bytes = f->end;
	int err = fmp4_flush(f);

	if (!err && !f->index.track[f->movie.track[MP4_VIDEO].timescale ? MP4_VIDEO : MP4_AUDIO].sizes.n)
		err = -ENODATA;
	mp4_movie_even(&f->movie, &f->index, true);
	if (!err)
		err = fmp4_complete_file(f->fd, f->free_at, f->end, &f->movie, &f->index, &bytes);
	f->end = bytes;
	return err;
}

uint64_t fmp4_bytes(const struct fmp4 *f)
{
	return f->end;
}

int64_t fmp4_duration_ms(const struct fmp4 *f)
{
	return mp4_duration_ms(&f->movie, &f->index);
}
