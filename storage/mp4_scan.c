#include "storage/mp4_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/files.h"
#include "storage/tail.h"
#include "storage/fmp4.h"

#define T(a, b, c, d) MP4_TYPE(a, b, c, d)

enum {
	MOOF_MAX = 4 << 20,
	MOOV_MAX = 128 << 20, /* of a complete file of some days */
	INIT_MAX = 1 << 20,
	TRUN_SAMPLES_MAX = 1 << 16,
};

struct scanner {
	const struct mp4_source *src;
	struct mp4_scan *out;
	uint8_t *box; /* the box being read, whole */
	size_t box_cap;
	bool have_free, have_moov, have_samples; /* samples: a 'mdat' outside fragments */
};

static int header_at(const struct scanner *s, uint64_t at, struct mp4_header *h)
{
	uint8_t p[16];
	uint64_t rest = s->src->size - at;
	size_t have = rest < sizeof(p) ? (size_t)rest : sizeof(p);
	int err = s->src->read(s->src->obj, at, p, have);

	return err ? err : mp4_header_read(h, p, have, rest);
}

static int load(struct scanner *s, uint64_t at, const struct mp4_header *h, size_t max,
		struct mp4_in *body)
{
	int err;

	if (h->size > max)
		return -EBADMSG;
	if (h->size > s->box_cap) {
		uint8_t *p = realloc(s->box, (size_t)h->size);

		if (!p)
			return -ENOMEM;
		s->box = p;
		s->box_cap = (size_t)h->size;
	}
	err = s->src->read(s->src->obj, at, s->box, (size_t)h->size);
	*body = (struct mp4_in){ s->box + h->header, (size_t)h->size - h->header };
	return err;
}

static bool read_times(struct mp4_in in, uint64_t *created, uint32_t *timescale,
		       uint64_t *duration)
{
	unsigned version;
	uint32_t flags, a = 0, d = 0;
	uint64_t unused;

	if (!mp4_take_full(&in, &version, &flags))
		return false;
	if (version == 1)
		return mp4_take64(&in, created) && mp4_take64(&in, &unused) &&
		       mp4_take32(&in, timescale) && mp4_take64(&in, duration);
	bool ok = mp4_take32(&in, &a) && mp4_take32(&in, &flags) && mp4_take32(&in, timescale) &&
		  mp4_take32(&in, &d);

	*created = a;
	*duration = d;
	return ok;
}

static bool read_track(struct mp4_in trak, struct mp4_movie *m)
{
	struct mp4_in mdia, minf, stbl, box, entry;
	const uint8_t *p;
	uint32_t timescale, id, type;
	uint64_t created, duration;

	if (!mp4_child(trak, T('t', 'k', 'h', 'd'), &box) || box.len != 96 || box.p[0] != 1 ||
	    !mp4_child(trak, T('m', 'd', 'i', 'a'), &mdia) ||
	    !mp4_child(mdia, T('m', 'i', 'n', 'f'), &minf) ||
	    !mp4_child(minf, T('s', 't', 'b', 'l'), &stbl))
		return false;
	id = mp4_get32(box.p + 20);
	if (id < 1 || id > MP4_TRACKS)
		return false;
	struct mp4_track *t = &m->track[id - 1];

	t->width = mp4_get16(box.p + 88);
	t->height = mp4_get16(box.p + 92);
	if (!mp4_child(mdia, T('m', 'd', 'h', 'd'), &box) ||
	    !read_times(box, &created, &timescale, &duration) || !timescale ||
	    !mp4_child(mdia, T('h', 'd', 'l', 'r'), &box) || box.len < 12)
		return false;
	type = mp4_get32(box.p + 8);
	if (type != (id == MP4_VIDEO + 1 ? T('v', 'i', 'd', 'e') : T('s', 'o', 'u', 'n')))
		return false;
	if (!mp4_child(stbl, T('s', 't', 's', 'd'), &entry) || entry.len + 8 > sizeof(t->stsd))
		return false;
	p = entry.p - 8;
	t->stsd_len = entry.len + 8;
	memcpy(t->stsd, p, t->stsd_len);
	t->timescale = timescale;
	return mp4_get32(t->stsd) == t->stsd_len;
}

/* The movie of a fragmented file of ours; otherwise it is not completable. */
static void read_init(struct scanner *s, struct mp4_in moov)
{
	struct mp4_in box;
	uint32_t type, timescale;
	uint64_t duration;
	bool ok = s->have_free;

	if (!mp4_child(moov, T('m', 'v', 'h', 'd'), &box) ||
	    !read_times(box, &s->out->movie.created_s, &timescale, &duration))
		ok = false;
	while (mp4_next(&moov, &type, &box) > 0)
		if (type == T('t', 'r', 'a', 'k'))
			ok = read_track(box, &s->out->movie) && ok;
	s->out->completable = ok && (s->out->movie.track[MP4_VIDEO].timescale ||
				     s->out->movie.track[MP4_AUDIO].timescale);
}

static int read_moov(struct scanner *s, uint64_t at, const struct mp4_header *h)
{
	struct mp4_in body, box;
	uint32_t timescale = 0;
	uint64_t created, duration;
	int err = load(s, at, h, MOOV_MAX, &body);

	if (err)
		return err;
	s->have_moov = true;
	if (mp4_child(body, T('m', 'v', 'e', 'x'), &box)) {
		if (h->size > INIT_MAX)
			return -EBADMSG;
		s->out->kind = MP4_FRAGMENTED;
		read_init(s, body);
		return 0;
	}
	if (!mp4_child(body, T('m', 'v', 'h', 'd'), &box) ||
	    !read_times(box, &created, &timescale, &duration) || !timescale ||
	    duration > INT64_MAX / 1000)
		return -EBADMSG;
	s->out->duration_ms = clock_scale((int64_t)duration, 1000, timescale);
	s->out->kind = MP4_COMPLETE;
	return 0;
}

/* Where the fragment being read is. */
struct fragment {
	uint64_t moof, data, data_end;
	bool dry; /* checks only, so that never half a fragment gets into the index */
	enum mp4_track_no no;
	int64_t dts, last[MP4_TRACKS];
	uint64_t offset;
};

static int add_sample(struct scanner *s, struct fragment *f, const struct mp4_sample *x)
{
	const struct mp4_index_track *t = &s->out->index.track[f->no];

	if (!f->dry)
		return mp4_index_add(&s->out->index, f->no, x);
	if (f->last[f->no] < 0 && t->sizes.n)
		f->last[f->no] = t->last_dts;
	if (f->last[f->no] >= 0 &&
	    (x->dts <= f->last[f->no] || x->dts - f->last[f->no] > INT32_MAX))
		return -EBADMSG;
	f->last[f->no] = x->dts;
	return 0;
}

static int read_trun(struct scanner *s, struct fragment *f, struct mp4_in in)
{
	unsigned version;
	uint32_t flags, n, offset;

	if (!mp4_take_full(&in, &version, &flags) || (flags & 0xfff) != 0x701 ||
	    !mp4_take32(&in, &n) || n > TRUN_SAMPLES_MAX || !mp4_take32(&in, &offset) ||
	    in.len != (size_t)n * 12)
		return -EBADMSG;
	f->offset = f->moof + offset;
	if (f->offset < f->data)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++, in.p += 12) {
		struct mp4_sample x = { .offset = f->offset,
					.dts = f->dts,
					.duration = mp4_get32(in.p),
					.size = mp4_get32(in.p + 4),
					.sync = !(mp4_get32(in.p + 8) & 0x10000) };

		if (f->offset > f->data_end || x.size > f->data_end - f->offset ||
		    x.duration > INT32_MAX || f->dts > INT64_MAX / 4 ||
		    add_sample(s, f, &x))
			return -EBADMSG;
		f->offset += x.size;
		f->dts += x.duration;
	}
	return 0;
}

static int read_traf(struct scanner *s, struct fragment *f, struct mp4_in traf)
{
	struct mp4_in box;
	uint32_t type, flags, id;
	uint64_t dts;
	unsigned version;

	if (!mp4_child(traf, T('t', 'f', 'h', 'd'), &box) ||
	    !mp4_take_full(&box, &version, &flags) || flags != 0x20000 || !mp4_take32(&box, &id) ||
	    id < 1 || id > MP4_TRACKS || !s->out->movie.track[id - 1].timescale)
		return -EBADMSG;
	if (!mp4_child(traf, T('t', 'f', 'd', 't'), &box) ||
	    !mp4_take_full(&box, &version, &flags) || version != 1 || !mp4_take64(&box, &dts) ||
	    dts > INT64_MAX / 4)
		return -EBADMSG;
	f->no = id - 1;
	f->dts = (int64_t)dts;
	while (mp4_next(&traf, &type, &box) > 0)
		if (type == T('t', 'r', 'u', 'n') && read_trun(s, f, box))
			return -EBADMSG;
	return 0;
}

/* A 'moof' and the 'mdat' behind it. 0: whole; -ENODATA or -EBADMSG: the end of
 * what can be used. */
static int read_fragment(struct scanner *s, uint64_t at, const struct mp4_header *moof,
			 uint64_t *next)
{
	struct mp4_header mdat;
	struct mp4_in body, box = { 0 };
	uint64_t data_at = at + moof->size;
	uint32_t type;
	int err = data_at < s->src->size ? header_at(s, data_at, &mdat) : -ENODATA;

	if (err)
		return err;
	if (mdat.type != T('m', 'd', 'a', 't'))
		return -EBADMSG;
	*next = data_at + mdat.size;
	if (!s->out->completable)
		return 0;
	err = load(s, at, moof, MOOF_MAX, &body);
	if (err)
		return err;
	for (int pass = 0; pass < 2; pass++) {
		struct fragment f = { .moof = at,
				      .data = data_at + mdat.header,
				      .data_end = *next,
				      .dry = pass == 0,
				      .last = { -1, -1 } };
		struct mp4_in in = body;
		int more;

		while ((more = mp4_next(&in, &type, &box)) > 0)
			if (type == T('t', 'r', 'a', 'f') && read_traf(s, &f, box))
				return -EBADMSG;
		if (more < 0)
			return more;
	}
	return 0;
}

/* One box at the top level; *next: behind it. */
static int read_top(struct scanner *s, uint64_t at, uint64_t *next)
{
	struct mp4_header h;
	int err = header_at(s, at, &h);

	if (err)
		return err;
	*next = at + h.size;
	switch (h.type) {
	case T('f', 'r', 'e', 'e'):
		if (!s->have_free && !s->have_moov && h.size == FMP4_FREE_BYTES) {
			s->have_free = true;
			s->out->free_at = at;
		}
		return 0;
	case T('m', 'o', 'o', 'v'):
		/* a second one: the process died while it completed the file */
		return s->have_moov ? -EBADMSG : read_moov(s, at, &h);
	case T('m', 'o', 'o', 'f'):
		return s->out->kind == MP4_FRAGMENTED ? read_fragment(s, at, &h, next) : -EBADMSG;
	case T('m', 'd', 'a', 't'):
		s->have_samples = true;
		return s->out->kind == MP4_FRAGMENTED ? -EBADMSG : 0;
	case T('f', 't', 'y', 'p'):
		return at == 0 ? 0 : -EBADMSG;
	case T('s', 'k', 'i', 'p'):
	case T('w', 'i', 'd', 'e'):
	case T('u', 'u', 'i', 'd'):
	case T('s', 't', 'y', 'p'):
	case T('s', 'i', 'd', 'x'):
	case T('m', 'f', 'r', 'a'):
		return at == 0 ? -EBADMSG : 0;
	default: /* a tail of zeros, say */
		return -EBADMSG;
	}
}

int mp4_scan(struct mp4_scan *out, const struct mp4_source *src)
{
	struct scanner s = { .src = src, .out = out };
	uint64_t at = 0, next = 0, first_fragment = 0;
	int err = 0;

	*out = (struct mp4_scan){ 0 };
	while (!err && at < src->size) {
		err = read_top(&s, at, &next);
		if (err)
			break;
		if (s.have_moov && !first_fragment)
			first_fragment = next;
		at = next;
	}
	free(s.box);
	if (err && err != -EBADMSG && err != -ENODATA)
		return err;
	out->end = at;
	if (out->kind == MP4_FRAGMENTED) {
		if (at <= first_fragment)
			out->kind = MP4_UNREADABLE;
		if (out->index.failed)
			return -ENOMEM;
		if (out->completable)
			out->duration_ms = mp4_duration_ms(&out->movie, &out->index);
	} else if (err || !s.have_samples) {
		out->kind = MP4_UNREADABLE;
	}
	return 0;
}

void mp4_scan_free(struct mp4_scan *s)
{
	mp4_index_free(&s->index);
}

static int read_fd(void *obj, uint64_t off, void *to, size_t len)
{
	return files_read_at(*(const int *)obj, off, to, len);
}

static int repair(int fd, const char *path, struct mp4_scan *s, uint64_t *bytes)
{
	int err = 0;

	if (s->kind != MP4_FRAGMENTED)
		return 0;
	s->repaired = true;
	err = tail_keep(fd, path, s->end, *bytes);
	if (err)
		return err;
	if (s->end < *bytes && ftruncate(fd, (off_t)s->end))
		return -errno;
	*bytes = s->end;
	if (!s->completable || (!s->index.track[MP4_VIDEO].sizes.n && !s->index.track[MP4_AUDIO].sizes.n))
		return fdatasync(fd) ? -errno : 0;
	mp4_movie_even(&s->movie, &s->index, true);
	s->duration_ms = mp4_duration_ms(&s->movie, &s->index);
	err = fmp4_complete_file(fd, s->free_at, s->end, &s->movie, &s->index, bytes);
	if (!err)
		s->kind = MP4_COMPLETE;
	return err;
}

int mp4_repair_file(const char *path, struct mp4_scan *out, uint64_t *bytes)
{
	struct mp4_source src = { .read = read_fd };
	struct stat st;
	int err = 0, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	*out = (struct mp4_scan){ 0 };
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	if (err)
		goto out;
	src.obj = &fd;
	src.size = *bytes = (uint64_t)st.st_size;
	err = mp4_scan(out, &src);
	if (!err)
		err = repair(fd, path, out, bytes);
out:
	close(fd);
	return err;
}
