#include "mcu/rtp/payload_vp8.h"

#include <errno.h>

#include "mcu/rtp/bytes.h"

enum {
	/* first octet */
	EXTENDED = 0x80,
	NON_REFERENCE = 0x20,
	PARTITION_START = 0x10,
	PARTITION = 0x07,
	/* second octet */
	HAS_PICTURE_ID = 0x80,
	HAS_TL0 = 0x40,
	HAS_TID = 0x20,
	HAS_KEY_INDEX = 0x10,
	/* in the options */
	LONG_PICTURE_ID = 0x80,
	LAYER_SYNC = 0x20,
	/* RFC 6386 9.1 */
	INTER_FRAME = 0x01,
};

/* The options behind the second octet. Where they end, or 0: cut off. */
static size_t parse_options(struct rtp_vp8_desc *d, uint8_t has, const uint8_t *p, size_t len)
{
	size_t pos = 2;

	if (has & HAS_PICTURE_ID) {
		if (pos >= len)
			return 0;
		d->long_picture_id = p[pos] & LONG_PICTURE_ID;
		if (d->long_picture_id && pos + 2 > len)
			return 0;
		d->picture_id = d->long_picture_id ? get_be16(p + pos) & 0x7fff : p[pos];
		pos += d->long_picture_id ? 2 : 1;
	}
	if (has & HAS_TL0) {
		if (pos >= len)
			return 0;
		d->tl0 = p[pos++];
	}
	if (has & (HAS_TID | HAS_KEY_INDEX)) {
		if (pos >= len)
			return 0;
		if (has & HAS_TID) {
			d->tid = p[pos] >> 6;
			d->layer_sync = p[pos] & LAYER_SYNC;
		}
		if (has & HAS_KEY_INDEX)
			d->key_index = p[pos] & 0x1f;
		pos++;
	}
	return pos;
}

int rtp_vp8_parse(struct rtp_vp8_desc *out, const uint8_t *payload, size_t len)
{
	struct rtp_vp8_desc d = { .picture_id = -1, .tl0 = -1, .tid = -1, .key_index = -1 };

	if (len < 2)
		return -EBADMSG;
	d.non_reference = payload[0] & NON_REFERENCE;
	d.partition_start = payload[0] & PARTITION_START;
	d.partition = payload[0] & PARTITION;
	d.first = d.partition_start && !d.partition;
	d.header_bytes = 1;
	if (payload[0] & EXTENDED)
		d.header_bytes = parse_options(&d, payload[1], payload, len);
	if (!d.header_bytes || d.header_bytes >= len)
		return -EBADMSG;
	d.key = d.first && rtp_vp8_is_key(payload + d.header_bytes, len - d.header_bytes);
	*out = d;
	return 0;
}

bool rtp_vp8_is_key(const uint8_t *frame, size_t len)
{
	return len && !(frame[0] & INTER_FRAME);
}

int rtp_vp8_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload)
{
	uint8_t desc = PARTITION_START;
	size_t each;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	if (!len)
		return -EBADMSG;
	each = rtp_au_each(len, max_payload - sizeof(desc));
	while (len) {
		size_t now = len < each ? len : each;
		int err = rtp_batch_add(b, &desc, sizeof(desc), au, now, now == len);

		if (err)
			return err;
		au += now;
		len -= now;
		desc = 0;
	}
	return 0;
}

void rtp_vp8_depay_begin(struct rtp_vp8_depay *d, struct buf *au)
{
	*d = (struct rtp_vp8_depay){ .au = au };
}

int rtp_vp8_depay_put(struct rtp_vp8_depay *d, const uint8_t *payload, size_t len)
{
	struct rtp_vp8_desc desc;

	if (rtp_vp8_parse(&desc, payload, len) || desc.first == d->started)
		return -EBADMSG;
	if (desc.first)
		d->key = desc.key;
	d->started = true;
	return rtp_au_append(d->au, payload + desc.header_bytes, len - desc.header_bytes);
}

int rtp_vp8_depay_end(struct rtp_vp8_depay *d)
{
	return d->started ? 0 : -EBADMSG;
}
