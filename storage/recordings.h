/* Recordings in the registry: one row for each file. Ids come from db_new_id(),
 * paths from repository_path(), tokens from recording_token(). Who looks for one
 * uses recording_search.h. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_RECORDINGS_H
#define MCU_STORAGE_RECORDINGS_H

#include <stdbool.h>
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

enum recording_kind {
	RECORDING_COMPOSED, /* picture and sound of the room */
	RECORDING_TRACK,    /* of one leg; parent_id is the recording it belongs to */
	RECORDING_AUDIO,    /* sound of the room */
};

enum recording_format { RECORDING_MP4, RECORDING_MKV };

/* What is made of the file when it has ended (fast index, pictures, …). */
enum recording_finish {
	RECORDING_FINISH_NONE,
	RECORDING_FINISH_QUEUED,
	RECORDING_FINISH_DONE,
	RECORDING_FINISH_FAILED,
};

/* What lies beside the file: repository_part_path(). Bits of parts. */
enum recording_part {
	RECORDING_THUMBNAIL = 1 << 0, /* a JPEG */
	RECORDING_SHEET = 1 << 1,     /* contact sheet: a JPEG of small pictures */
	RECORDING_SCRUB = 1 << 2,     /* WebVTT: times → "sheet.jpg#xywh=0,90,160,90" */
	RECORDING_CHAPTERS = 1 << 3,  /* WebVTT */
};

/* deleted_ms of what is to go at once. */
enum { RECORDING_PURGED_MS = 1 };

enum {
	RECORDING_PATH_MAX = 191,
	RECORDING_TOKEN_LEN = 32,
	RECORDING_LIST_MAX = 200,
	RECORDING_TAGS_MAX = 511,    /* octets of all, with a line feed between two */
	RECORDING_PEOPLE_MAX = 1023, /* likewise; more are left out */
	RECORDING_CODEC_MAX = 15,
	RECORDING_SHA256_LEN = 64,
};

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
	enum recording_kind kind;
	enum recording_format format;
	char video_codec[RECORDING_CODEC_MAX + 1], audio_codec[RECORDING_CODEC_MAX + 1];
	int64_t parent_id;                     /* of a track; 0: none */
	int64_t leg;                           /* of a track */
	int64_t user_id;                       /* account of who started it; 0: none */
	char title[DB_NAME_MAX + 1];           /* "": none was given */
	char tags[RECORDING_TAGS_MAX + 1];     /* one a line */
	char people[RECORDING_PEOPLE_MAX + 1]; /* who took part, a name a line; only read */
	char sha256[RECORDING_SHA256_LEN + 1]; /* of the file, hex; "": unknown */
	unsigned parts;                        /* enum recording_part that are there */
	enum recording_finish finish;
	int finish_tries;
	bool keep;                             /* retention and quotas pass it over */
	int64_t deleted_ms;                    /* since when it is in the trash; 0: it is not */
	char deleted_by[DB_NAME_MAX + 1];
};

/* What changes at the end, and what finishing finds out; 0, "" and NULL leave a
 * column as it is (state NONE, finish NONE too). */
struct recording_change {
	enum recording_state state;
	int64_t ended_ms, duration_ms, bytes;
	const char *error;  /* may be NULL */
	const char *sha256; /* likewise */
	unsigned parts;     /* added to those that are there */
	enum recording_finish finish;
	bool tried;         /* adds one to finish_tries */
	int width, height;
};

/* What people change; NULL leaves it. */
struct recording_edit {
	const char *title, *tags; /* tags: one a line, each once, as recording_tags_valid() */
	const bool *keep;
};

/* "recording", "finishing", … as in the database and the API. Never NULL. */
const char *recording_state_name(enum recording_state s);
const char *recording_kind_name(enum recording_kind k);
const char *recording_format_name(enum recording_format f);
const char *recording_finish_name(enum recording_finish f);
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
int recordings_edit(struct db *db, int64_t id, const struct recording_edit *e, recording_cb *cb,
		    void *obj);
/* Newest first, tracks and trash included. room NULL: of all; before_id 0: from the
 * newest; limit 1…LIST_MAX. */
int recordings_list(struct db *db, const char *room, int64_t before_id, size_t limit,
		    recording_list_cb *cb, void *obj);
/* The tracks that belong to it. */
int recordings_tracks(struct db *db, int64_t id, recording_list_cb *cb, void *obj);
/* Those whose finishing is queued and that are not in the trash, the oldest first, at
 * most limit. */
int recordings_to_finish(struct db *db, size_t limit, recording_list_cb *cb, void *obj);
/* By id and the link's token; a wrong token is -ENOENT, and so is one in the trash.
 * token NULL: an authorised caller. */
int recordings_get(struct db *db, int64_t id, const char *token, recording_cb *cb, void *obj);
/* Another token: links with the old one are worth nothing any more. */
int recordings_new_token(struct db *db, int64_t id, recording_cb *cb, void *obj);

/* Into the trash and back, tracks with it. Replies with the row; -ENOENT also when
 * it is there already; -EBUSY: it is being recorded. */
int recordings_trash(struct db *db, int64_t id, int64_t now_ms, const char *by, recording_cb *cb,
		     void *obj);
int recordings_restore(struct db *db, int64_t id, recording_cb *cb, void *obj);
/* For good, tracks with it, as soon as somebody looks (recording_keep.h): from now on
 * it is nowhere to be found. -ENOENT: it is not in the trash. */
int recordings_purge(struct db *db, int64_t id, recording_cb *cb, void *obj);
/* The row of a recording in the trash goes; its files have gone before. */
int recordings_forget(struct db *db, int64_t id, recording_cb *cb, void *obj);

#endif
