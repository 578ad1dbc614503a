/* Building and reading the boxes of ISO/IEC 14496-12. Writing: a growing byte
 * buffer; after a failed allocation everything is ignored and ->failed is set.
 * Reading: every length is checked against the span it is in. Pure; owner: the
 * caller; one thread. */
#ifndef MCU_STORAGE_MP4_BOX_H
#define MCU_STORAGE_MP4_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MP4_TYPE(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct mp4_out {
	uint8_t *p;
	size_t len, cap;
	bool failed;
};

void mp4_out_free(struct mp4_out *o);
void mp4_put(struct mp4_out *o, const void *p, size_t len);
void mp4_put_zero(struct mp4_out *o, size_t len);
void mp4_put8(struct mp4_out *o, unsigned v);
void mp4_put16(struct mp4_out *o, unsigned v);
void mp4_put24(struct mp4_out *o, uint32_t v);
void mp4_put32(struct mp4_out *o, uint32_t v);
void mp4_put64(struct mp4_out *o, uint64_t v);
/* Starts a box; end it with the value returned. */
size_t mp4_begin(struct mp4_out *o, uint32_t type);
size_t mp4_begin_full(struct mp4_out *o, uint32_t type, unsigned version, uint32_t flags);
void mp4_end(struct mp4_out *o, size_t begin);
/* Overwrites four octets written before. */
void mp4_patch32(struct mp4_out *o, size_t at, uint32_t v);

uint16_t mp4_get16(const uint8_t *p);
uint32_t mp4_get32(const uint8_t *p);
uint64_t mp4_get64(const uint8_t *p);

/* A span of octets that is read from the front. */
struct mp4_in {
	const uint8_t *p;
	size_t len;
};

/* The header of a box: size of all, of the header, and the type. rest: how many
 * octets there are from its first one on. 0; -ENODATA: rest ends inside the
 * header or the box; -EBADMSG: a size that cannot be. size 0 means "rest". */
struct mp4_header {
	uint64_t size;
	unsigned header;
	uint32_t type;
};
int mp4_header_read(struct mp4_header *out, const uint8_t *p, size_t have, uint64_t rest);

/* Takes the next box off *in. 1: *type and *body are set; 0: the end; -EBADMSG. */
int mp4_next(struct mp4_in *in, uint32_t *type, struct mp4_in *body);
/* First child of this type. False: there is none, or the span is damaged. */
bool mp4_child(struct mp4_in in, uint32_t type, struct mp4_in *body);
/* These take from the front and return false when the span is too short. */
bool mp4_take(struct mp4_in *in, size_t len, const uint8_t **p);
bool mp4_take32(struct mp4_in *in, uint32_t *v);
bool mp4_take64(struct mp4_in *in, uint64_t *v);
bool mp4_take_full(struct mp4_in *in, unsigned *version, uint32_t *flags);

#endif
