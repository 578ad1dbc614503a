/* Reads a media file into memory, so that a floor measures no disk or demuxer. */
#ifndef TESTS_BENCH_MEDIA_H
#define TESTS_BENCH_MEDIA_H

#include <libavcodec/packet.h>

struct media {
	AVPacket **pkt; /* one access unit (video) or one Opus packet each */
	int count;
	int width, height; /* of video, 0 otherwise */
};

/* Any file libavformat can read; ends the program when it cannot. */
void media_load(struct media *m, const char *path);
void media_free(struct media *m);

#endif
