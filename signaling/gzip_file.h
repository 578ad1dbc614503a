/* Compressed copies of the page's text files (RFC 1952), made on first demand and
 * kept while the file does not change. A copy is immutable; whoever has a GBytes
 * has a reference. */
#ifndef MCU_SIGNALING_GZIP_FILE_H
#define MCU_SIGNALING_GZIP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "mcu/base/role.h"

enum {
	GZIP_MIN_BYTES = 512,	  /* below, the header fields weigh as much as what is saved */
	GZIP_MAX_BYTES = 1 << 20, /* above, a file is read piece by piece as it is */
	GZIP_MAX_COPIES = 256,
	GZIP_TAG_BYTES = 64,
};

/* Whether a file of this media type and size becomes smaller. */
bool gzip_file_pays(const char *mime_type, uint64_t size);
/* The compressed content of an open file; NULL: it cannot be read, or out of
 * memory. May block: on a reader thread. */
GBytes *gzip_file_read(int fd, uint64_t size);

/* Owner: struct server. */
struct gzip_copies;
struct gzip_copies *gzip_copies_new(void) ON_THREAD(ROLE_CTL);
void gzip_copies_free(struct gzip_copies **c) ON_THREAD(ROLE_CTL);
/* The copy that was kept, with the tag of the file that it was made of; NULL: none.
 * The caller's reference. */
GBytes *gzip_copies_get(struct gzip_copies *c, const char *path, char tag[GZIP_TAG_BYTES])
	ON_THREAD(ROLE_CTL);
/* References bytes. When there are too many, all others are let go. */
void gzip_copies_put(struct gzip_copies *c, const char *path, const char *tag, GBytes *bytes)
	ON_THREAD(ROLE_CTL);

#endif
