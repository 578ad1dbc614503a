/* Offer and answer of one SIP call: who has offered what, the plan in force, hold, the
 * version of our description. The bodies go in and out as text; which SIP message
 * carries them is the business of sip_call.h (RFC 3264, 3311, 6337). Pure apart from its
 * side's functions. Owner: the call. */
#ifndef MCU_SIGNALING_SIP_MEDIA_H
#define MCU_SIGNALING_SIP_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/err.h"
#include "signaling/negotiate.h"

struct sip_media;

/* The leg in charge. Errors as of struct room_api. */
struct sip_media_side {
	/* ice_restart: the peer has begun it again, and wants other credentials of us. */
	int (*policy)(void *obj, bool ice_restart, struct neg_policy *out, struct errmsg *why);
	int (*agreed)(void *obj, const struct neg_plan *plan, struct errmsg *why);
	/* Whether all candidates of ours are in the policy's list. After agreed() of a plan
	 * with ICE more may come. NULL: there are never any. */
	bool (*gathered)(void *obj);
};

int sip_media_new(struct sip_media **out, const struct sip_media_side *side, void *obj);
void sip_media_free(struct sip_media **m);
/* Whether new lines of our offers are SRTP (SDES); answers take either. */
void sip_media_want_srtp(struct sip_media *m, bool srtp);

/* The peer's offer. *answer: borrowed until the next call; NULL: it waits for candidates
 * of ours, and sip_media_complete() gives it when they are there or have taken too long. On
 * an error all is as it was: -EINVAL bad_sdp, -ENOTSUP no_common_codec or not_acceptable, or
 * the side's. */
int sip_media_answer(struct sip_media *m, const char *sdp, size_t len, const char **answer,
		     struct errmsg *why);
int sip_media_complete(struct sip_media *m, const char **answer, struct errmsg *why);
/* Ours: of the lines in force and those that are new. One that waits is replaced. */
int sip_media_offer(struct sip_media *m, const char **offer, struct errmsg *why);
/* The answer to it. last: none follows (an answer in 183 comes again in 200). The same
 * text again changes nothing. -EALREADY: there is no offer of ours. */
int sip_media_accept(struct sip_media *m, const char *sdp, size_t len, bool last,
		     struct errmsg *why);
/* Ours was refused, or crossed another: what is in force stays. */
void sip_media_drop_offer(struct sip_media *m);

bool sip_media_offered(const struct sip_media *m); /* ours waits for its answer */
const struct neg_plan *sip_media_plan(const struct sip_media *m); /* NULL: none yet */
/* The peer has put us on hold: it was sent our sound before, and wants none now. What
 * it sends meanwhile (its music) is not taken. */
bool sip_media_held(const struct sip_media *m);
bool sip_media_waits(const struct sip_media *m); /* sip_media_complete() is due */
/* Tells the plan in force to the side, whose leg is another now. *renew: over ICE that leg
 * needs an offer, with its own candidates; one on its way was of the other leg, and its
 * answer will not be taken. */
int sip_media_moved(struct sip_media *m, bool *renew, struct errmsg *why);

#endif
