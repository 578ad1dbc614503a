/* Records packets that were already encoded (H.264; AAC or Opus) to an MP4 or Matroska
 * file that is valid at every moment.
 *
 *   MIXV strand ── recorder_video ──► byte ring ─┐
 *   MIXA worker ── recorder_audio ──► byte ring ─┴─► volume thread ──► file
 *
 * While it runs an MP4 file is a fragmented one (ISO/IEC 14496-12): a fragment every
 * fragment_ms, fdatasync after each, or every second where the disk takes long for it.
 * When it is stopped, a complete index is appended and one 16-octet write turns the fragments into
 * the media data of an ordinary MP4: nothing is copied, the file is playable
 * before, during and after, and a crash in between loses nothing. Matroska: mkv.h.
 *
 * Packets are copied into rings of the recorder's own (the _ring_bytes below), so
 * that a disk that hangs for seconds neither holds the encoder's buffers nor
 * makes anybody wait. Drop policy: a ring that is full means that the disk has been
 * behind for many seconds. Nothing more is taken then (mcu_recorder_dropped_total), what
 * is in the rings is written, and the recording fails (disk_slow); recorder_overran tells
 * so at once, however long the disk hangs.
 *
 * Owner: whoever called recorder_start (CTL). */
#ifndef MCU_STORAGE_RECORDER_H
#define MCU_STORAGE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "storage/timeline.h"
#include "storage/volume.h"

struct recorder;

struct recorder_cfg {
	const char *path;          /* relative to the volume's root; folders are made */
	bool matroska;		   /* otherwise MP4 */
	int fps;		   /* nominal, for the last frame's duration; 0: sound alone */
	bool opus;		   /* the sound is Opus in packets of 20 ms; otherwise AAC */
	const uint8_t *aac_config; /* AudioSpecificConfig (ISO/IEC 14496-3); copied */
	size_t aac_config_len;     /* 1…64; 0: no sound, unless it is Opus */
	int sample_rate, channels; /* e.g. 48000, 1 */
	int priming_samples;       /* taken off every audio pts; 0 when the pts given is
	                            * already that of the samples a decoder puts out */
	int fragment_ms;           /* 0: 250 */
	size_t video_ring_bytes;   /* 0: 4 MiB, 20 s of 1.5 Mb/s; power of two */
	size_t audio_ring_bytes;   /* 0: 256 KiB */
	/* Shows its time line to what is written beside it; borrowed until the event; NULL:
	 * to nobody. */
	struct timeline_view *view;
};

struct recorder_result {
	int64_t bytes;       /* of the file */
	int64_t duration_ms; /* of the longer track */
	uint64_t dropped_video, dropped_audio; /* packets */
};

/* Exactly one of the two is called, once, in mbox: finished after
 * recorder_stop, or failed at any time (disk full, I/O error, no key frame ever
 * came): what was written until then is kept and plays. After failed the
 * recorder takes and drops packets until it is stopped. */
struct recorder_events {
	struct mbox *mbox; /* borrowed until the event; a full one is tried again */
	void *obj;
	void (*finished)(void *obj, const struct recorder_result *r);
	void (*failed)(void *obj, const struct errmsg *why, const struct recorder_result *r);
};

/* The file is opened on the volume's thread; that it cannot be is a failed
 * event. 0, -EINVAL, -ENOMEM, -EAGAIN (volume's mailbox full). Any thread. */
int recorder_start(struct recorder **out, struct volume *v, const struct recorder_cfg *cfg,
		   const struct recorder_events *ev);
/* Takes the recorder; nobody may call recorder_video/_audio any more (detach it
 * from the strands first). What is in the rings is written, the file finished.
 * Any thread. */
void recorder_stop(struct recorder **rec);

/* Media time from when on nothing is taken, until it goes on, without a gap in the file.
 * One thread at a time (CTL). -EBUSY: it was paused too often. */
int recorder_pause(struct recorder *rec, int64_t at_ns);
void recorder_resume(struct recorder *rec, int64_t at_ns);
/* The disk was too slow. Any thread. */
bool recorder_overran(const struct recorder *rec);

/* One access unit in Annex B form, SPS and PPS before every IDR picture, no
 * B-frames. Borrowed for the call. pts_ns: media clock. The file starts at the
 * first key frame; sound before it is left out. A picture that is not newer
 * than the one before is dropped and counted. Neither allocates nor waits. One thread at
 * a time (ROLE_MIXV). */
void recorder_video(struct recorder *rec, const struct buf *au, int64_t pts_ns, bool key);
/* One raw AAC frame of 1,024 samples (no ADTS), or Opus packet. Borrowed for the call.
 * pts_ns: media clock of its first sample. One thread at a time (ROLE_MIXA). */
void recorder_audio(struct recorder *rec, const struct buf *aac, int64_t pts_ns);

/* True at first and after a drop: have the encoder make a key frame (at most
 * one request a second is worth it). Any thread. */
bool recorder_wants_key(const struct recorder *rec);
/* What such an error of a file is to people. */
void recorder_explain(struct errmsg *why, int err, const char *root, const char *path);
/* A snapshot; bytes and duration are those safely handed to the system. */
void recorder_progress(const struct recorder *rec, struct recorder_result *out);

#endif
