/* What a participant receives: checks of continuity, frames and freezes, the
 * reports and feedback that a real client would send, and, if asked, decoding. */
#ifndef TESTS_LOAD_RECEIVER_H
#define TESTS_LOAD_RECEIVER_H

#include <stdio.h>

#include "tests/load/delay.h"
#include "tests/load/link.h"
#include "tests/load/picture.h"
#include "tests/load/sdp.h"
#include "tests/load/seqstat.h"
#include "tests/load/tone.h"

struct receiver;

struct receiver_cfg {
	struct link *link;		 /* borrowed */
	const struct sdp_answer *answer; /* borrowed for the call */
	uint32_t ssrc;			 /* of our reports */
	const char *cname;		 /* borrowed */
	unsigned feedback_hz;		 /* reports once a second, the rest is REMB */
	bool decode, nack;
	FILE *file; /* gets the access units in order; borrowed; NULL: none */
	/* For latency probes; may be NULL. Arrival of the first packet. */
	void (*picture)(void *obj, const struct picture *p, int64_t arrival_ns);
	void (*burst)(void *obj, int64_t arrival_ns);
	void *obj;
};

struct receiver_stats {
	struct seqstat audio, video;
	uint64_t frames, key_frames, undecodable, decode_errors, freezes, held_back;
	uint64_t unknown_pt, malformed, nacks_sent, plis_sent, feedback_sent;
	uint64_t sr, bye;
	int64_t first_frame_ns, last_frame_ns, max_frame_gap_ns; /* CLOCK_MONOTONIC; 0: none */
	/* Since receiver_mark: */
	struct delay audio_delay, video_delay; /* of packets; of the last one of frames */
	int64_t marked_frame_gap_ns, marked_audio_gap_ns;
	uint64_t marked_frames;
};

struct receiver *receiver_new(const struct receiver_cfg *cfg);
void receiver_free(struct receiver **r);
void receiver_rtp(struct receiver *r, const uint8_t *p, size_t len, int64_t arrival_ns);
void receiver_sr(struct receiver *r, uint32_t ssrc, uint64_t ntp, int64_t arrival_ns);
void receiver_bye(struct receiver *r);
void receiver_tick(struct receiver *r, int64_t now_ns);
/* Everybody is there: from now on gaps and delays count. */
void receiver_mark(struct receiver *r);
const struct receiver_stats *receiver_stats(const struct receiver *r);
/* NULL unless it decodes. */
const struct picture *receiver_picture(const struct receiver *r);
const struct tone *receiver_tone(const struct receiver *r);

#endif
