#include "storage/mp4_movie.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/h264.h"

#define T(a, b, c, d) MP4_TYPE(a, b, c, d)

enum { LANGUAGE_UND = 0x55c4, MOVIE_TIMESCALE = MP4_VIDEO_TIMESCALE };

static const uint8_t unity_matrix[36] = {
	0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
};

static int keep_stsd(struct mp4_track *t, struct mp4_out *o)
{
	int err = o->failed ? -ENOMEM : o->len > sizeof(t->stsd) ? -EINVAL : 0;

	if (!err) {
		memcpy(t->stsd, o->p, o->len);
		t->stsd_len = o->len;
	}
	mp4_out_free(o);
	return err;
}

int mp4_video_track(struct mp4_track *t, unsigned width, unsigned height, const uint8_t *sps,
		    size_t sps_len, const uint8_t *pps, size_t pps_len)
{
	struct mp4_out o = { 0 };

	if (sps_len < 4 || sps_len > 400 || pps_len < 1 || pps_len > 400 || !width || !height ||
	    width > UINT16_MAX || height > UINT16_MAX)
		return -EINVAL;
	*t = (struct mp4_track){ .timescale = MP4_VIDEO_TIMESCALE,
				 .width = (uint16_t)width,
				 .height = (uint16_t)height };
	size_t stsd = mp4_begin_full(&o, T('s', 't', 's', 'd'), 0, 0);

	mp4_put32(&o, 1);
	size_t avc1 = mp4_begin(&o, T('a', 'v', 'c', '1'));

	mp4_put_zero(&o, 6);
	mp4_put16(&o, 1); /* data reference */
	mp4_put_zero(&o, 16);
	mp4_put16(&o, width);
	mp4_put16(&o, height);
	mp4_put32(&o, 0x480000); /* 72 dpi */
	mp4_put32(&o, 0x480000);
	mp4_put32(&o, 0);
	mp4_put16(&o, 1);
	mp4_put_zero(&o, 32);
	mp4_put16(&o, 0x18);
	mp4_put16(&o, 0xffff);
	size_t avcc = mp4_begin(&o, T('a', 'v', 'c', 'C'));

	h264_put_config(&o, &(struct h264_nal){ .p = sps, .len = sps_len },
			&(struct h264_nal){ .p = pps, .len = pps_len });
	mp4_end(&o, avcc);
	mp4_end(&o, avc1);
	mp4_end(&o, stsd);
	return keep_stsd(t, &o);
}

/* ISO/IEC 14496-1, 7.2.6: descriptors, lengths in one octet. */
static void put_esds(struct mp4_out *o, const uint8_t *config, size_t len)
{
	size_t esds = mp4_begin_full(o, T('e', 's', 'd', 's'), 0, 0);

	mp4_put8(o, 3); /* ES_Descriptor */
	mp4_put8(o, (unsigned)(3 + 2 + 13 + 2 + len + 3));
	mp4_put16(o, MP4_AUDIO + 1);
	mp4_put8(o, 0);
	mp4_put8(o, 4); /* DecoderConfigDescriptor */
	mp4_put8(o, (unsigned)(13 + 2 + len));
	mp4_put8(o, 0x40); /* MPEG-4 audio */
	mp4_put8(o, 0x15); /* audio stream */
	mp4_put24(o, 0);
	mp4_put32(o, 0);
	mp4_put32(o, 0);
	mp4_put8(o, 5); /* DecoderSpecificInfo */
	mp4_put8(o, (unsigned)len);
	mp4_put(o, config, len);
	mp4_put8(o, 6); /* SLConfigDescriptor */
	mp4_put8(o, 1);
	mp4_put8(o, 2);
	mp4_end(o, esds);
}

/* An 'stsd' with one entry, as far as all sounds are alike; the box in it, and itself, are
 * to be ended. */
static size_t begin_sound(struct mp4_out *o, uint32_t type, unsigned sample_rate,
			  unsigned channels, size_t *stsd)
{
	size_t entry;

	*stsd = mp4_begin_full(o, T('s', 't', 's', 'd'), 0, 0);
	mp4_put32(o, 1);
	entry = mp4_begin(o, type);
	mp4_put_zero(o, 6);
	mp4_put16(o, 1);
	mp4_put_zero(o, 8);
	mp4_put16(o, channels);
	mp4_put16(o, 16);
	mp4_put32(o, 0);
	mp4_put32(o, sample_rate <= UINT16_MAX ? sample_rate << 16 : 0);
	return entry;
}

int mp4_audio_track(struct mp4_track *t, unsigned sample_rate, unsigned channels,
		    const uint8_t *config, size_t config_len)
{
	struct mp4_out o = { 0 };
	size_t stsd, mp4a;

	if (config_len < 2 || config_len > 64 || sample_rate < 8000 || sample_rate > 96000 ||
	    channels < 1 || channels > 8)
		return -EINVAL;
	*t = (struct mp4_track){ .timescale = sample_rate };
	mp4a = begin_sound(&o, T('m', 'p', '4', 'a'), sample_rate, channels, &stsd);
	put_esds(&o, config, config_len);
	mp4_end(&o, mp4a);
	mp4_end(&o, stsd);
	return keep_stsd(t, &o);
}

int mp4_opus_track(struct mp4_track *t, unsigned channels)
{
	struct mp4_out o = { 0 };
	size_t stsd, opus, dops;

	if (channels < 1 || channels > 2)
		return -EINVAL;
	*t = (struct mp4_track){ .timescale = 48000 };
	opus = begin_sound(&o, T('O', 'p', 'u', 's'), 48000, channels, &stsd);
	dops = mp4_begin(&o, T('d', 'O', 'p', 's'));
	mp4_put8(&o, 0); /* version */
	mp4_put8(&o, channels);
	mp4_put16(&o, 0); /* skipped at the beginning */
	mp4_put32(&o, 48000);
	mp4_put16(&o, 0); /* gain */
	mp4_put8(&o, 0);  /* mapping family: mono or stereo */
	mp4_end(&o, dops);
	mp4_end(&o, opus);
	mp4_end(&o, stsd);
	return keep_stsd(t, &o);
}

void mp4_put_ftyp(struct mp4_out *o)
{
	size_t ftyp = mp4_begin(o, T('f', 't', 'y', 'p'));

	mp4_put32(o, T('i', 's', 'o', 'm'));
	mp4_put32(o, 0x200);
	mp4_put(o, "isomiso5iso6avc1mp41mp42", 24);
	mp4_end(o, ftyp);
}

static void put_mvhd(struct mp4_out *o, const struct mp4_movie *m, uint64_t duration)
{
	size_t mvhd = mp4_begin_full(o, T('m', 'v', 'h', 'd'), 1, 0);

	mp4_put64(o, m->created_s);
	mp4_put64(o, m->created_s);
	mp4_put32(o, MOVIE_TIMESCALE);
	mp4_put64(o, duration);
	mp4_put32(o, 0x10000);
	mp4_put16(o, 0x100);
	mp4_put_zero(o, 10);
	mp4_put(o, unity_matrix, sizeof(unity_matrix));
	mp4_put_zero(o, 24);
	mp4_put32(o, MP4_TRACKS + 1);
	mp4_end(o, mvhd);
}

static void put_tkhd(struct mp4_out *o, const struct mp4_movie *m, enum mp4_track_no no,
		     uint64_t duration)
{
	size_t tkhd = mp4_begin_full(o, T('t', 'k', 'h', 'd'), 1, 3);

	mp4_put64(o, m->created_s);
	mp4_put64(o, m->created_s);
	mp4_put32(o, no + 1);
	mp4_put32(o, 0);
	mp4_put64(o, duration);
	mp4_put_zero(o, 8);
	mp4_put16(o, 0);
	mp4_put16(o, no == MP4_AUDIO); /* alternate group, as players expect of sound */
	mp4_put16(o, no == MP4_AUDIO ? 0x100 : 0);
	mp4_put16(o, 0);
	mp4_put(o, unity_matrix, sizeof(unity_matrix));
	mp4_put32(o, (uint32_t)m->track[no].width << 16);
	mp4_put32(o, (uint32_t)m->track[no].height << 16);
	mp4_end(o, tkhd);
}

/* Maps the track's own time to the movie's: a track that starts after zero
 * begins with an empty edit. Durations in the movie's timescale. */
static void put_edts(struct mp4_out *o, uint64_t empty, uint64_t duration)
{
	size_t edts = mp4_begin(o, T('e', 'd', 't', 's'));
	size_t elst = mp4_begin_full(o, T('e', 'l', 's', 't'), 1, 0);

	mp4_put32(o, empty ? 2 : 1);
	if (empty) {
		mp4_put64(o, empty);
		mp4_put64(o, UINT64_MAX);
		mp4_put32(o, 0x10000);
	}
	mp4_put64(o, duration);
	mp4_put64(o, 0);
	mp4_put32(o, 0x10000);
	mp4_end(o, elst);
	mp4_end(o, edts);
}

static void put_mdhd(struct mp4_out *o, const struct mp4_movie *m, enum mp4_track_no no,
		     uint64_t duration)
{
	size_t mdhd = mp4_begin_full(o, T('m', 'd', 'h', 'd'), 1, 0);

	mp4_put64(o, m->created_s);
	mp4_put64(o, m->created_s);
	mp4_put32(o, m->track[no].timescale);
	mp4_put64(o, duration);
	mp4_put16(o, LANGUAGE_UND);
	mp4_put16(o, 0);
	mp4_end(o, mdhd);
	size_t hdlr = mp4_begin_full(o, T('h', 'd', 'l', 'r'), 0, 0);

	mp4_put32(o, 0);
	mp4_put32(o, no == MP4_VIDEO ? T('v', 'i', 'd', 'e') : T('s', 'o', 'u', 'n'));
	mp4_put_zero(o, 12);
	mp4_put(o, no == MP4_VIDEO ? "Video" : "Sound", 6);
	mp4_end(o, hdlr);
}

static void put_media_header(struct mp4_out *o, enum mp4_track_no no)
{
	size_t box;

	if (no == MP4_VIDEO) {
		box = mp4_begin_full(o, T('v', 'm', 'h', 'd'), 0, 1);
		mp4_put_zero(o, 8);
	} else {
		box = mp4_begin_full(o, T('s', 'm', 'h', 'd'), 0, 0);
		mp4_put_zero(o, 4);
	}
	mp4_end(o, box);
	box = mp4_begin(o, T('d', 'i', 'n', 'f'));
	size_t dref = mp4_begin_full(o, T('d', 'r', 'e', 'f'), 0, 0);

	mp4_put32(o, 1);
	mp4_end(o, mp4_begin_full(o, T('u', 'r', 'l', ' '), 0, 1));
	mp4_end(o, dref);
	mp4_end(o, box);
}

static void put_table(struct mp4_out *o, uint32_t type, const uint32_t *v, size_t n, uint32_t count)
{
	size_t box = mp4_begin_full(o, type, 0, 0);

	mp4_put32(o, count);
	for (size_t i = 0; i < n; i++)
		mp4_put32(o, v[i]);
	mp4_end(o, box);
}

static void put_times(struct mp4_out *o, const struct mp4_index_track *t)
{
	uint32_t entries = (uint32_t)(t->runs.n / 2);
	size_t box = mp4_begin_full(o, T('s', 't', 't', 's'), 0, 0);

	mp4_put32(o, entries + 1);
	for (size_t i = 0; i < t->runs.n; i++)
		mp4_put32(o, t->runs.v[i]);
	mp4_put32(o, 1);
	mp4_put32(o, t->last_duration);
	mp4_end(o, box);
}

static void put_chunks(struct mp4_out *o, const struct mp4_index_track *t)
{
	const uint32_t *c = t->chunks.v;
	size_t n = t->chunks.n / 3, box = mp4_begin_full(o, T('s', 't', 's', 'c'), 0, 0);
	size_t count_at = o->len;
	uint32_t entries = 0;

	mp4_put32(o, 0);
	for (size_t i = 0; i < n; i++) {
		if (i && c[3 * i + 2] == c[3 * i - 1])
			continue;
		mp4_put32(o, (uint32_t)i + 1);
		mp4_put32(o, c[3 * i + 2]);
		mp4_put32(o, 1);
		entries++;
	}
	mp4_patch32(o, count_at, entries);
	mp4_end(o, box);

	bool wide = n && c[3 * (n - 1)] != 0;

	box = mp4_begin_full(o, wide ? T('c', 'o', '6', '4') : T('s', 't', 'c', 'o'), 0, 0);
	mp4_put32(o, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		if (wide)
			mp4_put32(o, c[3 * i]);
		mp4_put32(o, c[3 * i + 1]);
	}
	mp4_end(o, box);
}

static void put_stbl(struct mp4_out *o, const struct mp4_track *t, const struct mp4_index_track *x)
{
	size_t stbl = mp4_begin(o, T('s', 't', 'b', 'l'));

	mp4_put(o, t->stsd, t->stsd_len);
	if (x) {
		put_times(o, x);
		if (x->syncs.n)
			put_table(o, T('s', 't', 's', 's'), x->syncs.v, x->syncs.n,
				  (uint32_t)x->syncs.n);
		size_t stsz = mp4_begin_full(o, T('s', 't', 's', 'z'), 0, 0);

		mp4_put32(o, 0);
		mp4_put32(o, (uint32_t)x->sizes.n);
		for (size_t i = 0; i < x->sizes.n; i++)
			mp4_put32(o, x->sizes.v[i]);
		mp4_end(o, stsz);
		put_chunks(o, x);
	} else {
		put_table(o, T('s', 't', 't', 's'), NULL, 0, 0);
		put_table(o, T('s', 't', 's', 'c'), NULL, 0, 0);
		size_t stsz = mp4_begin_full(o, T('s', 't', 's', 'z'), 0, 0);

		mp4_put_zero(o, 8);
		mp4_end(o, stsz);
		put_table(o, T('s', 't', 'c', 'o'), NULL, 0, 0);
	}
	mp4_end(o, stbl);
}

static uint64_t to_movie_time(const struct mp4_track *t, int64_t ticks)
{
	return ticks > 0 ? (uint64_t)clock_scale(ticks, MOVIE_TIMESCALE, t->timescale) : 0;
}

static void put_trak(struct mp4_out *o, const struct mp4_movie *m, const struct mp4_index *x,
		     enum mp4_track_no no)
{
	const struct mp4_track *t = &m->track[no];
	const struct mp4_index_track *xt = x ? &x->track[no] : NULL;
	int64_t first = xt ? xt->first_dts : 0, length = xt ? mp4_index_end(x, no) - first : 0;
	uint64_t empty = to_movie_time(t, first), duration = to_movie_time(t, length);
	size_t trak = mp4_begin(o, T('t', 'r', 'a', 'k'));

	put_tkhd(o, m, no, empty + duration);
	if (xt)
		put_edts(o, empty, duration);
	size_t mdia = mp4_begin(o, T('m', 'd', 'i', 'a'));

	put_mdhd(o, m, no, (uint64_t)length);
	size_t minf = mp4_begin(o, T('m', 'i', 'n', 'f'));

	put_media_header(o, no);
	put_stbl(o, t, xt);
	mp4_end(o, minf);
	mp4_end(o, mdia);
	mp4_end(o, trak);
}

void mp4_put_init_moov(struct mp4_out *o, const struct mp4_movie *m)
{
	size_t moov = mp4_begin(o, T('m', 'o', 'o', 'v'));

	put_mvhd(o, m, 0);
	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++)
		if (m->track[i].timescale)
			put_trak(o, m, NULL, i);
	size_t mvex = mp4_begin(o, T('m', 'v', 'e', 'x'));

	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++) {
		if (!m->track[i].timescale)
			continue;
		size_t trex = mp4_begin_full(o, T('t', 'r', 'e', 'x'), 0, 0);

		mp4_put32(o, i + 1);
		mp4_put32(o, 1);
		mp4_put_zero(o, 12);
		mp4_end(o, trex);
	}
	mp4_end(o, mvex);
	mp4_end(o, moov);
}

uint64_t mp4_movie_lasts(const struct mp4_movie *m, const struct mp4_index *x)
{
	uint64_t longest = 0;

	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++) {
		uint64_t end = m->track[i].timescale ?
				       to_movie_time(&m->track[i], mp4_index_end(x, i)) : 0;

		longest = end > longest ? end : longest;
	}
	return longest;
}

void mp4_movie_even(const struct mp4_movie *m, struct mp4_index *x, bool drop)
{
	const uint32_t timescale[MP4_TRACKS] = { m->track[MP4_VIDEO].timescale,
						 m->track[MP4_AUDIO].timescale };

	if (timescale[MP4_VIDEO] && timescale[MP4_AUDIO])
		mp4_index_even(x, timescale, drop);
}

void mp4_put_final_moov(struct mp4_out *o, const struct mp4_movie *m, const struct mp4_index *x)
{
	size_t moov = mp4_begin(o, T('m', 'o', 'o', 'v'));

	put_mvhd(o, m, mp4_movie_lasts(m, x));
	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++)
		if (m->track[i].timescale && x->track[i].sizes.n)
			put_trak(o, m, x, i);
	mp4_end(o, moov);
	if (x->failed)
		o->failed = true;
}

int64_t mp4_duration_ms(const struct mp4_movie *m, const struct mp4_index *x)
{
	int64_t longest = 0;

	for (enum mp4_track_no i = 0; i < MP4_TRACKS; i++) {
		int64_t ms = m->track[i].timescale ?
				     clock_scale(mp4_index_end(x, i), 1000, m->track[i].timescale) : 0;

		longest = ms > longest ? ms : longest;
	}
	return longest;
}
