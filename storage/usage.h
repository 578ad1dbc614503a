/* How much rooms were used, per day and per room: computed from sessions and participants,
 * in steps between which the database's thread does other things. Any thread; rules of
 * db.h. */
#ifndef MCU_STORAGE_USAGE_H
#define MCU_STORAGE_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum {
	USAGE_DAYS_MAX = 400,
	USAGE_ROOMS_MAX = 1000, /* the most used ones */
	USAGE_STEP_ROWS = 10000,
	USAGE_STAY_DAYS = 7, /* who came so long before is looked for among the sessions that */
	USAGE_SESSION_DAYS = 365, /* were running then; those are not longer than this */
};

struct usage_sum {
	int64_t sessions;     /* that began */
	int64_t participants; /* who joined */
	int64_t peak;	      /* at the same time */
	double minutes;	      /* of all of them */
	double score;	      /* mean of the intervals of those who joined; 0: nothing is known */
	int64_t poor;	      /* of those, whose connection was below 3 at some time */
};

struct usage_room {
	char name[DB_NAME_MAX + 1];
	struct usage_sum sum;
};

struct usage {
	size_t n_days, n_rooms;
	struct usage_sum *days, total;
	struct usage_room *rooms; /* by minutes */
};

typedef void usage_cb(void *obj, int err, const struct usage *u);

/* bounds: n_days + 1 ascending times, the beginnings of the days and the end of the last one.
 * room NULL: all. now_ms: until when those who are still there have been there. */
int usage_read(struct db *db, const char *room, const int64_t *bounds, size_t n_days,
	       int64_t now_ms, usage_cb *cb, void *obj);

#endif
