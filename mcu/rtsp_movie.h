/* A stored recording that a player watches: found in the registry, read by the volume's
 * thread (storage/player.h), sent by a network shard in the media clock's time. Functions
 * of struct rtsp_host. CTL. */
#ifndef MCU_RTSP_MOVIE_H
#define MCU_RTSP_MOVIE_H

#include "mcu/base/role.h"
#include "signaling/rtsp.h"

int rtsp_movie_open(void *ctx, int64_t id, const char *token, const char *peer,
		    const struct rtsp_movie_events *ev, void *obj, struct rtsp_movie **out,
		    struct errmsg *why);
const struct rtsp_movie_info *rtsp_movie_info(const struct rtsp_movie *m);
int rtsp_movie_send_to(struct rtsp_movie *m, struct rtp_ports *ports, const char *peer,
		       const struct rtsp_to to[RTSP_TRACKS], const struct rtsp_movie_events *ev,
		       void *obj, struct errmsg *why);
void rtsp_movie_play(struct rtsp_movie *m, int64_t from_ms, int64_t to_ms, int scale);
void rtsp_movie_pause(struct rtsp_movie *m);
void rtsp_movie_close(struct rtsp_movie **m);

#endif
