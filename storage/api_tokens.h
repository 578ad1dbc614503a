/* Tokens with which programs ask in a user's name: by their hash alone. They go with the
 * user. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_API_TOKENS_H
#define MCU_STORAGE_API_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"
#include "storage/users.h"

enum {
	API_TOKEN_HASH_LEN = 64,
	API_TOKEN_NAME_MAX = 64,
	API_TOKEN_SCOPES_MAX = 256,
	API_TOKEN_LIST_MAX = 1000,
	API_TOKENS_OF_USER = 100,
	API_TOKEN_SEEN_MS = 60000, /* how exactly the last use is known */
};

struct api_token_row {
	int64_t id;
	char hash[API_TOKEN_HASH_LEN + 1];
	char name[API_TOKEN_NAME_MAX + 1];
	char scopes[API_TOKEN_SCOPES_MAX + 1]; /* words, divided by blanks */
	int64_t user_id;
	char user[DB_NAME_MAX + 1]; /* only read */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	int64_t used_ms;    /* last; 0: not yet; only read */
};

/* who: only of api_tokens_use; without password_hash. */
typedef void api_token_cb(void *obj, int err, const struct api_token_row *row,
			  const struct user_row *who);
/* Their hash is "". */
typedef void api_token_list_cb(void *obj, int err, const struct api_token_row *rows, size_t n);

/* err -EUSERS: the user has API_TOKENS_OF_USER; -ENOENT: there is no such user. */
int api_tokens_make(struct db *db, const struct api_token_row *row, api_token_cb *cb, void *obj);
/* Looks one up and notes that it was used. err -ENOENT; -ETIME: its time is over. */
int api_tokens_use(struct db *db, const char *hash, int64_t now_ms, api_token_cb *cb, void *obj);
/* The oldest first, those after this id, at most max (API_TOKEN_LIST_MAX); user_id 0: of all. */
int api_tokens_list(struct db *db, int64_t user_id, int64_t after, size_t max,
		    api_token_list_cb *cb, void *obj);
/* user_id: whose it must be; 0: anybody's. err -ENOENT. */
int api_tokens_revoke(struct db *db, int64_t id, int64_t user_id, api_token_cb *cb, void *obj);

#endif
