/* The RTSP server (RFC 2326): rooms, live, and recordings, with a recorder's controls.
 *
 *   rtsp://host:8554/rooms/NAME       rtsp://host:8554/recordings/ID
 *
 * A front end like WHEP: who watches a room is a leg through struct room_api that only
 * receives, over UDP or interleaved with the connection, so that it costs no encode of its
 * own. A recording is read by the host (mcu/rtsp_host.h).
 *
 *   rtsp_text.c     messages and addresses as text; rtsp_headers.c  some headers
 *   rtsp.c          sockets, limits, time
 *   rtsp_conn.c     a connection: requests one after the other, replies
 *   rtsp_method.c   what each method does
 *   rtsp_session.c  sessions: transports, states
 *   rtsp_live.c     the leg of a session that watches a room
 *   rtsp_sdp.c      descriptions
 *
 * Who somebody is: Digest with the user's password for telephones (sip_digest.h: its HA1
 * values are of the same realm), or ?token= with a sign-in's, an invitation's or a
 * recording's; ?pin= for a room's PIN. Who says none is a guest. CTL. */
#ifndef MCU_SIGNALING_RTSP_H
#define MCU_SIGNALING_RTSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/rtsp_text.h"

struct rtp_ports;
struct rtp_tcp;
struct rtsp;
struct rtsp_movie;

/* --- recordings ------------------------------------------------------------------------- */

struct rtsp_movie_track {
	bool there;
	enum codec codec;     /* H.264, AAC or Opus */
	unsigned clock_hz, channels;
	char fmtp[512];	      /* of its a=fmtp, without the payload type; "": none */
};

struct rtsp_movie_info {
	char title[129];
	int64_t duration_ms;
	struct rtsp_movie_track track[RTSP_TRACKS];
};

/* Where playing began, for RTP-Info. */
struct rtsp_started {
	int64_t from_ms;
	int scale;
	struct {
		bool there;
		uint16_t seq;
		uint32_t ts;
	} track[RTSP_TRACKS];
};

struct rtsp_movie_events {
	/* Each once, later or from inside, after open, play and pause; not after close. err:
	 * -errno with *why. */
	void (*opened)(void *obj, int err, const struct errmsg *why);
	void (*playing)(void *obj, int err, const struct rtsp_started *s);
	void (*paused)(void *obj, int64_t at_ms);
	/* The end came, or cannot be read any more. */
	void (*ended)(void *obj, int64_t at_ms);
};

/* --- what the rest of the server does for it ----------------------------------------------- */

struct rtsp_to {
	bool used;
	uint16_t port, rtcp_port; /* of the peer; UDP */
};

typedef void rtsp_token_cb(void *obj, const char *token); /* NULL: there is no such user */

struct rtsp_host {
	/* The writing half of a connection; fd: taken, also on errors. */
	int (*link_new)(void *ctx, int fd, struct rtp_tcp **out);
	int (*link_text)(struct rtp_tcp *t, const char *text, size_t len);
	void (*link_feed)(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len);
	void (*link_free)(struct rtp_tcp **t);
	/* Ports of a session on this address of ours, or over the connection. */
	int (*ports_new)(void *ctx, const char *local, struct rtp_tcp *link, bool tcp,
			 struct rtp_ports **out, struct errmsg *why);
	int (*ports_open)(struct rtp_ports *p, enum rtsp_track t, struct errmsg *why);
	uint16_t (*ports_port)(const struct rtp_ports *p, enum rtsp_track t);
	void (*ports_channels)(struct rtp_ports *p, enum rtsp_track t, uint8_t rtp, uint8_t rtcp);
	int64_t (*ports_heard_ns)(const struct rtp_ports *p); /* 0: never */
	void (*ports_free)(struct rtp_ports **p);
	/* A sign-in of that user, who has shown to be it. cb: once, from inside or later. */
	void (*sign_in)(void *ctx, const char *user, rtsp_token_cb *cb, void *obj);
	/* token: as in the address, or a sign-in's; NULL: none. -errno with *why: no event. */
	int (*movie_open)(void *ctx, int64_t id, const char *token, const char *peer,
			  const struct rtsp_movie_events *ev, void *obj, struct rtsp_movie **out,
			  struct errmsg *why);
	const struct rtsp_movie_info *(*movie_info)(const struct rtsp_movie *m);
	/* Where the tracks that were set up go, and who is told from now on; once, before play.
	 * ports: referenced. */
	int (*movie_send_to)(struct rtsp_movie *m, struct rtp_ports *ports, const char *peer,
			     const struct rtsp_to to[RTSP_TRACKS], const struct rtsp_movie_events *ev,
			     void *obj, struct errmsg *why);
	/* from_ms -1: where it stands. to_ms -1: to the end. */
	void (*movie_play)(struct rtsp_movie *m, int64_t from_ms, int64_t to_ms, int scale);
	void (*movie_pause)(struct rtsp_movie *m);
	void (*movie_close)(struct rtsp_movie **m);
};

/* --- the server ------------------------------------------------------------------------------ */

struct rtsp_cfg {
	const char *address; /* to listen on; "": every address */
	int port;	     /* 0: a free one */
	const char *realm;
	unsigned max_sessions, sessions_per_address, connections_per_address;
	unsigned session_s;  /* of silence after which a session ends */
	unsigned requests_per_s; /* of one connection */
	const struct clock *clock;
	const struct rtsp_host *host;
	void *host_ctx;
};

/* cfg's strings, host and api: borrowed for its life. port -1 must not be asked for.
 * Errors with a sentence in *why. */
int rtsp_new(struct rtsp **out, const struct rtsp_cfg *cfg, const struct room_api *api, void *ctx,
	     struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Everybody leaves, nobody comes in. */
void rtsp_shutdown(struct rtsp *r) ON_THREAD(ROLE_CTL);
/* After rtsp_shutdown. NULL: nothing. */
void rtsp_free(struct rtsp **r) ON_THREAD(ROLE_CTL);

int rtsp_port(const struct rtsp *r) ON_THREAD(ROLE_CTL);
const char *rtsp_realm(const struct rtsp *r) ON_THREAD(ROLE_CTL);
/* As of sip.h. */
void rtsp_set_user(struct rtsp *r, const char *user, const char *ha1_md5, const char *ha1_sha256)
	ON_THREAD(ROLE_CTL);
void rtsp_forget_user(struct rtsp *r, const char *user) ON_THREAD(ROLE_CTL);
bool rtsp_has_user(const struct rtsp *r, const char *user) ON_THREAD(ROLE_CTL);

#endif
