/* How long recordings stay, and how much room they may take: rules of the server and
 * of rooms, what follows from them, and the trash. Any thread; rules of db.h.
 *
 * What is too old, or the oldest of what is too much, goes into the trash; what has
 * been there long enough goes for good, and so do its oldest while the server's quota
 * is exceeded by what is listed and what is in the trash together. What is being
 * recorded, and what is marked to be kept, stays. */
#ifndef MCU_STORAGE_RECORDING_KEEP_H
#define MCU_STORAGE_RECORDING_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/recordings.h"

/* Of the server; 0: no limit. */
struct keep_policy {
	int64_t now_ms;
	int keep_days, trash_days; /* trash_days 0: it is emptied at once */
	int64_t quota_bytes, room_quota_bytes, user_quota_bytes;
	bool hold; /* for good goes only what somebody asked for, or an earlier plan said */
};

/* Nothing goes for good for an hour after a start and after the clock was set: a disk or a
 * clock that is not what it was would be found out too late. Zeros: just started. */
struct keep_hold {
	int64_t monotonic_ms, wall_ms; /* of the last look */
	int64_t until_ms;	       /* monotonic */
	bool looked;
};
enum { KEEP_HOLD_MS = 3600 * 1000, KEEP_JUMP_MS = 5 * 60 * 1000 };

/* Whether it holds now, by both clocks. */
bool keep_hold_look(struct keep_hold *h, int64_t monotonic_ms, int64_t wall_ms);

enum keep_why {
	KEEP_AGE = 1,	 /* older than keep_days */
	KEEP_ROOM_QUOTA,
	KEEP_USER_QUOTA, /* of whoever started it */
	KEEP_QUOTA,
	KEEP_TRASH_AGE,	  /* from here on: goes for good */
	KEEP_TRASH_QUOTA, /* the server's */
};
enum { KEEP_ITEMS_MAX = 1000 };

struct keep_item {
	int64_t id, started_ms, bytes;
	enum keep_why why;
	char path[RECORDING_PATH_MAX + 1]; /* of what goes for good */
	char room[DB_NAME_MAX + 1], title[DB_NAME_MAX + 1];
};

struct keep_plan {
	const struct keep_item *items; /* the first KEEP_ITEMS_MAX of them */
	size_t n;
	size_t all;	     /* so many there are */
	int64_t trash_bytes; /* that go into the trash, of all */
	int64_t purge_bytes; /* that go for good, of all */
	int64_t listed_bytes, in_trash_bytes; /* what there is before */
};

const char *keep_why_name(enum keep_why w); /* "age", "room_quota", … */

typedef void keep_plan_cb(void *obj, int err, const struct keep_plan *plan);
/* dry: only tells. Otherwise what goes into the trash is there then (at most
 * KEEP_ITEMS_MAX at once), and what goes for good cannot be restored any more and is to
 * be removed by the caller: the files, then recordings_forget(). Tracks come before what they belong to. */
int recordings_keep(struct db *db, const struct keep_policy *policy, bool dry, keep_plan_cb *cb,
		    void *obj);

/* What a room says itself. */
struct recording_rules {
	int64_t keep_days, quota_bytes; /* -1: as configured; 0: no limit */
	char viewers[16];		/* "hosts", "participants"; "": as configured */
};
typedef void recording_rules_cb(void *obj, int err, const struct recording_rules *rules);
/* err -ENOENT: no room of this name. */
int recording_rules_get(struct db *db, const char *room, recording_rules_cb *cb, void *obj);
int recording_rules_set(struct db *db, const char *room, const struct recording_rules *rules,
			recording_rules_cb *cb, void *obj);

#endif
