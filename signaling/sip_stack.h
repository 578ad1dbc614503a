/* The inside of SIP that its parts share: the nua agent and who gets its events. Every
 * handle of nua has an owner (a call, a trunk), which is told what concerns it; an
 * INVITE without one makes a call. Internal to signaling/sip_*.c. CTL. */
#ifndef MCU_SIGNALING_SIP_STACK_H
#define MCU_SIGNALING_SIP_STACK_H

#include <stdbool.h>

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/su_tag.h>

#include "mcu/base/role.h"
#include "signaling/sip.h"

/* Where a request came from, as the network layer saw it. */
struct sip_source {
	char address[64]; /* numeric */
	int port;
	enum { SIP_UDP = 1, SIP_TCP, SIP_TLS } transport;
	/* Our address that it reached: what media is bound to and SDP names. */
	char local[64];
};

/* One event of nua, borrowed for the call. */
struct sip_event {
	struct sip *sip;
	nua_event_t event;
	int status;
	const char *phrase;
	nua_handle_t *nh;
	const sip_t *msg; /* NULL: it is about no message */
	const tagi_t *tags;
};

/* The magic of a handle: first member of what owns it. */
struct sip_owner {
	void (*event)(struct sip_owner *o, const struct sip_event *ev);
};

/* What the stack is made of. */
struct sip_parts {
	struct sip_auth *auth;
	struct sip_bindings *bindings;
	struct sip_trunks *trunks;
};

nua_t *sip_nua(const struct sip *s);
struct sip_parts *sip_parts(struct sip *s);
const struct sip_cfg *sip_config(const struct sip *s);

/* Of an event that has a request. False: unknown (a message of our own). */
bool sip_event_source(const struct sip_event *ev, struct sip_source *out);

/* Our address on the way to a host: by the routing table when it is numeric (brackets and
 * a port may be there), otherwise that of the default route. */
void sip_local_towards(const struct sip *s, const char *host, char out[64]);

/* Answers a request outside of calls and ends its handle. more: for people, in a Warning
 * header; NULL: nothing. */
void sip_refuse(const struct sip_event *ev, int status, const char *phrase, const char *more)
	ON_THREAD(ROLE_CTL);

/* The Contact by which this peer reaches us: "<sip:user@address:port;transport=…>".
 * Always to be given to nua (SIPTAG_CONTACT_STR), whose own choice is another address on
 * a machine that has several. user: printable as it is, may be "". */
enum { SIP_CONTACT_MAX = 256 };
void sip_contact(const struct sip *s, const struct sip_source *at, const char *user,
		 char out[SIP_CONTACT_MAX]);

/* A new handle whose events go to owner. NULL: out of memory, or stopping. The owner ends
 * it with nua_handle_destroy() when it has seen its last event. */
nua_handle_t *sip_handle_new(struct sip *s, struct sip_owner *owner) ON_THREAD(ROLE_CTL);
/* Takes the handle of an incoming request. */
void sip_handle_own(nua_handle_t *nh, struct sip_owner *owner) ON_THREAD(ROLE_CTL);
bool sip_stopping(const struct sip *s);

#endif
