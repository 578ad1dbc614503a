/* The RTP streams of one recording that is being played: sequence, time stamps, packets
 * and reports of its tracks. Owner: a movie_pump, on its network shard. */
#ifndef MCU_MOVIE_RTP_H
#define MCU_MOVIE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/transport.h"
#include "mcu/rtp/batch.h"
#include "signaling/rtsp.h"
#include "storage/player.h"

struct movie_stream {
	bool there;
	enum codec codec;
	uint32_t ssrc, clock_hz, first_ts;
	uint8_t pt;
	uint16_t seq;		   /* of the next packet */
	uint32_t packets, octets;  /* for reports */
	uint32_t base;		   /* stamp of the place where playing began */
	uint32_t leads;		   /* sent before it, since */
};

struct movie_rtp {
	struct movie_stream stream[PLAYER_TRACKS];
	struct rtp_batch_pool *batches;
	char cname[32];
	int64_t epoch_ns; /* of the stamps: they go on with the clock from here */
};

/* 0 or -EIO: no random numbers. The SSRCs are chosen here. */
int movie_rtp_init(struct movie_rtp *m, struct rtp_batch_pool *batches,
		   const struct player_info *info, const bool used[PLAYER_TRACKS], int64_t now_ns);
/* Playing begins at now_ns. */
void movie_rtp_begin(struct movie_rtp *m, int64_t now_ns);
/* Sends a sample that is after_ns behind the place where it began, or leads to it. How many
 * octets; 0: it was dropped. */
size_t movie_rtp_send(struct movie_rtp *m, struct transport *t, enum player_track_no no,
		      const uint8_t *data, size_t len, int64_t after_ns, bool lead)
	ON_THREAD(ROLE_NET);
/* Sender reports of all; after_ns: how long it plays by now. bye: it is over. */
void movie_rtp_report(struct movie_rtp *m, struct transport *t, int64_t after_ns, bool bye)
	ON_THREAD(ROLE_NET);

#endif
