#include "mcu/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { MAC_BYTES = 32, PAYLOAD_BYTES = 21, INVITATION_BYTES = 24, RESUME_ID_BYTES = 16 };

static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int random_bytes(void *p, size_t n)
{
	return getrandom(p, n, 0) == (ssize_t)n ? 0 : -EIO;
}

/* Base64url without padding (RFC 4648 5). out: 4 * n / 3 rounded up, and a zero. */
static void encode(char *out, const uint8_t *in, size_t n)
{
	uint32_t acc = 0;
	int bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc = acc << 8 | in[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = signs[acc >> (bits - 6) & 63];
	}
	if (bits)
		*out++ = signs[acc << (6 - bits) & 63];
	*out = 0;
}

/* n octets of 4 * n / 3 signs exactly (n divisible by 3). */
static bool decode(uint8_t *out, size_t n, const char *in)
{
	uint32_t acc = 0;

	for (size_t i = 0; i < n / 3 * 4; i++) {
		const char *at = in[i] ? strchr(signs, in[i]) : NULL;

		if (!at)
			return false;
		acc = acc << 6 | (uint32_t)(at - signs);
		if (i % 4 == 3) {
			*out++ = (uint8_t)(acc >> 16);
			*out++ = (uint8_t)(acc >> 8);
			*out++ = (uint8_t)acc;
		}
	}
	return true;
}

static void put(uint8_t *to, uint64_t v, size_t n)
{
	while (n--) {
		to[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get(const uint8_t *from, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *from++;
	return v;
}

static void hex(char *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", in[i]);
}

/* Of label, room and text, told apart by the zeros between them: what was made for
 * one purpose or room is worth nothing for another. */
static void mac(uint8_t out[MAC_BYTES], const struct token_key *key, const char *label,
		const char *room, const char *text)
{
	char data[1024];
	unsigned len = MAC_BYTES;
	int n = snprintf(data, sizeof data, "%s%c%s%c%s", label, 0, room, 0, text);

	/* Rooms, PINs and tokens are shorter by far; a cut one still fits nothing else. */
	if (n < 0 || n >= (int)sizeof data)
		n = (int)sizeof data - 1;
	HMAC(EVP_sha256(), key->bytes, TOKEN_KEY_BYTES, (const uint8_t *)data, (size_t)n, out, &len);
	OPENSSL_cleanse(data, sizeof data);
}

bool secret_equal(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && !CRYPTO_memcmp(a, b, n);
}

/* --- the key ----------------------------------------------------------------- */

static int write_key(struct token_key *key, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return -errno;
	err = random_bytes(key->bytes, sizeof key->bytes);
	if (!err && write(fd, key->bytes, sizeof key->bytes) != (ssize_t)sizeof key->bytes)
		err = -EIO;
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	if (err)
		unlink(path);
	return err;
}

int token_key_load(struct token_key *key, const char *path, struct errmsg *why)
{
	char more;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0) {
		err = errno == ENOENT ? write_key(key, path) : -errno;
		return err ? errmsg_set(why, err, "key", "The key %s cannot be read or made: %s.",
					path, err_str(err)) : 0;
	}
	if (read(fd, key->bytes, sizeof key->bytes) != (ssize_t)sizeof key->bytes ||
	    read(fd, &more, 1))
		err = errmsg_set(why, -EPROTO, "key", "%s is not a key of %d octets. Remove it to have "
				 "a new one made; everybody then signs in again, and the PINs of rooms "
				 "must be set again.", path, TOKEN_KEY_BYTES);
	close(fd);
	return err;
}

/* --- sign-ins ---------------------------------------------------------------- */

static void sign(char out[44], const struct token_key *key, const char *payload)
{
	uint8_t m[MAC_BYTES];

	mac(m, key, "sign-in 1", "", payload);
	encode(out, m, sizeof m);
}

void token_write(char out[TOKEN_LEN + 1], const struct token_key *key, const struct token *t)
{
	uint8_t raw[PAYLOAD_BYTES];
	char payload[29], signature[44];

	put(raw, (uint64_t)t->user_id, 8);
	put(raw + 8, (uint64_t)t->role, 1);
	put(raw + 9, t->generation, 4);
	put(raw + 13, (uint64_t)t->expires_ms, 8);
	encode(payload, raw, sizeof raw);
	sign(signature, key, payload);
	snprintf(out, TOKEN_LEN + 1, "s1.%s.%s", payload, signature);
}

int token_read(struct token *out, const struct token_key *key, const char *text, int64_t now_ms)
{
	uint8_t raw[PAYLOAD_BYTES];
	char payload[29], signature[44];

	if (strlen(text) != TOKEN_LEN || strncmp(text, "s1.", 3) || text[31] != '.')
		return -EBADMSG;
	snprintf(payload, sizeof payload, "%.28s", text + 3);
	sign(signature, key, payload);
	if (!secret_equal(signature, text + 32) || !decode(raw, sizeof raw, payload))
		return -EBADMSG;
	*out = (struct token){
		.user_id = (int64_t)get(raw, 8), .role = (enum user_role)raw[8],
		.generation = (uint32_t)get(raw + 9, 4), .expires_ms = (int64_t)get(raw + 13, 8),
	};
	return now_ms < out->expires_ms ? 0 : -ETIME;
}

/* --- invitations ------------------------------------------------------------- */

static int make_random(char out[INVITATION_LEN + 1], const char *kind)
{
	uint8_t raw[INVITATION_BYTES];

	if (random_bytes(raw, sizeof raw))
		return -EIO;
	memcpy(out, kind, 3);
	encode(out + 3, raw, sizeof raw);
	OPENSSL_cleanse(raw, sizeof raw);
	return 0;
}

static bool is_random(const char *text, const char *kind)
{
	return strlen(text) == INVITATION_LEN && !strncmp(text, kind, 3) &&
	       strspn(text + 3, signs) == INVITATION_LEN - 3;
}

int invitation_make(char out[INVITATION_LEN + 1])
{
	return make_random(out, "i1.");
}

bool invitation_valid(const char *text)
{
	return is_random(text, "i1.");
}

int api_token_make(char out[INVITATION_LEN + 1])
{
	return make_random(out, "a1.");
}

bool api_token_valid(const char *text)
{
	return is_random(text, "a1.");
}

void invitation_hash(char out[TOKEN_HASH_LEN + 1], const char *text)
{
	uint8_t digest[MAC_BYTES];

	EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
	hex(out, digest, sizeof digest);
}

/* --- PINs -------------------------------------------------------------------- */

void pin_hash(char out[TOKEN_HASH_LEN + 1], const struct token_key *key, const char *room,
	      const char *pin)
{
	uint8_t m[MAC_BYTES];

	mac(m, key, "pin 1", room, pin);
	hex(out, m, sizeof m);
}

bool pin_right(const char *hash, const struct token_key *key, const char *room, const char *pin)
{
	char own[TOKEN_HASH_LEN + 1];

	pin_hash(own, key, room, pin);
	return hash[0] && secret_equal(own, hash);
}

/* --- coming back ------------------------------------------------------------- */

/* 32 signs of id, "h" or "p", 12 of milliseconds, 32 of MAC. */
static void resume_sign(char *to, const struct token_key *key, const char *room, const char *head)
{
	uint8_t m[MAC_BYTES];

	mac(m, key, "resume 1", room, head);
	hex(to, m, 16);
}

int resume_make(char out[RESUME_LEN + 1], const struct token_key *key, const char *room, bool host,
		int64_t now_ms)
{
	uint8_t id[RESUME_ID_BYTES];
	char head[46];

	if (random_bytes(id, sizeof id))
		return -EIO;
	hex(head, id, sizeof id);
	snprintf(head + 32, sizeof head - 32, "%c%012" PRIx64, host ? 'h' : 'p',
		 (uint64_t)now_ms & 0xffffffffffff);
	snprintf(out, RESUME_LEN + 1, "%s", head);
	resume_sign(out + 45, key, room, head);
	return 0;
}

bool resume_read(const char *text, const struct token_key *key, const char *room, bool *host,
		 int64_t *made_ms)
{
	char head[46], own[33], *end;

	if (strlen(text) != RESUME_LEN)
		return false;
	snprintf(head, sizeof head, "%.45s", text);
	resume_sign(own, key, room, head);
	if (!secret_equal(own, text + 45))
		return false;
	*host = head[32] == 'h';
	*made_ms = (int64_t)strtoull(head + 33, &end, 16);
	return !*end;
}

/* --- watching ------------------------------------------------------------------ */

enum { HOUR_MS = 3600 * 1000 };

static void watch_sign(char out[33], const struct token_key *key, const char *scope,
		       const char *head)
{
	uint8_t m[MAC_BYTES];

	mac(m, key, "watch", scope, head);
	hex(out, m, 16);
}

void watch_key_make(char out[WATCH_KEY_LEN + 1], const struct token_key *key, const char *scope,
		    int64_t now_ms, int hours)
{
	char head[9];

	snprintf(head, sizeof head, "%08x", (unsigned)(now_ms / HOUR_MS + hours + 1));
	memcpy(out, head, 8);
	watch_sign(out + 8, key, scope, head);
}

bool watch_key_valid(const char *text, const struct token_key *key, const char *scope,
		     int64_t now_ms)
{
	char head[9], own[33];

	if (strlen(text) != WATCH_KEY_LEN)
		return false;
	snprintf(head, sizeof head, "%.8s", text);
	watch_sign(own, key, scope, head);
	return secret_equal(own, text + 8) && now_ms / HOUR_MS < (int64_t)strtoul(head, NULL, 16);
}
