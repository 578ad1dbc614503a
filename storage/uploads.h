/* Files that were uploaded to be played into a room, in the registry. The file itself is
 * upload_path() below the data folder: its name is a label and no more. Ids come from
 * db_new_id(). Any thread; rules of db.h. */
#ifndef MCU_STORAGE_UPLOADS_H
#define MCU_STORAGE_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { UPLOAD_PATH_MAX = 40, UPLOAD_LIST_MAX = 500, UPLOAD_NAME_MAX = 256 };

struct upload_row {
	int64_t id;
	char room[DB_NAME_MAX + 1], name[UPLOAD_NAME_MAX + 1], by[DB_NAME_MAX + 1];
	int64_t bytes, created_ms, duration_ms; /* duration 0: it has none */
	int width, height, pages;		/* 0: none */
	int audio, video;			/* 0, 1 */
	int64_t user_id;			/* who uploaded it; 0: not known */
};

/* Octets of files. */
struct upload_usage {
	int64_t all, of_room, of_user;
};

/* "uploads/ID", relative to the data folder. */
void upload_path(char out[UPLOAD_PATH_MAX + 1], int64_t id);
/* What a browser says a file is called becomes a label: the last part of a path, without
 * what does not show, at most 100 characters; "file" when nothing is left. */
void upload_label(char out[UPLOAD_NAME_MAX + 1], const char *name);

typedef void upload_cb(void *obj, int err, const struct upload_row *row);
typedef void upload_list_cb(void *obj, int err, const struct upload_row *rows, size_t n);

/* Who asks, and in which room: its files, if it is registered; of other rooms only what he
 * has uploaded himself, as their names are anybody's. */
struct upload_view {
	const char *room;
	int64_t user_id; /* 0: nobody known */
	bool admin;	 /* everything */
};

int uploads_add(struct db *db, const struct upload_row *row, upload_cb *cb, void *obj);
/* Of a room, the newest first; older than before_ms, of all rooms: view NULL. */
int uploads_list(struct db *db, const struct upload_view *view, int64_t before_ms, upload_list_cb *cb,
		 void *obj);
/* -ENOENT also when it is not for who asks; administrators get those of all rooms. */
int uploads_get(struct db *db, int64_t id, const struct upload_view *view, upload_cb *cb, void *obj);
/* Replies with the row that was there; -ENOENT. */
int uploads_remove(struct db *db, int64_t id, upload_cb *cb, void *obj);
/* usage: borrowed; NULL with err. user_id 0: nobody's. */
typedef void upload_usage_cb(void *obj, int err, const struct upload_usage *usage);
int uploads_usage(struct db *db, const char *room, int64_t user_id, upload_usage_cb *cb, void *obj);

#endif
