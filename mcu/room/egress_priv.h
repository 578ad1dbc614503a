/* The insides of the fan-out, shared by egress.c, egress_audio.c, egress_video.c and
 * egress_resend.c. NET. */
#ifndef MCU_ROOM_EGRESS_PRIV_H
#define MCU_ROOM_EGRESS_PRIV_H

#include <glib.h>

#include "mcu/net/transport.h"
#include "mcu/room/egress.h"
#include "mcu/rtp/history.h"

/* The receivers of one encode (video), or of one room's sound. */
struct group {
	uint32_t id;
	struct egress *egress;
	struct video_encode *encode; /* NULL: sound */
	struct history *history;     /* video */
	struct out_stream **out;
	size_t n, cap;
	/* video: a picture that goes in pieces, and how much of it went; since when */
	struct rtp_batch *part;
	unsigned part_sent;
	int64_t part_ns;
	/* those of out that are still behind the others */
	struct out_stream **late;
	size_t n_late, late_cap;
	/* those of out whose connection is probed, as of the last picture; how many fit */
	struct out_stream **probed;
	size_t n_probed, probed_cap;
	struct net_timer *timer; /* runs while there is a part, or somebody late or probed */
	/* octets of this second and of the one before; the budget of retransmissions */
	uint32_t window, octets, octets_before;
	int64_t window_ns;
};

/* Sound that was taken from the mailbox and is about to go. */
enum { EGRESS_WAITING = 64 };
struct egress_waiting {
	struct rtp_batch *b;
	struct out_stream *to; /* if it is for one alone; NULL: not there */
};

struct egress {
	const struct engine *engine;
	struct net_shard *shard;
	struct mbox *audio_mbox;
	struct net_fd *audio_fd;
	GHashTable *video, *audio; /* id → struct group */
	GHashTable *listener;      /* leg id → struct out_stream of sound */
	struct egress_waiting waiting[EGRESS_WAITING];
	size_t n_waiting;
	struct out_pkt pkt[RTP_BATCH_VIDEO_PACKETS];
	uint8_t hdr[RTP_BATCH_VIDEO_PACKETS][RTP_TX_HEADER_MAX];
};

static inline struct group *egress_group(GHashTable *t, uint32_t id)
{
	return g_hash_table_lookup(t, GUINT_TO_POINTER(id));
}

/* Before number i of the group gets something: what those a little behind it need
 * is fetched. */
static inline void egress_prefetch(const struct group *g, size_t i)
{
	enum { STEP = 2, FIRST = STEP * (TRANSPORT_PREFETCH_STEPS + 1) };

	if (i + FIRST < g->n) {
		const char *o = (const char *)g->out[i + FIRST];

		for (size_t at = 0; at < OUT_STREAM_HOT_BYTES; at += 64)
			__builtin_prefetch(o + at);
	}
	for (unsigned k = 0; k < TRANSPORT_PREFETCH_STEPS; k++) {
		size_t at = i + FIRST - STEP * (k + 1);

		if (at < g->n)
			transport_prefetch(g->out[at]->transport, k);
	}
}

/* Packets [first, first + n) of a batch that o follows. */
void egress_send(struct egress *x, struct out_stream *o, const struct rtp_batch *b, unsigned first,
		 unsigned n) ON_THREAD(ROLE_NET);

/* Sends and counts. */
void egress_put(struct out_stream *o, const struct out_pkt *pkt, size_t n) ON_THREAD(ROLE_NET);

/* Takes it off the group's list. */
void egress_remove(struct group *g, struct out_stream *o) ON_THREAD(ROLE_NET);

/* egress_audio.c */
/* All sound that is in the mailbox. */
void egress_audio(struct egress *x) ON_THREAD(ROLE_NET);
/* The same, as a net_fd_fn. */
void egress_audio_ready(void *obj, int fd, uint32_t events);

/* egress_video.c */
/* A new picture, borrowed, to all that follow its encode. */
void egress_video(struct egress *x, struct rtp_batch *b) ON_THREAD(ROLE_NET);
/* A receiver that is on g's list, waits for a key frame, and would get one only by
 * asking for it: if there was one a moment ago, it gets that and all that followed.
 * False: there is none that could be used. */
bool egress_catch_up(struct egress *x, struct group *g, struct out_stream *o)
	ON_THREAD(ROLE_NET);
void egress_not_late(struct group *g, struct out_stream *o) ON_THREAD(ROLE_NET);
/* The timer of a group. */
void egress_pace(void *group, int64_t due_ns);

/* egress_resend.c: a new batch of the group. */
void egress_resend_count(struct group *g, const struct rtp_batch *b) ON_THREAD(ROLE_NET);
/* Every few milliseconds: what o->pad_bps asks for. */
void egress_pad(struct group *g, struct out_stream *o) ON_THREAD(ROLE_NET);

#endif
