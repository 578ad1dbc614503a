#include "mcu/net/datachannel.h"

#include <errno.h>
#include <string.h>

#include "mcu/rtp/bytes.h"

enum {
	MSG_ACK = 2,
	MSG_OPEN = 3,
	OPEN_HEADER = 12,
	UNORDERED = 0x80, /* bit of the channel type */
	TYPE_RELIABLE = 0,
	TYPE_REXMIT = 1,
	TYPE_TIMED = 2,
};

int datachannel_parse_open(struct datachannel_open *out, const uint8_t *p, size_t len)
{
	size_t label, protocol;
	unsigned type;

	if (len < OPEN_HEADER || p[0] != MSG_OPEN)
		return -EBADMSG;
	type = p[1] & ~(unsigned)UNORDERED;
	label = get_be16(p + 8);
	protocol = get_be16(p + 10);
	if (type > TYPE_TIMED || label > DATACHANNEL_LABEL_BYTES ||
	    protocol > DATACHANNEL_LABEL_BYTES || len != OPEN_HEADER + label + protocol)
		return -EBADMSG;
	*out = (struct datachannel_open){
		.ordered = !(p[1] & UNORDERED),
		.reliable = type == TYPE_RELIABLE,
		.priority = get_be16(p + 2),
		.reliability = get_be32(p + 4),
		.label = (const char *)p + OPEN_HEADER,
		.label_len = label,
		.protocol = (const char *)p + OPEN_HEADER + label,
		.protocol_len = protocol,
	};
	return 0;
}

int datachannel_write_open(const struct datachannel_open *o, uint8_t *p, size_t cap)
{
	size_t len = OPEN_HEADER + o->label_len + o->protocol_len;

	if (o->label_len > DATACHANNEL_LABEL_BYTES || o->protocol_len > DATACHANNEL_LABEL_BYTES ||
	    len > cap)
		return -EMSGSIZE;
	p[0] = MSG_OPEN;
	p[1] = (uint8_t)((o->reliable ? TYPE_RELIABLE : TYPE_REXMIT) | (o->ordered ? 0 : UNORDERED));
	put_be16(p + 2, o->priority);
	put_be32(p + 4, o->reliability);
	put_be16(p + 8, (uint16_t)o->label_len);
	put_be16(p + 10, (uint16_t)o->protocol_len);
	if (o->label_len)
		memcpy(p + OPEN_HEADER, o->label, o->label_len);
	if (o->protocol_len)
		memcpy(p + OPEN_HEADER + o->label_len, o->protocol, o->protocol_len);
	return (int)len;
}

size_t datachannel_write_ack(uint8_t p[DATACHANNEL_ACK_BYTES])
{
	p[0] = MSG_ACK;
	return DATACHANNEL_ACK_BYTES;
}

enum datachannel_ppid datachannel_ppid(bool binary, size_t *len)
{
	if (*len)
		return binary ? PPID_BINARY : PPID_STRING;
	*len = 1;
	return binary ? PPID_BINARY_EMPTY : PPID_STRING_EMPTY;
}

bool datachannels_is_open(const struct datachannels *d, uint16_t stream)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->stream[i] == stream)
			return true;
	return false;
}

bool datachannels_closed(struct datachannels *d, uint16_t stream)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->stream[i] == stream) {
			d->stream[i] = d->stream[--d->n];
			return true;
		}
	return false;
}

static enum datachannel_event control(struct datachannels *d, uint16_t stream, const uint8_t *p,
				      size_t len, struct datachannel_open *open)
{
	if (len == DATACHANNEL_ACK_BYTES && p[0] == MSG_ACK)
		return DATACHANNEL_NOTHING; /* of what we have not opened */
	if (datachannels_is_open(d, stream) || datachannel_parse_open(open, p, len))
		return DATACHANNEL_BAD;
	if (d->n == DATACHANNEL_MAX)
		return DATACHANNEL_REFUSE;
	d->stream[d->n++] = stream;
	return DATACHANNEL_OPENED;
}

enum datachannel_event datachannels_input(struct datachannels *d, uint16_t stream, uint32_t ppid,
					  const uint8_t *p, size_t *len,
					  struct datachannel_open *open)
{
	if (stream >= DATACHANNEL_STREAMS)
		return DATACHANNEL_BAD;
	if (ppid == PPID_DCEP)
		return control(d, stream, p, *len, open);
	if (!datachannels_is_open(d, stream))
		return DATACHANNEL_BAD;
	switch (ppid) {
	case PPID_STRING_EMPTY: *len = 0; return DATACHANNEL_TEXT;
	case PPID_BINARY_EMPTY: *len = 0; return DATACHANNEL_BINARY;
	case PPID_STRING: return DATACHANNEL_TEXT;
	case PPID_BINARY: return DATACHANNEL_BINARY;
	default: return DATACHANNEL_BAD;
	}
}
