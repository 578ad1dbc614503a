/* The network side of a leg: its transport, the streams it sends and receives,
 * and its RTCP. Lives on one shard's thread (NET) from attach to close; CTL
 * creates and frees the memory and keeps nothing of it but the pointer to post
 * with. Reports to CTL by mailbox through struct leg_net_events. */
#ifndef MCU_ROOM_LEG_NET_H
#define MCU_ROOM_LEG_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/leg_media.h"

struct leg_net;
struct audio_leg;
struct video_leg;
struct rtp_batch;

/* Called on CTL. Strings are taken by the call: free() them. */
struct leg_net_events {
	void (*candidate)(void *obj, char *candidate); /* NULL: no more */
	void (*connected)(void *obj);
	void (*lost)(void *obj, char *reason); /* a code of closed() */
	void (*closed)(void *obj);             /* after leg_net_close */
	/* Another encode's packets go to it now: leg_net_watch has come true. Only
	 * after a change from one to another. */
	void (*watching)(void *obj, uint32_t encode_id);
	/* The best rung of the ladder that its connection carries, when that changes. */
	void (*carries)(void *obj, unsigned rung);
	/* The data channel "metadata" is there, or is gone again. */
	void (*data_open)(void *obj, bool open);
	/* A message on it, taken; tag: binary. */
	void (*data)(void *obj, struct buf *b);
	/* A key frame of the peer's camera is needed, and RTCP cannot ask for it. */
	void (*wants_picture)(void *obj);
	/* A DTMF digit that came as an RTP event. */
	void (*digit)(void *obj, char digit);
	/* Packets of content come now, or come no more, where they go both ways. */
	void (*content)(void *obj, bool comes);
};

/* One stream, one way. */
struct leg_net_flow {
	double loss; /* fraction, lately */
	double jitter_ms;
	uint64_t packets, octets; /* of payload */
	uint64_t lost;		  /* of all, as the receiver counts */
	enum codec codec;	  /* in use; CODEC_NONE: nothing yet */
	uint32_t ssrc, rtx_ssrc;
	char rid[LEG_MID_BYTES]; /* the simulcast layer that is taken */
	/* Asked for: by us on the way up, by the peer on the way down. */
	uint64_t nacks, plis, firs; /* nacks: packets named */
	uint64_t rtx_packets;	    /* up: RTX received, without probes; down: sent again */
	uint64_t repaired;	    /* up: of the nacks, those that came */
	uint64_t frames_dropped;    /* up: complete, but waiting for a key frame */
	uint64_t refused;	    /* down: nacks beyond the budget */
};

struct leg_net_stats {
	struct leg_net_flow uplink_audio, uplink_video, uplink_content;
	struct leg_net_flow downlink_audio, downlink_video, downlink_content;
	double rtt_ms;
	uint64_t remb_bps;
};

struct leg_net_cfg {
	const struct engine *engine;
	uint32_t leg_id;
	uint32_t room_id;
	int room_channels;
	unsigned shard;
	const struct leg_net_events *ev; /* borrowed for ever */
	void *obj;
	struct audio_leg *audio; /* borrowed until closed */
	struct video_leg *video, *content;
	struct rtp_ports *ports; /* NULL: ICE only; borrowed until closed */
};

int leg_net_new(struct leg_net **out, const struct leg_net_cfg *cfg) ON_THREAD(ROLE_CTL);
void leg_net_free(struct leg_net **l) ON_THREAD(ROLE_CTL);

/* Posts of CTL to the leg's shard. */
int leg_net_configure(struct leg_net *l, const struct leg_media *m) ON_THREAD(ROLE_CTL);
/* candidate NULL: no more. */
int leg_net_add_candidate(struct leg_net *l, const char *candidate) ON_THREAD(ROLE_CTL);
/* Which encode it shall receive; 0: none. What it has goes on until the first key
 * frame of that. */
void leg_net_watch(struct leg_net *l, uint32_t encode_id) ON_THREAD(ROLE_CTL);
/* The same of what it is sent beside that as content. Nobody is told when it has come
 * true. */
void leg_net_watch_content(struct leg_net *l, uint32_t encode_id) ON_THREAD(ROLE_CTL);
/* The best rung that it may have at all (tier_pick.h); at first 0. */
void leg_net_limit_rung(struct leg_net *l, unsigned best) ON_THREAD(ROLE_CTL);
/* What its pictures may cost, told to senders that heed nothing but REMB; 0: any. */
void leg_net_limit_uplink(struct leg_net *l, uint32_t kbps) ON_THREAD(ROLE_CTL);
/* The peer has asked for a key frame by other means than RTCP. */
void leg_net_want_picture(struct leg_net *l) ON_THREAD(ROLE_CTL);
/* Ends the transport and everything on NET; then closed(obj). */
void leg_net_close(struct leg_net *l) ON_THREAD(ROLE_CTL);

struct tap;
/* Copies of the leg's packets go to tap from now on; NULL: to nobody. done(obj,
 * NULL) is posted to the control mailbox when the earlier one is let go of. */
void leg_net_set_tap(struct leg_net *l, struct tap *tap, mbox_fn *done, void *obj)
	ON_THREAD(ROLE_CTL);

/* On the data channel, if there is one; referenced as long as needed; tag: binary.
 * Dropped and counted when too much waits. */
void leg_net_send_data(struct leg_net *l, struct buf *b) ON_THREAD(ROLE_CTL);

/* As RTP events (telephone_event.h says which), if that was agreed on; what is too much
 * is dropped and counted. 0 or -ENOMEM. */
int leg_net_send_digits(struct leg_net *l, const char *digits) ON_THREAD(ROLE_CTL);

struct lipsync;
/* Told by the audio side which sample plays when. */
struct lipsync *leg_net_lipsync(struct leg_net *l) ON_THREAD(ROLE_CTL);

/* The last numbers NET has published; any thread. */
void leg_net_get_stats(const struct leg_net *l, struct leg_net_stats *s);

#endif
