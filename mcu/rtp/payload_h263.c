#include "mcu/rtp/payload_h263.h"

#include <errno.h>

#include "mcu/rtp/bytes.h"

enum {
	HEADER_BYTES = 2,
	/* of the header as one number */
	PICTURE_START = 0x0400, /* P */
	REDUNDANCY = 0x0200,	/* V: an octet more */
	EXTRA_SHIFT = 3,	/* PLEN: octets of a copy of the picture's header */
	EXTRA_MASK = 0x3f,
	/* of a picture behind its two octets of zero: 22 bits of start code, 8 of its
	 * number, then the kind (H.263 5.1) */
	START_CODE = 0x80, /* and two bits of the number */
	START_MASK = 0xfc,
};

/* Of at most 8 bits at a bit's place behind the octets of zero; 0 behind the end. */
static unsigned bits(const uint8_t *p, size_t len, size_t at, unsigned n)
{
	unsigned v = 0;

	for (; n; n--, at++) {
		unsigned octet = at / 8 < len ? p[at / 8] : 0;

		v = v << 1 | (octet >> (7 - at % 8) & 1);
	}
	return v;
}

/* p: behind the octets of zero. Places are counted from there: 6 bits of start code, 8
 * of the number, 5 of options, 3 of the source format. */
static bool is_key(const uint8_t *p, size_t len)
{
	enum { FORMAT = 19, KIND = 22, EXTENDED = 7 };
	unsigned format = bits(p, len, FORMAT, 3);

	if (format != EXTENDED)
		return format && len > KIND / 8 && !bits(p, len, KIND, 1);
	/* 3 bits say whether 18 follow that give the size; then the kind */
	return bits(p, len, KIND, 3) == 1 && len > (KIND + 3 + 18 + 2) / 8 &&
	       !bits(p, len, KIND + 3 + 18, 3);
}

int rtp_h263_parse(struct rtp_h263_desc *out, const uint8_t *payload, size_t len)
{
	struct rtp_h263_desc d = { .header_bytes = HEADER_BYTES };
	unsigned head;

	if (len <= HEADER_BYTES)
		return -EBADMSG;
	head = get_be16(payload);
	d.start = head & PICTURE_START;
	d.header_bytes += (head & REDUNDANCY ? 1 : 0) + (head >> EXTRA_SHIFT & EXTRA_MASK);
	if (d.header_bytes >= len)
		return -EBADMSG;
	d.picture = d.start && (payload[d.header_bytes] & START_MASK) == START_CODE;
	d.key = d.picture && is_key(payload + d.header_bytes, len - d.header_bytes);
	*out = d;
	return 0;
}

int rtp_h263_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload)
{
	uint8_t head[HEADER_BYTES] = { PICTURE_START >> 8, 0 };
	size_t each;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	if (len < 3 || au[0] || au[1] || (au[2] & START_MASK) != START_CODE)
		return -EBADMSG;
	au += 2;
	len -= 2;
	each = rtp_au_each(len, max_payload - HEADER_BYTES);
	while (len) {
		size_t now = len < each ? len : each;
		int err = rtp_batch_add(b, head, sizeof head, au, now, now == len);

		if (err)
			return err;
		au += now;
		len -= now;
		head[0] = 0;
	}
	return 0;
}

void rtp_h263_depay_begin(struct rtp_h263_depay *d, struct buf *au)
{
	*d = (struct rtp_h263_depay){ .au = au };
}

int rtp_h263_depay_put(struct rtp_h263_depay *d, const uint8_t *payload, size_t len)
{
	static const uint8_t zeros[2];
	struct rtp_h263_desc desc;
	int err = 0;

	if (rtp_h263_parse(&desc, payload, len) || desc.picture == d->started)
		return -EBADMSG;
	if (desc.picture)
		d->key = desc.key;
	d->started = true;
	if (desc.start)
		err = rtp_au_append(d->au, zeros, sizeof zeros);
	return err ? err : rtp_au_append(d->au, payload + desc.header_bytes,
					 len - desc.header_bytes);
}

int rtp_h263_depay_end(struct rtp_h263_depay *d)
{
	return d->started ? 0 : -EBADMSG;
}
