/* Calls that people have rooms make: who may, where to, how often, and what became of
 * each. The SIP front end makes them (signaling/sip_dial.h). CTL. */
#ifndef MCU_DIAL_H
#define MCU_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/sip_dial.h"

struct dials;
struct config;

enum {
	DIAL_TO_MAX = 256,    /* octets of a destination */
	DIAL_DIGITS_MAX = 64, /* sent after the answer */
	DIAL_KEPT = 100,      /* calls that are over and can still be asked about */
};

struct dial_info {
	int64_t id;
	const char *room, *name;
	const char *number; /* as phone_number_plain gives it */
	enum sip_dial_state state;
	int status; /* of the last SIP answer */
	const char *text;
	uint32_t leg;
};

/* Each change of a call; borrowed. */
typedef void dial_changed_fn(void *obj, const struct dial_info *i);

/* config and clock are borrowed for its life. 0 or -ENOMEM. */
int dials_new(struct dials **out, const struct config *config, const struct clock *clock,
	      dial_changed_fn *changed, void *obj) ON_THREAD(ROLE_CTL);
/* Every call must be over: the front end has been shut down. */
void dials_free(struct dials **d) ON_THREAD(ROLE_CTL);
/* How to call; NULL: SIP is off. Borrowed until it is set anew. */
void dials_use(struct dials *d, const struct sip_dialler *dialler) ON_THREAD(ROLE_CTL);
/* Whether there is anything to call with. */
bool dials_ready(const struct dials *d) ON_THREAD(ROLE_CTL);

struct dial_ask {
	const char *room, *to;
	const char *name, *trunk, *digits; /* NULL: none */
	const char *by;	  /* who asks, by name */
	int64_t user_id;  /* 0: a guest */
	bool host;	  /* of the room, or an administrator */
	sip_dial_cb *progress; /* told too, after everybody else; NULL: nobody. Not from inside */
	void *obj;
};

/* Whether the configuration lets such a person dial. */
bool dials_allowed(const struct dials *d, int64_t user_id, bool host) ON_THREAD(ROLE_CTL);
/* Whether the configuration lets a call go on to this address (a redirect's). */
bool dials_reaches(const struct dials *d, const char *address) ON_THREAD(ROLE_CTL);
/* 0 with *id; otherwise -errno with *why: -EACCES not_allowed, dial_sign_in, dial_forbidden; -EINVAL
 * dial_invalid; -EBUSY rate_limited, too_many_calls; -ENOTSUP dial_off; or what the front
 * end says. */
int dials_start(struct dials *d, const struct dial_ask *ask, int64_t *id, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* -ENOENT: the room has made no such call, or it was long ago. Over already: nothing. */
int dials_hangup(struct dials *d, const char *room, int64_t id) ON_THREAD(ROLE_CTL);
/* Borrowed until the loop turns. -ENOENT likewise. */
int dials_get(const struct dials *d, const char *room, int64_t id, struct dial_info *out)
	ON_THREAD(ROLE_CTL);
/* Those of a room that are not over. */
void dials_each(const struct dials *d, const char *room, dial_changed_fn *fn, void *obj)
	ON_THREAD(ROLE_CTL);

/* A destination as it is dialled: of a number the digits, "*", "#" and a "+" in front;
 * an address with its "sip:" or "sips:", of sip_route_is_plain; a user's name, whose telephones are called.
 * -EINVAL: it is none of these. Pure. */
int dial_parse(char out[DIAL_TO_MAX + 1], const char *to);

#endif
