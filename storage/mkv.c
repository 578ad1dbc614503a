#include "storage/mkv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/files.h"
#include "storage/mkv_even.h"
#include "storage/mkv_head.h"

struct mkv {
	int fd;
	size_t n;
	bool video[MKV_TRACKS];
	int64_t last_ns[MKV_TRACKS]; /* -1: none */
	struct mkv_head head;
	struct mkv_cues cues;
	struct mkv_even even;
	/* the cluster that is gathered */
	struct mp4_out body, start;
	int64_t cluster_ms; /* -1: there is none */
	int64_t since_ns, until_ns;
	bool by_key; /* its first frame is a key frame of a picture */
	uint64_t end; /* of the last whole cluster */
	int64_t written_ns; /* of the last frame in the file; -1: none */
};

enum { BLOCK_KEY = 0x80 };

static int write_at(int fd, const struct mp4_out *o, uint64_t at)
{
	struct iovec v = { o->p, o->len };

	return o->failed ? -ENOMEM : files_write_all(fd, &v, 1, at);
}

int mkv_new(struct mkv **out, int fd, const struct mkv_track *t, size_t n,
	    int64_t created_wall_ns)
{
	struct mkv *f;
	int err;

	if (n < 1 || n > MKV_TRACKS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!mkv_knows(t[i].codec))
			return -ENOTSUP;
	f = calloc(1, sizeof *f);
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->n = n;
	for (size_t i = 0; i < n; i++) {
		f->video[i] = codec_is_video(t[i].codec);
		f->last_ns[i] = -1;
	}
	f->cluster_ms = f->written_ns = -1;
	mkv_head_put(&f->head, t, n, created_wall_ns);
	err = write_at(fd, &f->head.bytes, 0);
	f->end = f->head.bytes.len;
	if (err)
		mkv_free(&f);
	else
		*out = f;
	return err;
}

void mkv_free(struct mkv **f)
{
	if (!*f)
		return;
	mkv_head_free(&(*f)->head);
	mkv_cues_free(&(*f)->cues);
	mp4_out_free(&(*f)->body);
	mp4_out_free(&(*f)->start);
	free(*f);
	*f = NULL;
}

static int64_t to_ms(int64_t ns)
{
	return (ns + NS_PER_MS / 2) / NS_PER_MS;
}

static void put_block(struct mkv *f, unsigned track, const uint8_t *data, size_t len, int64_t ms,
		      bool key)
{
	struct mp4_out *o = &f->body;

	ebml_put_id(o, MKV_SIMPLE_BLOCK);
	ebml_put_size(o, 4 + len);
	mp4_put8(o, 0x80 | (track + 1));
	mp4_put16(o, (unsigned)(ms - f->cluster_ms) & 0xffff);
	mp4_put8(o, key ? BLOCK_KEY : 0);
	mp4_put(o, data, len);
}

int mkv_add(struct mkv *f, unsigned track, const uint8_t *data, size_t len, int64_t at_ns, bool key)
{
	int64_t ms = to_ms(at_ns);
	size_t before;
	int err;

	if (track >= f->n || at_ns < 0 || at_ns < f->last_ns[track] || len > MKV_PENDING_BYTES)
		return -EINVAL;
	if (f->cluster_ms >= 0 && (f->body.len + len > MKV_PENDING_BYTES ||
				   llabs(ms - f->cluster_ms) > MKV_CLUSTER_MS)) {
		err = mkv_flush(f);
		if (err)
			return err;
	}
	if (f->cluster_ms < 0) {
		f->cluster_ms = ms;
		f->since_ns = f->until_ns = at_ns;
		f->by_key = key && f->video[track];
	}
	before = f->body.len;
	put_block(f, track, data, len, ms, key);
	if (f->body.failed) {
		f->body.failed = false;
		f->body.len = before;
		return -ENOMEM;
	}
	mkv_even_add(&f->even, track, before, ms, true);
	f->since_ns = at_ns < f->since_ns ? at_ns : f->since_ns;
	f->until_ns = at_ns > f->until_ns ? at_ns : f->until_ns;
	f->last_ns[track] = at_ns;
	return 0;
}

int64_t mkv_pending_since_ns(const struct mkv *f)
{
	return f->body.len ? f->since_ns : -1;
}

static void begin_anew(struct mkv *f)
{
	f->body.len = 0;
	f->cluster_ms = -1;
}

void mkv_drop_pending(struct mkv *f)
{
	mkv_even_dropped(&f->even);
	begin_anew(f);
}

int mkv_flush(struct mkv *f)
{
	struct iovec v[2];
	int err;

	if (!f->body.len)
		return 0;
	f->start.len = 0;
	ebml_put_id(&f->start, MKV_CLUSTER);
	ebml_put_size(&f->start, MKV_TIMESTAMP_OCTETS + f->body.len);
	ebml_put_unsigned(&f->start, MKV_TIMESTAMP, (uint64_t)f->cluster_ms);
	if (f->start.failed) {
		f->start.failed = false;
		return -ENOMEM;
	}
	v[0] = (struct iovec){ f->start.p, f->start.len };
	v[1] = (struct iovec){ f->body.p, f->body.len };
	err = files_write_all(f->fd, v, 2, f->end);
	if (err)
		return ftruncate(f->fd, (off_t)f->end) ? err : err; /* or the repair cuts it */
	mkv_cues_add(&f->cues, f->cluster_ms, f->end - f->head.data_at, f->by_key);
	mkv_even_written(&f->even, f->end + f->start.len);
	f->end += f->start.len + f->body.len;
	f->written_ns = f->until_ns > f->written_ns ? f->until_ns : f->written_ns;
	begin_anew(f);
	return 0;
}

int mkv_finish(struct mkv *f)
{
	int64_t last_ms = -1;
	int err = mkv_flush(f);

	if (!err && f->written_ns < 0)
		err = -ENODATA;
	if (!err)
		err = mkv_even_out(&f->even, f->fd, &f->head, &f->cues, &last_ms);
	if (last_ms >= 0)
		f->written_ns = last_ms * NS_PER_MS;
	return err ? err : mkv_complete(f->fd, &f->head, &f->cues, &f->end, mkv_duration_ms(f));
}

uint64_t mkv_bytes(const struct mkv *f)
{
	return f->end;
}

int64_t mkv_duration_ms(const struct mkv *f)
{
	return f->written_ns < 0 ? 0 : to_ms(f->written_ns) + MKV_FRAME_MS;
}
