#include "storage/mp4_box.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void mp4_out_free(struct mp4_out *o)
{
	free(o->p);
	*o = (struct mp4_out){ 0 };
}

static uint8_t *grow(struct mp4_out *o, size_t len)
{
	if (o->failed)
		return NULL;
	if (o->cap - o->len < len) {
		size_t cap = o->cap ? o->cap : 1024;

		while (cap - o->len < len)
			cap *= 2;
		uint8_t *p = realloc(o->p, cap);

		if (!p) {
			o->failed = true;
			return NULL;
		}
		o->p = p;
		o->cap = cap;
	}
	o->len += len;
	return o->p + o->len - len;
}

void mp4_put(struct mp4_out *o, const void *p, size_t len)
{
	uint8_t *to = grow(o, len);

	if (to && len)
		memcpy(to, p, len);
}

void mp4_put_zero(struct mp4_out *o, size_t len)
{
	uint8_t *to = grow(o, len);

	if (to && len)
		memset(to, 0, len);
}

static void put_be(struct mp4_out *o, uint64_t v, unsigned octets)
{
	uint8_t *to = grow(o, octets);

	for (unsigned i = 0; to && i < octets; i++)
		to[i] = (uint8_t)(v >> 8 * (octets - 1 - i));
}

void mp4_put8(struct mp4_out *o, unsigned v)
{
	put_be(o, v, 1);
}

void mp4_put16(struct mp4_out *o, unsigned v)
{
	put_be(o, v, 2);
}

void mp4_put24(struct mp4_out *o, uint32_t v)
{
	put_be(o, v, 3);
}

void mp4_put32(struct mp4_out *o, uint32_t v)
{
	put_be(o, v, 4);
}

void mp4_put64(struct mp4_out *o, uint64_t v)
{
	put_be(o, v, 8);
}

size_t mp4_begin(struct mp4_out *o, uint32_t type)
{
	size_t at = o->len;

	mp4_put32(o, 0);
	mp4_put32(o, type);
	return at;
}

size_t mp4_begin_full(struct mp4_out *o, uint32_t type, unsigned version, uint32_t flags)
{
	size_t at = mp4_begin(o, type);

	mp4_put8(o, version);
	mp4_put24(o, flags);
	return at;
}

void mp4_end(struct mp4_out *o, size_t begin)
{
	mp4_patch32(o, begin, (uint32_t)(o->len - begin));
}

void mp4_patch32(struct mp4_out *o, size_t at, uint32_t v)
{
	if (o->failed)
		return;
	for (unsigned i = 0; i < 4; i++)
		o->p[at + i] = (uint8_t)(v >> 8 * (3 - i));
}

uint16_t mp4_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t mp4_get32(const uint8_t *p)
{
	return MP4_TYPE(p[0], p[1], p[2], p[3]);
}

uint64_t mp4_get64(const uint8_t *p)
{
	return (uint64_t)mp4_get32(p) << 32 | mp4_get32(p + 4);
}

int mp4_header_read(struct mp4_header *out, const uint8_t *p, size_t have, uint64_t rest)
{
	if (rest < have)
		have = (size_t)rest;
	if (have < 8)
		return -ENODATA;
	out->size = mp4_get32(p);
	out->type = mp4_get32(p + 4);
	out->header = 8;
	if (out->size == 1) {
		if (have < 16)
			return -ENODATA;
		out->size = mp4_get64(p + 8);
		out->header = 16;
	} else if (out->size == 0) {
		out->size = rest;
	}
	if (out->size < out->header)
		return -EBADMSG;
	return out->size <= rest ? 0 : -ENODATA;
}

int mp4_next(struct mp4_in *in, uint32_t *type, struct mp4_in *body)
{
	struct mp4_header h;

	if (in->len == 0)
		return 0;
	if (mp4_header_read(&h, in->p, in->len, in->len))
		return -EBADMSG;
	*type = h.type;
	*body = (struct mp4_in){ in->p + h.header, (size_t)h.size - h.header };
	in->p += h.size;
	in->len -= (size_t)h.size;
	return 1;
}

bool mp4_child(struct mp4_in in, uint32_t type, struct mp4_in *body)
{
	uint32_t t;

	while (mp4_next(&in, &t, body) > 0)
		if (t == type)
			return true;
	return false;
}

bool mp4_take(struct mp4_in *in, size_t len, const uint8_t **p)
{
	if (in->len < len)
		return false;
	*p = in->p;
	in->p += len;
	in->len -= len;
	return true;
}

bool mp4_take32(struct mp4_in *in, uint32_t *v)
{
	const uint8_t *p;

	if (!mp4_take(in, 4, &p))
		return false;
	*v = mp4_get32(p);
	return true;
}

bool mp4_take64(struct mp4_in *in, uint64_t *v)
{
	const uint8_t *p;

	if (!mp4_take(in, 8, &p))
		return false;
	*v = mp4_get64(p);
	return true;
}

bool mp4_take_full(struct mp4_in *in, unsigned *version, uint32_t *flags)
{
	uint32_t v;

	if (!mp4_take32(in, &v))
		return false;
	*version = v >> 24;
	*flags = v & 0xffffff;
	return true;
}
