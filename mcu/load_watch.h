/* Looks twice a second, while rooms run, at what the process uses and at what is
 * late: steps the rooms' overload (mcu/room/overload.h) and decides who is still
 * taken (admission.h). CTL. */
#ifndef MCU_LOAD_WATCH_H
#define MCU_LOAD_WATCH_H

#include "mcu/admission.h"
#include "mcu/base/err.h"
#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/room/ladder.h"
#include "mcu/room/leg_media.h"

struct conference;
struct hall;
struct leg_handle;
struct load_watch;

int load_watch_new(struct load_watch **out, struct conference *c) ON_THREAD(ROLE_CTL);
void load_watch_free(struct load_watch **w) ON_THREAD(ROLE_CTL);
/* A room runs: it looks from now on, until none does. */
void load_watch_start(struct load_watch *w) ON_THREAD(ROLE_CTL);

/* What its room gives up, to one who has come just now. */
void load_tell(struct hall *h, struct leg_handle *p) ON_THREAD(ROLE_CTL);

/* Whether a room may be opened for p, with what p will cost in it. 0, or -EBUSY with
 * `overloaded`. Who comes back to a room is always taken. */
int load_admit_room(struct leg_handle *p, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Whether p may come into a room that runs, before it said what it will send. */
int load_admit_join(struct leg_handle *p, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* What it negotiated: asked once for each kind of cost. */
int load_admit_media(struct leg_handle *p, const struct leg_media *m, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* What it wants to see: asked each time, unless it is alone on the server. */
int load_admit_view(struct leg_handle *p, const struct leg_view *v, struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* Appends what concerns the server as a whole. 0 or -ENOMEM. */
int load_watch_metrics(const struct load_watch *w, struct metrics_text *out) ON_THREAD(ROLE_CTL);

#endif
