/* Recordings of rooms: joins the room's encoded output, the recorder and the
 * registry. CTL. A recording ends by recording_stop or by itself (disk full, too slow);
 * either way the last note is READY or FAILED and the object is gone after it. */
#ifndef MCU_RECORDING_H
#define MCU_RECORDING_H

#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "mcu/room/room.h"
#include "signaling/protocol.h"
#include "storage/recording_events.h"

struct db;
struct finisher;
struct volume;
struct recording;

enum recording_phase {
	RECORDING_RUNS = 1,
	RECORDING_PAUSED,
	RECORDING_ENDS,
	RECORDING_DONE,
	RECORDING_BROKE
};

/* Borrowed for the call. */
struct recording_note {
	enum recording_phase phase;
	const char *id, *by;
	const char *url;  /* a link for hosts; DONE, and BROKE when something was kept */
	const char *text; /* BROKE: a sentence */
	bool sound_only, tracks;
};

typedef void recording_notify(void *obj, const struct recording_note *n);

/* What all recordings use; everything is borrowed. */
struct recording_env {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct volume *volume;
	struct finisher *finisher; /* NULL: nothing is done to them after their end */
	const char *link_key; /* links.h; may change. NULL: notes have no link */
	size_t running; /* not yet gone */
	bool stopping;	/* what cannot be written into the registry now is found at the next start */
};

/* Who wants it (borrowed), and what of it. */
struct recording_order {
	int64_t session_id;
	const char *by;
	struct record_wish wish;
};

/* env: borrowed for the recording's life. notify is first called with RUNS, from inside. 0,
 * -EPERM (not_recorded_here): the server's owner does not have that recorded; or -errno, with
 * *why. */
int recording_start(struct recording **out, struct recording_env *env, struct room *room,
		    const struct recording_order *order, recording_notify *notify, void *obj,
		    struct errmsg *why) ON_THREAD(ROLE_CTL);
/* While it is paused nothing is encoded for it; the file goes on without a gap. -EINVAL
 * (not_recording) when it is ending, -EBUSY when it was paused too often. Harmless when it
 * is as it shall be already. */
int recording_pause(struct recording *r, bool pause, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Somebody has come, or was there: where it has isolated tracks, one of them. Harmless when
 * it has one. */
void recording_takes(struct recording *r, struct leg *l, const char *name) ON_THREAD(ROLE_CTL);
/* Something happened in its room just now: for its chapters. */
void recording_happened(struct recording *r, enum recording_event_kind kind, uint32_t leg,
			const char *name) ON_THREAD(ROLE_CTL);
/* Harmless when it is ending already. */
void recording_stop(struct recording *r) ON_THREAD(ROLE_CTL);
/* Its room is about to go, and with it the obj of notify: it is not called any
 * more. Only when no sink is attached (room.h). The file is finished still. */
void recording_orphan(struct recording *r) ON_THREAD(ROLE_CTL);
/* The present state, for those who join now. */
void recording_describe(const struct recording *r, struct recording_note *n) ON_THREAD(ROLE_CTL);

#endif
