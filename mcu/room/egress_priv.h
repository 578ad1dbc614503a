/* The insides of the fan-out, shared by egress.c and egress_resend.c. NET. */
#ifndef MCU_ROOM_EGRESS_PRIV_H
#define MCU_ROOM_EGRESS_PRIV_H

#include <glib.h>

#include "mcu/net/transport.h"
#include "mcu/room/egress.h"
#include "mcu/rtp/history.h"

/* The receivers of one encode (video), or of one room's sound. */
struct group {
	uint32_t id;
	struct video_encode *encode; /* NULL: sound */
	struct history *history;     /* video */
	struct out_stream **out;
	size_t n, cap;
	/* octets of this second and of the one before; the budget of retransmissions */
	uint32_t window, octets, octets_before;
	int64_t window_ns;
};

struct egress {
	const struct engine *engine;
	struct net_shard *shard;
	struct mbox *audio_mbox;
	struct net_fd *audio_fd;
	GHashTable *video, *audio; /* id → struct group */
	GHashTable *listener;      /* leg id → struct out_stream of sound */
	struct out_pkt pkt[RTP_BATCH_VIDEO_PACKETS];
	uint8_t hdr[RTP_BATCH_VIDEO_PACKETS][RTP_TX_HEADER_MAX];
};

static inline struct group *egress_group(GHashTable *t, uint32_t id)
{
	return g_hash_table_lookup(t, GUINT_TO_POINTER(id));
}

/* Packets [first, first + n) of a batch that o follows. */
void egress_send(struct egress *x, struct out_stream *o, const struct rtp_batch *b, unsigned first,
		 unsigned n) ON_THREAD(ROLE_NET);

/* Sends and counts. */
void egress_put(struct out_stream *o, const struct out_pkt *pkt, size_t n) ON_THREAD(ROLE_NET);

/* egress_resend.c: a new batch of the group. */
void egress_resend_count(struct group *g, const struct rtp_batch *b) ON_THREAD(ROLE_NET);

#endif
