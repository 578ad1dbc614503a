/* Elements of EBML (RFC 8794), written to a growing buffer and read from a span. Pure. */
#ifndef MCU_STORAGE_EBML_H
#define MCU_STORAGE_EBML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_box.h"

/* Of the size of an element that is not known yet. */
#define EBML_UNKNOWN UINT64_MAX

/* Starts an element whose size is written in eight octets; end it with the value
 * returned. */
size_t ebml_begin(struct mp4_out *o, uint32_t id);
void ebml_end(struct mp4_out *o, size_t begin);
void ebml_put_unsigned(struct mp4_out *o, uint32_t id, uint64_t v);
void ebml_put_signed64(struct mp4_out *o, uint32_t id, int64_t v);
void ebml_put_float(struct mp4_out *o, uint32_t id, double v);
void ebml_put_data(struct mp4_out *o, uint32_t id, const void *data, size_t len);
void ebml_put_text(struct mp4_out *o, uint32_t id, const char *text);
void ebml_put_id(struct mp4_out *o, uint32_t id);
/* In eight octets. */
void ebml_put_size(struct mp4_out *o, uint64_t size);
/* Of so many octets in all, at least 9. */
void ebml_put_void(struct mp4_out *o, size_t octets);

/* The head of the next element. False: the span ends within it, or it is none. size:
 * EBML_UNKNOWN where it says so. */
bool ebml_head(const uint8_t *p, size_t len, uint32_t *id, uint64_t *size, size_t *head);
/* Takes a whole element off the span. False: there is no more, or it is damaged. */
bool ebml_next(struct mp4_in *in, uint32_t *id, struct mp4_in *body);
uint64_t ebml_unsigned(struct mp4_in body);

#endif
