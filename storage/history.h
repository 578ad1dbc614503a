/* What sessions.h has written, read: when rooms ran, and who was in them. Any thread; rules
 * of db.h. */
#ifndef MCU_STORAGE_HISTORY_H
#define MCU_STORAGE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { HISTORY_LIST_MAX = 1000, HISTORY_REASON_MAX = 32 };

struct session_row {
	int64_t id;
	char room[DB_NAME_MAX + 1];
	int64_t started_ms, ended_ms; /* 0: it runs */
	char reason[HISTORY_REASON_MAX];
	int64_t participants; /* who ever was in it */
};

struct participant_row {
	int64_t id, session_id;
	uint32_t leg;
	char name[DB_NAME_MAX + 1], user[DB_NAME_MAX + 1]; /* "": a guest */
	bool host;
	int64_t joined_ms, left_ms; /* 0: still there */
	char reason[HISTORY_REASON_MAX];
	double score, worst; /* mean and lowest of its intervals; 0: nothing is known */
};

struct history_filter {
	const char *room;	   /* NULL: all; of sessions */
	int64_t id;		   /* only this one; 0: any; of participants: the session's */
	int64_t from_ms, until_ms; /* began; 0: open; of sessions */
	int64_t cursor; /* ids below this of sessions, above it of participants; 0: all */
	size_t max;	/* 1 to HISTORY_LIST_MAX */
};

typedef void session_list_cb(void *obj, int err, const struct session_row *rows, size_t n);
typedef void participant_list_cb(void *obj, int err, const struct participant_row *rows, size_t n);

/* The newest first. */
int sessions_list(struct db *db, const struct history_filter *f, session_list_cb *cb, void *obj);
/* In order of joining. */
int participants_list(struct db *db, const struct history_filter *f, participant_list_cb *cb,
		      void *obj);
/* The room that a participant was in: one session row of it, or none. */
int sessions_of_participant(struct db *db, int64_t participant_id, session_list_cb *cb, void *obj);

#endif
