/* Invitations to registered rooms. The token itself is not kept, only its SHA-256
 * in hexadecimal. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_INVITATIONS_H
#define MCU_STORAGE_INVITATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { INVITATION_LIST_MAX = 1000, INVITATION_HASH_LEN = 64 };

struct invitation_row {
	int64_t id;
	char hash[INVITATION_HASH_LEN + 1];
	char room[DB_NAME_MAX + 1];
	bool host; /* the role it gives */
	int64_t created_ms, expires_ms;
	int64_t uses_left; /* -1: any number */
	int64_t made_by;   /* user; 0: gone */
	char maker[DB_NAME_MAX + 1]; /* only read */
};

typedef void invitation_cb(void *obj, int err, const struct invitation_row *row);
typedef void invitation_list_cb(void *obj, int err, const struct invitation_row *rows, size_t n);

/* err -ENOENT: no such registered room; -EUSERS: it has INVITATION_LIST_MAX already.
 * Those that are over for a week are thrown away on the way. */
int invitations_make(struct db *db, const struct invitation_row *row, invitation_cb *cb,
		     void *obj);
/* Uses it once. err -ENOENT: there is none like this for the room, or it is used up;
 * -ETIME: its time is over. */
int invitations_use(struct db *db, const char *hash, const char *room, int64_t now_ms,
		    invitation_cb *cb, void *obj);
/* It was of no use after all. */
int invitations_give_back(struct db *db, int64_t id);
int invitations_list(struct db *db, const char *room, invitation_list_cb *cb, void *obj);
/* err -ENOENT. */
int invitations_delete(struct db *db, const char *room, int64_t id, invitation_cb *cb, void *obj);

#endif
