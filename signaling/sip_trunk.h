/* Trunks: providers and other exchanges that bring calls in and take calls out. Each has
 * settings in JSON (REST and the registry):
 *
 *   { "uri": "sip:provider.example:5060;transport=tcp",   where it is
 *     "user": "4930123", "auth_user": "",                 "": no authentication
 *     "register": true, "expires_s": 600,
 *     "caller": "+4930123",      who our calls are from; "": user, or the bridge
 *     "numbers": [{"number": "+4930123-1", "room": "lecture"}, {"number": "…"}],
 *     "prefixes": ["+", "0"],    numbers that go out by it; [""]: every number
 *     "addresses": ["203.0.113.7"],  its calls come from these, beside where it registers
 *     "srtp": false,             offers of ours
 *     "srtp_optional": false }   who refuses that offer (488) is called without
 *
 * Registrations are refreshed by nua; one that fails is tried again after 5 s, then twice
 * as long each time, up to 5 minutes. CTL. */
#ifndef MCU_SIGNALING_SIP_TRUNK_H
#define MCU_SIGNALING_SIP_TRUNK_H

#include <jansson.h>

#include "signaling/sip_route.h"
#include "signaling/sip_stack.h"
#include "signaling/sip_target.h"

enum { SIP_TRUNK_LIST_MAX = 200, SIP_TRUNKS_MAX = 50 };

struct sip_trunk_cfg {
	char name[65];
	char uri[256], host[256]; /* host: of uri, as in it ("[2001:db8::1]") */
	char user[65], auth_user[65], password[129], caller[65];
	bool registers, srtp, srtp_optional;
	int expires_s;
	struct sip_did *numbers;
	char **prefixes, **addresses;
	size_t n_numbers, n_prefixes, n_addresses;
};

/* Checks settings. Borrows them. 0; -EINVAL with *why (trunk_invalid) naming the member;
 * -ENOMEM. */
int sip_trunk_parse(struct sip_trunk_cfg **out, const char *name, json_t *settings,
		    const char *password, struct errmsg *why);
void sip_trunk_cfg_free(struct sip_trunk_cfg **c);

struct sip_trunks;

int sip_trunks_new(struct sip_trunks **out, struct sip *s);
/* Takes *cfg; one of this name gives way. False: too many. */
bool sip_trunks_put(struct sip_trunks *t, struct sip_trunk_cfg **cfg) ON_THREAD(ROLE_CTL);
bool sip_trunks_remove(struct sip_trunks *t, const char *name) ON_THREAD(ROLE_CTL);
/* nua runs: those that register begin to. */
void sip_trunks_start(struct sip_trunks *t) ON_THREAD(ROLE_CTL);
/* Registrations are taken back. */
void sip_trunks_shutdown(struct sip_trunks *t) ON_THREAD(ROLE_CTL);
bool sip_trunks_idle(const struct sip_trunks *t) ON_THREAD(ROLE_CTL);
void sip_trunks_free(struct sip_trunks **t) ON_THREAD(ROLE_CTL);

/* By where a call came from; of several with one address the one whose user or number it
 * is for (user: of the Request-URI, may be NULL). NULL: none. Valid until it is changed. */
const struct sip_trunk_cfg *sip_trunks_of_source(struct sip_trunks *t, const char *address,
						 const char *user) ON_THREAD(ROLE_CTL);
/* A call out: name NULL: by prefix. -ENOENT with *why. */
int sip_trunks_target(struct sip_trunks *t, const char *name, const char *number,
		      struct sip_target *out, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* NULL: there is none. */
const struct sip_trunk_cfg *sip_trunks_get(struct sip_trunks *t, const char *name)
	ON_THREAD(ROLE_CTL);
/* [{name, state, status, reason, …settings without the password}] */
json_t *sip_trunks_json(struct sip_trunks *t, const char *name) ON_THREAD(ROLE_CTL);

#endif
