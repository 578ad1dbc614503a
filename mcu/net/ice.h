/* The WebRTC transport: full ICE by libnice (RFC 8445, trickle RFC 8838, consent
 * RFC 7675), DTLS-SRTP, RTP and RTCP on one component (BUNDLE, rtcp-mux).
 *
 * One libnice agent per transport with a GMainContext of its own on the shard's
 * epoll. Sending goes around libnice on the selected pair's socket. See
 * transport.h for calls, events and rules. */
#ifndef MCU_NET_ICE_H
#define MCU_NET_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/dtls.h"
#include "mcu/net/shard.h"
#include "mcu/net/transport.h"

enum ice_server_kind { ICE_STUN = 1, ICE_TURN_UDP, ICE_TURN_TCP, ICE_TURN_TLS };

struct ice_server {
	enum ice_server_kind kind;
	const char *host; /* numeric address: names are resolved when the configuration is read */
	uint16_t port;
	const char *user, *password; /* TURN */
};

/* Everything is borrowed for the call but identity, which must outlive the
 * transport. */
struct ice_cfg {
	const struct dtls_identity *identity;
	bool controlling;		     /* the offerer is */
	const char *local_ufrag, *local_pwd; /* ice_credentials_new() */
	bool publishes;			     /* the peer sends RTP; false: RTCP only */
	const struct ice_server *servers;    /* the first STUN server, every TURN server */
	size_t n_servers;
	const char *public_address;  /* of a 1:1 NAT; NULL: none */
	uint16_t port_min, port_max; /* 0, 0: the system's choice */
	bool loopback;		     /* use 127.0.0.1 too; without any other address always */
	bool no_consent;	     /* without RFC 7675 (tests) */
	unsigned consent_ms;	     /* 0: 30000, as RFC 7675 5.1 says */
	unsigned srtp_profiles;	     /* DTLS_PROFILE_…, 0: all */
	/* What the peer may send; 0: anything. What is above is dropped before it is
	 * decrypted, and after ten seconds of it the transport is closed (rx.h). */
	unsigned max_rx_kbps;
};

enum { ICE_UFRAG_BYTES = 9, ICE_PWD_BYTES = 25 }; /* with the final NUL */

/* Random credentials for a transport that is yet to be made (CTL puts them into
 * its SDP first). Any thread. */
void ice_credentials_new(char ufrag[ICE_UFRAG_BYTES], char pwd[ICE_PWD_BYTES]);

/* Gathering starts at the next turn of the shard's loop, so no event comes
 * before this has returned. ev and obj: borrowed for the transport's life.
 * 0, -EINVAL, -ENOMEM. */
int transport_ice_new(struct transport **out, struct net_shard *s, const struct ice_cfg *cfg,
		      const struct transport_events *ev, void *obj) ON_THREAD(ROLE_NET);

/* Restarts ICE (RFC 8445 section 9) with the local credentials in cfg, which is
 * otherwise as for transport_ice_new; identity, publishes and srtp_profiles are
 * not looked at. transport_set_remote with the peer's new credentials (and the
 * old fingerprint) follows; candidates then belong to the new generation, unless
 * they name the ufrag of the old one. Local candidates are announced anew.
 *
 * A second agent with sockets of its own works beside the first. Media stays on
 * the old pair, as long as that works, until a new one is selected, and DTLS, SRTP
 * and the roll-over go on; the old sockets are heard for five seconds more. There
 * is no event. When nothing comes of it the old pair stays; a transport whose
 * pair is lost can be saved like this until it is closed, 30 s after the last
 * authentic packet. A further restart before that replaces the one under way.
 *
 * 0, -EINVAL, -ENOMEM: nothing has changed. */
int transport_ice_restart(struct transport *t, const struct ice_cfg *cfg) ON_THREAD(ROLE_NET);

/* The peer sends RTP from now on, though it was made with publishes false (a
 * re-offer added a microphone or camera). 0, also when it did before; -ENOMEM, -EIO. */
int transport_ice_publish(struct transport *t) ON_THREAD(ROLE_NET);

/* Withdraws the consent to receive from the peer (RFC 7675 section 5.2): its
 * next check is answered by an error, and it must stop sending. */
void transport_ice_revoke_consent(struct transport *t) ON_THREAD(ROLE_NET);

#endif
