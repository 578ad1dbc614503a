/* Plays one recording to one RTSP client: the volume's thread reads ahead into a bounded
 * ring, a network shard takes from it when the media clock says so and sends it as RTP
 * (RFC 6184, RFC 3640, RFC 7587) over UDP or the client's connection.
 *
 *     CTL  play ──▶ STO  seeks, fills ──▶ NET  sends ──▶ CTL  playing, ended
 *     CTL  pause ──────────────────────▶ NET  stops ──▶ CTL  paused
 *
 * Time stamps of RTP go on with the clock, also through pauses, so that sender reports
 * hold; the place that was sought has that of RTP-Info, and what has to be decoded before
 * it has stamps a few ticks older, is sent as fast as may be, and so is never seen for
 * long. Other speeds than 1 show key frames alone. A client over TCP that does not read is
 * waited for; over UDP nothing waits. Everything here is CTL but for what says otherwise. */
#ifndef MCU_MOVIE_PUMP_H
#define MCU_MOVIE_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/rtp_ports.h"
#include "mcu/room/engine.h"
#include "signaling/rtsp.h"
#include "storage/player.h"

struct movie_pump;
struct volume;

struct movie_pump_events {
	/* The file was looked at; info only without an error. */
	void (*opened)(void *obj, int err, const struct player_info *info);
	void (*playing)(void *obj, int err, const struct rtsp_started *s);
	void (*paused)(void *obj, int64_t at_ms);
	void (*ended)(void *obj, int64_t at_ms);
	/* After movie_pump_close: its memory has gone. */
	void (*gone)(void *obj);
};

/* Opens it: opened() follows. engine, volume, ev and obj are borrowed for its life; path is
 * copied. 0 or -ENOMEM, -EAGAIN. */
int movie_pump_new(struct movie_pump **out, const struct engine *engine, struct volume *volume,
		   const char *path, const struct movie_pump_events *ev, void *obj)
	ON_THREAD(ROLE_CTL);
/* Once, after opened(). ports: referenced. */
void movie_pump_send_to(struct movie_pump *p, struct rtp_ports *ports, const char *peer,
			const struct rtsp_to to[RTSP_TRACKS]) ON_THREAD(ROLE_CTL);
/* to_ms -1: to the end. Replaces what plays. */
void movie_pump_play(struct movie_pump *p, int64_t from_ms, int64_t to_ms, int scale)
	ON_THREAD(ROLE_CTL);
void movie_pump_pause(struct movie_pump *p) ON_THREAD(ROLE_CTL);
/* No event follows but gone(). */
void movie_pump_close(struct movie_pump **p) ON_THREAD(ROLE_CTL);

#endif
