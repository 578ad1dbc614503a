/* What connections were like: one row per participant and interval. Any thread; rules of
 * db.h. */
#ifndef MCU_STORAGE_QUALITY_H
#define MCU_STORAGE_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum {
	QUALITY_BATCH_MAX = 256,
	QUALITY_LIST_MAX = 1000,
	QUALITY_PRUNE_ROWS = 1000, /* with a batch, so that nobody waits long */
};

struct quality_row {
	int64_t id; /* db_new_id() */
	int64_t participant_id;
	int64_t at_ms, interval_ms; /* its end, its length */
	double loss_up, loss_down; /* fractions; up: of what it sends */
	double jitter_up_ms, jitter_down_ms, rtt_ms;
	double kbps_up, kbps_down;
	int height; /* of the picture it receives; 0: none */
	double score;
};

typedef void quality_cb(void *obj, int err);
typedef void quality_list_cb(void *obj, int err, const struct quality_row *rows, size_t n);

/* One transaction; the rows count for their participants' scores as well. Rows of
 * participants who are not in the registry are left out. keep_since_ms: older rows go, the
 * oldest first, QUALITY_PRUNE_ROWS at most; 0: none. n: at most QUALITY_BATCH_MAX, or 0. */
int quality_write(struct db *db, const struct quality_row *rows, size_t n, int64_t keep_since_ms,
		  quality_cb *cb, void *obj);

struct quality_filter {
	int64_t participant_id;
	int64_t from_ms, until_ms; /* their ends; 0: open */
	int64_t after;		   /* ids above this */
	size_t max;		   /* 1 to QUALITY_LIST_MAX */
};

/* The oldest first. */
int quality_list(struct db *db, const struct quality_filter *f, quality_list_cb *cb, void *obj);

#endif
