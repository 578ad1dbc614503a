/* How media.c and media_make.c keep what they load or make. */
#ifndef TESTS_LOAD_MEDIA_STORE_H
#define TESTS_LOAD_MEDIA_STORE_H

#include "tests/load/media.h"

/* Kept until media_free_all under that name. */
struct media *media_store_new(const char *path);
/* Copies p. The result is valid until the next unit is added. */
struct media_unit *media_store_add(struct media *m, const uint8_t *p, size_t len);
/* Decodes every unit of Opus and fills in its level. */
void media_store_levels(struct media *m);

#endif
