/* The HTTP routes beside the page and the WebSocket: REST below /api/v1 (described
 * by signaling/openapi.yaml, which is served as /api/v1/openapi.yaml), and
 *
 *   GET /healthz                       200 when the server works
 *   GET /metrics                       Prometheus text
 *   GET /recordings/:id/:token         the file of a finished recording
 *
 * Who asks is said by "Authorization: Bearer TOKEN" (a sign-in), or by HTTP Basic for
 * administrators; there are no cookies, so that no other page can ask in somebody's
 * name. CTL. */
#ifndef MCU_ROUTES_H
#define MCU_ROUTES_H

#include "mcu/base/role.h"
#include "mcu/conference.h"
#include "signaling/server.h"

struct agenda;
struct routes;
struct captures;
struct recording_keeper;

struct routes_cfg {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct conference *conference;
	struct captures *captures;
	struct uploads *uploads;
	struct accounts *accounts;
	struct agenda *agenda;
	const struct token_key *key;
	char *link_key; /* links.h; changed when it is renewed */
	struct recording_keeper *keeper;
	struct sip *const *sip; /* of NULL: off, or stopped */
	struct rtsp *const *rtsp; /* the same */
};

/* cfg's pointers are borrowed for its life. */
int routes_new(struct routes **out, struct server *s, const struct routes_cfg *cfg)
	ON_THREAD(ROLE_CTL);
/* Before server_free: answers what is still waiting. */
void routes_stop(struct routes *r) ON_THREAD(ROLE_CTL);
void routes_free(struct routes **r) ON_THREAD(ROLE_CTL);

#endif
