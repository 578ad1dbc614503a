/* The WebSocket front end: one session's state machine between a client's
 * messages and the rooms. It knows no socket: what it says goes through struct
 * front_sink, so that a test drives it by hand; front_server binds it to the
 * sessions of a struct server. CTL. */
#ifndef MCU_SIGNALING_FRONT_H
#define MCU_SIGNALING_FRONT_H

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/protocol.h"
#include "signaling/server.h"

struct front_session;

enum {
	FRONT_MAX_CANDIDATES = 64, /* of the client with each description */
	FRONT_MAX_HELD_CANDIDATES = 32, /* of each side, before a description is there */
	FRONT_JOIN_S = 30,   /* a connection that does not join is closed after this */
	FRONT_REJOIN_S = 300 /* and after a join that was refused: somebody types a PIN */
};

/* Close codes of the WebSocket (RFC 6455 7.4.1; 4xxx are ours). */
enum { FRONT_CLOSE_NORMAL = 1000, FRONT_CLOSE_GOING_AWAY = 1001, FRONT_CLOSE_ERROR = 4000 };

struct front_sink {
	/* Copies text. */
	void (*send)(void *obj, const char *text, size_t len);
	/* What was sent before is delivered first. The session is not freed by it. */
	void (*close)(void *obj, int code, const char *reason);
};

/* peer: copied. sink, api: borrowed for the life of the session. */
int front_session_new(struct front_session **out, const struct room_api *api, void *api_ctx,
		      const struct front_sink *sink, void *sink_obj, const char *peer, bool tls)
	ON_THREAD(ROLE_CTL);
/* Leaves the room as `reason` when it is in one. Not from inside a callback of
 * its sink. */
void front_session_free(struct front_session **s, enum leave_reason reason) ON_THREAD(ROLE_CTL);

/* Leaves the room, says "shutting_down" and closes. */
void front_session_shutdown(struct front_session *s) ON_THREAD(ROLE_CTL);

/* Now and then: ends a session that has not joined for too long. */
void front_session_tick(struct front_session *s, int64_t now_ns) ON_THREAD(ROLE_CTL);

/* err: 0, or the parser's result with its reason in *why. */
void front_session_message(struct front_session *s, const struct client_msg *msg, int err,
			   const struct errmsg *why) ON_THREAD(ROLE_CTL);

/* --- bound to a server ------------------------------------------------------ */

struct front;

/* ctx: handed to every function of api. The events of the server it is for are
 * front_server_events with the front as their ctx:
 *     front_new(&front, &api, api_ctx);
 *     server_new(&server, &cfg, &front_server_events, front, &why);   */
int front_new(struct front **out, const struct room_api *api, void *api_ctx) ON_THREAD(ROLE_CTL);
/* After server_free. */
void front_free(struct front **f) ON_THREAD(ROLE_CTL);
extern const struct server_events front_server_events;
/* Tells everybody "shutting_down" and closes; server_free then waits for that. */
void front_shutdown(struct front *f) ON_THREAD(ROLE_CTL);
size_t front_session_count(const struct front *f) ON_THREAD(ROLE_CTL);

#endif
