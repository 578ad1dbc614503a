/* A part of a body that has several (RFC 2046 5.1): gateways add to their SDP what their
 * exchange has said (ISUP, QSIG). Pure. Any thread. */
#ifndef MCU_SIGNALING_SIP_MULTIPART_H
#define MCU_SIGNALING_SIP_MULTIPART_H

#include <stddef.h>

enum { SIP_MULTIPART_MAX = 16 }; /* parts that are looked at */

/* boundary: the value of that parameter, quoted or not. The first part of that type, within
 * body (which is not terminated), as it is on the wire; NULL: there is none, or it is
 * encoded. Parts within parts are not looked at. */
const char *sip_multipart_find(const char *boundary, const char *type, const char *body,
			       size_t len, size_t *part_len);

#endif
