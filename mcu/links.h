/* Signed links to recordings. What opens one is the secret in its address, EXPIRES.MAC,
 * which holds until a time: the HMAC-SHA256 (RFC 2104), under the key of all links, of
 * the recording's id, that time and the token of its row, which itself opens nothing. So
 * the links of one recording end with its token, and all with the key. Pure. Any
 * thread. */
#ifndef MCU_LINKS_H
#define MCU_LINKS_H

#include <stdint.h>

#include "storage/link_keys.h"
#include "storage/recordings.h"

enum { LINK_LEN = 20 + 1 + 64 };

/* Until expires_ms, in seconds rounded up. */
void link_write(char out[LINK_LEN + 1], const char key[LINK_SECRET_LEN + 1],
		const struct recording_row *row, int64_t expires_ms);
/* 0; -ETIME: it was right until then; -EBADMSG: it is none. Takes the same time whatever
 * is wrong with the secret. */
int link_check(const char *text, const char key[LINK_SECRET_LEN + 1],
	       const struct recording_row *row, int64_t now_ms);

#endif
