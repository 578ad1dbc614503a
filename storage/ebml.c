#include "storage/ebml.h"

#include <string.h>

enum { SIZE_OCTETS = 8, SIZE_MARK = 0x01, VOID_ID = 0xec };

void ebml_put_id(struct mp4_out *o, uint32_t id)
{
	if (id > 0xffffff)
		mp4_put32(o, id);
	else if (id > 0xffff)
		mp4_put24(o, id);
	else if (id > 0xff)
		mp4_put16(o, id);
	else
		mp4_put8(o, id);
}

void ebml_put_size(struct mp4_out *o, uint64_t size)
{
	uint64_t most = ((uint64_t)1 << 56) - 1;

	mp4_put64(o, (uint64_t)SIZE_MARK << 56 | (size < most ? size : most));
}

size_t ebml_begin(struct mp4_out *o, uint32_t id)
{
	ebml_put_id(o, id);
	ebml_put_size(o, EBML_UNKNOWN);
	return o->len;
}

void ebml_end(struct mp4_out *o, size_t begin)
{
	uint64_t size = o->len - begin;

	if (o->failed)
		return;
	mp4_patch32(o, begin - SIZE_OCTETS, (uint32_t)SIZE_MARK << 24 | (uint32_t)(size >> 32));
	mp4_patch32(o, begin - SIZE_OCTETS + 4, (uint32_t)size);
}

void ebml_put_data(struct mp4_out *o, uint32_t id, const void *data, size_t len)
{
	ebml_put_id(o, id);
	ebml_put_size(o, len);
	mp4_put(o, data, len);
}

void ebml_put_text(struct mp4_out *o, uint32_t id, const char *text)
{
	ebml_put_data(o, id, text, strlen(text));
}

void ebml_put_unsigned(struct mp4_out *o, uint32_t id, uint64_t v)
{
	ebml_put_id(o, id);
	ebml_put_size(o, 8);
	mp4_put64(o, v);
}

void ebml_put_signed64(struct mp4_out *o, uint32_t id, int64_t v)
{
	ebml_put_unsigned(o, id, (uint64_t)v);
}

void ebml_put_float(struct mp4_out *o, uint32_t id, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	ebml_put_unsigned(o, id, bits);
}

void ebml_put_void(struct mp4_out *o, size_t octets)
{
	mp4_put8(o, VOID_ID);
	ebml_put_size(o, octets - 9);
	mp4_put_zero(o, octets - 9);
}

/* A number whose first set bit says how many octets it has; mark: with that bit. */
static bool read_number(const uint8_t *p, size_t len, size_t most, bool mark, uint64_t *v,
			size_t *octets)
{
	size_t n = 1;

	if (!len)
		return false;
	while (n <= most && !(p[0] & (0x100u >> n)))
		n++;
	if (n > most || n > len)
		return false;
	*v = mark ? p[0] : p[0] & (0xffu >> n);
	for (size_t i = 1; i < n; i++)
		*v = *v << 8 | p[i];
	*octets = n;
	return true;
}

bool ebml_head(const uint8_t *p, size_t len, uint32_t *id, uint64_t *size, size_t *head)
{
	uint64_t v;
	size_t a, b;

	if (!read_number(p, len, 4, true, &v, &a))
		return false;
	*id = (uint32_t)v;
	if (!read_number(p + a, len - a, 8, false, size, &b))
		return false;
	if (*size == ((uint64_t)1 << 7 * b) - 1)
		*size = EBML_UNKNOWN;
	*head = a + b;
	return true;
}

bool ebml_next(struct mp4_in *in, uint32_t *id, struct mp4_in *body)
{
	uint64_t size;
	size_t head;

	if (!ebml_head(in->p, in->len, id, &size, &head) || size > in->len - head)
		return false;
	*body = (struct mp4_in){ in->p + head, (size_t)size };
	in->p += head + size;
	in->len -= head + (size_t)size;
	return true;
}

uint64_t ebml_unsigned(struct mp4_in body)
{
	uint64_t v = 0;

	for (size_t i = 0; i < body.len && i < 8; i++)
		v = v << 8 | body.p[i];
	return v;
}
