/* An ICE agent (RFC 8445) with one component, in two kinds:
 *
 *   ICE_NICE  libnice: full ICE, so that the server meets an agent that many
 *             clients use; for participants that send.
 *   ICE_MINI  a controlling agent of a few hundred lines on one socket of the
 *             loopback: cheap enough for a thousand passive viewers.
 *
 * Neither blocks on a socket or is woken by one: ice_sweep reads what has
 * arrived, on the caller's timer, so that the server under test does not pay
 * for waking its clients. */
#ifndef TESTS_LOAD_ICE_H
#define TESTS_LOAD_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ice;

enum ice_kind { ICE_MINI, ICE_NICE };

struct ice_events {
	/* "candidate:…", or NULL when there will be no more; borrowed. */
	void (*candidate)(void *obj, const char *sdp);
	void (*selected)(void *obj);
	void (*failed)(void *obj, const char *why);
	/* Not STUN. p may be written to, with ICE_TAILROOM octets behind len. */
	void (*packet)(void *obj, uint8_t *p, size_t len, int64_t arrival_ns);
};

enum { ICE_TAILROOM = 64 };

struct ice_cfg {
	enum ice_kind kind;
	const char *ufrag, *pwd;	 /* ours; borrowed for the call */
	bool controlling;		 /* false: ICE_NICE only */
	bool stamps;			 /* ICE_MINI: arrival times from the kernel */
	const struct ice_events *events; /* borrowed for the agent's life */
	void *obj;
};

/* The one local address of all agents that are made from now on; 127.0.0.1. */
void ice_use_address(const char *ipv4);
const char *ice_address(void);
/* Agents of kind ICE_NICE that are made from now on reach the peer through this TURN
 * server (RFC 8656, UDP) only: "ADDRESS:PORT,USER,PASSWORD". False: it is none. */
bool ice_use_relay(const char *text);
struct ice_relay {
	char address[64], user[64], password[64];
	unsigned port; /* 0: no relay */
};
const struct ice_relay *ice_relay(void);

/* Agents that are candidates of nothing yet: call ice_start. */
struct ice *ice_new(const struct ice_cfg *cfg);
void ice_free(struct ice **i);
/* Gathers; the candidate event follows. */
void ice_start(struct ice *i);
void ice_set_remote(struct ice *i, const char *ufrag, const char *pwd);
/* Before or after ice_set_remote. Candidates it cannot use are ignored. */
void ice_add_candidate(struct ice *i, const char *sdp);
void ice_sweep(struct ice *i, int64_t now_ns);
/* False: not selected yet, or refused by the kernel. */
bool ice_send(struct ice *i, const uint8_t *p, size_t len);
/* Stops reading, answering and checking for good, silently. */
void ice_mute(struct ice *i);

/* Serves what all ICE_NICE agents share; call it on the sweep's timer. */
void ice_nice_sweep_all(void);

/* The kinds implement this. */
struct ice_ops {
	void (*start)(struct ice *i);
	void (*set_remote)(struct ice *i, const char *ufrag, const char *pwd);
	void (*add_candidate)(struct ice *i, const char *sdp);
	void (*sweep)(struct ice *i, int64_t now_ns);
	bool (*send)(struct ice *i, const uint8_t *p, size_t len);
	void (*mute)(struct ice *i);
	void (*free)(struct ice *i);
};

struct ice {
	const struct ice_ops *ops;
	const struct ice_events *events;
	void *obj;
	bool muted;
};

struct ice *ice_mini_new(const struct ice_cfg *cfg);
struct ice *ice_nice_new(const struct ice_cfg *cfg);

#endif
