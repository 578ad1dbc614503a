/* What happened in a room while it was recorded, by the recording's own time (what
 * was paused is not counted): for chapters. Written
 * as it happens, so that it survives what ends the process. Any thread; rules of
 * db.h. */
#ifndef MCU_STORAGE_RECORDING_EVENTS_H
#define MCU_STORAGE_RECORDING_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum recording_event_kind {
	RECORDING_EVENT_NONE,
	RECORDING_EVENT_JOINED,
	RECORDING_EVENT_LEFT,
	RECORDING_EVENT_SPEAKS,   /* is the speaker from now on */
	RECORDING_EVENT_SHARES,   /* shares content from now on */
	RECORDING_EVENT_SHARED,   /* does not any more */
};

enum { RECORDING_EVENTS_MAX = 20000 };

struct recording_event {
	int64_t at_ms;
	enum recording_event_kind kind;
	uint32_t leg;
	char name[DB_NAME_MAX + 1];
};

/* Not answered. The recording's row was posted before. */
int recording_events_add(struct db *db, int64_t recording_id, const struct recording_event *e);

/* rows: by time; borrowed for the call. */
typedef void recording_events_cb(void *obj, int err, const struct recording_event *rows, size_t n);
int recording_events_list(struct db *db, int64_t recording_id, recording_events_cb *cb, void *obj);

#endif
