#include "mcu/rtp/payload_vp9.h"

#include <errno.h>

#include "mcu/rtp/bytes.h"

enum {
	/* first octet */
	HAS_PICTURE_ID = 0x80,
	INTER_PICTURE = 0x40,
	HAS_LAYERS = 0x20,
	FLEXIBLE = 0x10,
	BEGINS = 0x08,
	ENDS = 0x04,
	HAS_STRUCTURE = 0x02,
	NOT_FOR_UPPER = 0x01,
	/* options */
	LONG_PICTURE_ID = 0x80,
	SWITCH_UP = 0x10,
	INTER_LAYER = 0x01,
	MORE_REFS = 0x01,
	/* scalability structure */
	HAS_SIZES = 0x10,
	HAS_GROUP = 0x08,
	/* superframe index */
	INDEX_MARKER = 0xc0,
	INDEX_MAX_BYTES = 2 + 4 * RTP_VP9_LAYERS,
};

struct cursor {
	const uint8_t *p, *end;
};

static bool take(struct cursor *c, uint8_t *out)
{
	if (c->p == c->end)
		return false;
	*out = *c->p++;
	return true;
}

static bool skip(struct cursor *c, size_t n)
{
	if ((size_t)(c->end - c->p) < n)
		return false;
	c->p += n;
	return true;
}

static bool parse_picture_id(struct rtp_vp9_desc *d, struct cursor *c)
{
	uint8_t high, low = 0;

	if (!take(c, &high))
		return false;
	d->long_picture_id = high & LONG_PICTURE_ID;
	if (d->long_picture_id && !take(c, &low))
		return false;
	d->picture_id = d->long_picture_id ? (high & 0x7f) << 8 | low : high;
	return true;
}

static bool parse_layers(struct rtp_vp9_desc *d, struct cursor *c)
{
	uint8_t v;

	if (!take(c, &v))
		return false;
	d->has_layers = true;
	d->tid = v >> 5;
	d->switch_up = v & SWITCH_UP;
	d->sid = v >> 1 & 7;
	d->inter_layer = v & INTER_LAYER;
	if (d->flexible)
		return true;
	if (!take(c, &v))
		return false;
	d->tl0 = v;
	return true;
}

static bool parse_refs(struct rtp_vp9_desc *d, struct cursor *c)
{
	uint8_t v;

	if (d->picture_id < 0)
		return false; /* nothing that the difference could be taken from */
	do {
		if (d->n_refs == RTP_VP9_REFS || !take(c, &v))
			return false;
		d->p_diff[d->n_refs++] = v >> 1;
	} while (v & MORE_REFS);
	return true;
}

static bool parse_structure(struct rtp_vp9_desc *d, struct cursor *c)
{
	uint8_t v, n = 0, picture;

	if (!take(c, &v))
		return false;
	d->has_structure = true;
	d->n_spatial = (uint8_t)((v >> 5) + 1);
	if (v & HAS_SIZES) {
		for (unsigned i = 0; i < d->n_spatial; i++) {
			if (!skip(c, 4))
				return false;
			d->width[i] = get_be16(c->p - 4);
			d->height[i] = get_be16(c->p - 2);
		}
	}
	if (v & HAS_GROUP && !take(c, &n))
		return false;
	for (; n; n--)
		if (!take(c, &picture) || !skip(c, picture >> 2 & 3))
			return false;
	return true;
}

int rtp_vp9_parse(struct rtp_vp9_desc *out, const uint8_t *payload, size_t len)
{
	struct rtp_vp9_desc d = { .picture_id = -1, .tl0 = -1 };
	struct cursor c = { payload, payload + len };
	uint8_t has;

	if (!take(&c, &has))
		return -EBADMSG;
	d.inter_picture = has & INTER_PICTURE;
	d.flexible = has & FLEXIBLE;
	d.begins = has & BEGINS;
	d.ends = has & ENDS;
	d.not_for_upper = has & NOT_FOR_UPPER;
	if ((has & HAS_PICTURE_ID && !parse_picture_id(&d, &c)) ||
	    (has & HAS_LAYERS && !parse_layers(&d, &c)) ||
	    (d.flexible && d.inter_picture && !parse_refs(&d, &c)) ||
	    (has & HAS_STRUCTURE && !parse_structure(&d, &c)) || c.p == c.end)
		return -EBADMSG;
	d.header_bytes = (size_t)(c.p - payload);
	d.key = d.begins && !d.inter_picture && rtp_vp9_is_key(c.p, (size_t)(c.end - c.p));
	*out = d;
	return 0;
}

/* VP9 bitstream 7.2: frame_marker (2) = 2, profile (2, low bit first), a
 * reserved bit in profile 3, show_existing_frame, frame_type. */
bool rtp_vp9_is_key(const uint8_t *frame, size_t len)
{
	unsigned bits, at;

	if (!len || frame[0] >> 6 != 2)
		return false;
	at = (frame[0] & 0x30) == 0x30 ? 2 : 3;
	bits = frame[0] >> at & 1;               /* show_existing_frame */
	bits |= frame[0] >> (at - 1) & 1;        /* not a key frame */
	return !bits;
}

int rtp_vp9_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload)
{
	uint8_t desc = BEGINS;
	size_t each;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	if (!len)
		return -EBADMSG;
	/* an intra-only frame counts as predicted: receivers take P = 0 for a key frame */
	if (!rtp_vp9_is_key(au, len))
		desc |= INTER_PICTURE;
	each = rtp_au_each(len, max_payload - sizeof(desc));
	while (len) {
		size_t now = len < each ? len : each;
		int err;

		if (now == len)
			desc |= ENDS;
		err = rtp_batch_add(b, &desc, sizeof(desc), au, now, now == len);
		if (err)
			return err;
		au += now;
		len -= now;
		desc &= (uint8_t)~BEGINS;
	}
	return 0;
}

void rtp_vp9_depay_begin(struct rtp_vp9_depay *d, struct buf *au)
{
	*d = (struct rtp_vp9_depay){ .au = au };
}

int rtp_vp9_depay_put(struct rtp_vp9_depay *d, const uint8_t *payload, size_t len)
{
	struct rtp_vp9_desc desc;
	size_t n;

	if (rtp_vp9_parse(&desc, payload, len) || desc.begins == d->in_frame)
		return -EBADMSG;
	if (desc.begins) {
		if (d->n_frames == RTP_VP9_LAYERS)
			return -EBADMSG;
		if (!d->n_frames)
			d->key = desc.key;
		d->n_frames++;
	}
	d->in_frame = !desc.ends;
	n = len - desc.header_bytes;
	d->frame_bytes[d->n_frames - 1] += (uint32_t)n;
	return rtp_au_append(d->au, payload + desc.header_bytes, n);
}

/* VP9 bitstream annex B: a marker, the sizes (little endian), the marker again. */
static int append_index(struct rtp_vp9_depay *d)
{
	uint8_t index[INDEX_MAX_BYTES];
	unsigned octets = 1, pos = 1;

	for (unsigned i = 0; i < d->n_frames; i++)
		while (octets < 4 && d->frame_bytes[i] >> (8 * octets))
			octets++;
	index[0] = (uint8_t)(INDEX_MARKER | (octets - 1) << 3 | (d->n_frames - 1));
	for (unsigned i = 0; i < d->n_frames; i++)
		for (unsigned k = 0; k < octets; k++)
			index[pos++] = (uint8_t)(d->frame_bytes[i] >> (8 * k));
	index[pos++] = index[0];
	return rtp_au_append(d->au, index, pos);
}

int rtp_vp9_depay_end(struct rtp_vp9_depay *d)
{
	if (d->in_frame || !d->n_frames)
		return -EBADMSG;
	return d->n_frames > 1 ? append_index(d) : 0;
}
