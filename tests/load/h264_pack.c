#include "tests/load/h264_pack.h"

#include <stdlib.h>
#include <string.h>

#include "tests/load/util.h"

enum { NAL_IDR = 5, NAL_SPS = 7, NAL_AUD = 9, NAL_STAP_A = 24, NAL_FU_A = 28, MAX_NALS = 64 };

struct nal {
	const uint8_t *p;
	size_t n;
};

/* Splits at start codes; zeros before one belong to nobody. */
static size_t split(const uint8_t *au, size_t len, struct nal *out, size_t max)
{
	size_t count = 0, start = 0;
	bool inside = false;

	for (size_t i = 0; i + 2 < len; i++) {
		if (au[i] || au[i + 1] || au[i + 2] != 1)
			continue;
		if (inside && count < max)
			out[count++] = (struct nal){ au + start, i - start };
		start = i + 3;
		inside = true;
		i += 2;
	}
	if (inside && count < max)
		out[count++] = (struct nal){ au + start, len - start };
	for (size_t k = 0; k < count; k++)
		while (out[k].n && !out[k].p[out[k].n - 1])
			out[k].n--;
	return count;
}

static void emit_fragments(const struct nal *u, bool last, h264_emit_fn *emit, void *obj)
{
	uint8_t buf[H264_PAYLOAD_MAX];
	size_t body = u->n - 1, parts = (body + H264_PAYLOAD_MAX - 3) / (H264_PAYLOAD_MAX - 2);
	size_t size = (body + parts - 1) / parts;

	for (size_t at = 0; at < body; at += size) {
		size_t n = body - at < size ? body - at : size;
		bool end = at + n == body;

		buf[0] = (uint8_t)((u->p[0] & 0xe0) | NAL_FU_A);
		buf[1] = (uint8_t)((u->p[0] & 0x1f) | (at ? 0 : 0x80) | (end ? 0x40 : 0));
		memcpy(buf + 2, u->p + 1 + at, n);
		emit(obj, buf, n + 2, end && last);
	}
}

/* Non-slice NAL units from `from` that fit one packet together; how many. */
static size_t emit_stap(const struct nal *u, size_t from, size_t count, h264_emit_fn *emit,
			void *obj)
{
	uint8_t buf[H264_PAYLOAD_MAX] = { NAL_STAP_A | 0x60 };
	size_t at = 1, k = from;

	for (; k < count && (u[k].p[0] & 31) > NAL_IDR && at + 2 + u[k].n <= sizeof buf; k++) {
		put16(buf + at, (uint32_t)u[k].n);
		memcpy(buf + at + 2, u[k].p, u[k].n);
		at += 2 + u[k].n;
	}
	if (k - from < 2)
		return 0;
	emit(obj, buf, at, k == count);
	return k - from;
}

void h264_pack(const uint8_t *au, size_t len, h264_emit_fn *emit, void *obj)
{
	struct nal all[MAX_NALS], u[MAX_NALS];
	size_t n = split(au, len, all, MAX_NALS), count = 0, k = 0, together;

	for (size_t i = 0; i < n; i++)
		if (all[i].n > 1 && (all[i].p[0] & 31) != NAL_AUD)
			u[count++] = all[i];
	while (k < count) {
		together = emit_stap(u, k, count, emit, obj);
		if (together) {
			k += together;
			continue;
		}
		if (u[k].n <= H264_PAYLOAD_MAX)
			emit(obj, u[k].p, u[k].n, k + 1 == count);
		else
			emit_fragments(&u[k], k + 1 == count, emit, obj);
		k++;
	}
}

static void append(struct depack *d, const uint8_t *p, size_t n)
{
	if (!d->keep)
		return;
	if (d->len + n > d->cap) {
		d->cap = 2 * (d->len + n) + 4096;
		d->au = realloc(d->au, d->cap);
		if (!d->au)
			bot_die("out of memory");
	}
	memcpy(d->au + d->len, p, n);
	d->len += n;
}

static void begin_nal(struct depack *d, uint8_t header)
{
	static const uint8_t start_code[] = { 0, 0, 0, 1 };

	d->sps = d->sps || (header & 31) == NAL_SPS;
	d->idr = d->idr || (header & 31) == NAL_IDR;
	append(d, start_code, sizeof start_code);
	append(d, &header, 1);
}

static bool put_stap(struct depack *d, const uint8_t *p, size_t n)
{
	for (p++, n--; n;) {
		size_t size = n >= 2 ? get16(p) : 0;

		if (!size || size + 2 > n)
			return false;
		begin_nal(d, p[2]);
		append(d, p + 3, size - 1);
		p += 2 + size;
		n -= 2 + size;
	}
	return true;
}

static bool put_fragment(struct depack *d, const uint8_t *p, size_t n)
{
	bool start = n > 2 && p[1] & 0x80, end = n > 2 && p[1] & 0x40;

	if (n <= 2 || start == d->in_fu)
		return false;
	if (start)
		begin_nal(d, (uint8_t)((p[0] & 0xe0) | (p[1] & 0x1f)));
	append(d, p + 2, n - 2);
	d->in_fu = !end;
	return true;
}

static bool put_payload(struct depack *d, const uint8_t *p, size_t n)
{
	uint8_t type = n ? p[0] & 31 : 0;

	if (type == NAL_FU_A)
		return put_fragment(d, p, n);
	if (!type || type > NAL_STAP_A || d->in_fu)
		return false;
	if (type == NAL_STAP_A)
		return put_stap(d, p, n);
	begin_nal(d, p[0]);
	append(d, p + 1, n - 1);
	return true;
}

/* The descriptor's length; 0: malformed. */
static size_t vp8_descriptor(const uint8_t *p, size_t n)
{
	size_t k = 1;
	uint8_t x;

	if (!n)
		return 0;
	if (p[0] & 0x80) {
		if (n < 2)
			return 0;
		x = p[1];
		k = 2;
		if (x & 0x80)
			k += n > k && p[k] & 0x80 ? 2 : 1;
		k += (x & 0x40) != 0;
		k += (x & 0x30) != 0;
	}
	return k < n ? k : 0;
}

static bool put_vp8(struct depack *d, const uint8_t *p, size_t n)
{
	size_t k = vp8_descriptor(p, n);
	bool start = k && p[0] & 0x10 && !(p[0] & 0x0f);

	if (!k || start == d->in_fu)
		return false;
	if (start)
		d->sps = d->idr = !(p[k] & 1); /* a key frame; parameters are in it */
	d->in_fu = true;
	append(d, p + k, n - k);
	return true;
}

enum depack_result depack_put(struct depack *d, const uint8_t *p, size_t n, uint32_t ts,
			      bool marker, int64_t arrival_ns)
{
	if (!d->open || d->ts != ts) {
		/* A frame without its last packet leaves the next undecodable. */
		d->need_key = d->need_key || d->open;
		d->open = true;
		d->broken = d->sps = d->idr = d->in_fu = false;
		d->len = 0;
		d->ts = ts;
		d->first_arrival_ns = arrival_ns;
	}
	if (!(d->vp8 ? put_vp8(d, p, n) : put_payload(d, p, n)))
		d->broken = true;
	d->last_arrival_ns = arrival_ns;
	if (!marker)
		return DEPACK_MORE;
	d->open = false;
	if (d->broken || (d->in_fu && !d->vp8)) {
		d->need_key = true;
		return DEPACK_UNDECODABLE;
	}
	if (d->need_key && !(d->idr && d->sps))
		return DEPACK_UNDECODABLE;
	d->need_key = false;
	return DEPACK_FRAME;
}

void depack_gap(struct depack *d)
{
	d->need_key = true;
	d->open = true;
	d->broken = true;
}

void depack_free(struct depack *d)
{
	free(d->au);
	d->au = NULL;
}
