/* The inside of the UDP transport, shared by rtp_udp.c (life, agreements), rtp_udp_rx.c
 * and rtp_udp_tx.c. ROLE_NET. */
#ifndef MCU_NET_RTP_UDP_PRIV_H
#define MCU_NET_RTP_UDP_PRIV_H

#include "mcu/net/rtp_udp.h"
#include "mcu/net/rx.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/srtp_out.h"
#include "mcu/net/udp_send.h"
#include "mcu/net/unheard.h"

struct udp_line;

/* In this and the next two what every packet needs is at the beginning. */
struct udp_socket {
	struct udp_line *line;
	bool rtcp;
	bool heard;     /* something came from that host */
	bool elsewhere; /* it is not the signaling's */
	uint8_t usual;  /* packets that came at the last read; 0: ask for more */
	uint8_t reads;
	bool rests;    /* the kernel drops its silence */
	bool bridges;  /* or did until a moment ago: what is missing may be that */
	struct latch_address to; /* as path.to */
	struct udp_path path; /* to_len 0: nowhere to send to */
	struct net_fd *watch;
	struct transport_silence silence; /* that it sends and nothing else; len 0: none */
	uint16_t dropped_octets;	  /* of each packet that the kernel drops */
	uint32_t drops;			  /* the socket's count, of its last packet */
	int64_t passed_ns;		  /* rests: when that came */
};

struct udp_line {
	uint32_t ssrc, rtx_ssrc; /* ours */
	struct srtp_out *out;	 /* of the suite in force; NULL: not encrypted */
	struct udp_transport *t;
	struct rtp_kept *kept;
	enum rtp_line id;
	bool sure;   /* its latch has heard its peer */
	bool missed; /* pictures were withheld */
	bool opens;  /* and could go now */
	struct rtp_udp_line said;
	struct udp_socket rtp, rtcp;
	struct unheard unheard;
	struct srtp_out *made[RTP_SUITES]; /* none is made twice: its indices go on */
	enum srtp_profile made_for[RTP_SUITES];
};

struct udp_transport {
	struct transport base;
	struct net_shard *shard;
	bool closing, dead, told;
	bool expects; /* a line may send to us */
	bool hurried;
	uint8_t in_use, keyed; /* lines, by bits: so that the others are not looked at */
	struct transport_stats stats;
	const struct transport_events *ev;
	void *obj;
	struct rtp_ports *ports;
	int64_t heard_ns; /* 0: nothing yet; not RTCP of who has sent no RTP */
	struct rx_rate rx, strangers;
	struct udp_line line[RTP_LINES];
	struct shard_work work; /* connected at first, destruction at last */
	struct net_timer timer;
	int64_t since_ns; /* it is expected to send */
	int64_t silence_ns;
};

static inline struct udp_transport *udp_self(struct transport *t)
{
	return (struct udp_transport *)t;
}

static inline bool udp_gone(const struct udp_transport *t)
{
	return t->closing || t->dead;
}

/* rtp_udp.c */
void udp_fail(struct udp_transport *t, const char *reason) ON_THREAD(ROLE_NET);
/* The end, if nothing has come for too long. */
void udp_check_silence(struct udp_transport *t, int64_t now_ns) ON_THREAD(ROLE_NET);
/* Where to send, as the latch says now. */
void udp_line_aim(struct udp_line *l) ON_THREAD(ROLE_NET);

/* Sockets of peers that are where they are and send steadily are connected to them. */
void udp_tie_lines(struct udp_transport *t, int64_t now_ns) ON_THREAD(ROLE_NET);
/* Has the kernel drop the silence that comes, as far as that may be and can be. */
void udp_rest(struct udp_socket *k, int64_t now_ns) ON_THREAD(ROLE_NET);
/* Now and then: ends it when nothing comes any more, or begins it. */
void udp_check_rest(struct udp_socket *k, int64_t now_ns) ON_THREAD(ROLE_NET);
/* All that comes is seen again. */
void udp_end_rest(struct udp_socket *k) ON_THREAD(ROLE_NET);

/* Nothing came any more: the peer may be elsewhere. */
void udp_untie(struct udp_socket *k) ON_THREAD(ROLE_NET);

/* rtp_udp_rx.c: a net_fd_fn and a net_fd_prefetch_fn; obj: struct udp_socket. */
void udp_readable(void *obj, int fd, uint32_t events);
void udp_prefetch_rx(const void *obj, unsigned step);

/* rtp_udp_tx.c: members of the vtable. */
size_t udp_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n);
int udp_send_rtcp(struct transport *base, const uint8_t *p, size_t len);
void udp_prefetch(const struct transport *base, unsigned step);

#endif
