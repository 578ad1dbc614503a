/* WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): media into and out of a room by
 * HTTP alone, for encoders and players such as OBS and GStreamer. Described in
 * signaling/WHIP.md. A front end like any other: legs through struct room_api.
 *
 *   POST    /whip/:room, /whep/:room          an offer; 201 with the answer
 *   PATCH   /whip/session/:id, /whep/…        candidates, or an ICE restart
 *   DELETE  the same                          the end
 *   OPTIONS all                               for pages of other origins (CORS)
 *
 * The answer waits until our candidates are complete, at most gather_ms: there is no
 * way to tell more of them later. A session lasts until DELETE or until its leg ends.
 * CTL. */
#ifndef MCU_SIGNALING_WHIP_H
#define MCU_SIGNALING_WHIP_H

#include <stddef.h>

#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/server.h"

struct whip;

struct whip_cfg {
	int gather_ms;	      /* 0: 1000 */
	unsigned max_sessions; /* 0: 2000; more are refused with 503 */
};

/* api: borrowed; ctx is handed to its functions. cfg: copied, may be NULL. */
int whip_new(struct whip **out, const struct room_api *api, void *ctx, const struct whip_cfg *cfg)
	ON_THREAD(ROLE_CTL);
int whip_routes(struct whip *w, struct server *s) ON_THREAD(ROLE_CTL);
/* Before server_free: every leg leaves, what waits is answered; nobody comes in. */
void whip_shutdown(struct whip *w) ON_THREAD(ROLE_CTL);
/* After server_free. */
void whip_free(struct whip **w) ON_THREAD(ROLE_CTL);
size_t whip_session_count(const struct whip *w) ON_THREAD(ROLE_CTL);

#endif
