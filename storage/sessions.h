/* Sessions (a room's running periods) and their participants. Ids come from
 * db_new_id(). Usually fire and forget (cb NULL). Any thread; rules of db.h. */
#ifndef MCU_STORAGE_SESSIONS_H
#define MCU_STORAGE_SESSIONS_H

#include <stdint.h>

#include "storage/db.h"

/* id: the row that was written (for sessions_begin the id of the room). */
typedef void session_cb(void *obj, int err, int64_t id);

/* The room's row is created when there is none of this name. */
int sessions_begin(struct db *db, int64_t id, const char *room_name, int64_t started_ms,
		   session_cb *cb, void *obj);
/* reason: "empty", "shutdown", "closed", … Participants still open are ended
 * at the same time with the same reason. */
int sessions_end(struct db *db, int64_t id, int64_t ended_ms, const char *reason, session_cb *cb,
		 void *obj);
/* user_id 0: a guest. */
int sessions_participant_joined(struct db *db, int64_t id, int64_t session_id, uint32_t leg,
				const char *name, int64_t user_id, int64_t joined_ms,
				session_cb *cb, void *obj);
/* It is a host from now on. Fire and forget. */
int sessions_participant_host(struct db *db, int64_t id);
/* reason: as in the "left" event. */
int sessions_participant_left(struct db *db, int64_t id, int64_t left_ms, const char *reason,
			      session_cb *cb, void *obj);

#endif
