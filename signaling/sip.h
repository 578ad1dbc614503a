/* SIP (RFC 3261), a front end like WebSocket and WHIP: telephones, room systems and
 * trunks reach rooms through struct room_api, and nothing below knows of it.
 *
 *   sip_stack.c      sofia-sip's nua on CTL's main loop; who gets which event
 *   sip_call.c       a call: INVITE dialogs
 *   sip_route.c      what a request URI means: room, bridge, user, trunk
 *   sip_registrar.c  REGISTER; sip_bindings.c where users' phones are
 *   sip_auth.c       digest authentication; sip_digest.c its arithmetic
 *   sip_guard.c      floods; sip_limit.c token buckets
 *   sip_trunk.c      trunks that we register at and dial through
 *
 * What the application sees is this header. CTL. */
#ifndef MCU_SIGNALING_SIP_H
#define MCU_SIGNALING_SIP_H

#include <jansson.h>
#include <stdbool.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/sip_bindings.h"

struct ivr_cfg;
struct rtp_ports;
struct sip;
struct sip_cdr_sink;
struct sip_dialler;
struct sip_refer_wish;

/* What has to outlive the process, handed to whoever keeps it. */
struct sip_store {
	void *ctx;
	sip_bindings_changed *bindings; /* NULL: nobody does */
};

struct sip_cfg {
	const char *address; /* to listen on; "": every address of the machine, IPv4 and IPv6 */
	int port;	     /* UDP and TCP; -1: no SIP at all, 0: a free one */
	int tls_port;	     /* -1: no TLS; 0: a free one */
	const char *domain;  /* the host part of our addresses; "": any */
	const char *realm;   /* of digest authentication; "": the domain, or "mcu" */
	const char *bridge;  /* user part that reaches the voice menu */
	unsigned messages_per_s; /* of one source (sip_guard.h); 0: no limit */
	unsigned connections;	 /* of one source */
	bool known_only;     /* calls only from users and trunks, none from guests */
	const char *folder;  /* where certificates are laid out for TLS; made if missing */
	const char *cert_file, *key_file; /* PEM */
	const char *agent;   /* User-Agent and Server */
	size_t max_calls;    /* at the same time; 0: any number */
	const struct sip_cdr_sink *cdr; /* records of calls; NULL: none are kept */
	const struct ivr_cfg *ivr; /* what callers are told, and the keys in rooms; NULL: as usual */
	/* The sockets of one call on this address of ours; ctx: that of api. NULL: calls
	 * have none (tests). */
	int (*ports_new)(void *ctx, const char *local, struct rtp_ports **out, struct errmsg *why);
	void (*ports_free)(void *ctx, struct rtp_ports **ports);
	void (*ports_withhold)(void *ctx, struct rtp_ports *ports, bool withhold);
	/* Takes what telephones wish by REFER; NULL: it is refused. ctx: that of api. */
	void (*refer)(void *ctx, const struct sip_refer_wish *wish);
	/* Whether a call may be redirected to this address; NULL: anywhere. */
	bool (*may_call)(void *ctx, const char *uri);
	struct sip_store store;
};

/* Binds the ports. cfg's strings and api: borrowed for its life; ctx is handed to api's
 * functions. Port -1: -ENOTSUP must not be asked for. Errors with a sentence in *why. */
int sip_new(struct sip **out, const struct sip_cfg *cfg, const struct room_api *api, void *ctx,
	    struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Calls end with BYE, registrations at trunks are taken back; nobody comes in. It takes
 * turns of the loop; sip_is_idle() says when it is done. */
void sip_shutdown(struct sip *s) ON_THREAD(ROLE_CTL);
bool sip_is_idle(const struct sip *s) ON_THREAD(ROLE_CTL);
/* After sip_shutdown(), idle or not: what still waits is dropped. Turns the loop of
 * sofia-sip for a moment. NULL: nothing. */
void sip_free(struct sip **s) ON_THREAD(ROLE_CTL);

/* For calls out (sip_dial.h); valid until sip_free. */
void sip_get_dialler(struct sip *s, struct sip_dialler *out) ON_THREAD(ROLE_CTL);
/* Users that may register: their HA1 values in sip_realm() (signaling/sip_digest.h). Who is
 * forgotten has no telephones any more. */
const char *sip_realm(const struct sip *s) ON_THREAD(ROLE_CTL);
void sip_set_user(struct sip *s, const char *user, const char *ha1_md5, const char *ha1_sha256)
	ON_THREAD(ROLE_CTL);
void sip_forget_user(struct sip *s, const char *user) ON_THREAD(ROLE_CTL);
bool sip_has_user(const struct sip *s, const char *user) ON_THREAD(ROLE_CTL);
/* One that was kept; after its user was set. */
void sip_restore_phone(struct sip *s, const char *user, const struct sip_binding *phone)
	ON_THREAD(ROLE_CTL);
/* Valid until the loop turns. */
size_t sip_phones(struct sip *s, const char *user, const struct sip_binding **out)
	ON_THREAD(ROLE_CTL);

/* Trunks (sip_trunk.h): settings are borrowed. -EINVAL with *why (trunk_invalid). */
int sip_put_trunk(struct sip *s, const char *name, json_t *settings, const char *password,
		  struct errmsg *why) ON_THREAD(ROLE_CTL);
/* False: there is none. */
bool sip_remove_trunk(struct sip *s, const char *name) ON_THREAD(ROLE_CTL);
/* NULL: there is none; valid until it is changed. */
const char *sip_trunk_password(struct sip *s, const char *name) ON_THREAD(ROLE_CTL);
/* A list of them with their states; of name, when that is not NULL. The caller's. */
json_t *sip_trunk_list(struct sip *s, const char *name) ON_THREAD(ROLE_CTL);

/* The ports in use; -1: none. */
int sip_port(const struct sip *s) ON_THREAD(ROLE_CTL);
int sip_tls_port(const struct sip *s) ON_THREAD(ROLE_CTL);

#endif
