/* The insides of a leg's network side, shared by leg_net.c (life cycle),
 * ingress.c (RTP in), leg_rtcp.c (reports and feedback) and leg_net_stats.c. NET,
 * but for what is marked. */
#ifndef MCU_ROOM_LEG_NET_PRIV_H
#define MCU_ROOM_LEG_NET_PRIV_H

#include "mcu/base/hot.h"
#include "mcu/base/log.h"
#include "mcu/net/transport.h"
#include "mcu/room/egress.h"
#include "mcu/room/leg_net.h"
#include "mcu/room/out_stream.h"
#include "mcu/room/rtp_demux.h"
#include "mcu/room/sound_rest.h"
#include "mcu/room/tier_pick.h"
#include "mcu/rtp/keyframe_gate.h"
#include "mcu/rtp/lipsync.h"
#include "mcu/rtp/rx_stats.h"
#include "mcu/rtp/telephone_event.h"
#include "mcu/rtp/twcc.h"
#include "mcu/rtp/video_rx.h"

enum {
	LEG_TICK_MS = 20,       /* of legs that publish pictures: NACK, PLI, feedback; digits */
	LEG_REPORT_MS = 500,    /* reports of legs that publish */
	LEG_VIEWER_TICK_MS = 1000,
	LEG_BEGINS_MS = 5000, /* for so long the first reports of plain RTP are hurried */
	/* Whoever reported before and has not for so long is sent nothing until it does
	 * again (RFC 8083 4.2); what keeps the connection alive may come from elsewhere. */
	LEG_SILENT_MS = 20000,
	LEG_TMMBN_MS = 200, /* between two answers to TMMBR */
	/* Whoever may be sent content, too, and has sent none for so long presents none. */
	LEG_CONTENT_QUIET_MS = 5000,
};

/* What the receiver at the other end reports of a stream. */
struct remote_report {
	uint8_t fraction_lost;
	int32_t lost; /* cumulative */
	uint32_t jitter;
};

/* The limit that the peer set last, and what it was told of it. */
struct limit_in {
	bool fresh, unanswered; /* of the compound that is being read; not confirmed yet */
	uint32_t owner;
	uint64_t bps;
	uint16_t overhead;
	int64_t answered_ns; /* 0: never */
};

enum { LEG_NET_CAMERA, LEG_NET_CONTENT, LEG_NET_PICTURES };

/* A picture that the peer sends. */
struct picture_in {
	const struct leg_stream *stream; /* as agreed on */
	struct video_leg *to;
	struct leg_net_flow *flow;
	bool have, have_rtx;
	struct rx_stats stats, rtx;
	struct video_rx *rx; /* NULL: not agreed on */
	uint8_t orientation; /* what it was made with */
	bool nack;
	uint8_t fir_seq; /* of the next FIR sent */
};

/* What the last packet of sound over UDP was routed to: the next one mostly is another
 * of these, and need not be looked up. */
struct sound_again {
	int64_t until_ns; /* 0: nothing */
	uint32_t ssrc, tag;
	uint8_t pt;
};

struct leg_net {
	/* what every packet of sound needs, together */
	struct transport *transport;
	struct sound_again again;
	struct leg_record *record; /* NULL: nobody records what it sends */
	int64_t heard_ns;	   /* when its last RTCP came, over UDP also RTP; 0: none yet */
	bool silent;		   /* and that is too long ago */
	bool hurried;		   /* its packets are read at once: it sends pictures */
	bool over_udp;
	bool relaxed;		   /* it sends nothing but silence, as the transport knows: */
	struct transport_silence silence;
	bool have_audio_rx;
	struct sound_rest rest;
	struct rx_stats audio_rx;
	struct leg_net_cfg cfg; /* constant */
	struct net_shard *shard;
	struct egress *egress;
	struct log_ctx log;
	char label[16];
	struct tap *tap;
	bool connected, closing;
	bool has_channel;
	uint16_t channel; /* the data channel */
	_Atomic unsigned data_up, data_down; /* messages in mailboxes */
	struct leg_media media;
	uint32_t watch, watch_content; /* encode ids wished for */
	bool unserved;	/* there was no memory for what it shall get: tried again */
	uint32_t limit_kbps; /* of the pictures it sends; 0: none */
	_Alignas(HOT_LINE) struct out_stream audio; /* as few lines as may be */
	struct out_stream video, content;
	struct rtp_demux demux;
	int64_t picture_ns; /* when the last packet of one came */
	int64_t content_ns; /* likewise of content */
	bool content_comes; /* as CTL was told */
	struct telephone_event_rx events;
	struct telephone_event_tx digits;
	struct picture_in in[LEG_NET_PICTURES];
	struct twcc twcc;
	struct lipsync lipsync;
	struct fir_dedup fir, content_fir; /* those received */
	struct net_timer *timer;
	int64_t pace_ms; /* of the timer */
	int64_t report_due_ns;
	int64_t line_due_ns[RTP_LINES]; /* of lines over UDP; 0: none was sent yet */
	bool line_told[RTP_LINES];	/* the report of a sender that its stream begins with */
	int64_t begins_until_ns;	/* the timer is quick, for those; 0: not any more */
	uint32_t chance;		/* state of a random sequence */
	int64_t rtt_ns;
	struct remote_report audio_report, video_report, content_report;
	struct tier_pick pick;
	struct limit_in limit;
	/* what it was sent between the last two reports */
	uint64_t sent_bps;
	uint32_t sent_octets;
	int64_t sent_ns;
	struct leg_net_stats stats; /* counters of here are kept in place */
	_Atomic uint64_t published[sizeof(struct leg_net_stats) / 8]; /* any thread reads */
};

_Static_assert(sizeof(struct leg_net_stats) % 8 == 0, "published in words");

/* leg_net.c: its timer runs as often as it needs by now. */
void leg_net_set_pace(struct leg_net *l) ON_THREAD(ROLE_NET);
/* registers the streams that there are with what they shall get. */
void leg_net_sync(struct leg_net *l) ON_THREAD(ROLE_NET);

/* leg_net_data.c: events of the transport */
bool leg_net_data_open(void *obj, const struct transport_channel *c);
void leg_net_data_in(void *obj, uint16_t channel, bool binary, const uint8_t *p, size_t len);
void leg_net_data_closed(void *obj, uint16_t channel);

/* leg_net_transport.c: makes it as l->media says; sets what another negotiation has
 * agreed on. restart: of ICE. 0 or -errno. */
int leg_net_transport_new(struct leg_net *l, const struct transport_events *ev)
	ON_THREAD(ROLE_NET);
int leg_net_transport_follow(struct leg_net *l, bool restart) ON_THREAD(ROLE_NET);

/* What was agreed on of a line. */
static inline const struct leg_stream *leg_net_stream(const struct leg_net *l, enum rtp_line line)
{
	return line == RTP_LINE_AUDIO ? &l->media.audio :
	       line == RTP_LINE_CAMERA ? &l->media.video : &l->media.content;
}

/* leg_net_digits.c */
/* True: it was an event, and has been taken. */
bool leg_net_event_in(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p,
		      const struct rtp_route *to, int64_t arrival_ns) ON_THREAD(ROLE_NET);
/* A packet of sound gets the number that it had without events and silence. */
void leg_net_number_sound(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p)
	ON_THREAD(ROLE_NET);
/* Every LEG_TICK_MS. */
void leg_net_digits_tick(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);

/* ingress.c */
void ingress_rtp(struct leg_net *l, struct buf *pkt, int64_t arrival_ns) ON_THREAD(ROLE_NET);
/* Holes that cannot be repaired, feedback that is due: every LEG_TICK_MS, if it needs
 * that. */
void ingress_tick(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
bool ingress_needs_ticks(const struct leg_net *l) ON_THREAD(ROLE_NET);
bool leg_net_publishes(const struct leg_net *l) ON_THREAD(ROLE_NET);

/* Begins or ends what tier_pick wants to be sent on trial. */
void leg_net_probe(struct leg_net *l) ON_THREAD(ROLE_NET);
/* Its connection carries another rung: CTL is told. */
void leg_net_carries(struct leg_net *l) ON_THREAD(ROLE_NET);

/* leg_rtcp.c */
void leg_rtcp_in(struct leg_net *l, const uint8_t *p, size_t len, int64_t arrival_ns)
	ON_THREAD(ROLE_NET);
void leg_rtcp_report(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
/* The first report of each stream to who only watches over plain RTP, at once when it has
 * begun: only from then on a player knows what of sound and picture belongs together. Until
 * all have had theirs, or for LEG_BEGINS_MS. */
void leg_rtcp_begin(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
/* A limit that came too soon after another is confirmed when it is time. */
void leg_rtcp_confirm(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
void leg_rtcp_feedback(struct leg_net *l, struct picture_in *in, const struct video_rx_wants *w)
	ON_THREAD(ROLE_NET);
void leg_rtcp_twcc(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
/* leg_net_content.c: a packet of it has come; every LEG_TICK_MS; before another agreement
 * than l->media is in force. */
void leg_net_content_in(struct leg_net *l, int64_t arrival_ns) ON_THREAD(ROLE_NET);
void leg_net_content_tick(struct leg_net *l, int64_t now_ns) ON_THREAD(ROLE_NET);
void leg_net_content_agreed(struct leg_net *l, const struct leg_media *m) ON_THREAD(ROLE_NET);
/* leg_net_pictures.c: the peer has agreed on no RTCP for it */
void leg_net_ask_picture(struct leg_net *l) ON_THREAD(ROLE_NET);
void leg_net_opened(void *obj); /* of the transport */
/* leg_net_stats.c: completes l->stats and shows them to other threads. */
void leg_net_publish_stats(struct leg_net *l) ON_THREAD(ROLE_NET);
void leg_rtcp_bye(struct leg_net *l) ON_THREAD(ROLE_NET);

#endif
