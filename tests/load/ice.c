#include "tests/load/ice.h"

#include <stdio.h>

static const char *address = "127.0.0.1";
static struct ice_relay relay;

void ice_use_address(const char *ipv4)
{
	address = ipv4;
}

const char *ice_address(void)
{
	return address;
}

bool ice_use_relay(const char *text)
{
	return sscanf(text, "%63[0-9.]:%5u,%63[^,],%63[^,]", relay.address, &relay.port, relay.user,
		      relay.password) == 4 && relay.port;
}

const struct ice_relay *ice_relay(void)
{
	return &relay;
}

struct ice *ice_new(const struct ice_cfg *cfg)
{
	struct ice *i = cfg->kind == ICE_NICE ? ice_nice_new(cfg) : ice_mini_new(cfg);

	i->events = cfg->events;
	i->obj = cfg->obj;
	return i;
}

void ice_free(struct ice **i)
{
	if (*i)
		(*i)->ops->free(*i);
	*i = NULL;
}

void ice_start(struct ice *i)
{
	i->ops->start(i);
}

void ice_set_remote(struct ice *i, const char *ufrag, const char *pwd)
{
	i->ops->set_remote(i, ufrag, pwd);
}

void ice_add_candidate(struct ice *i, const char *sdp)
{
	i->ops->add_candidate(i, sdp);
}

void ice_sweep(struct ice *i, int64_t now_ns)
{
	if (!i->muted && i->ops->sweep)
		i->ops->sweep(i, now_ns);
}

bool ice_send(struct ice *i, const uint8_t *p, size_t len)
{
	return !i->muted && i->ops->send(i, p, len);
}

void ice_mute(struct ice *i)
{
	i->muted = true;
	if (i->ops->mute)
		i->ops->mute(i);
}
