/* Completing a Matroska file of ours after a crash (mkv.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/mkv_even.h"
#include "storage/mkv_head.h"
#include "storage/tail.h"

enum { HEAD_MAX = 16384, CLUSTER_LOOK = 64, BLOCK_KEY = 0x80, LAST_CLUSTERS = 4 };
/* None of ours is larger. */
enum { CLUSTER_MAX = 4 * MKV_PENDING_BYTES, TIME_MAX = INT32_MAX };

struct repair {
	int fd;
	const char *path; /* NULL: there is none */
	uint64_t size, end; /* end: of the last whole cluster */
	struct mkv_head head;
	struct mkv_cues cues;
	struct {
		int64_t ms;
		uint64_t at, octets; /* of its body */
	} last[LAST_CLUSTERS];
	size_t n; /* clusters */
	struct mkv_even even;
	bool had_cues;
};

static int read_at(int fd, void *to, size_t len, uint64_t at, size_t *got)
{
	ssize_t n;

	for (*got = 0; *got < len; *got += (size_t)n) {
		n = pread(fd, (uint8_t *)to + *got, len - *got, (off_t)(at + *got));
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -errno;
		else if (!n)
			return 0;
	}
	return 0;
}

static int read_head(struct repair *r)
{
	uint8_t *p = malloc(HEAD_MAX);
	size_t got = 0;
	int err = p ? read_at(r->fd, p, HEAD_MAX, 0, &got) : -ENOMEM;

	if (!err && !mkv_head_read(&r->head, p, got))
		err = -EBADMSG;
	free(p);
	r->end = r->head.bytes.len;
	return err;
}

/* The element at r->end. 1: a whole cluster, passed; 0: the end, or something else. */
static int next_cluster(struct repair *r)
{
	uint8_t p[CLUSTER_LOOK];
	struct mp4_in in;
	struct mp4_in body;
	uint64_t size;
	uint32_t id;
	size_t got, head;
	int64_t ms;
	int err = read_at(r->fd, p, sizeof p, r->end, &got);

	if (err)
		return err;
	if (!ebml_head(p, got, &id, &size, &head) || size == EBML_UNKNOWN ||
	    size > r->size - r->end - head)
		return 0;
	if (id == MKV_CUES)
		r->had_cues = r->end + head + size == r->size;
	if (id != MKV_CLUSTER || size < MKV_TIMESTAMP_OCTETS + 13 || size > CLUSTER_MAX)
		return 0;
	in = (struct mp4_in){ p + head, got - head };
	if (!ebml_next(&in, &id, &body) || id != MKV_TIMESTAMP || in.len < 13 ||
	    (in.p[0] != MKV_SIMPLE_BLOCK && in.p[0] != MKV_VOID) || ebml_unsigned(body) > TIME_MAX)
		return 0;
	ms = (int64_t)ebml_unsigned(body);
	r->last[r->n % LAST_CLUSTERS].ms = ms;
	r->last[r->n % LAST_CLUSTERS].at = r->end + head;
	r->last[r->n++ % LAST_CLUSTERS].octets = size;
	/* Track 1 is the picture where there is one; of sound every block is one. */
	mkv_cues_add(&r->cues, ms, r->end - r->head.data_at,
		     in.p[9] == 0x81 && in.p[12] & BLOCK_KEY);
	r->end += head + size;
	return 1;
}

/* The frames of one of the last clusters. newest: their time. */
static int look_into(struct repair *r, size_t i, int64_t *newest)
{
	size_t octets = r->last[i].octets, got;
	struct mp4_in in, body;
	uint8_t *p = malloc(octets);
	uint32_t id;
	int err = p ? read_at(r->fd, p, octets, r->last[i].at, &got) : -ENOMEM;

	in = (struct mp4_in){ p, err ? 0 : got };
	for (const uint8_t *at = in.p; ebml_next(&in, &id, &body); at = in.p) {
		int64_t ms;

		if (id != MKV_SIMPLE_BLOCK || body.len < 4)
			continue;
		ms = r->last[i].ms + (int16_t)mp4_get16(body.p + 1);
		*newest = ms > *newest ? ms : *newest;
		mkv_even_add(&r->even, (body.p[0] & 0x7fU) - 1, r->last[i].at + (uint64_t)(at - p),
			     ms, false);
	}
	free(p);
	return err;
}

/* Milliseconds to the end of the last clusters. */
static int duration_of(struct repair *r, int64_t *ms)
{
	size_t first = r->n > LAST_CLUSTERS ? r->n - LAST_CLUSTERS : 0;
	int err = 0;

	*ms = r->last[(r->n - 1) % LAST_CLUSTERS].ms;
	for (size_t i = first; i < r->n && !err; i++)
		err = look_into(r, i % LAST_CLUSTERS, ms);
	*ms += MKV_FRAME_MS;
	return err;
}

/* Of the first track with a picture. */
static void size_of_picture(const struct mkv_head *h, struct mkv_report *out)
{
	struct mp4_in in = { h->bytes.p + h->tracks_at, h->bytes.len - h->tracks_at };
	struct mp4_in all, track, field, video;
	uint32_t id;

	if (!ebml_next(&in, &id, &all))
		return;
	while (ebml_next(&all, &id, &track))
		while (ebml_next(&track, &id, &field)) {
			if (id != 0xe0 || out->width)
				continue;
			while (ebml_next(&field, &id, &video)) {
				if (id == 0xb0)
					out->width = (unsigned)ebml_unsigned(video);
				else if (id == 0xba)
					out->height = (unsigned)ebml_unsigned(video);
			}
		}
}

static int repair(struct repair *r, struct mkv_report *out)
{
	int64_t last_ms = -1;
	int more, err = read_head(r);

	if (err)
		return err;
	size_of_picture(&r->head, out);
	while ((more = next_cluster(r)) > 0)
		;
	if (more < 0)
		return more;
	if (!r->n)
		return -ENODATA;
	err = duration_of(r, &out->duration_ms);
	out->bytes = r->size;
	out->complete = r->had_cues && r->head.bytes.p[r->head.size_at + 1] != 0xff;
	if (err || out->complete)
		return err;
	if (r->path)
		err = tail_keep(r->fd, r->path, r->end, r->size);
	if (err)
		return err;
	if (ftruncate(r->fd, (off_t)r->end))
		return -errno;
	err = mkv_even_out(&r->even, r->fd, &r->head, &r->cues, &last_ms);
	if (err)
		return err;
	if (last_ms >= 0)
		out->duration_ms = last_ms + MKV_FRAME_MS;
	err = mkv_complete(r->fd, &r->head, &r->cues, &r->end, out->duration_ms);
	out->bytes = r->end;
	return err;
}

static int repair_at(int fd, const char *path, struct mkv_report *out)
{
	struct repair r = { .fd = fd, .path = path };
	struct stat st;
	int err = 0;

	*out = (struct mkv_report){ 0 };
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	if (!err) {
		r.size = (uint64_t)st.st_size;
		err = repair(&r, out);
	}
	mkv_head_free(&r.head);
	mkv_cues_free(&r.cues);
	return err;
}

int mkv_repair(int fd, struct mkv_report *out)
{
	return repair_at(fd, NULL, out);
}

int mkv_repair_file(const char *path, struct mkv_report *out)
{
	int err, fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	*out = (struct mkv_report){ 0 };
	if (fd < 0)
		return -errno;
	err = repair_at(fd, path, out);
	close(fd);
	return err;
}
