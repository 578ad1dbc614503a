#include "mcu/rtsp_movie.h"

#include <errno.h>

int rtsp_movie_open(void *ctx, int64_t id, const char *token, const char *peer,
		    const struct rtsp_movie_events *ev, void *obj, struct rtsp_movie **out,
		    struct errmsg *why)
{
	(void)ctx;
	(void)id;
	(void)token;
	(void)peer;
	(void)ev;
	(void)obj;
	(void)out;
	return errmsg_set(why, -ENOENT, "not_found", "There is no such recording.");
}

const struct rtsp_movie_info *rtsp_movie_info(const struct rtsp_movie *m)
{
	(void)m;
	return NULL;
}

int rtsp_movie_send_to(struct rtsp_movie *m, struct rtp_ports *ports, const char *peer,
		       const struct rtsp_to to[RTSP_TRACKS], const struct rtsp_movie_events *ev,
		       void *obj, struct errmsg *why)
{
	(void)m;
	(void)ports;
	(void)peer;
	(void)to;
	(void)ev;
	(void)obj;
	return errmsg_set(why, -ENOENT, "not_found", "There is no such recording.");
}

void rtsp_movie_play(struct rtsp_movie *m, int64_t from_ms, int64_t to_ms, int scale)
{
	(void)m;
	(void)from_ms;
	(void)to_ms;
	(void)scale;
}

void rtsp_movie_pause(struct rtsp_movie *m)
{
	(void)m;
}

void rtsp_movie_close(struct rtsp_movie **m)
{
	*m = NULL;
}
