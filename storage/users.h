/* Users in the registry. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_USERS_H
#define MCU_STORAGE_USERS_H

#include <stdbool.h>
#include <stddef.h>
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
	char display_name[DB_NAME_MAX + 1]; /* "": the name */
	uint32_t generation; /* of sign-ins that hold; grows with password, role and sign-out */
};

enum { FIRST_ADMIN_PASSWORD_LEN = 20 };

const char *user_role_name(enum user_role r); /* never NULL */
enum user_role user_role_parse(const char *name); /* USER_NONE: no such role */

typedef void user_cb(void *obj, int err, const struct user_row *row);
/* Their password_hash is "". */
typedef void user_list_cb(void *obj, int err, const struct user_row *rows, size_t n);

/* What is to change; NULL and USER_NONE leave it. */
struct user_change {
	const char *hash, *display_name;
	enum user_role role;
	bool sign_out; /* everywhere */
};

/* hash: from password_hash(). err -EEXIST: the name is taken. */
int users_create(struct db *db, const char *name, const char *hash, enum user_role role,
		 user_cb *cb, void *obj);
int users_find(struct db *db, const char *name, user_cb *cb, void *obj);
int users_get(struct db *db, int64_t id, user_cb *cb, void *obj);
/* Replies with the changed row. A new password or role, and sign_out, raise the
 * generation. err -ENOENT; -EPERM: nobody would be left who is administrator. */
int users_change(struct db *db, const char *name, const struct user_change *change, user_cb *cb,
		 void *obj);
/* err -ENOENT; -EPERM as above. Rooms of theirs stay, without an owner. */
int users_delete(struct db *db, const char *name, user_cb *cb, void *obj);
/* By name, those after this one ("": from the first on), at most max. */
int users_list(struct db *db, const char *after, size_t max, user_list_cb *cb, void *obj);

/* When there is no user yet: creates "admin" with a random password, which is
 * written to password_out for printing it once. 1: created, 0: there are users
 * (password_out is ""), or an error with *why. Blocks (about 0.2 s of hashing):
 * at start, before the loop. */
int users_first_admin(struct db *db, char password_out[FIRST_ADMIN_PASSWORD_LEN + 1],
		      struct errmsg *why);

#endif
