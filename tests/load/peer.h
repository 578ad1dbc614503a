/* One participant: WebSocket session, media connection, what it sends and what
 * it receives, and how it misbehaves. */
#ifndef TESTS_LOAD_PEER_H
#define TESTS_LOAD_PEER_H

#include <jansson.h>
#include <stdio.h>

#include "tests/load/link.h"
#include "tests/load/media.h"
#include "tests/load/receiver.h"
#include "tests/load/sender.h"
#include "tests/load/ws.h"

struct peer;

/* What is special about it, from bad_after on. */
enum peer_kind {
	PEER_SENDER,
	PEER_VIEWER,	/* nothing */
	PEER_STALL,	/* reads neither its WebSocket nor its media, says nothing */
	PEER_VANISH,	/* its sockets are gone without a word */
	PEER_GARBAGE,	/* malformed STUN, DTLS, RTP, RTCP, some of it authentic */
	PEER_SIGNALING, /* malformed messages */
	PEER_FLOOD,	/* 200 Mb/s of authentic RTP */
	PEER_RUSH,	/* a thousand pictures a second, from the start */
	PEER_KINDS
};

enum peer_state {
	PEER_WAITING,
	PEER_OPENING,
	PEER_JOINING,
	PEER_CONNECTING,
	PEER_UP,
	PEER_LEAVING,
	PEER_ENDED
};

enum { PEER_MAX_TILES = 64 };

/* Of the message `uplink`. */
struct peer_uplink {
	int width, height, fps, max_kbps;
	bool known, visible;
};

struct peer_tile {
	int leg, x, y, width, height;
	bool content; /* what leg shares, not its camera */
};

struct peer_cfg {
	const struct ws_url *url; /* borrowed */
	char room[128];
	char name[64];
	enum peer_kind kind;
	bool storm; /* comes and goes; nothing is expected of it */
	const struct media *audio, *video, *content; /* NULL: not sent */
	unsigned max_height; /* if has_max_height; 0: sound alone */
	bool has_max_height, audio_only, send_only_video, vp8, transport_cc, decode, nack, stamps;
	enum ice_kind ice;
	enum sec_profile only;
	unsigned feedback_hz, drop_tx_permille, drop_rx_permille, late_tx_permille;
	int64_t join_ns, leave_ns; /* CLOCK_MONOTONIC; leave_ns 0: when told */
	int64_t bad_after_ns, frame_ns, bye_wait_ns;
	int64_t send_align_ns, send_offset_ns; /* media starts at n * align + offset */
	bool abrupt;			       /* leaves without a word */
	bool idle;			       /* nothing need come */
	bool adapt;			       /* sends what `uplink` asks for */
	const char *say;		       /* JSON, once it is in the room; borrowed; NULL: nothing */
	FILE *file;			       /* what it is shown; borrowed; NULL: nowhere */
	void (*marked)(void *obj, bool video, int64_t sent_ns);
	void (*picture)(void *obj, const struct picture *p, int64_t arrival_ns);
	void (*burst)(void *obj, int64_t arrival_ns);
	void *obj;
};

struct peer *peer_new(const struct peer_cfg *cfg);
void peer_free(struct peer **p);
/* Every millisecond; the sockets of an established peer are read every ten. */
void peer_tick(struct peer *p, int64_t now_ns);
void peer_leave(struct peer *p, int64_t now_ns);
/* Before it has joined: it joins later by so much. */
void peer_postpone(struct peer *p, int64_t by_ns);
/* Everybody is there: gaps and delays count from now on. */
void peer_mark(struct peer *p);
const struct peer_cfg *peer_cfg(const struct peer *p);
enum peer_state peer_state(const struct peer *p);
/* Whether it asks for the composed picture. */
bool peer_wants_pictures(const struct peer *p);
/* Set up and seeing pictures, or whatever is all that its kind can reach. */
bool peer_ready(const struct peer *p);
int peer_leg(const struct peer *p);
/* Where leg is in the last layout; NULL: nowhere. */
const struct peer_tile *peer_tile(const struct peer *p, int leg);
const struct receiver *peer_receiver(const struct peer *p);
/* First failure of its own, "" for none. */
const char *peer_error(const struct peer *p);
uint64_t peer_auth_fail(const struct peer *p);
/* Times in ms from its join message, -1: never. */
double peer_welcome_ms(const struct peer *p);
double peer_connected_ms(const struct peer *p);
double peer_first_frame_ms(const struct peer *p);

/* Of peer_json.c: everything known about it; tones: frequencies to look for. */
struct peer_view {
	const double *tones;
	size_t tones_n;
	const int (*points)[2];
	size_t points_n;
};
json_t *peer_describe(const struct peer *p, const struct peer_view *v);

/* Of peer.c, for peer_json.c and hostile.c. */
struct peer_events_seen {
	uint64_t joined, left, muted, speaker, layout, uplink, recording, error, other;
};

struct peer {
	struct peer_cfg cfg;
	enum peer_state state;
	struct ws *ws;
	struct link *link;
	struct link_stats link_stats; /* once the link is gone */
	struct sender *sender;
	struct receiver *receiver;
	struct sdp_answer answer;
	bool answered, misbehaves, fatal;
	char cname[24], error[192], bye[64], last_code[48];
	uint32_t audio_ssrc, video_ssrc, content_ssrc;
	int leg, layout_version, canvas_width, canvas_height;
	int64_t join_sent_ns, welcome_ns, up_ns, end_by_ns;
	struct peer_tile tile[PEER_MAX_TILES];
	size_t tiles;
	struct peer_uplink uplink;
	struct peer_events_seen seen;
	struct {
		uint64_t sr, rr, nack, pli, fir, remb, twcc, bye, other, malformed;
		double worst_fraction;
	} rtcp;
	uint64_t garbage_sent;
	int64_t next_bad_ns, next_ws_ns, next_sweep_ns;
};

/* Of peer_events.c: an event of the room, and what `uplink` asked for. */
void peer_on_event(struct peer *p, const char *type, json_t *m);
void peer_fit_uplink(struct peer *p);

/* Of hostile.c: one helping of garbage of the peer's kind. */
void hostile_tick(struct peer *p, int64_t now_ns);

#endif
