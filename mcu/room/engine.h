/* What all rooms share: clock, threads, pools and limits. Built by main() before
 * the first room, torn down after the last; in between it is constant, so that
 * every thread may read it. Owner: CTL. */
#ifndef MCU_ROOM_ENGINE_H
#define MCU_ROOM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/clock.h"
#include "mcu/base/codec.h"
#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/base/workers.h"
#include "mcu/net/shard.h"
#include "mcu/rtp/batch.h"
#include "mixer/video/vframe.h"

/* A message with the leg's number in front, or the JSON around one. */
enum { ENGINE_DATA_BYTES = 65536 + 4 };

enum { ENGINE_MAX_SHARDS = 16, ENGINE_MAX_AUDIO_WORKERS = 8 };

struct egress;
struct ice_cfg;
struct audio_worker;
struct sprite;

enum { ENGINE_MAX_RUNGS = 4 };

/* One size and rate of the ladder (ladder.h). */
struct engine_rung {
	int width, height, fps, bps;
};

struct engine_cfg {
	size_t net_threads, video_threads, audio_threads; /* 0: from the cores */
	int width, height, fps;
	uint32_t page_rgb;		 /* between the tiles, where a room wants nothing else */
	const struct vframe *background; /* of the canvas's size; NULL: none; borrowed for ever */
	const struct sprite *logo;	 /* likewise */
	int transition_ms; /* of tiles to a new layout; 0: none */
	int video_bps, vbv_ms;
	bool pass_through; /* passage.h */
	/* below the canvas itself, falling */
	struct engine_rung lower[ENGINE_MAX_RUNGS - 1];
	size_t n_lower;
	const char *preset, *asm_name; /* of H.264; borrowed for ever */
	int speed[CODEC_N]; /* of the other encoders: venc_cfg.speed; 0: its default */
	int max_input_width, max_input_height;
	int max_input_fps, max_decode_ms; /* of a leg, per second; 0: no limit */
	int listener_bps, audio_complexity, recording_audio_bps;
	size_t max_talkers; /* 0: all that talk */
	bool dtx;	    /* digital silence is not sent */
	bool auto_gain, noise_suppression; /* of those who join */
	struct net_shard_cfg net;
	unsigned udp_silence_s;	   /* a leg over UDP that is silent for so long ends; 0: never */
	const struct ice_cfg *ice; /* template: identity, servers, ports; borrowed for ever */
};

struct engine {
	struct engine_cfg cfg;
	const struct clock *clock;
	struct mbox *ctl; /* the control loop's */
	struct workers *video;
	size_t n_shards, n_audio;
	struct net_shard *shard[ENGINE_MAX_SHARDS];
	struct egress *egress[ENGINE_MAX_SHARDS]; /* each on its shard's thread */
	struct audio_worker *audio[ENGINE_MAX_AUDIO_WORKERS];
	struct buf_pool *au_pool;    /* access units in, and encoded pictures */
	struct buf_pool *sound_pool; /* encoded sound for sinks */
	struct buf_pool *data_pool;  /* messages of data channels */
	struct vframe_pool *pictures; /* decoded */
	struct rtp_batch_pool *video_batches, *audio_batches;
};

/* Starts the threads. ctl: borrowed for the life of the engine. */
int engine_start(struct engine *e, const struct engine_cfg *cfg, const struct clock *clock,
		 struct mbox *ctl, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Every room must be gone. */
void engine_stop(struct engine *e) ON_THREAD(ROLE_CTL);

/* A control message that must not be lost: aborts the process when the mailbox
 * of a live thread stays full, since state would then leak for ever. */
void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg);

#endif
