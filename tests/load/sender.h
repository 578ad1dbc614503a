/* What a publishing participant sends: encoded media in a loop at real time,
 * sender reports, retransmissions, and the next key frame when asked. */
#ifndef TESTS_LOAD_SENDER_H
#define TESTS_LOAD_SENDER_H

#include "tests/load/link.h"
#include "tests/load/media.h"
#include "tests/load/sdp.h"

struct sender;

struct sender_cfg {
	struct link *link;		   /* borrowed */
	const struct media *audio, *video, *content; /* NULL: not sent */
	const struct sdp_answer *answer;   /* borrowed for the call */
	uint32_t audio_ssrc, video_ssrc, content_ssrc;
	const char *cname;	    /* borrowed */
	int64_t start_ns, frame_ns; /* of the first frame; between two */
	unsigned drop_permille;	    /* packets that get lost on the way */
	unsigned late_permille;	    /* packets that others overtake */
	/* The last packet of a marked unit has left; may be NULL. */
	void (*marked)(void *obj, bool video, int64_t sent_ns);
	void *obj;
};

struct sender_stats {
	uint64_t audio_packets, video_packets, video_frames, content_frames, octets;
	uint64_t dropped, nacked, retransmitted, key_requests, key_jumps, late, held, unseen;
	int width, height; /* of what is sent; 0: not known */
};

struct sender *sender_new(const struct sender_cfg *cfg);
void sender_free(struct sender **s);
/* Sends everything that is due. */
void sender_tick(struct sender *s, int64_t now_ns);
void sender_nack(struct sender *s, uint32_t ssrc, uint16_t seq);
void sender_key_request(struct sender *s, uint32_t ssrc);
/* What the server can use of the camera: media of that size goes on with its
 * next key frame; nothing when it is not visible. */
void sender_fit(struct sender *s, int width, int height, bool visible);
void sender_bye(struct sender *s);
const struct sender_stats *sender_stats(const struct sender *s);

#endif
