/* Rooms in the registry. Any thread; the rules of db.h apply.
 *
 * Every room that ever ran has a row, which its sessions and recordings hang on.
 * Only a registered one has rules that last, an owner and invitations. */
#ifndef MCU_STORAGE_ROOMS_H
#define MCU_STORAGE_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { ROOM_PIN_HASH_LEN = 64, ROOM_NUMBER_LEN = 16 };

/* Who may join, and what they may do there. */
struct room_rules {
	bool members_only, lobby, locked, unmute, stereo;
	int max_participants; /* 0: as configured */
	/* "hosts", "all", "nobody", or "auto": hosts, and by itself; "": as configured */
	char record[8];
	int auto_people; /* from so many participants on, where by itself; 0: as configured */
	char guest_pin[ROOM_PIN_HASH_LEN + 1], host_pin[ROOM_PIN_HASH_LEN + 1]; /* "": none */
};

struct room_row {
	int64_t id;
	char name[DB_NAME_MAX + 1];  /* unique; NFC is the caller's care */
	char title[DB_NAME_MAX + 1];
	const char *settings_json;   /* "{}" when none; borrowed for the callback */
	int64_t created_ms;
	bool registered;
	int64_t owner_id;             /* 0: nobody */
	char owner[DB_NAME_MAX + 1];  /* the owner's name; only read */
	char number[ROOM_NUMBER_LEN + 1]; /* digits that callers enter, unique; "": none */
	struct room_rules rules;
};

typedef void room_cb(void *obj, int err, const struct room_row *row);
typedef void room_list_cb(void *obj, int err, const struct room_row *rows, size_t n);

/* Registers the room or changes title and settings of the one with this name;
 * NULL leaves a column as it is. Replies with the row. */
int rooms_upsert(struct db *db, const char *name, const char *title, const char *settings_json,
		 room_cb *cb, void *obj);
/* Registers it with this title, owner, number and these rules, or changes the one of this
 * name. Replies with the row; -EEXIST: another room has that number. */
int rooms_write(struct db *db, const struct room_row *row, room_cb *cb, void *obj);
/* No longer registered: rules, owner and invitations go; sessions and recordings
 * stay. err -ENOENT: no such registered room. */
int rooms_forget(struct db *db, const char *name, room_cb *cb, void *obj);
/* err -ENOENT: no such room. */
int rooms_find(struct db *db, const char *name, room_cb *cb, void *obj);
/* The registered one of this number; likewise. */
int rooms_find_number(struct db *db, const char *number, room_cb *cb, void *obj);
/* Registered ones by name, those after this one ("": from the first on), at most max;
 * owner_id 0: of anybody. Their settings_json is "". */
int rooms_list(struct db *db, int64_t owner_id, const char *after, size_t max, room_list_cb *cb,
	       void *obj);

#endif
