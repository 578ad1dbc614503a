/* Where a room may be pushed to: an address of RTMP(S) or SRT, as people enter it and
 * as others may see it. The end of an RTMP path and the query of SRT's are secrets
 * (stream keys, passphrases). Of SRT's query only what says where and how it is sent is
 * let through: with the rest of it this server would listen, or take memory. Pure. */
#ifndef MCU_STORAGE_PUSH_URL_H
#define MCU_STORAGE_PUSH_URL_H

#include <stddef.h>

#include "mcu/base/err.h"

enum { PUSH_URL_MAX = 1024 };

enum push_kind { PUSH_RTMP = 1, PUSH_SRT };

struct push_url {
	enum push_kind kind;
	char shown[160]; /* without secrets; printable */
	char host[104];	 /* name or address; no port, no brackets */
};

/* 0, or -EINVAL (push_invalid) with *why. */
int push_url_parse(struct push_url *out, const char *text, struct errmsg *why);

#endif
