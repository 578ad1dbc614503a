/* What the server and a media child (mcu/media/main.c) say to each other. The child
 * opens what strangers made: everything that comes from it is checked here, as if it
 * came from the network.
 *
 *   orders  server → child   one datagram each on a socket of type SEQPACKET
 *   notes   child → server   likewise
 *   media   child → server   through memory that both have mapped: a ring of sound
 *                            blocks and one of pictures, of one writer and one reader
 *                            each. What is read is copied before it is looked at, and
 *                            the memory is sealed against shrinking.
 *
 * Each seek has a serial; what was made for an earlier one is thrown away. */
#ifndef MCU_MEDIA_WIRE_H
#define MCU_MEDIA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MEDIA_BLOCK_FRAMES = 960, /* 20 ms of 48 kHz, two channels */
	MEDIA_BLOCKS = 128,
	MEDIA_SLOTS = 8,
	MEDIA_URL_BYTES = 1024,
	MEDIA_TEXT_BYTES = 160,
	MEDIA_MAX_SIDE = 8192,
	MEDIA_MAX_PAGES = 100000,
	/* descriptors of the child */
	MEDIA_FD_SOCKET = 3, MEDIA_FD_SHM = 4, MEDIA_FD_FILE = 5,
};
#define MEDIA_MAX_NS (INT64_C(7) * 24 * 3600 * 1000000000)

enum media_kind {
	MEDIA_FILE = 1, /* sound, moving pictures or one picture, by descriptor */
	MEDIA_PDF,	/* by descriptor; its pictures are pages, its positions their numbers */
	MEDIA_CAMERA,	/* by url */
};

enum media_order_type {
	MEDIA_OPEN = 1, /* the first */
	MEDIA_SEEK,	/* to pos_ns, or page pos */
	MEDIA_WANTED,	/* whether pictures are looked at: flag */
};

struct media_order {
	uint32_t type, serial;
	int64_t pos; /* nanoseconds; of a PDF the page, from 0 */
	uint32_t flag;
	/* OPEN */
	uint32_t kind, max_w, max_h;
	bool probe; /* only the facts: then it ends */
	char url[MEDIA_URL_BYTES];
};

enum media_note_type {
	MEDIA_FACTS = 1, /* it is open */
	MEDIA_READY,	 /* the first of a seek is there; from pos_ns on */
	MEDIA_END,	 /* nothing follows; the last of it ends at pos_ns */
	MEDIA_FAILED,	 /* and the child ends */
};

struct media_note {
	uint32_t type, serial;
	int64_t pos_ns;
	/* FACTS */
	int64_t duration_ns; /* 0: unknown, or without time */
	uint32_t width, height, pages;
	bool audio, video, still; /* still: one picture */
	/* FAILED: a code in lower case and a sentence */
	char code[24], text[MEDIA_TEXT_BYTES];
};

/* From a datagram of len octets. 0 or -EBADMSG. Texts are printable ASCII after it. */
int media_note_read(struct media_note *out, const void *p, size_t len);
/* Likewise, for the child. */
int media_order_read(struct media_order *out, const void *p, size_t len);

struct media_block {
	int64_t pts_ns;
	uint32_t serial, n; /* n: frames */
	int16_t pcm[MEDIA_BLOCK_FRAMES * 2];
};

struct media_slot {
	int64_t pts_ns;
	uint32_t serial;
	uint32_t w, h; /* even; I420 without gaps between lines */
	uint32_t rotation; /* clockwise degrees to show it upright: 0, 90, 180, 270 */
};

struct media_shm {
	_Atomic uint32_t block_head, slot_head; /* the child's: how many were made */
	_Atomic uint32_t block_tail, slot_tail; /* the server's: how many are over */
	_Atomic int64_t sound_ns, picture_ns;	/* up to there it has come; sound that is over, or
						 * has a long gap: MEDIA_MAX_NS */
	_Atomic uint32_t decoded;		/* pictures, of all children together */
	_Atomic int64_t position_ns;		/* the server's: where it plays */
	struct media_slot slot[MEDIA_SLOTS];
	struct media_block block[MEDIA_BLOCKS];
};

/* Of one picture of at most that size, and of all: what is to be mapped. */
size_t media_slot_bytes(uint32_t max_w, uint32_t max_h);
size_t media_shm_bytes(uint32_t max_w, uint32_t max_h);

/* The server's end. Sound and pictures may be read by a thread each. */
struct media_reader {
	struct media_shm *shm;
	uint32_t max_w, max_h;
	uint32_t block_tail, slot_tail; /* the true ones */
};

/* 1: *out is what comes next, without its samples; 0: nothing is there; -EBADMSG: the
 * child writes nonsense. */
int media_reader_peek_block(const struct media_reader *r, struct media_block *head);
/* n frames of it from the one numbered first, as floats in 1 or 2 channels. */
void media_reader_copy_block(const struct media_reader *r, uint32_t first, uint32_t n, float *out,
			     int channels);
void media_reader_drop_block(struct media_reader *r);

/* As those of blocks. ahead: so many after the next one. */
int media_reader_peek_slot(const struct media_reader *r, uint32_t ahead, struct media_slot *out);
/* The picture's samples: to be copied, as they may change. */
const uint8_t *media_reader_pixels(const struct media_reader *r, uint32_t ahead);
void media_reader_drop_slot(struct media_reader *r);

#endif
