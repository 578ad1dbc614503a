#include "storage/mp4_front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/files.h"
#include "storage/fmp4.h"
#include "storage/mp4_scan.h"

#define T(a, b, c, d) MP4_TYPE(a, b, c, d)

enum {
	BUFFER_BYTES = 1 << 20,
	SYNC_BYTES = 8 << 20, /* so that the disk of a recorder never has much to write at once */
	MDAT_HEADER = 16,
	TRIES = 3, /* moov's length depends on its offsets only in whether they need 64 bits */
};

/* The file as it was while it was recorded: where the header of the finished
 * file's 'mdat' is, there was a box 'free'. */
struct view {
	int fd;
	bool finished;
	uint64_t free_at, end;
};

/* Samples that are one after the other in both files. */
struct chunk {
	uint64_t from, bytes;
	uint32_t *offset; /* high, low: in the index */
};

struct copy {
	int in, out;
	const struct mp4_front_watch *watch;
	struct mp4_scan scan;
	struct chunk *chunks;
	size_t n;
	uint64_t data_bytes;
	struct mp4_out head;
	uint8_t *buffer;
	size_t fill;
	uint64_t at, synced;
};

static int read_view(void *obj, uint64_t off, void *to, size_t len)
{
	static const uint8_t box[FMP4_FREE_BYTES] = { 0, 0, 0, FMP4_FREE_BYTES, 'f', 'r', 'e', 'e' };
	const struct view *v = obj;
	uint8_t *p = to;
	int err = files_read_at(v->fd, off, to, len);

	for (size_t i = 0; !err && v->finished && i < sizeof(box); i++)
		if (v->free_at + i >= off && v->free_at + i - off < len)
			p[v->free_at + i - off] = box[i];
	return err;
}

static int header_at(int fd, uint64_t size, uint64_t at, struct mp4_header *h)
{
	uint8_t p[16];
	size_t have = size - at < sizeof(p) ? (size_t)(size - at) : sizeof(p);
	int err = at < size ? files_read_at(fd, at, p, have) : -EBADMSG;

	return err ? err : mp4_header_read(h, p, have, size - at);
}

/* What kind of file it is, by its first two boxes. */
static int look(struct view *v)
{
	struct mp4_header h;
	struct stat st;
	int err = fstat(v->fd, &st) ? -errno : 0;
	uint64_t size = err ? 0 : (uint64_t)st.st_size;

	if (!err)
		err = header_at(v->fd, size, 0, &h);
	if (!err && h.type != T('f', 't', 'y', 'p'))
		err = -ENOTSUP;
	v->free_at = err ? 0 : h.size;
	if (!err)
		err = header_at(v->fd, size, v->free_at, &h);
	if (err)
		return err == -EBADMSG || err == -ENODATA ? -ENOTSUP : err;
	v->end = size;
	if (h.type == T('m', 'o', 'o', 'v'))
		return -EALREADY;
	if (h.type == T('m', 'd', 'a', 't') && h.header == FMP4_FREE_BYTES) {
		v->finished = true;
		v->end = v->free_at + h.size;
	} else if (h.type != T('f', 'r', 'e', 'e')) {
		return -ENOTSUP;
	}
	return 0;
}

/* What a finished file says that it lasts; 0: it is not read. */
static uint64_t told_length(const struct view *v)
{
	enum { MVHD_AT = 8, DURATION_AT = MVHD_AT + 12 + 8 + 8 + 4 };
	uint8_t p[DURATION_AT + 8];

	if (!v->finished || files_read_at(v->fd, v->end, p, sizeof(p)) ||
	    mp4_get32(p + 4) != T('m', 'o', 'o', 'v') ||
	    mp4_get32(p + MVHD_AT + 4) != T('m', 'v', 'h', 'd') || p[MVHD_AT + 8] != 1)
		return 0;
	return mp4_get64(p + DURATION_AT);
}

static int find_samples(struct copy *c)
{
	struct view v = { .fd = c->in };
	struct mp4_source src = { read_view, &v, 0 };
	int err = look(&v);

	src.size = v.end;
	if (!err)
		err = mp4_scan(&c->scan, &src);
	if (err)
		return err;
	if (c->scan.kind != MP4_FRAGMENTED || !c->scan.completable ||
	    (v.finished && c->scan.end != v.end))
		return -ENOTSUP;
	/* Its fragments may have more at their end than its index. */
	mp4_movie_even(&c->scan.movie, &c->scan.index, v.finished &&
		       told_length(&v) != mp4_movie_lasts(&c->scan.movie, &c->scan.index));
	return 0;
}

static int by_place(const void *a, const void *b)
{
	uint64_t x = ((const struct chunk *)a)->from, y = ((const struct chunk *)b)->from;

	return (x > y) - (x < y);
}

static int list_chunks(struct copy *c)
{
	size_t all = 0;

	for (size_t i = 0; i < MP4_TRACKS; i++)
		all += c->scan.index.track[i].chunks.n / 3;
	if (!all)
		return -ENOTSUP;
	c->chunks = calloc(all, sizeof(*c->chunks));
	if (!c->chunks)
		return -ENOMEM;
	for (size_t i = 0; i < MP4_TRACKS; i++) {
		struct mp4_index_track *t = &c->scan.index.track[i];
		size_t sample = 0;

		for (size_t k = 0; k + 2 < t->chunks.n; k += 3) {
			struct chunk *x = &c->chunks[c->n++];

			x->offset = &t->chunks.v[k];
			x->from = (uint64_t)t->chunks.v[k] << 32 | t->chunks.v[k + 1];
			for (uint32_t s = 0; s < t->chunks.v[k + 2]; s++)
				x->bytes += t->sizes.v[sample++];
			c->data_bytes += x->bytes;
		}
	}
	qsort(c->chunks, c->n, sizeof(*c->chunks), by_place);
	return 0;
}

/* ftyp, moov and the header of mdat, for samples that begin behind these. */
static int make_head(struct copy *c)
{
	struct mp4_out *o = &c->head;
	size_t before = 0;

	for (int i = 0; i < TRIES && (!i || before != o->len); i++) {
		uint64_t at = before = o->len;

		for (size_t k = 0; k < c->n; k++) {
			c->chunks[k].offset[0] = (uint32_t)(at >> 32);
			c->chunks[k].offset[1] = (uint32_t)at;
			at += c->chunks[k].bytes;
		}
		o->len = 0;
		mp4_put_ftyp(o);
		mp4_put_final_moov(o, &c->scan.movie, &c->scan.index);
		mp4_put32(o, 1);
		mp4_put32(o, T('m', 'd', 'a', 't'));
		mp4_put64(o, MDAT_HEADER + c->data_bytes);
		if (o->failed)
			return -ENOMEM;
	}
	return before == o->len ? 0 : -EOVERFLOW;
}

static int force_out(struct copy *c)
{
	if (fdatasync(c->out))
		return -errno;
	/* neither file is wanted in memory, where that of others would have to go */
	(void)posix_fadvise(c->out, 0, (off_t)c->at, POSIX_FADV_DONTNEED);
	c->synced = c->at;
	return 0;
}

static int flush(struct copy *c)
{
	uint64_t all = c->head.len + c->data_bytes;
	int err = files_write_at(c->out, c->at, c->buffer, c->fill);

	if (err)
		return err;
	c->at += c->fill;
	c->fill = 0;
	if (c->at - c->synced >= SYNC_BYTES || c->at == all)
		err = force_out(c);
	if (!err && c->watch && c->watch->progress)
		err = c->watch->progress(c->watch->obj, c->at, all);
	return err;
}

static int copy_chunk(struct copy *c, const struct chunk *x)
{
	uint64_t done = 0;
	int err = 0;

	while (!err && done < x->bytes) {
		size_t n = BUFFER_BYTES - c->fill;

		n = x->bytes - done < n ? (size_t)(x->bytes - done) : n;
		err = files_read_at(c->in, x->from + done, c->buffer + c->fill, n);
		done += n;
		c->fill += n;
		if (!err && c->fill == BUFFER_BYTES)
			err = flush(c);
	}
	return err;
}

int mp4_front_copy(int in, int out, const struct mp4_front_watch *w)
{
	struct copy c = { .in = in, .out = out, .watch = w };
	int err = find_samples(&c);

	if (!err)
		err = list_chunks(&c);
	if (!err)
		err = make_head(&c);
	c.buffer = err ? NULL : malloc(BUFFER_BYTES);
	if (!err && !c.buffer)
		err = -ENOMEM;
	if (!err)
		err = files_write_at(out, 0, c.head.p, c.head.len);
	c.at = c.head.len;
	for (size_t i = 0; !err && i < c.n; i++)
		err = copy_chunk(&c, &c.chunks[i]);
	if (!err)
		err = flush(&c);
	free(c.buffer);
	free(c.chunks);
	mp4_out_free(&c.head);
	mp4_scan_free(&c.scan);
	return err;
}
