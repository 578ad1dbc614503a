#include "storage/mkv_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/files.h"

enum {
	DOC_TYPE = 0x4282,
	TIMESTAMP_SCALE = 0x2ad7b1,
	DURATION = 0x4489,
	MUXING_APP = 0x4d80,
	WRITING_APP = 0x5741,
	DATE_UTC = 0x4461,
	SEEK_HEAD = 0x114d9b74,
	SEEK = 0x4dbb,
	SEEK_ID = 0x53ab,
	SEEK_POSITION = 0x53ac,
	TRACK_ENTRY = 0xae,
	CODEC_PRIVATE = 0x63a2,
	VIDEO = 0xe0,
	AUDIO = 0xe1,
	TRACK_TYPE = 0x83,
	DEFAULT_DURATION = 0x23e383,
	SEEK_ROOM = 160,
	DURATION_OCTETS = 18,
	OPUS_PREROLL_MS = 80,
};
#define SECONDS_TO_2001 978307200LL

static const struct {
	const char *id;
	unsigned wave; /* format tag, of A_MS/ACM */
} names[CODEC_N] = {
	[CODEC_OPUS] = { "A_OPUS", 0 },
	[CODEC_AAC] = { "A_AAC", 0 },
	[CODEC_PCMA] = { "A_MS/ACM", 6 },
	[CODEC_PCMU] = { "A_MS/ACM", 7 },
	[CODEC_G722] = { "A_MS/ACM", 0x28f },
	[CODEC_H264] = { "V_MPEG4/ISO/AVC", 0 },
	[CODEC_VP8] = { "V_VP8", 0 },
	[CODEC_VP9] = { "V_VP9", 0 },
	[CODEC_AV1] = { "V_AV1", 0 },
};

bool mkv_knows(enum codec c)
{
	return names[c].id != NULL;
}

static void put16le(struct mp4_out *o, unsigned v)
{
	mp4_put8(o, v & 0xff);
	mp4_put8(o, v >> 8 & 0xff);
}

static void put32le(struct mp4_out *o, uint32_t v)
{
	put16le(o, v & 0xffff);
	put16le(o, v >> 16);
}

/* RFC 7845 section 5.1; times are those of what a decoder puts out: nothing is skipped. */
static void put_opus_head(struct mp4_out *o, unsigned channels)
{
	size_t at = ebml_begin(o, CODEC_PRIVATE);

	mp4_put(o, "OpusHead", 8);
	mp4_put8(o, 1);
	mp4_put8(o, channels);
	put16le(o, 0);
	put32le(o, 48000);
	put16le(o, 0);
	mp4_put8(o, 0);
	ebml_end(o, at);
}

/* WAVEFORMATEX: telephone codecs, 64 kbit/s a channel. */
static void put_wave(struct mp4_out *o, const struct mkv_track *t)
{
	unsigned bits = t->codec == CODEC_G722 ? 4 : 8;
	size_t at = ebml_begin(o, CODEC_PRIVATE);

	put16le(o, names[t->codec].wave);
	put16le(o, t->channels);
	put32le(o, t->hz);
	put32le(o, 8000 * t->channels);
	put16le(o, t->channels);
	put16le(o, bits);
	put16le(o, 0);
	ebml_end(o, at);
}

static void put_sound(struct mp4_out *o, const struct mkv_track *t)
{
	size_t audio = ebml_begin(o, AUDIO);

	ebml_put_float(o, 0xb5, t->hz);
	ebml_put_unsigned(o, 0x9f, t->channels);
	ebml_end(o, audio);
	if (t->codec == CODEC_OPUS)
		ebml_put_unsigned(o, 0x56bb, OPUS_PREROLL_MS * NS_PER_MS);
}

static void put_picture(struct mp4_out *o, const struct mkv_track *t)
{
	size_t video = ebml_begin(o, VIDEO);

	ebml_put_unsigned(o, 0xb0, t->width);
	ebml_put_unsigned(o, 0xba, t->height);
	ebml_end(o, video);
}

static void put_track(struct mp4_out *o, const struct mkv_track *t, unsigned number)
{
	size_t entry = ebml_begin(o, TRACK_ENTRY);

	ebml_put_unsigned(o, 0xd7, number);
	ebml_put_unsigned(o, 0x73c5, number);
	ebml_put_unsigned(o, TRACK_TYPE, codec_is_video(t->codec) ? 1 : 2);
	ebml_put_unsigned(o, 0x9c, 0); /* no lacing */
	if (t->frame_ns)
		ebml_put_unsigned(o, DEFAULT_DURATION, (uint64_t)t->frame_ns);
	ebml_put_text(o, 0x22b59c, "und");
	ebml_put_text(o, 0x86, names[t->codec].id);
	if (t->codec == CODEC_OPUS)
		put_opus_head(o, t->channels);
	else if (names[t->codec].wave)
		put_wave(o, t);
	else if (t->config_len)
		ebml_put_data(o, CODEC_PRIVATE, t->config, t->config_len);
	if (codec_is_video(t->codec))
		put_picture(o, t);
	else
		put_sound(o, t);
	ebml_end(o, entry);
}

static void put_ebml(struct mp4_out *o)
{
	size_t at = ebml_begin(o, MKV_EBML);

	ebml_put_unsigned(o, 0x4286, 1);
	ebml_put_unsigned(o, 0x42f7, 1);
	ebml_put_unsigned(o, 0x42f2, 4);
	ebml_put_unsigned(o, 0x42f3, 8);
	ebml_put_text(o, DOC_TYPE, "matroska");
	ebml_put_unsigned(o, 0x4287, 4);
	ebml_put_unsigned(o, 0x4285, 2);
	ebml_end(o, at);
}

void mkv_head_put(struct mkv_head *h, const struct mkv_track *t, size_t n,
		  int64_t created_wall_ns)
{
	struct mp4_out *o = &h->bytes;
	size_t at;

	put_ebml(o);
	ebml_put_id(o, MKV_SEGMENT);
	h->size_at = o->len;
	ebml_put_size(o, EBML_UNKNOWN);
	h->data_at = h->seek_at = o->len;
	ebml_put_void(o, SEEK_ROOM);
	h->info_at = o->len;
	at = ebml_begin(o, MKV_INFO);
	ebml_put_unsigned(o, TIMESTAMP_SCALE, NS_PER_MS);
	h->duration_at = o->len;
	ebml_put_void(o, DURATION_OCTETS);
	ebml_put_text(o, MUXING_APP, "mcu");
	ebml_put_text(o, WRITING_APP, "mcu");
	ebml_put_signed64(o, DATE_UTC, created_wall_ns - SECONDS_TO_2001 * NS_PER_S);
	ebml_end(o, at);
	h->tracks_at = o->len;
	at = ebml_begin(o, MKV_TRACK_LIST);
	for (size_t i = 0; i < n; i++) {
		put_track(o, &t[i], (unsigned)i + 1);
		h->is_picture[i] = codec_is_video(t[i].codec);
		h->frame_ns[i] = t[i].frame_ns;
	}
	h->n_tracks = n;
	ebml_end(o, at);
}

void mkv_head_free(struct mkv_head *h)
{
	mp4_out_free(&h->bytes);
}

static void read_tracks(struct mkv_head *h, struct mp4_in list)
{
	struct mp4_in track, field;
	uint32_t id;

	for (; h->n_tracks < MKV_TRACKS && ebml_next(&list, &id, &track); h->n_tracks++)
		while (ebml_next(&track, &id, &field)) {
			if (id == TRACK_TYPE)
				h->is_picture[h->n_tracks] = ebml_unsigned(field) == 1;
			if (id == DEFAULT_DURATION && ebml_unsigned(field) < (uint64_t)NS_PER_S)
				h->frame_ns[h->n_tracks] = (int64_t)ebml_unsigned(field);
		}
}

/* Where what mkv_head_put wrote is: the elements have the same order and sizes, whether it
 * was completed or not. */
bool mkv_head_read(struct mkv_head *h, const uint8_t *p, size_t len)
{
	struct mp4_in in = { p, len }, body;
	uint64_t size;
	uint32_t id;
	size_t head;

	*h = (struct mkv_head){ 0 };
	if (!ebml_next(&in, &id, &body) || id != MKV_EBML ||
	    !ebml_head(in.p, in.len, &id, &size, &head) || id != MKV_SEGMENT || head != 12)
		return false;
	h->size_at = (size_t)(in.p - p) + 4;
	h->data_at = h->seek_at = (size_t)(in.p - p) + head;
	if (len < h->data_at + SEEK_ROOM)
		return false;
	h->info_at = h->data_at + SEEK_ROOM;
	in = (struct mp4_in){ p + h->info_at, len - h->info_at };
	if (!ebml_next(&in, &id, &body) || id != MKV_INFO)
		return false;
	h->duration_at = (size_t)(body.p - p) + 3 + 8 + 8; /* after the scale */
	if (!ebml_next(&body, &id, &body) || id != TIMESTAMP_SCALE)
		return false;
	h->tracks_at = (size_t)(in.p - p);
	if (!ebml_next(&in, &id, &body) || id != MKV_TRACK_LIST)
		return false;
	read_tracks(h, body);
	mp4_put(&h->bytes, p, (size_t)(in.p - p));
	return !h->bytes.failed;
}

void mkv_cues_add(struct mkv_cues *c, int64_t ms, uint64_t at, bool key)
{
	struct mkv_cue *v;

	if (c->n && !key && ms - c->last_ms < MKV_CUE_MS)
		return;
	if (c->n == c->cap) {
		v = realloc(c->v, (c->cap ? 2 * c->cap : 256) * sizeof *v);
		if (!v) {
			c->failed = true;
			return;
		}
		c->v = v;
		c->cap = c->cap ? 2 * c->cap : 256;
	}
	c->v[c->n++] = (struct mkv_cue){ ms, at };
	c->last_ms = ms;
}

void mkv_cues_free(struct mkv_cues *c)
{
	free(c->v);
	*c = (struct mkv_cues){ 0 };
}

static void put_cues(struct mp4_out *o, const struct mkv_cues *c)
{
	size_t all = ebml_begin(o, MKV_CUES);

	for (size_t i = 0; i < c->n; i++) {
		size_t point = ebml_begin(o, 0xbb), where;

		ebml_put_unsigned(o, 0xb3, (uint64_t)c->v[i].ms);
		where = ebml_begin(o, 0xb7);
		ebml_put_unsigned(o, 0xf7, 1);
		ebml_put_unsigned(o, 0xf1, c->v[i].at);
		ebml_end(o, where);
		ebml_end(o, point);
	}
	ebml_end(o, all);
}

static void put_seek(struct mp4_out *o, uint32_t id, uint64_t at)
{
	const uint8_t octets[4] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
				    (uint8_t)id };
	size_t seek = ebml_begin(o, SEEK);

	ebml_put_data(o, SEEK_ID, octets, sizeof octets);
	ebml_put_unsigned(o, SEEK_POSITION, at);
	ebml_end(o, seek);
}

/* The head as it is in the end. */
static void finish_head(struct mkv_head *h, uint64_t cues_at, uint64_t end, int64_t duration_ms)
{
	struct mp4_out o = { 0 };
	size_t all;

	ebml_put_size(&o, end - h->data_at);
	if (!o.failed)
		memcpy(h->bytes.p + h->size_at, o.p, o.len);
	o.len = 0;
	all = ebml_begin(&o, SEEK_HEAD);
	put_seek(&o, MKV_INFO, h->info_at - h->data_at);
	put_seek(&o, MKV_TRACK_LIST, h->tracks_at - h->data_at);
	put_seek(&o, MKV_CUES, cues_at - h->data_at);
	ebml_end(&o, all);
	ebml_put_void(&o, SEEK_ROOM - o.len);
	if (!o.failed)
		memcpy(h->bytes.p + h->seek_at, o.p, o.len);
	o.len = 0;
	ebml_put_float(&o, DURATION, (double)duration_ms);
	if (!o.failed)
		memcpy(h->bytes.p + h->duration_at, o.p, o.len);
	h->bytes.failed = h->bytes.failed || o.failed;
	mp4_out_free(&o);
}

static int write_out(int fd, const struct mp4_out *o, uint64_t at)
{
	struct iovec v = { o->p, o->len };
	int err = o->failed ? -ENOMEM : files_write_all(fd, &v, 1, at);

	return err ? err : fdatasync(fd) ? -errno : 0;
}

int mkv_complete(int fd, struct mkv_head *h, const struct mkv_cues *c, uint64_t *end,
		 int64_t duration_ms)
{
	struct mp4_out cues = { 0 };
	int err;

	put_cues(&cues, c);
	err = write_out(fd, &cues, *end);
	if (err) {
		mp4_out_free(&cues);
		return ftruncate(fd, (off_t)*end) ? -EIO : err;
	}
	finish_head(h, *end, *end + cues.len, duration_ms);
	err = write_out(fd, &h->bytes, 0);
	*end += cues.len;
	mp4_out_free(&cues);
	return err;
}
