/* The inside of the ICE transport, shared by ice.c (life, ICE, DTLS), ice_rx.c
 * (receiving) and ice_tx.c (sending). ROLE_NET. */
#ifndef MCU_NET_ICE_TRANSPORT_H
#define MCU_NET_ICE_TRANSPORT_H

#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "mcu/net/ice_agent.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/srtp_in.h"
#include "mcu/net/srtp_out.h"
#include "mcu/net/udp_send.h"

enum {
	ICE_EARLY_DATAGRAMS = 4, /* DTLS that came before we were ready */
	ICE_MAX_CREDENTIAL = 257,
	ICE_MAX_FINGERPRINT = 208,
};

enum ice_state { ICE_NEW = 1, ICE_GATHERING, ICE_SELECTED, ICE_CONNECTED, ICE_DEAD };

struct ice_early {
	uint16_t len;
	uint8_t octets[TRANSPORT_MTU + 300];
};

struct ice_transport {
	struct transport base;
	struct net_shard *shard;
	struct ice_agent *agent;
	const struct transport_events *ev;
	void *obj;
	struct shard_work work; /* gathering at first, destruction at last */
	struct net_timer timer; /* of the grace before, of DTLS after selection */
	struct net_timer silence; /* runs while libnice has given the peer up */
	int64_t heard_ns;	  /* when the last authentic packet came */
	enum ice_state state;
	bool closing, publishes, have_remote;
	bool direct; /* path is the selected pair's; else through libnice */
	unsigned profiles;
	const struct dtls_identity *identity;
	struct dtls *dtls;
	struct srtp_in *in;
	struct srtp_out *out;
	struct udp_path path;
	struct ice_early *early;
	size_t n_early;
	struct transport_stats stats;
	enum transport_setup setup;
	char ufrag[ICE_MAX_CREDENTIAL], pwd[ICE_MAX_CREDENTIAL];
	char fingerprint[ICE_MAX_FINGERPRINT];
};

static inline struct ice_transport *ice_self(struct transport *t)
{
	return (struct ice_transport *)t;
}

static inline bool ice_gone(const struct ice_transport *t)
{
	return t->closing || t->state == ICE_DEAD;
}

/* ice.c: a DTLS datagram, borrowed; kept while there is no handshake yet. */
void ice_input_dtls(struct ice_transport *t, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);
void ice_count_early(struct ice_transport *t);

/* ice_rx.c: a datagram that libnice passes on, and what waits on the selected
 * socket. The latter is an ice_agent_reader. */
void ice_input(void *obj, const uint8_t *p, size_t len);
bool ice_read(void *obj, int fd);

/* ice_tx.c: members of the vtable. */
size_t ice_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n);
int ice_send_rtcp(struct transport *base, const uint8_t *p, size_t len);

#endif
