/* What a request of WHIP (RFC 9725) or WHEP must look like before anything is done
 * for it. Pure. Any thread. */
#ifndef MCU_SIGNALING_WHIP_REQUEST_H
#define MCU_SIGNALING_WHIP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/err.h"

#define WHIP_SDP "application/sdp"
#define WHIP_SDPFRAG "application/trickle-ice-sdpfrag"

/* As it came; NULL what is absent. Strings are borrowed. */
struct whip_request {
	const char *room;			       /* of the path */
	const char *content_type, *accept, *authorization, *if_match;
	const char *name, *pin;			       /* of the query */
	size_t body_len;
};

enum { WHIP_TOKEN_MAX = 4096 };

/* A POST to an endpoint: 0, or the status of the refusal with *why. *token: the bearer
 * token, NULL when there is none; *name: that of the participant, `otherwise` when
 * none was given. Both borrowed of r. */
int whip_check_post(const struct whip_request *r, const char *otherwise, const char **token,
		    const char **name, struct errmsg *why);
/* A PATCH of a session with this entity tag, the same. *any: If-Match is "*". */
int whip_check_patch(const struct whip_request *r, const char *etag, bool *any,
		     struct errmsg *why);

/* The status of an error of the rooms' side, by its code. */
int whip_status(const char *code, bool had_token);

#endif
