/* Call records: one row per call, written when it begins, when it is answered and
 * when it ends. Rows that are too old or too many go as others end. Any thread; rules of
 * db.h. */
#ifndef MCU_STORAGE_CALLS_H
#define MCU_STORAGE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { CALL_LIST_MAX = 1000, CALL_TEXT_MAX = 256 };

struct call_row {
	int64_t id;
	int64_t session_id; /* read only: of the room, at that time; 0: none */
	bool out;	    /* we called */
	char room[DB_NAME_MAX + 1], uri[CALL_TEXT_MAX + 1], number[CALL_TEXT_MAX + 1];
	char user[DB_NAME_MAX + 1], trunk[CALL_TEXT_MAX + 1]; /* "": none, as everywhere */
	int64_t started_ms, answered_ms, ended_ms;
	char audio[16], video[16]; /* codecs */
	int64_t packets_in, packets_out, lost_in, lost_out;
	double jitter_ms, rtt_ms;
	double mos, score; /* 0: unknown */
	char end[32];	   /* sip_end_name, or "interrupted" */
	int sip_status;
	char reason[CALL_TEXT_MAX + 1];
};

typedef void call_list_cb(void *obj, int err, const struct call_row *rows, size_t n);

/* What goes when a call ends. Counting rows takes time: not to be asked for at each. */
struct call_keep {
	int64_t since_ms; /* rows that began earlier; 0: none */
	int64_t rows;	  /* the oldest of more than these, some thousands at once; 0: none */
};

/* Inserts the row or writes it anew. keep: NULL: no other row goes. Fire and forget. */
int calls_write(struct db *db, const struct call_row *row, const struct call_keep *keep);

struct call_filter {
	const char *room;   /* NULL: all */
	const char *number; /* part of number or address; NULL: any */
	int64_t from_ms, until_ms; /* began; 0: open */
	int64_t before;		   /* ids below this; 0: from the newest on */
	size_t max;		   /* at most CALL_LIST_MAX */
};

/* The newest first. -EINVAL: max is 0, a text is too long. */
int calls_list(struct db *db, const struct call_filter *f, call_list_cb *cb, void *obj);

#endif
