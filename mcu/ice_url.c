#include "mcu/ice_url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STUN_PORT = 3478, STUNS_PORT = 5349 };

static const struct {
	const char *scheme;
	enum ice_server_kind kind;
	uint16_t port;
} schemes[] = {
	{ "stun:", ICE_STUN, STUN_PORT },
	{ "turn:", ICE_TURN_UDP, STUN_PORT },
	{ "turns:", ICE_TURN_TLS, STUNS_PORT },
};

static const char *take_scheme(struct ice_url *out, const char *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i].scheme);

		if (!strncmp(url, schemes[i].scheme, n)) {
			out->kind = schemes[i].kind;
			out->port = schemes[i].port;
			return url + n;
		}
	}
	return NULL;
}

static const char *take_host(struct ice_url *out, const char *p)
{
	static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789.-_";
	bool bracket = *p == '[';
	size_t n;

	p += bracket;
	n = strspn(p, bracket ? "0123456789abcdefABCDEF:." : name_chars);
	if (n == 0 || n >= sizeof(out->host) || (bracket && p[n] != ']'))
		return NULL;
	memcpy(out->host, p, n);
	out->host[n] = '\0';
	return p + n + bracket;
}

static const char *take_port(struct ice_url *out, const char *p)
{
	char *end;
	long port;

	if (*p != ':')
		return p;
	if (p[1] < '0' || p[1] > '9')
		return NULL;
	port = strtol(p + 1, &end, 10);
	if (port < 1 || port > 65535)
		return NULL;
	out->port = (uint16_t)port;
	return end;
}

int ice_url_parse(struct ice_url *out, const char *url)
{
	const char *p = take_scheme(out, url);

	if (p)
		p = take_host(out, p);
	if (p)
		p = take_port(out, p);
	if (!p)
		return -EINVAL;
	if (!*p)
		return 0;
	if (out->kind == ICE_TURN_UDP && !strcmp(p, "?transport=tcp"))
		out->kind = ICE_TURN_TCP;
	else if (!(out->kind == ICE_TURN_UDP && !strcmp(p, "?transport=udp")) &&
		 !(out->kind == ICE_TURN_TLS && !strcmp(p, "?transport=tcp")))
		return -EINVAL;
	return 0;
}
