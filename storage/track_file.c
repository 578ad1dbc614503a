#include "storage/track_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/files.h"
#include "storage/h264.h"
#include "storage/mkv.h"

enum { KINDS = TRACK_FILE_KINDS, PICTURE = TRACK_FILE_PICTURE, SOUND = TRACK_FILE_SOUND };
/* Of a parameter set. What is longer has no place in a head that can be read again. */
enum { SET_MAX = 2048 };

struct track_file {
	int fd;
	struct mkv *mkv;
	struct track_file_format format[KINDS];
	unsigned number[KINDS]; /* of mkv's tracks */
	int64_t last_ms[KINDS];
	struct mp4_out config; /* of its pictures, in the head */
	struct mp4_out scratch;
};

bool track_file_knows(enum codec c)
{
	return mkv_knows(c);
}

/* --- what a head says of the pictures ------------------------------------------------ */

static bool sets_of(const uint8_t *au, size_t len, struct h264_nal *sps, struct h264_nal *pps)
{
	return h264_find_nal(au, len, H264_NAL_SPS, sps) &&
	       h264_find_nal(au, len, H264_NAL_PPS, pps) && sps->len >= 4 &&
	       sps->len <= SET_MAX && pps->len <= SET_MAX;
}

/* Units of AV1 (AV1 specification, 5.3), each with its size. */
enum { OBU_SEQUENCE = 1, OBU_DELIMITER = 2 };

struct obu {
	unsigned type;
	const uint8_t *p; /* with its header */
	size_t len, head;
};

static bool next_obu(const uint8_t *p, size_t len, size_t *at, struct obu *out)
{
	size_t head, size = 0;
	int shift = 0;

	if (*at >= len || !(p[*at] & 2)) /* has_size */
		return false;
	out->type = p[*at] >> 3 & 15;
	head = *at + 1 + (p[*at] >> 2 & 1);
	do {
		if (head >= len || shift > 28)
			return false;
		size |= (size_t)(p[head] & 0x7f) << shift;
		shift += 7;
	} while (p[head++] & 0x80);
	if (size > len - head)
		return false;
	out->p = p + *at;
	out->head = head - *at;
	out->len = out->head + size;
	*at = head + size;
	return true;
}

static bool sequence_of(const uint8_t *au, size_t len, struct obu *out)
{
	size_t at = 0;

	while (next_obu(au, len, &at, out))
		if (out->type == OBU_SEQUENCE && out->len > out->head && out->len <= SET_MAX)
			return true;
	return false;
}

bool track_file_begins(enum codec c, const uint8_t *au, size_t len, bool key)
{
	struct h264_nal sps, pps;
	struct obu o;

	if (!key)
		return false;
	if (c == CODEC_H264)
		return sets_of(au, len, &sps, &pps);
	return c != CODEC_AV1 || sequence_of(au, len, &o);
}

/* AV1 in Matroska: av1C. The level is said to be any: what decodes reads the header. */
static void put_av1(struct mp4_out *o, const struct obu *sequence)
{
	enum { ANY_LEVEL = 31, SUBSAMPLED = 0x0c };

	mp4_put8(o, 0x81);
	mp4_put8(o, (sequence->p[sequence->head] & 0xe0) | ANY_LEVEL);
	mp4_put8(o, SUBSAMPLED);
	mp4_put8(o, 0);
	mp4_put(o, sequence->p, sequence->len);
}

static void put_config(struct mp4_out *o, enum codec c, const uint8_t *au, size_t len)
{
	struct h264_nal sps, pps;
	struct obu sequence;

	if (c == CODEC_H264 && sets_of(au, len, &sps, &pps))
		h264_put_config(o, &sps, &pps);
	else if (c == CODEC_AV1 && sequence_of(au, len, &sequence))
		put_av1(o, &sequence);
}

/* --- life ------------------------------------------------------------------------------ */

static struct mkv_track sound_track(enum codec c)
{
	/* Opus is said to have two channels, whatever a packet has (RFC 7587 section 4.1). */
	return (struct mkv_track){ .codec = c, .channels = c == CODEC_OPUS ? 2 : 1,
				   .hz = c == CODEC_OPUS ? 48000 : c == CODEC_G722 ? 16000 : 8000 };
}

static int open_mkv(struct track_file *f, const uint8_t *au, size_t len)
{
	struct mkv_track t[KINDS];
	size_t n = 0;
	int err;

	if (f->format[PICTURE].codec) {
		if (au)
			put_config(&f->config, f->format[PICTURE].codec, au, len);
		f->number[PICTURE] = (unsigned)n;
		t[n++] = (struct mkv_track){ .codec = f->format[PICTURE].codec,
					     .width = f->format[PICTURE].width,
					     .height = f->format[PICTURE].height,
					     .config = f->config.p,
					     .config_len = f->config.len };
	}
	if (f->format[SOUND].codec) {
		f->number[SOUND] = (unsigned)n;
		t[n++] = sound_track(f->format[SOUND].codec);
	}
	err = f->config.failed ? -ENOMEM : mkv_new(&f->mkv, f->fd, t, n, clock_wall_ns());
	return err;
}

int track_file_new(struct track_file **out, const char *root, const char *path,
		   const struct track_file_format format[TRACK_FILE_KINDS], const uint8_t *au,
		   size_t len, const struct track_file *before)
{
	struct track_file *f = calloc(1, sizeof *f);
	int err;

	if (!f)
		return -ENOMEM;
	for (int i = 0; i < KINDS; i++) {
		f->format[i] = format[i];
		f->last_ms[i] = -1;
	}
	if (!au && before)
		mp4_put(&f->config, before->config.p, before->config.len);
	f->fd = files_create(root, path);
	err = f->fd < 0 ? f->fd : open_mkv(f, au, len);
	if (err)
		track_file_free(&f);
	else
		*out = f;
	return err;
}

void track_file_free(struct track_file **f)
{
	if (!*f)
		return;
	mkv_free(&(*f)->mkv);
	mp4_out_free(&(*f)->config);
	mp4_out_free(&(*f)->scratch);
	if ((*f)->fd >= 0)
		close((*f)->fd);
	free(*f);
	*f = NULL;
}

/* --- packets ---------------------------------------------------------------------------- */

struct track_file_format track_file_format(const struct track_file *f, int kind)
{
	return f->format[kind];
}

bool track_file_fits(const struct track_file *f, int kind, struct track_file_format want)
{
	const struct track_file_format *is = &f->format[kind];

	return is->codec == want.codec && is->width == want.width && is->height == want.height;
}

/* As the file holds it, in *data and *len; -EINVAL: nothing is left of it. */
static int convert(struct track_file *f, enum codec c, const uint8_t **data, size_t *len)
{
	static const struct h264_nal none;
	struct mp4_out *o = &f->scratch;
	struct obu unit;
	size_t at = 0;

	if (c != CODEC_H264 && c != CODEC_AV1)
		return *len ? 0 : -EINVAL;
	o->len = 0;
	if (c == CODEC_H264) /* each picture keeps its parameter sets: later ones may differ */
		h264_to_lengths(o, *data, *len, &none, &none);
	while (c == CODEC_AV1 && next_obu(*data, *len, &at, &unit))
		if (unit.type != OBU_DELIMITER)
			mp4_put(o, unit.p, unit.len);
	if (o->failed) {
		o->failed = false;
		return -ENOMEM;
	}
	*data = o->p;
	*len = o->len;
	return o->len ? 0 : -EINVAL;
}

int track_file_add(struct track_file *f, int kind, const uint8_t *data, size_t len, int64_t at_ns,
		   bool key)
{
	int64_t ms = (at_ns + NS_PER_MS / 2) / NS_PER_MS; /* the file's resolution */
	int err;

	if (ms <= f->last_ms[kind])
		return -EINVAL;
	err = convert(f, f->format[kind].codec, &data, &len);
	if (!err && kind == PICTURE && key) /* a player goes to where a cluster begins */
		err = mkv_flush(f->mkv);
	if (!err)
		err = mkv_add(f->mkv, f->number[kind], data, len, at_ns, key);
	if (!err)
		f->last_ms[kind] = ms;
	return err;
}

int track_file_flush(struct track_file *f)
{
	return mkv_flush(f->mkv);
}

int track_file_sync(struct track_file *f)
{
	return fdatasync(f->fd) ? -errno : 0;
}

void track_file_drop_pending(struct track_file *f)
{
	mkv_drop_pending(f->mkv);
}

int track_file_finish(struct track_file *f)
{
	return mkv_finish(f->mkv);
}

uint64_t track_file_bytes(const struct track_file *f)
{
	return mkv_bytes(f->mkv);
}

int64_t track_file_duration_ms(const struct track_file *f)
{
	return mkv_duration_ms(f->mkv);
}
