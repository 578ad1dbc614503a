/* The insides of the conference, shared by conference.c (rooms and their
 * events), participant.c (struct room_api) and conference_metrics.c. CTL. */
#ifndef MCU_CONFERENCE_PRIV_H
#define MCU_CONFERENCE_PRIV_H

#include <glib.h>

#include "mcu/conference.h"
#include "storage/sessions.h"

enum { CONNECT_TIMEOUT_S = 20, RESUME_BYTES = 33 };

/* A room that runs, with its session in the registry. */
struct hall {
	struct conference *conf;
	struct room *room;
	int64_t session_id;
	GPtrArray *people; /* struct leg_handle, in order of joining */
	uint64_t departures; /* from it so far */
	struct recording *recording;
	guint linger;      /* timer of an empty room */
	bool closing;
};

struct leg_handle {
	struct conference *conf;
	struct hall *hall; /* NULL while the registry is asked for the room */
	struct leg *leg;
	const struct leg_events *ev;
	void *obj;
	char room[257], name[257];
	char resume[RESUME_BYTES];      /* its own secret */
	char old_resume[RESUME_BYTES];  /* of the leg it replaces; "": none */
	int64_t row_id;
	bool gone;       /* left while the registry was asked */
	bool connected;
	bool told_audio, told_video;             /* what others were told it sends */
	bool told_audio_muted, told_video_muted;
	struct uplink_info uplink;
	guint timeout;
	uint64_t session_id; /* of o= */
	uint64_t down_octets, up_octets;
	int64_t stats_at_ns;
};

struct conference {
	struct conference_cfg cfg;
	struct recording_env recordings;
	GHashTable *halls; /* room name → struct hall */
	GPtrArray *closing; /* halls that wind down */
	struct ice_server_info *ice;
	size_t n_ice;
	uint32_t pending; /* joins that wait for the registry */
	bool stopping;
};

/* conference.c */
struct hall *hall_find(struct conference *c, const char *name) ON_THREAD(ROLE_CTL);
/* Opens it when it is not running. 0 or -errno with *why. */
int hall_open(struct conference *c, const char *name, struct hall **out, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Whether p is (still) in it: a call-back may have made it leave, and then it has
 * been freed. */
bool hall_has(const struct hall *h, const struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* Nobody may be in it: if so, it closes after a while. */
void hall_linger(struct hall *h) ON_THREAD(ROLE_CTL);
/* To everybody in the room but `but` (may be NULL). */
void hall_tell(struct hall *h, struct leg_event *ev, const struct leg_handle *but)
	ON_THREAD(ROLE_CTL);
void hall_recording_info(const struct hall *h, struct recording_info *out) ON_THREAD(ROLE_CTL);
int hall_record(struct hall *h, bool start, const char *by, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
void hall_tell_layout(struct hall *h, struct leg_handle *only) ON_THREAD(ROLE_CTL);

/* participant.c */
void participant_describe(const struct leg_handle *p, struct participant *out)
	ON_THREAD(ROLE_CTL);
extern const struct leg_watcher participant_watcher;
/* Ends it by the server's decision: closed() is called, the handle freed. */
void participant_end(struct leg_handle *p, enum leave_reason reason, const char *code,
		     const char *text) ON_THREAD(ROLE_CTL);

#endif
