#include "mcu/ice_setup.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/ice_url.h"

struct ice_setup {
	struct ice_cfg cfg;
	struct ice_url *urls;
	struct ice_server *servers;
};

static void add_server(struct ice_setup *s, const char *url, const char *user, const char *password)
{
	size_t n = s->cfg.n_servers;

	/* The configuration has been checked: a URL that does not parse is a bug. */
	if (ice_url_parse(&s->urls[n], url))
		abort();
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
