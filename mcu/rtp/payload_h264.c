#include "mcu/rtp/payload_h264.h"

#include <errno.h>
#include <string.h>

#include "mcu/rtp/bytes.h"

enum {
	FU_START = 0x80,
	FU_END = 0x40,
	FU_HEADER_BYTES = 2,
	STAP_HEADER_BYTES = 1,
	STAP_SIZE_BYTES = 2,
	STAP_NALS_MAX = 16,
};

static unsigned nal_type(uint8_t head)
{
	return head & 0x1f;
}

/* Behind the next 00 00 01 in [p, end), or NULL. */
static const uint8_t *behind_start_code(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *one;

	if (end - p < 3)
		return NULL;
	for (one = p + 2; one < end; one++) {
		one = memchr(one, 1, (size_t)(end - one));
		if (!one)
			return NULL;
		if (!one[-1] && !one[-2])
			return one + 1;
	}
	return NULL;
}

bool rtp_h264_next_nal(const uint8_t **p, const uint8_t *end, const uint8_t **nal, size_t *len)
{
	const uint8_t *start = behind_start_code(*p, end);

	while (start && start < end) {
		const uint8_t *next = behind_start_code(start, end);
		const uint8_t *stop = next ? next - 3 : end;

		while (stop > start && !stop[-1])
			stop--;
		if (stop > start) {
			*nal = start;
			*len = (size_t)(stop - start);
			*p = next ? next - 3 : end;
			return true;
		}
		start = next;
	}
	*p = end;
	return false;
}

/* NAL units that wait to share a packet. */
struct aggregate {
	const uint8_t *nal[STAP_NALS_MAX];
	size_t len[STAP_NALS_MAX];
	size_t n, bytes; /* of the STAP-A they would make */
};

static int flush_aggregate(struct rtp_batch *b, struct aggregate *a)
{
	uint8_t head = 0, *out;

	if (a->n == 0)
		return 0;
	if (a->n == 1) {
		a->n = 0;
		return rtp_batch_add(b, NULL, 0, a->nal[0], a->len[0], false);
	}
	out = rtp_batch_reserve(b, a->bytes, false);
	if (!out)
		return -ENOSPC;
	uint8_t *pos = out + STAP_HEADER_BYTES;

	for (size_t i = 0; i < a->n; i++) {
		/* RFC 6184 5.7: F is the OR and NRI the maximum of the units' */
		head |= a->nal[i][0] & 0x80;
		if ((a->nal[i][0] & 0x60) > (head & 0x60))
			head = (uint8_t)((head & 0x80) | (a->nal[i][0] & 0x60));
		put_be16(pos, (uint16_t)a->len[i]);
		memcpy(pos + STAP_SIZE_BYTES, a->nal[i], a->len[i]);
		pos += STAP_SIZE_BYTES + a->len[i];
	}
	out[0] = head | H264_NAL_STAP_A;
	a->n = 0;
	return 0;
}

static int aggregate_or_flush(struct rtp_batch *b, struct aggregate *a, const uint8_t *nal,
			      size_t len, size_t max_payload)
{
	int err;

	if (a->n && (a->n == STAP_NALS_MAX || a->bytes + STAP_SIZE_BYTES + len > max_payload)) {
		err = flush_aggregate(b, a);
		if (err)
			return err;
	}
	if (!a->n)
		a->bytes = STAP_HEADER_BYTES;
	a->nal[a->n] = nal;
	a->len[a->n++] = len;
	a->bytes += STAP_SIZE_BYTES + len;
	return 0;
}

static int fragment(struct rtp_batch *b, const uint8_t *nal, size_t len, size_t max_payload)
{
	uint8_t hdr[FU_HEADER_BYTES] = { (uint8_t)((nal[0] & 0xe0) | H264_NAL_FU_A) };
	size_t left = len - 1, room = max_payload - FU_HEADER_BYTES;
	size_t n = (left + room - 1) / room, each = (left + n - 1) / n;
	const uint8_t *p = nal + 1;

	for (bool first = true; left; first = false) {
		size_t now = left < each ? left : each;
		int err;

		hdr[1] = (uint8_t)(nal_type(nal[0]) | (first ? FU_START : 0) |
				   (now == left ? FU_END : 0));
		err = rtp_batch_add(b, hdr, sizeof(hdr), p, now, false);
		if (err)
			return err;
		p += now;
		left -= now;
	}
	return 0;
}

int rtp_h264_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload)
{
	const uint8_t *p = au, *end = au + len, *nal;
	struct aggregate a = { .n = 0 };
	size_t nal_len;
	int err = 0;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	while (!err && rtp_h264_next_nal(&p, end, &nal, &nal_len)) {
		unsigned type = nal_type(nal[0]);

		if (type == H264_NAL_AUD || type == H264_NAL_FILLER)
			continue;
		if (nal_len <= max_payload) {
			err = aggregate_or_flush(b, &a, nal, nal_len, max_payload);
		} else {
			err = flush_aggregate(b, &a);
			if (!err)
				err = fragment(b, nal, nal_len, max_payload);
		}
	}
	if (!err)
		err = flush_aggregate(b, &a);
	if (!err && !b->n)
		err = -EBADMSG;
	if (!err)
		rtp_batch_mark_last(b);
	return err;
}

int rtp_h264_packetize_single(struct rtp_batch *b, const uint8_t *au, size_t len,
			      size_t max_payload)
{
	const uint8_t *p = au, *end = au + len, *nal;
	size_t nal_len;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	while (rtp_h264_next_nal(&p, end, &nal, &nal_len)) {
		unsigned type = nal_type(nal[0]);
		int err;

		if (type == H264_NAL_AUD || type == H264_NAL_FILLER)
			continue;
		if (nal_len > max_payload)
			return -EMSGSIZE;
		err = rtp_batch_add(b, NULL, 0, nal, nal_len, false);
		if (err)
			return err;
	}
	if (!b->n)
		return -EBADMSG;
	rtp_batch_mark_last(b);
	return 0;
}

/* second: the octet behind the NAL unit's header, or -1. A slice header starts
 * with first_mb_in_slice in Exp-Golomb: a leading 1 is macroblock 0. */
static enum rtp_h264_start classify_nal(unsigned type, int second)
{
	if (type == H264_NAL_SPS)
		return RTP_H264_STARTS_SPS;
	if (type == H264_NAL_IDR && second >= 0x80)
		return RTP_H264_STARTS_IDR;
	return RTP_H264_OTHER;
}

static enum rtp_h264_start classify_stap(const uint8_t *p, size_t len)
{
	size_t pos = STAP_HEADER_BYTES;

	while (len - pos > STAP_SIZE_BYTES) {
		size_t n = get_be16(p + pos);
		unsigned type = nal_type(p[pos + STAP_SIZE_BYTES]);

		pos += STAP_SIZE_BYTES;
		if (!n || len - pos < n)
			return RTP_H264_OTHER;
		if (type != H264_NAL_AUD && type != H264_NAL_SEI)
			return classify_nal(type, n > 1 ? p[pos + 1] : -1);
		pos += n;
	}
	return RTP_H264_OTHER;
}

enum rtp_h264_start rtp_h264_classify(const uint8_t *payload, size_t len)
{
	if (len < 2)
		return RTP_H264_OTHER;
	switch (nal_type(payload[0])) {
	case H264_NAL_STAP_A:
		return classify_stap(payload, len);
	case H264_NAL_FU_A:
		if (!(payload[1] & FU_START))
			return RTP_H264_OTHER;
		return classify_nal(nal_type(payload[1]), len > 2 ? payload[2] : -1);
	default:
		return classify_nal(nal_type(payload[0]), payload[1]);
	}
}

void rtp_h264_depay_begin(struct rtp_h264_depay *d, struct buf *au)
{
	*d = (struct rtp_h264_depay){ .au = au };
}

static int start_nal(struct rtp_h264_depay *d, uint8_t head)
{
	const uint8_t prefix[] = { 0, 0, 0, 1, head };
	unsigned type = nal_type(head);

	if (type == 0 || type >= H264_NAL_STAP_A || head & 0x80)
		return -EBADMSG;
	d->has_idr |= type == H264_NAL_IDR;
	d->has_sps |= type == H264_NAL_SPS;
	d->has_pps |= type == H264_NAL_PPS;
	d->has_slice |= type >= H264_NAL_SLICE && type <= H264_NAL_IDR;
	return rtp_au_append(d->au, prefix, sizeof(prefix));
}

static int put_nal(struct rtp_h264_depay *d, const uint8_t *p, size_t len)
{
	int err = start_nal(d, p[0]);

	return err ? err : rtp_au_append(d->au, p + 1, len - 1);
}

static int put_stap(struct rtp_h264_depay *d, const uint8_t *p, size_t len)
{
	size_t pos = STAP_HEADER_BYTES;

	if (len == pos)
		return -EBADMSG;
	while (pos < len) {
		size_t n;
		int err;

		if (len - pos < STAP_SIZE_BYTES)
			return -EBADMSG;
		n = get_be16(p + pos);
		pos += STAP_SIZE_BYTES;
		if (!n || len - pos < n)
			return -EBADMSG;
		err = put_nal(d, p + pos, n);
		if (err)
			return err;
		pos += n;
	}
	return 0;
}

static int put_fragment(struct rtp_h264_depay *d, const uint8_t *p, size_t len)
{
	bool start;
	int err;

	if (len < FU_HEADER_BYTES)
		return -EBADMSG;
	start = p[1] & FU_START;
	if (start == d->in_fu)
		return -EBADMSG;
	if (start) {
		err = start_nal(d, (uint8_t)((p[0] & 0xe0) | nal_type(p[1])));
		if (err)
			return err;
	}
	d->in_fu = !(p[1] & FU_END);
	return rtp_au_append(d->au, p + FU_HEADER_BYTES, len - FU_HEADER_BYTES);
}

int rtp_h264_depay_put(struct rtp_h264_depay *d, const uint8_t *payload, size_t len)
{
	if (!len)
		return -EBADMSG;
	if (nal_type(payload[0]) == H264_NAL_FU_A)
		return put_fragment(d, payload, len);
	if (d->in_fu)
		return -EBADMSG;
	if (nal_type(payload[0]) == H264_NAL_STAP_A)
		return put_stap(d, payload, len);
	return put_nal(d, payload, len);
}

int rtp_h264_depay_end(struct rtp_h264_depay *d)
{
	return d->in_fu || !d->au->len ? -EBADMSG : 0;
}
