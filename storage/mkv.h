/* Writes a Matroska file (RFC 9559) to a descriptor that is valid at every moment:
 *
 *   EBML Segment(size unknown) { Void Info Tracks Cluster Cluster … }
 *   finished: the Void has become a SeekHead, Cues follow the last cluster, and the sizes
 *   and the duration are known. Nothing is copied.
 *
 * A cluster is written whole; one that could not be is cut off again. Any of our codecs,
 * as it came over the network. Owner: a recorder or a repair. ROLE_STO. */
#ifndef MCU_STORAGE_MKV_H
#define MCU_STORAGE_MKV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"

struct mkv;

enum { MKV_TRACKS = 4, MKV_PENDING_BYTES = 8 << 20, MKV_CLUSTER_MS = 30000 };

struct mkv_track {
	enum codec codec;
	unsigned width, height; /* of a picture */
	unsigned hz, channels;	/* of sound */
	/* What each packet of sound lasts; 0: they differ. Where it is known, what picture or sound
	 * has beyond the other's end is taken off at the file's end (mkv_even.h). */
	int64_t frame_ns;
	/* H.264: AVCDecoderConfigurationRecord; AAC: AudioSpecificConfig; AV1: av1C; else
	 * none. Borrowed. */
	const uint8_t *config;
	size_t config_len;
};

/* Whether there is a name for it in Matroska. */
bool mkv_knows(enum codec c);

/* Writes the head to an empty file. fd: borrowed. n: 1 … MKV_TRACKS. 0, -EINVAL, -ENOTSUP,
 * -ENOMEM or the write's error. */
int mkv_new(struct mkv **out, int fd, const struct mkv_track *t, size_t n,
	    int64_t created_wall_ns);
/* Forgets what was not flushed. */
void mkv_free(struct mkv **f);

/* Adds a frame to the cluster being gathered; copies it. at_ns: from the file's start, not
 * before the track's frame before. key: of a picture that a player may start with; of
 * sound always. 0, -EINVAL, -ENOMEM, or the write's error. */
int mkv_add(struct mkv *f, unsigned track, const uint8_t *data, size_t len, int64_t at_ns,
	    bool key);
/* The first frame that waits; -1: none does. */
int64_t mkv_pending_since_ns(const struct mkv *f);
int mkv_flush(struct mkv *f);
void mkv_drop_pending(struct mkv *f);
/* Flushes and completes the file, which stays readable if that fails. -ENODATA: there is
 * nothing in it. */
int mkv_finish(struct mkv *f);

uint64_t mkv_bytes(const struct mkv *f);
int64_t mkv_duration_ms(const struct mkv *f);

struct mkv_report {
	bool complete; /* it was */
	uint64_t bytes;
	int64_t duration_ms;
	unsigned width, height; /* of the first picture's track; 0: none */
};
/* After a crash: cuts what is not whole and completes the file. 0, -EBADMSG: it is none
 * of ours; -ENODATA: nothing is in it; -errno. */
int mkv_repair_file(const char *path, struct mkv_report *out);
/* fd: open for reading and writing, borrowed. */
int mkv_repair(int fd, struct mkv_report *out);

#endif
