/* URLs of STUN and TURN servers (RFC 7064, RFC 7065): "stun:host:port",
 * "turn:host:port?transport=tcp", "turns:host:port"; the port may be left out
 * (3478, turns: 5349), an IPv6 address stands in brackets. Any thread. */
#ifndef MCU_ICE_URL_H
#define MCU_ICE_URL_H

#include <stdint.h>

#include "mcu/net/ice.h"

struct ice_url {
	enum ice_server_kind kind;
	char host[256]; /* without brackets */
	uint16_t port;
};

/* 0, or -EINVAL: *out is undefined. */
int ice_url_parse(struct ice_url *out, const char *url);

#endif
