#include "mcu/rtp/payload_av1.h"

#include <errno.h>
#include <string.h>


enum {
	/* aggregation header */
	CONTINUES = 0x80,
	CONTINUED = 0x40,
	COUNT_SHIFT = 4,
	NEW_SEQUENCE = 0x08,
	COUNT_MAX = 3,
	/* OBU header */
	FORBIDDEN = 0x80,
	HAS_EXTENSION = 0x04,
	HAS_SIZE = 0x02,
	LEB_MAX_BYTES = 8,
	/* room for the size of an OBU of which only the first fragments are known */
	SIZE_GAP = 2,
};

static size_t leb_write(uint8_t *out, size_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		out[n++] = (uint8_t)(v | 0x80);
	out[n++] = (uint8_t)v;
	return n;
}

static size_t leb_bytes(size_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

/* How many octets the number took, or 0: cut off, or longer than allowed. */
static size_t leb_read(const uint8_t *p, size_t len, uint64_t *v)
{
	*v = 0;
	for (size_t n = 0; n < len && n < LEB_MAX_BYTES; n++) {
		*v |= (uint64_t)(p[n] & 0x7f) << (7 * n);
		if (!(p[n] & 0x80))
			return n + 1;
	}
	return 0;
}

struct obu {
	unsigned type;
	uint8_t head[2]; /* as sent in RTP: without a size */
	size_t head_bytes;
	const uint8_t *payload;
	size_t len; /* of the payload */
};

static unsigned obu_type(uint8_t head)
{
	return head >> 3 & 0xf;
}

static bool is_left_out(unsigned type)
{
	return type == AV1_OBU_DELIMITER || type == AV1_OBU_TILE_LIST || type == AV1_OBU_PADDING;
}

/* The OBU at p, which ends where its size says, or at the end without one. How
 * many octets it takes, or 0: malformed. */
static size_t obu_read(struct obu *o, const uint8_t *p, size_t len)
{
	uint64_t size;
	size_t n;

	if (!len || p[0] & FORBIDDEN)
		return 0;
	o->type = obu_type(p[0]);
	o->head[0] = (uint8_t)(p[0] & ~HAS_SIZE);
	o->head_bytes = p[0] & HAS_EXTENSION ? 2 : 1;
	if (len < o->head_bytes)
		return 0;
	o->head[1] = o->head_bytes == 2 ? p[1] : 0;
	o->payload = p + o->head_bytes;
	o->len = len - o->head_bytes;
	if (!(p[0] & HAS_SIZE))
		return len;
	n = leb_read(o->payload, o->len, &size);
	if (!n || size > o->len - n)
		return 0;
	o->payload += n;
	o->len = (size_t)size;
	return (size_t)(o->payload - p) + o->len;
}

static void see(struct rtp_av1_seen *s, const struct obu *o)
{
	if (o->type == AV1_OBU_SEQUENCE && o->len) {
		s->sequence = true;
		s->reduced_still = o->payload[0] >> 3 & 1;
	} else if (o->type == AV1_OBU_FRAME || o->type == AV1_OBU_FRAME_HEADER) {
		/* show_existing_frame 0, frame_type 0, show_frame 1 */
		if (!s->picture && o->len)
			s->key = s->reduced_still || o->payload[0] >> 4 == 1;
		s->picture = true;
	} else if (o->type == AV1_OBU_TILE_GROUP) {
		s->picture = true;
	}
}

/* The next OBU that is sent; *p moves behind it. 1, 0: no more, -EBADMSG. */
static int next_obu(struct obu *o, const uint8_t **p, const uint8_t *end)
{
	while (*p < end) {
		size_t n = obu_read(o, *p, (size_t)(end - *p));

		if (!n)
			return -EBADMSG;
		*p += n;
		if (!is_left_out(o->type))
			return 1;
	}
	return 0;
}

bool rtp_av1_is_key(const uint8_t *tu, size_t len)
{
	const uint8_t *p = tu, *end = tu + len;
	struct rtp_av1_seen seen = { .picture = false };
	struct obu o;

	while (!seen.picture && next_obu(&o, &p, end) == 1)
		see(&seen, &o);
	return seen.sequence && seen.key;
}

/* A part of an OBU that goes into a packet. */
struct piece {
	struct obu obu;
	size_t from, n;
};

/* What is still to be sent of a temporal unit. */
struct source {
	const uint8_t *p, *end;
	struct obu obu;
	size_t done;   /* octets of obu that were sent */
	bool have;     /* obu is valid: there is more */
	bool last;     /* no OBU behind it */
};

static size_t element_bytes(const struct obu *o)
{
	return o->head_bytes + o->len;
}

static int source_advance(struct source *s)
{
	const uint8_t *p;
	struct obu o;
	int more = next_obu(&s->obu, &s->p, s->end);

	if (more < 0)
		return more;
	s->have = more;
	s->done = 0;
	p = s->p;
	more = next_obu(&o, &p, s->end);
	s->last = more == 0;
	return more < 0 ? more : 0;
}

static uint8_t *put_piece(uint8_t *out, const struct piece *p)
{
	size_t from = p->from, n = p->n;

	for (; n && from < p->obu.head_bytes; n--)
		*out++ = p->obu.head[from++];
	if (n)
		memcpy(out, p->obu.payload + (from - p->obu.head_bytes), n);
	return out + n;
}

/* Chooses what goes into the next packet of at most room octets behind its
 * header: up to three pieces, the last without a size. */
static int plan_packet(struct source *s, struct piece piece[COUNT_MAX], size_t room, unsigned *n)
{
	int err = 0;

	for (*n = 0; s->have && !err;) {
		struct piece *p = &piece[(*n)++];
		size_t left = element_bytes(&s->obu) - s->done;
		size_t sized = leb_bytes(left) + left;
		bool fits = s->last ? left <= room : sized < room && *n < COUNT_MAX;

		*p = (struct piece){ s->obu, s->done, left };
		if (!fits) {
			p->n = left < room ? left : room;
			/* not at the end of an OBU when another one follows */
			if (p->n == left && left > 1)
				p->n--;
			s->done += p->n;
			return p->n == left ? source_advance(s) : 0;
		}
		room -= s->last ? left : sized;
		err = source_advance(s);
	}
	return err;
}

static int add_packet(struct rtp_batch *b, const struct piece *piece, unsigned n, uint8_t head)
{
	size_t bytes = 1;
	uint8_t *out;

	for (unsigned i = 0; i < n; i++)
		bytes += piece[i].n + (i + 1 < n ? leb_bytes(piece[i].n) : 0);
	out = rtp_batch_reserve(b, bytes, false);
	if (!out)
		return -ENOSPC;
	*out++ = (uint8_t)(head | n << COUNT_SHIFT);
	for (unsigned i = 0; i < n; i++) {
		if (i + 1 < n)
			out += leb_write(out, piece[i].n);
		out = put_piece(out, &piece[i]);
	}
	return 0;
}

/* All in one packet, each with its size: more OBUs than W can count. */
static int add_whole(struct rtp_batch *b, const uint8_t *au, size_t len, size_t bytes, uint8_t head)
{
	const uint8_t *p = au;
	uint8_t *out = rtp_batch_reserve(b, bytes, true);
	struct obu o;

	if (!out)
		return -ENOSPC;
	*out++ = head;
	while (next_obu(&o, &p, au + len) == 1) {
		struct piece whole = { o, 0, element_bytes(&o) };

		out += leb_write(out, whole.n);
		out = put_piece(out, &whole);
	}
	return 0;
}

int rtp_av1_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload)
{
	struct source s = { .p = au, .end = au + len };
	struct rtp_av1_seen seen = { .picture = false };
	struct piece piece[COUNT_MAX];
	size_t total = 0, count = 0, each;
	uint8_t head;
	int err;

	if (max_payload < RTP_AU_MIN_PAYLOAD || max_payload > RTP_AU_MAX_PAYLOAD)
		return -EINVAL;
	for (err = source_advance(&s); !err && s.have; err = source_advance(&s)) {
		see(&seen, &s.obu);
		total += element_bytes(&s.obu) + leb_bytes(element_bytes(&s.obu));
		count++;
	}
	if (err || !count)
		return -EBADMSG;
	head = seen.sequence && seen.key ? NEW_SEQUENCE : 0;
	if (count > COUNT_MAX && 1 + total <= max_payload)
		return add_whole(b, au, len, 1 + total, head);
	each = rtp_au_each(total, max_payload - 1);
	s.p = au;
	err = source_advance(&s);
	while (!err && s.have) {
		unsigned n;

		err = plan_packet(&s, piece, each, &n);
		if (err)
			break;
		if (s.have && s.done)
			head |= CONTINUED;
		err = add_packet(b, piece, n, head);
		head = head & CONTINUED ? CONTINUES : 0;
	}
	if (!err)
		rtp_batch_mark_last(b);
	return err;
}

int rtp_av1_parse(struct rtp_av1_head *out, const uint8_t *payload, size_t len)
{
	struct rtp_av1_head h;

	if (len < 2)
		return -EBADMSG;
	h = (struct rtp_av1_head){
		.continues = payload[0] & CONTINUES,
		.continued = payload[0] & CONTINUED,
		.new_sequence = payload[0] & NEW_SEQUENCE,
		.count = payload[0] >> COUNT_SHIFT & COUNT_MAX,
	};
	if (h.new_sequence && h.continues)
		return -EBADMSG;
	*out = h;
	return 0;
}

bool rtp_av1_starts_key(const uint8_t *payload, size_t len)
{
	struct rtp_av1_head h;
	size_t pos = 1;
	uint64_t size;

	if (rtp_av1_parse(&h, payload, len) || h.continues)
		return false;
	if (h.new_sequence)
		return true;
	if (h.count != 1)
		pos += leb_read(payload + pos, len - pos, &size);
	return pos < len && (h.count == 1 || (pos > 1 && size)) &&
	       obu_type(payload[pos]) == AV1_OBU_SEQUENCE;
}

void rtp_av1_depay_begin(struct rtp_av1_depay *d, struct buf *au)
{
	*d = (struct rtp_av1_depay){ .au = au };
}

static int open_obu(struct rtp_av1_depay *d)
{
	static const uint8_t gap[SIZE_GAP];

	d->obu_at = d->au->len;
	d->in_obu = true;
	return rtp_au_append(d->au, gap, sizeof(gap));
}

/* The octets behind the gap become an OBU with a size. */
static int close_obu(struct rtp_av1_depay *d)
{
	uint8_t *at = d->au->data + d->obu_at, head[2 + LEB_MAX_BYTES];
	size_t n = d->au->len - d->obu_at - SIZE_GAP, head_bytes;
	struct obu o;

	d->in_obu = false;
	if (!n || obu_read(&o, at + SIZE_GAP, n) != n)
		return -EBADMSG;
	if (is_left_out(o.type)) {
		d->au->len = d->obu_at;
		return 0;
	}
	see(&d->seen, &o);
	head[0] = o.head[0] | HAS_SIZE;
	head[1] = o.head[1];
	head_bytes = o.head_bytes + leb_write(head + o.head_bytes, o.len);
	if (head_bytes > (size_t)(o.payload - at) &&
	    rtp_au_room(d->au) < head_bytes - (size_t)(o.payload - at))
		return -EMSGSIZE;
	if (o.payload != at + head_bytes)
		memmove(at + head_bytes, o.payload, o.len);
	memcpy(at, head, head_bytes);
	d->au->len = d->obu_at + head_bytes + o.len;
	return 0;
}

/* One element; open: it goes on in the next packet. */
static int put_element(struct rtp_av1_depay *d, const uint8_t *p, size_t len, bool open)
{
	int err = d->in_obu ? 0 : open_obu(d);

	if (!err)
		err = rtp_au_append(d->au, p, len);
	if (!err && !open)
		err = close_obu(d);
	return err;
}

int rtp_av1_depay_put(struct rtp_av1_depay *d, const uint8_t *payload, size_t len)
{
	static const uint8_t delimiter[] = { AV1_OBU_DELIMITER << 3 | HAS_SIZE, 0 };
	struct rtp_av1_head h;
	size_t pos = 1;
	int err = rtp_av1_parse(&h, payload, len);

	if (err || h.continues != d->in_obu)
		return -EBADMSG;
	if (!d->au->len)
		err = rtp_au_append(d->au, delimiter, sizeof(delimiter));
	for (unsigned i = 1; !err && (h.count ? i <= h.count : pos < len); i++) {
		uint64_t size = len - pos;
		bool last;

		if (i != h.count) {
			size_t n = leb_read(payload + pos, len - pos, &size);

			pos += n;
			if (!n || size > len - pos)
				return -EBADMSG;
		}
		last = h.count ? i == h.count : pos + size == len;
		err = put_element(d, payload + pos, (size_t)size, last && h.continued);
		pos += (size_t)size;
	}
	return err;
}

int rtp_av1_depay_end(struct rtp_av1_depay *d)
{
	return d->in_obu || !d->au->len ? -EBADMSG : 0;
}
