/* The HTTP routes beside the page and the WebSocket:
 *
 *   GET /healthz                       200 when the server works
 *   GET /metrics                       Prometheus text
 *   GET /api/v1/server                 name and version
 *   GET /api/v1/recordings[?room=R]    list, for administrators (HTTP Basic)
 *   PUT /api/v1/rooms/:room            registers a room ({"title": …}), likewise
 *   GET /recordings/:id/:token         the file of a finished recording
 *
 * CTL. */
#ifndef MCU_ROUTES_H
#define MCU_ROUTES_H

#include "mcu/base/role.h"
#include "mcu/conference.h"
#include "signaling/server.h"

struct routes;

struct routes_cfg {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct conference *conference;
};

/* cfg's pointers are borrowed for its life. */
int routes_new(struct routes **out, struct server *s, const struct routes_cfg *cfg)
	ON_THREAD(ROLE_CTL);
/* Before server_free: answers what is still waiting. */
void routes_stop(struct routes *r) ON_THREAD(ROLE_CTL);
void routes_free(struct routes **r) ON_THREAD(ROLE_CTL);

#endif
