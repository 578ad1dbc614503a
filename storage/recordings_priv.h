/* Reading rows of recordings: for the stores about them. ROLE_STO. */
#ifndef MCU_STORAGE_RECORDINGS_PRIV_H
#define MCU_STORAGE_RECORDINGS_PRIV_H

#include <sqlite3.h>

#include "storage/recordings.h"

/* What recording_read_row() reads: behind SELECT; conditions on r and m follow. */
#define RECORDING_COLUMNS                                                                    \
	"r.id, r.session_id, r.room_id, coalesce(m.name, ''), r.path, r.state, r.started_ms, " \
	"r.ended_ms, r.duration_ms, r.bytes, r.width, r.height, r.by_name, r.token, r.error, " \
	"r.kind, r.format, r.video_codec, r.audio_codec, r.parent_id, r.leg, r.user_id, "      \
	"r.title, r.tags, r.people, r.sha256, r.parts, r.finish, r.finish_tries, r.keep, "     \
	"r.deleted_ms, r.deleted_by "
enum { RECORDING_COLUMN_COUNT = 32 };
#define RECORDING_TABLES "FROM recordings r LEFT JOIN rooms m ON m.id = r.room_id "

void recording_read_row(sqlite3_stmt *st, struct recording_row *r);
/* -ENOENT: there is none. */
int recording_read_one(sqlite3 *conn, int64_t id, struct recording_row *row);
/* Reads up to limit rows of a statement into a new array; finalises it in any case. */
int recording_read_all(sqlite3 *conn, sqlite3_stmt *st, size_t limit, struct recording_row **rows,
		       size_t *n);

#endif
