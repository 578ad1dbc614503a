/* One libnice agent with one stream of one component, as a transport sees it:
 * credentials and candidates in, candidates and a selected pair out, datagrams
 * both ways. Knows nothing of DTLS or media.
 *
 * Owner: ice.c; ROLE_NET. Events come from inside the shard's turn or from
 * inside any call below; the agent must not be freed in one (ice.c defers). */
#ifndef MCU_NET_ICE_AGENT_H
#define MCU_NET_ICE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/ice.h"
#include "mcu/net/udp_send.h"

struct ice_agent;

struct ice_agent_events {
	void (*candidate)(void *obj, const char *candidate); /* NULL: no more */
	void (*selected)(void *obj); /* a pair can be used, or another one now */
	void (*failed)(void *obj);   /* no pair works (any more, or yet) */
	void (*input)(void *obj, const uint8_t *p, size_t len);
};

/* 0, -EINVAL, -ENOMEM. */
int ice_agent_new(struct ice_agent **out, struct net_shard *s, const struct ice_cfg *cfg,
		  const struct ice_agent_events *ev, void *obj) ON_THREAD(ROLE_NET);
void ice_agent_free(struct ice_agent **a) ON_THREAD(ROLE_NET);

/* 0 or -EADDRNOTAVAIL: no address or no free port. */
int ice_agent_gather(struct ice_agent *a) ON_THREAD(ROLE_NET);
/* 0 or -EINVAL. */
int ice_agent_set_remote(struct ice_agent *a, const char *ufrag, const char *pwd)
	ON_THREAD(ROLE_NET);
/* As transport_add_candidate. */
int ice_agent_add_candidate(struct ice_agent *a, const char *text) ON_THREAD(ROLE_NET);

/* The selected pair's socket and peer; false: relayed, or there is none. */
bool ice_agent_path(struct ice_agent *a, struct udp_path *path) ON_THREAD(ROLE_NET);
/* fn gets the first look at fd when it is readable, and says whether something
 * is left that libnice must read. -1: nobody. patient: net_fd_set_patient. */
typedef bool ice_agent_reader(void *obj, int fd);
void ice_agent_set_reader(struct ice_agent *a, int fd, bool patient, ice_agent_reader *fn,
			  void *obj) ON_THREAD(ROLE_NET);
/* Through libnice, whatever the pair is. 0, -EAGAIN, -ENOTCONN. */
int ice_agent_send(struct ice_agent *a, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);
/* Refuses the peer's consent checks from now on (RFC 7675 section 5.2). */
void ice_agent_revoke_consent(struct ice_agent *a) ON_THREAD(ROLE_NET);

#endif
