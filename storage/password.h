/* Password hashes: Argon2id (RFC 9106), 64 MiB, 3 passes, 1 lane, in the
 * encoded form "$argon2id$…". Takes some 0.2 s and 64 MiB per call: on a
 * worker thread, never on a loop. */
#ifndef MCU_STORAGE_PASSWORD_H
#define MCU_STORAGE_PASSWORD_H

#include <stddef.h>

enum { PASSWORD_HASH_MAX = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 256 };

/* 0, -EINVAL (empty or over PASSWORD_MAX octets), -ENOMEM, -EIO (no entropy). */
int password_hash(char out[PASSWORD_HASH_MAX], const char *password);
/* 0: right; -EACCES: wrong; -EINVAL: not a hash of ours; -ENOMEM. */
int password_check(const char *hash, const char *password);
/* n letters and digits that cannot be taken for each other, about 5.8 bits
 * each; out has n + 1 octets. 0 or -EIO (no entropy). */
int password_random(char *out, size_t n);

#endif
