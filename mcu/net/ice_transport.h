/* The inside of the ICE transport, shared by ice.c (life, DTLS), ice_side.c (ICE:
 * agents, restarts), ice_data.c (data channels), ice_rx.c (receiving) and ice_tx.c (sending). ROLE_NET. */
#ifndef MCU_NET_ICE_TRANSPORT_H
#define MCU_NET_ICE_TRANSPORT_H

#include "mcu/net/datachannel.h"
#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "mcu/net/ice_agent.h"
#include "mcu/net/rx.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/sctp.h"
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

struct ice_transport;

/* One generation of ICE: what one pair of credentials on each side makes. */
struct ice_side {
	struct ice_transport *t;
	struct ice_agent *agent;
	struct ice_side *next; /* in t->doomed */
	bool gathering, have_remote;
	char ufrag[ICE_MAX_CREDENTIAL], pwd[ICE_MAX_CREDENTIAL]; /* of the peer */
};

struct ice_transport {
	struct transport base;
	/* what sending takes, within TRANSPORT_HOT_BYTES but for most of the address */
	struct net_shard *shard;
	struct srtp_out *out;
	enum ice_state state;
	bool closing, publishes, have_peer;
	bool direct; /* path is the selected pair's; else through libnice */
	struct transport_stats stats;
	struct udp_path path;
	struct ice_side *now;	  /* what media uses, or will use first */
	struct ice_side *coming;  /* of a restart, until a pair of it is selected */
	struct ice_side *leaving; /* of before a restart: the peer may still send on it */
	struct ice_side *doomed;  /* freed at the end of the turn */
	const struct transport_events *ev;
	void *obj;
	struct shard_work work; /* gathering at first, destruction at last */
	struct net_timer timer; /* of the grace before, of DTLS after selection */
	int64_t consent_ns;
	struct net_timer silence; /* runs while libnice has given the peer up */
	struct net_timer linger;  /* of `leaving` */
	int64_t heard_ns;	  /* when the last authentic packet came */
	int64_t lost_ns;	  /* heard_ns when libnice gave the peer up */
	bool hurried; /* the peer sends pictures: what comes is read at once */
	bool patient; /* nothing of it is read at once now */
	bool stamped; /* the kernel says when packets of path.fd came */
	unsigned profiles;
	struct rx_rate rx;
	const struct dtls_identity *identity;
	struct dtls *dtls;
	struct srtp_in *in;
	struct sctp_assoc *sctp;
	struct datachannels channels;
	bool wants_data; /* agreed on, and with: */
	uint16_t sctp_port;
	uint32_t max_message;
	struct ice_early *early;
	size_t n_early;
	enum transport_setup setup;
	char fingerprint[ICE_MAX_FINGERPRINT]; /* setup and this: since have_peer */
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
/* The first pair is selected. */
void ice_start_dtls(struct ice_transport *t) ON_THREAD(ROLE_NET);
void ice_fail(struct ice_transport *t, const char *reason) ON_THREAD(ROLE_NET);

/* ice_side.c. cfg as in transport_ice_new; 0 or -errno. */
int ice_side_new(struct ice_side **out, struct ice_transport *t, const struct ice_cfg *cfg)
	ON_THREAD(ROLE_NET);
/* That whose negotiation was the last. */
struct ice_side *ice_side_newest(struct ice_transport *t);
/* The peer's credentials of the newest; -EALREADY: it has others. */
int ice_side_set_remote(struct ice_transport *t, const char *ufrag, const char *pwd)
	ON_THREAD(ROLE_NET);
int ice_side_add_candidate(struct ice_transport *t, const char *candidate) ON_THREAD(ROLE_NET);
/* The end of a turn: gathers what was made in it, frees what was given up. */
void ice_side_work(struct ice_transport *t) ON_THREAD(ROLE_NET);
void ice_side_free_all(struct ice_transport *t) ON_THREAD(ROLE_NET);
/* Who reads the selected socket, and how soon. */
void ice_side_set_reader(struct ice_transport *t) ON_THREAD(ROLE_NET);
/* Member of the vtable. */
void ice_hurry(struct transport *base, bool hurry);
net_timer_fn ice_side_on_silence, ice_side_on_linger;

/* ice_rx.c: a datagram that libnice passes on, and what waits on the selected
 * socket. The latter is an ice_agent_reader. */
void ice_input(void *obj, const uint8_t *p, size_t len);
bool ice_read(void *obj, int fd);

/* ice_data.c: makes the association once there is a connection, if it is wanted; 0
 * or -errno. And members of the vtable. */
int ice_data_follow(struct ice_transport *t) ON_THREAD(ROLE_NET);
int ice_start_data(struct transport *base, uint16_t peer_port, uint32_t max_message);
int ice_send_data(struct transport *base, uint16_t channel, bool binary, const uint8_t *p,
		  size_t len);
void ice_close_data(struct transport *base, uint16_t channel);

/* ice_tx.c: members of the vtable. */
size_t ice_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n);
int ice_send_rtcp(struct transport *base, const uint8_t *p, size_t len);
void ice_prefetch(const struct transport *base, unsigned step);

#endif
