#include "storage/password.h"

#include <argon2.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

enum { PASSES = 3, MEMORY_KIB = 64 << 10, LANES = 1, SALT_BYTES = 16, HASH_BYTES = 32 };

static int random_bytes(void *p, size_t n)
{
	return getrandom(p, n, 0) == (ssize_t)n ? 0 : -EIO;
}

int password_hash(char out[PASSWORD_HASH_MAX], const char *password)
{
	uint8_t salt[SALT_BYTES];
	size_t n = strlen(password);
	int err;

	if (n < 1 || n > PASSWORD_MAX)
		return -EINVAL;
	err = random_bytes(salt, sizeof(salt));
	if (err)
		return err;
	err = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, n, salt, sizeof(salt),
				    HASH_BYTES, out, PASSWORD_HASH_MAX);
	if (err == ARGON2_MEMORY_ALLOCATION_ERROR)
		return -ENOMEM;
	return err == ARGON2_OK ? 0 : -EIO;
}

int password_check(const char *hash, const char *password)
{
	size_t n = strlen(password);

	if (n < 1 || n > PASSWORD_MAX)
		return -EACCES;
	switch (argon2id_verify(hash, password, n)) {
	case ARGON2_OK:
		return 0;
	case ARGON2_VERIFY_MISMATCH:
		return -EACCES;
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

int password_random(char *out, size_t n)
{
	/* 56 signs without 0 O, 1 l I */
	static const char signs[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const unsigned count = sizeof(signs) - 1;

	for (size_t i = 0; i < n;) {
		uint8_t b;

		if (random_bytes(&b, 1))
			return -EIO;
		if (b < 256 / count * count) /* no sign is likelier than another */
			out[i++] = signs[b % count];
	}
	out[n] = '\0';
	return 0;
}
