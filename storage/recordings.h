/* Recordings in the registry. Ids come from db_new_id(), paths from
 * repository_path(), tokens from recording_token(). Any thread; rules of db.h. */
#ifndef MCU_STORAGE_RECORDINGS_H
#define MCU_STORAGE_RECORDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum recording_state {
	RECORDING_NONE,
	RECORDING_RECORDING,
	RECORDING_FINISHING,
	RECORDING_READY,
	RECORDING_INTERRUPTED, /* the process died; the file was repaired and plays */
	RECORDING_FAILED,      /* the reason is in error */
};

enum { RECORDING_PATH_MAX = 191, RECORDING_TOKEN_LEN = 32, RECORDING_LIST_MAX = 200 };

struct recording_row {
	int64_t id;
	int64_t session_id;                    /* 0: unknown */
	int64_t room_id;                       /* 0: unknown; filled by queries */
	char room[DB_NAME_MAX + 1];            /* name */
	char path[RECORDING_PATH_MAX + 1];     /* relative to the data folder */
	enum recording_state state;
	int64_t started_ms, ended_ms, duration_ms, bytes;
	int width, height;
	char by[DB_NAME_MAX + 1];              /* who started it */
	char token[RECORDING_TOKEN_LEN + 1];   /* the link's secret, hex */
	char error[DB_NAME_MAX + 1];           /* a sentence, when failed */
};

/* What changes at the end; 0, "" leave a column as it is (state NONE too). */
struct recording_change {
	enum recording_state state;
	int64_t ended_ms, duration_ms, bytes;
	const char *error; /* may be NULL */
};

/* "recording", "finishing", … as in the database and the API. Never NULL. */
const char *recording_state_name(enum recording_state s);
/* 128 random bits in hex. 0 or -EIO (no entropy). */
int recording_token(char out[RECORDING_TOKEN_LEN + 1]);

typedef void recording_cb(void *obj, int err, const struct recording_row *row);
typedef void recording_list_cb(void *obj, int err, const struct recording_row *rows, size_t n);

/* The room is found by row->room (created when unknown); row->room_id is
 * ignored. */
int recordings_create(struct db *db, const struct recording_row *row, recording_cb *cb, void *obj);
/* Replies with the row as it is then. */
int recordings_update(struct db *db, int64_t id, const struct recording_change *c,
		      recording_cb *cb, void *obj);
/* Newest first. room NULL: of all; before_id 0: from the newest; limit 1…LIST_MAX. */
int recordings_list(struct db *db, const char *room, int64_t before_id, size_t limit,
		    recording_list_cb *cb, void *obj);
/* By id and the link's token; a wrong token is -ENOENT. token NULL: an
 * authorised caller. */
int recordings_get(struct db *db, int64_t id, const char *token, recording_cb *cb, void *obj);

#endif
