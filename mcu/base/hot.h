/* Memory of what many legs have each and a packet touches: cut from large pages, so
 * that a walk over a thousand legs does not miss the TLB at each of them. Any thread;
 * a leaf-level lock: for what lives as long as a leg, not for packets. Under a
 * sanitizer it is malloc's. */
#ifndef MCU_BASE_HOT_H
#define MCU_BASE_HOT_H

#include <stddef.h>

enum { HOT_LINE = 64 };

/* Zeroed, at a multiple of HOT_LINE; NULL: no memory. */
void *hot_calloc(size_t bytes);
/* bytes: what it was asked for with; p may be NULL. Kept for others of that size. */
void hot_free(void *p, size_t bytes);

#endif
