/* Users in the registry. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_USERS_H
#define MCU_STORAGE_USERS_H

#include <stdint.h>

#include "storage/db.h"
#include "storage/password.h"

enum user_role { USER_NONE, USER_PARTICIPANT, USER_HOST, USER_ADMIN };

struct user_row {
	int64_t id;
	char name[DB_NAME_MAX + 1]; /* unique */
	char password_hash[PASSWORD_HASH_MAX]; /* for password_check() on a worker */
	enum user_role role;
	int64_t created_ms;
};

enum { FIRST_ADMIN_PASSWORD_LEN = 20 };

const char *user_role_name(enum user_role r); /* never NULL */

typedef void user_cb(void *obj, int err, const struct user_row *row);

/* hash: from password_hash(). err -EEXIST: the name is taken. */
int users_create(struct db *db, const char *name, const char *hash, enum user_role role,
		 user_cb *cb, void *obj);
int users_find(struct db *db, const char *name, user_cb *cb, void *obj);

/* When there is no user yet: creates "admin" with a random password, which is
 * written to password_out for printing it once. 1: created, 0: there are users
 * (password_out is ""), or an error with *why. Blocks (about 0.2 s of hashing):
 * at start, before the loop. */
int users_first_admin(struct db *db, char password_out[FIRST_ADMIN_PASSWORD_LEN + 1],
		      struct errmsg *why);

#endif
