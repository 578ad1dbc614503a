/* What a recording's movie consists of, and its 'moov' box: without samples, at
 * the front of a fragmented file, or with the tables of all samples, at the end
 * of a finished one (ISO/IEC 14496-12, 14496-14, 14496-15). Pure. */
#ifndef MCU_STORAGE_MP4_MOVIE_H
#define MCU_STORAGE_MP4_MOVIE_H

#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_box.h"
#include "storage/mp4_index.h"

enum { MP4_VIDEO_TIMESCALE = 90000, MP4_STSD_MAX = 1024 };

struct mp4_track {
	uint32_t timescale;     /* 0: there is no such track */
	uint16_t width, height; /* of video */
	uint8_t stsd[MP4_STSD_MAX]; /* the whole box */
	size_t stsd_len;
};

struct mp4_movie {
	uint64_t created_s; /* since 1904-01-01 UTC */
	struct mp4_track track[MP4_TRACKS];
};

/* Fills the track. sps, pps: NAL units without start code. 0, -EINVAL when they
 * do not fit, -ENOMEM. */
int mp4_video_track(struct mp4_track *t, unsigned width, unsigned height, const uint8_t *sps,
		    size_t sps_len, const uint8_t *pps, size_t pps_len);
/* config: AudioSpecificConfig. */
int mp4_audio_track(struct mp4_track *t, unsigned sample_rate, unsigned channels,
		    const uint8_t *config, size_t config_len);
/* Opus of 48 kHz whose times are those of what a decoder puts out: nothing is to be
 * skipped (Encapsulation of Opus in ISO Base Media File Format, 4.3). */
int mp4_opus_track(struct mp4_track *t, unsigned channels);

void mp4_put_ftyp(struct mp4_out *o);
/* For a fragmented file: no samples, 'mvex'. */
void mp4_put_init_moov(struct mp4_out *o, const struct mp4_movie *m);
/* For a finished file. Tracks without samples are left out. */
void mp4_put_final_moov(struct mp4_out *o, const struct mp4_movie *m, const struct mp4_index *x);
/* What the final 'moov' says that it lasts: ticks of MP4_VIDEO_TIMESCALE. */
uint64_t mp4_movie_lasts(const struct mp4_movie *m, const struct mp4_index *x);
/* mp4_index_even. */
void mp4_movie_even(const struct mp4_movie *m, struct mp4_index *x, bool drop);
/* Of the longest track of the index. */
int64_t mp4_duration_ms(const struct mp4_movie *m, const struct mp4_index *x);

#endif
