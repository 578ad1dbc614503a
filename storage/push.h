/* Sends a room on to another server: RTMP(S) as FLV, SRT as an MPEG transport stream,
 * by libavformat, from packets that were already encoded.
 *
 *   MIXV strand ── push_video ──► ring ─┐
 *   MIXA worker ── push_audio ──► ring ─┴─► a thread of the push's own ──► server
 *
 * libavformat waits for its peer; so it has a thread per push, and every wait of it ends
 * at a time-out or when the push is stopped. While the server cannot be reached what
 * comes is thrown away; it is tried again after 1, 2, 4 … 30 s, and given up when that
 * has gone on for give_up_s. After each connection the stream begins with a key frame.
 *
 * Owner: whoever called push_start (CTL). */
#ifndef MCU_STORAGE_PUSH_H
#define MCU_STORAGE_PUSH_H

#include "mcu/base/buf.h"
#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "storage/push_url.h"

struct push;

enum push_state {
	PUSH_CONNECTING = 1,
	PUSH_LIVE,
	PUSH_RETRYING, /* it failed, and is tried again */
	PUSH_FAILED,   /* given up: the last state but ENDED */
	PUSH_ENDED     /* stopped: nothing follows */
};

const char *push_state_name(enum push_state s);

struct push_cfg {
	const char *url;	   /* copied; never logged */
	const uint8_t *aac_config; /* AudioSpecificConfig; copied */
	size_t aac_config_len;
	int sample_rate, channels;
	int width, height;
	int give_up_s;
	int timeout_ms;	   /* of one wait of libavformat; 0: 10,000 */
	int retry_ms;	   /* the first time; 0: 1,000 */
};

/* In mbox, in order; text: a sentence without secrets, "" where there is nothing to
 * say. After ENDED obj is not called any more, and the thread has ended. */
struct push_events {
	struct mbox *mbox;
	void *obj;
	void (*state)(void *obj, enum push_state s, const char *text);
};

/* Starts the thread. 0, -EINVAL, -ENOMEM, -EAGAIN with *why. */
int push_start(struct push **out, const struct push_cfg *cfg, const struct push_events *ev,
	       struct errmsg *why);
/* The thread ends soon, and says ENDED. Nobody may call push_video and push_audio any
 * more. Takes *p. */
void push_stop(struct push **p);

/* From the encoding threads: as recorder_video and recorder_audio. */
void push_video(struct push *p, const struct buf *au, int64_t pts_ns, bool key);
void push_audio(struct push *p, const struct buf *aac, int64_t pts_ns);

#endif
