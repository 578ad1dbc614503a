#include "storage/mp4_moof.h"

#define T(a, b, c, d) MP4_TYPE(a, b, c, d)

enum {
	SAMPLE_SYNC = 0x2000000,
	SAMPLE_NOT_SYNC = 0x1010000,
	TFHD_BASE_IS_MOOF = 0x20000,
	TRUN_FIELDS = 0x1 | 0x100 | 0x200 | 0x400, /* data offset; duration, size, flags */
};

/* Returns where the data offset of the 'trun' must be written. */
static size_t put_traf(struct mp4_out *o, const struct mp4_run *r, uint32_t track_id)
{
	size_t traf = mp4_begin(o, T('t', 'r', 'a', 'f'));
	size_t box = mp4_begin_full(o, T('t', 'f', 'h', 'd'), 0, TFHD_BASE_IS_MOOF);

	mp4_put32(o, track_id);
	mp4_end(o, box);
	box = mp4_begin_full(o, T('t', 'f', 'd', 't'), 1, 0);
	mp4_put64(o, (uint64_t)r->sample[0].dts);
	mp4_end(o, box);
	box = mp4_begin_full(o, T('t', 'r', 'u', 'n'), 0, TRUN_FIELDS);
	mp4_put32(o, (uint32_t)r->n);
	size_t offset_at = o->len;

	mp4_put32(o, 0);
	for (size_t i = 0; i < r->n; i++) {
		mp4_put32(o, r->sample[i].duration);
		mp4_put32(o, r->sample[i].size);
		mp4_put32(o, r->sample[i].sync ? SAMPLE_SYNC : SAMPLE_NOT_SYNC);
	}
	mp4_end(o, box);
	mp4_end(o, traf);
	return offset_at;
}

void mp4_put_moof(struct mp4_out *o, uint32_t sequence, const struct mp4_run run[MP4_TRACKS])
{
	size_t offset_at[MP4_TRACKS] = { 0 };
	size_t moof = mp4_begin(o, T('m', 'o', 'o', 'f'));
	size_t mfhd = mp4_begin_full(o, T('m', 'f', 'h', 'd'), 0, 0);

	mp4_put32(o, sequence);
	mp4_end(o, mfhd);
	for (uint32_t i = 0; i < MP4_TRACKS; i++)
		if (run[i].n)
			offset_at[i] = put_traf(o, &run[i], i + 1);
	mp4_end(o, moof);

	size_t head = o->len + 8, data = head - moof;

	for (size_t i = 0; i < MP4_TRACKS; i++) {
		if (offset_at[i])
			mp4_patch32(o, offset_at[i], (uint32_t)data);
		data += run[i].bytes;
	}
	mp4_put32(o, (uint32_t)(data + moof - o->len));
	mp4_put32(o, T('m', 'd', 'a', 't'));
}
