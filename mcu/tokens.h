/* Everything that is proved with the server's own secret key: sign-ins, PINs of
 * rooms, and the secret with which a participant comes back.
 *
 * A sign-in is "s1.PAYLOAD.MAC": user id, role, generation and expiry, and their
 * HMAC-SHA256 (RFC 2104). The generation is the user's in the registry: who raises
 * that (sign-out, new password, new role) ends all sign-ins before. An invitation
 * is "i1.", a program's token "a1.", and 192 random bits; the registry has the SHA-256.
 *
 * Comparisons take the same time whatever is wrong. Pure but for the key's file
 * and random numbers. Any thread. */
#ifndef MCU_TOKENS_H
#define MCU_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "storage/users.h"

enum {
	TOKEN_KEY_BYTES = 32,
	TOKEN_LEN = 3 + 28 + 1 + 43,	/* "s1.", 21 octets, ".", 32 octets in base64url */
	INVITATION_LEN = 3 + 32,	/* "i1.", 24 octets */
	TOKEN_HASH_LEN = 64,		/* hexadecimal, of an invitation or a PIN */
	RESUME_LEN = 32 + 1 + 12 + 32,	/* random, role, time of issue, MAC */
	WATCH_KEY_LEN = 8 + 32,		/* the hour of its end, MAC; hexadecimal */
};

struct token_key {
	uint8_t bytes[TOKEN_KEY_BYTES];
};

/* Reads the file, or makes it (0600) when there is none. -EPROTO: something else
 * is in it. Blocks: at start only. */
int token_key_load(struct token_key *key, const char *path, struct errmsg *why);

struct token {
	int64_t user_id, expires_ms;
	uint32_t generation;
	enum user_role role;
};

void token_write(char out[TOKEN_LEN + 1], const struct token_key *key, const struct token *t);
/* -EBADMSG: not one of ours; -ETIME: over (*out is filled in). */
int token_read(struct token *out, const struct token_key *key, const char *text, int64_t now_ms);

/* 0 or -EIO (no entropy). */
int invitation_make(char out[INVITATION_LEN + 1]);
bool invitation_valid(const char *text); /* its form */
/* A token of a program (storage/api_tokens.h): as an invitation, and of its length. */
int api_token_make(char out[INVITATION_LEN + 1]);
bool api_token_valid(const char *text);
/* Of either. */
void invitation_hash(char out[TOKEN_HASH_LEN + 1], const char *text);

/* What is kept of a room's PIN. An HMAC: without the key a list of hashes says
 * nothing, and two hundred can be checked in a second. */
void pin_hash(char out[TOKEN_HASH_LEN + 1], const struct token_key *key, const char *room,
	      const char *pin);
/* hash "": none is set, nothing is right. */
bool pin_right(const char *hash, const struct token_key *key, const char *room, const char *pin);

/* The secret of a participant of this room. 0 or -EIO. */
int resume_make(char out[RESUME_LEN + 1], const struct token_key *key, const char *room, bool host,
		int64_t now_ms);
/* Whether we made it, for this room: for a server that has forgotten it. */
bool resume_read(const char *text, const struct token_key *key, const char *room, bool *host,
		 int64_t *made_ms);
/* With which the stream of a room that is not open to all can be asked for, for hours
 * from now on: whole ones, so that many viewers have the same address. scope: the room,
 * and whatever else must be the same still. */
void watch_key_make(char out[WATCH_KEY_LEN + 1], const struct token_key *key, const char *scope,
		    int64_t now_ms, int hours);
bool watch_key_valid(const char *text, const struct token_key *key, const char *scope,
		     int64_t now_ms);
/* In the same time for any two texts of one length. */
bool secret_equal(const char *a, const char *b);

#endif
