#include "mcu/ice_setup.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mcu/base/log.h"
#include "mcu/ice_url.h"

struct ice_setup {
	struct ice_cfg cfg;
	struct ice_url *urls;
	struct ice_server *servers;
};

/* Replaces a name by its first address. Blocks; at the start only. */
static int resolve(struct ice_url *u)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list;
	int err = getaddrinfo(u->host, NULL, &hints, &list);

	if (err)
		return err;
	err = getnameinfo(list->ai_addr, list->ai_addrlen, u->host, sizeof u->host, NULL, 0,
			  NI_NUMERICHOST);
	freeaddrinfo(list);
	return err;
}

static void add_server(struct ice_setup *s, const char *url, const char *user, const char *password)
{
	size_t n = s->cfg.n_servers;
	int err;

	/* The configuration has been checked: a URL that does not parse is a bug. */
	if (ice_url_parse(&s->urls[n], url))
		abort();
	err = resolve(&s->urls[n]);
	if (err) {
		log_warn(NULL, "%s is not used by the server: its name cannot be resolved (%s). Clients "
			 "are given it all the same.", url, gai_strerror(err));
		return;
	}
	s->servers[n] = (struct ice_server){
		.kind = s->urls[n].kind, .host = s->urls[n].host, .port = s->urls[n].port,
		.user = user, .password = password,
	};
	s->cfg.n_servers++;
}

int ice_setup_new(struct ice_setup **out, const struct config *c, const struct dtls_identity *id)
{
	size_t n = c->ice.stun.n + c->ice.turn.n;
	struct ice_setup *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->urls = calloc(n + 1, sizeof *s->urls);
	s->servers = calloc(n + 1, sizeof *s->servers);
	if (!s->urls || !s->servers) {
		ice_setup_free(&s);
		return -ENOMEM;
	}
	s->cfg = (struct ice_cfg){
		.identity = id,
		.servers = s->servers,
		.public_address = c->ice.public_address[0] ? c->ice.public_address : NULL,
		.port_min = (uint16_t)c->ice.port_min,
		.port_max = (uint16_t)c->ice.port_max,
		.loopback = c->ice.loopback,
		.max_rx_kbps = (unsigned)c->limits.uplink_kbps,
	};
	for (size_t i = 0; i < c->ice.stun.n; i++)
		add_server(s, c->ice.stun.items[i], NULL, NULL);
	for (size_t i = 0; i < c->ice.turn.n; i++)
		add_server(s, c->ice.turn.items[i].url, c->ice.turn.items[i].username,
			   c->ice.turn.items[i].credential);
	*out = s;
	return 0;
}

void ice_setup_free(struct ice_setup **s)
{
	if (!*s)
		return;
	free((*s)->urls);
	free((*s)->servers);
	free(*s);
	*s = NULL;
}

const struct ice_cfg *ice_setup_cfg(const struct ice_setup *s)
{
	return &s->cfg;
}
