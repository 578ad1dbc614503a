/* The key with which links to recordings are signed: made at the first start, and anew
 * whenever all links that were given out are to be worth nothing. */
#ifndef MCU_STORAGE_LINK_KEYS_H
#define MCU_STORAGE_LINK_KEYS_H

#include "storage/db.h"

enum { LINK_SECRET_LEN = 64 }; /* hex */

/* Blocks: at start. 0 or -errno. */
int link_key_load(struct db *db, char secret[LINK_SECRET_LEN + 1]);

/* Borrowed. */
typedef void link_key_cb(void *obj, int err, const char *secret);
/* Any thread; rules of db.h. */
int link_key_rotate(struct db *db, link_key_cb *cb, void *obj);

#endif
