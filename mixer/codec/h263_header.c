#include "mixer/codec/h263_header.h"

#include <errno.h>

#include "mixer/codec/bitread.h"

/* Source formats 1 … 5 (table 5). */
static const uint16_t sizes[][2] = { { 0, 0 },	   { 128, 96 },	  { 176, 144 },
				     { 352, 288 }, { 704, 576 }, { 1408, 1152 } };

enum { CUSTOM = 6, EXTENDED = 7 };

/* PLUSPTYPE (5.1.4) and, if it says so, the custom format (5.1.5). */
static int parse_extended(struct h263_header *h, struct bitread *r)
{
	unsigned says = bitread_u(r, 3), format = 0, kind;

	if (says > 1)
		return -EBADMSG;
	if (says) {
		format = bitread_u(r, 3);
		bitread_u(r, 11);
		if (bitread_u(r, 4) != 8) /* against start codes */
			return -EBADMSG;
		if (!format || format == EXTENDED)
			return -EBADMSG;
	}
	kind = bitread_u(r, 3);
	bitread_u(r, 3);
	if (bitread_u(r, 3) != 1)
		return -EBADMSG;
	if (kind > 1 && kind != 2) /* 2: improved PB frame */
		return -ENOTSUP;
	if (bitread_u(r, 1))
		bitread_u(r, 2);
	h->key = says && !kind;
	if (format == CUSTOM) {
		bitread_u(r, 4);
		h->width = (bitread_u(r, 9) + 1) * 4;
		if (!bitread_u(r, 1))
			return -EBADMSG;
		h->height = bitread_u(r, 9) * 4;
		return h->height && h->height <= 1152 ? 0 : -EBADMSG;
	}
	h->width = sizes[format][0];
	h->height = sizes[format][1];
	return 0;
}

int h263_header_parse(struct h263_header *out, const uint8_t *picture, size_t len)
{
	struct h263_header h = { 0 };
	struct bitread r = { .data = picture, .len = len };
	unsigned format;
	int err = 0;

	if (bitread_u(&r, 22) != 0x20)
		return -EBADMSG;
	bitread_u(&r, 8);
	if (bitread_u(&r, 2) != 2) /* 1, against start codes; 0, for it is not H.261 */
		return -EBADMSG;
	bitread_u(&r, 3);
	format = bitread_u(&r, 3);
	if (format == EXTENDED) {
		err = parse_extended(&h, &r);
	} else if (!format || format == CUSTOM) {
		err = -EBADMSG;
	} else {
		h.width = sizes[format][0];
		h.height = sizes[format][1];
		h.key = !bitread_u(&r, 1);
	}
	if (!err && r.bad)
		err = -EBADMSG;
	if (!err)
		*out = h;
	return err;
}
