/* A session description in the log, at debug level. CTL. */
#ifndef MCU_SIGNALING_SDP_LOG_H
#define MCU_SIGNALING_SDP_LOG_H

#include <stddef.h>

#include "mcu/base/log.h"

enum { SDP_LOG_BYTES = 360 }; /* of a log line at most */

/* what: "offer of 192.0.2.7". text: any octets, len of them. Several log lines, each
 * of whole lines of the description as far as they fit, joined by " | ". Passwords
 * and keys (a=ice-pwd, a=crypto) are left out. */
void sdp_log(const struct log_ctx *ctx, const char *what, const char *text, size_t len);

/* The next of these log lines into out; returns how many octets of text it took, 0 at
 * the end. Pure. */
size_t sdp_log_line(char out[SDP_LOG_BYTES], const char *text, size_t len);

#endif
