/* Bodies of INFO: DTMF digits (application/dtmf-relay, application/dtmf) and the wish for
 * a key frame (RFC 5168). Pure. Any thread. */
#ifndef MCU_SIGNALING_SIP_INFO_H
#define MCU_SIGNALING_SIP_INFO_H

#include <stdbool.h>
#include <stddef.h>

/* One of 0123456789*#ABCD; 0: there is none. type: of Content-Type, with or without
 * parameters; body is not terminated. */
char sip_info_digit(const char *type, const char *body, size_t len);
bool sip_info_wants_picture(const char *type, const char *body, size_t len);

#define SIP_INFO_PICTURE_TYPE "application/media_control+xml"
extern const char sip_info_picture[]; /* such a body */

#endif
