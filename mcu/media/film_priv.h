/* The insides of a film: film_open.c (opening, streams), film.c (its running). */
#ifndef MCU_MEDIA_FILM_PRIV_H
#define MCU_MEDIA_FILM_PRIV_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "mcu/media/film.h"

/* Encoded, not yet decoded, in order. */
struct film_queue {
	struct film_packet {
		struct film_packet *next;
		AVPacket *pkt;
	} *first, **end;
	size_t n, bytes;
};

struct film_stream {
	int index; /* -1: there is none */
	AVCodecContext *dec;
	struct film_queue queue;
	bool drained; /* the decoder has given everything */
	int64_t from_ns; /* what is before that is not shown, or not heard */
};

struct film {
	struct media_out *out;
	AVFormatContext *fmt;
	AVIOContext *io;
	int fd;
	int64_t at;   /* of the file */
	int64_t size;
	bool camera, still, eof, wanted;
	bool cover; /* the picture of a song: one, for all of its time */
	bool needs_key; /* pictures follow from a key frame on */
	int64_t zero_ns;	/* the stream's time of position 0 */
	bool has_zero;
	unsigned rotation;
	struct film_stream sound, picture;
	/* Pictures since the last key frame: who looks again begins with these. */
	struct film_queue passed;
	AVFrame *frame, *before; /* before: the last one that was too early; or empty */
	int64_t before_ns;
	int64_t heard_ns; /* of the camera: when its last packet came */
	int64_t begun_ns; /* and when it was begun with */
	char *address; /* of the camera, that was asked for */
};

/* A packet or frame as it is on the line of positions; false: it does not say. */
bool film_time(struct film *f, const struct film_stream *s, int64_t ts, int64_t *ns);
int64_t film_clock_ns(void);
void film_queue_clear(struct film_queue *q);

#endif
