/* What the parts of rtsp.c share. CTL. */
#ifndef MCU_SIGNALING_RTSP_INTERNAL_H
#define MCU_SIGNALING_RTSP_INTERNAL_H

#include <glib.h>

#include "mcu/base/quota.h"
#include "signaling/rtsp.h"
#include "signaling/sip_auth.h"

enum {
	RTSP_ADDRESS_BYTES = 46,
	RTSP_ID_CHARS = 16,
	RTSP_TOKEN_BYTES = 1025,
	RTSP_IN_BYTES = 24 << 10, /* one message and more */
	RTSP_PT_VIDEO = 96,
	RTSP_PT_AUDIO = 97,
};

struct rtsp {
	struct rtsp_cfg cfg;
	const struct room_api *api;
	void *api_ctx;
	struct sip_auth *auth;
	GHashTable *sessions; /* id → struct rtsp_session */
	GPtrArray *conns;
	int fd[2], port;
	guint source[2], tick;
	int64_t key_ns; /* when those who watch over UDP were last given a key frame */
	bool stopping;
};

/* A connection. It lives until it is closed and nothing holds it. */
struct rtsp_conn {
	struct rtsp *rtsp;
	int fd;
	guint source;
	char peer[RTSP_ADDRESS_BYTES], local[RTSP_ADDRESS_BYTES];
	struct rtp_tcp *link;
	uint8_t *in;
	size_t in_len;
	unsigned holds;
	bool closed, finish; /* finish: to be closed after the reply */
	bool working;	     /* requests are being taken from `in` */
	int64_t heard_ns;
	struct quota requests, packets;
	bool hears[256]; /* channels on which a session of it takes reports */
	/* The request that is being answered; busy: later. The next ones wait. */
	bool busy;
	char *head;  /* its text */
	size_t body; /* octets behind it; what they say is of no use to us */
	struct rtsp_request req;
	struct rtsp_uri uri;
	struct rtsp_ask *ask; /* whether it may see a room, or what a recording is */
	/* Who it has shown to be: the header that was right, whose it is, and a sign-in. */
	char *proof, *user, *token;
};

/* --- rtsp.c ------------------------------------------------------------------------------- */

static inline int64_t rtsp_now(const struct rtsp *r)
{
	return clock_now_ns(r->cfg.clock);
}
/* What its timer does every second: sessions that have gone silent, key frames. */
void rtsp_tick(struct rtsp *r) ON_THREAD(ROLE_CTL);

/* --- rtsp_conn.c ---------------------------------------------------------------------------- */

/* fd: taken; -1: octets come by rtsp_conn_input alone (tests). NULL: no memory. */
struct rtsp_conn *rtsp_conn_new(struct rtsp *r, int fd, const char *peer, const char *local)
	ON_THREAD(ROLE_CTL);
/* What came: requests are answered. */
void rtsp_conn_input(struct rtsp_conn *c, const uint8_t *p, size_t len) ON_THREAD(ROLE_CTL);
/* Its sessions over TCP end. */
void rtsp_conn_close(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
void rtsp_conn_hold(struct rtsp_conn *c);
void rtsp_conn_release(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
/* Whoever it has shown to be: the next request is a guest's, or shows it anew. */
void rtsp_conn_forget(struct rtsp_conn *c);

struct rtsp_session;
/* The reply to the request: its status, the session that it is of (NULL: none), lines of
 * headers ("Name: value\r\n"; NULL: none) and a body. Then the next request is taken. */
void rtsp_reply(struct rtsp_conn *c, int status, const struct rtsp_session *s, const char *headers,
		const char *type, const char *body) ON_THREAD(ROLE_CTL);
/* With a sentence; a 401 asks for a password. */
void rtsp_refuse(struct rtsp_conn *c, int status, const char *text) ON_THREAD(ROLE_CTL);
/* What the rooms' side says. */
void rtsp_refuse_why(struct rtsp_conn *c, const struct errmsg *why) ON_THREAD(ROLE_CTL);
/* rtsp://host/rooms/NAME, of the request; track 0: the aggregate. */
void rtsp_url(const struct rtsp_conn *c, enum rtsp_track t, char *out, size_t cap);

/* --- rtsp_method.c ---------------------------------------------------------------------------- */

/* Answers c->req, now or later. */
void rtsp_dispatch(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
/* Whether it asks still; the answer of that is not waited for any more. */
void rtsp_ask_cancel(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);

/* --- rtsp_session.c ---------------------------------------------------------------------------- */

enum rtsp_state { RTSP_STATE_READY = 1, RTSP_STATE_PLAYING };

struct rtsp_session {
	struct rtsp *rtsp;
	struct rtsp_conn *conn;	  /* that it was set up over; NULL: closed since */
	struct rtsp_conn *asker;  /* whose request waits for the leg or the movie; held */
	char id[RTSP_ID_CHARS + 1];
	char peer[RTSP_ADDRESS_BYTES];
	enum rtsp_place place;
	char name[129], pin[65], display[129], *token;
	enum rtsp_state state;
	bool tcp, over;
	unsigned holds;
	struct rtp_ports *ports;
	struct {
		bool used;
		uint16_t port, rtcp_port; /* of the client */
		uint8_t channel[2];
	} track[RTSP_TRACKS];
	int64_t seen_ns;
	/* live */
	struct leg_handle *leg;
	bool welcomed;
	struct neg_plan *plan;
	/* stored */
	struct rtsp_movie *movie;
	bool sent_to;	    /* movie_send_to was called */
	int64_t from_ms, to_ms; /* of the PLAY that waits */
};

struct rtsp_session *rtsp_session_new(struct rtsp_conn *c, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Of the request's Session header, if it is this peer's; NULL: none. It is awake then. */
struct rtsp_session *rtsp_session_find(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
/* Ends it; whoever waits for a reply gets `why`. */
void rtsp_session_end(struct rtsp_session *s, const struct errmsg *why) ON_THREAD(ROLE_CTL);
void rtsp_session_hold(struct rtsp_session *s);
void rtsp_session_release(struct rtsp_session *s) ON_THREAD(ROLE_CTL);
size_t rtsp_session_tracks(const struct rtsp_session *s);
/* Whether nothing was heard of it for too long. */
bool rtsp_session_is_silent(const struct rtsp_session *s, int64_t now_ns) ON_THREAD(ROLE_CTL);
/* Adds the track of the request; then it is answered. */
void rtsp_session_setup(struct rtsp_session *s, struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
/* The request of c waits for it, and gets this. */
void rtsp_session_await(struct rtsp_session *s, struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
struct rtsp_conn *rtsp_session_answer(struct rtsp_session *s) ON_THREAD(ROLE_CTL);
/* PLAY and PAUSE of a recording. */
void rtsp_session_play(struct rtsp_session *s, struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
void rtsp_session_pause(struct rtsp_session *s, struct rtsp_conn *c) ON_THREAD(ROLE_CTL);

/* --- rtsp_live.c ------------------------------------------------------------------------------- */

/* What joins a room for it; ask: only whether it may. Strings are borrowed. */
void rtsp_live_request(struct join_req *out, const struct rtsp_conn *c, const char *room,
		       const char *pin, const char *display, const char *token);
/* The leg joins; then the request is answered. */
void rtsp_live_play(struct rtsp_session *s, struct rtsp_conn *c) ON_THREAD(ROLE_CTL);
/* It leaves; the session stays. */
void rtsp_live_stop(struct rtsp_session *s, enum leave_reason reason) ON_THREAD(ROLE_CTL);

/* --- rtsp_sdp.c -------------------------------------------------------------------------------- */

/* The body of DESCRIBE; movie NULL: of the room. To be freed; NULL: no memory. */
char *rtsp_sdp_describe(const struct rtsp_conn *c, const struct rtsp_movie_info *movie);
/* What the client would have offered for the tracks that are set up: it only receives. */
char *rtsp_sdp_offer(const struct rtsp_session *s);

#endif
