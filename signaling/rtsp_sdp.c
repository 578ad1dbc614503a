#include "signaling/rtsp_internal.h"

#include <string.h>

static const char *ip_of(const char *address)
{
	return strchr(address, ':') ? "IP6" : "IP4";
}

/* A line of text ends at its first line end. */
static void add_title(GString *out, const char *title)
{
	g_string_append_printf(out, "s=%.*s\r\n", (int)strcspn(title, "\r\n"), *title ? title : "-");
}

static void add_media(GString *out, const struct rtsp_conn *c, enum rtsp_track t, const char *map,
		      const char *fmtp)
{
	int pt = t == RTSP_VIDEO ? RTSP_PT_VIDEO : RTSP_PT_AUDIO;
	char url[RTSP_URI_MAX * 2];

	rtsp_url(c, t, url, sizeof url);
	g_string_append_printf(out, "m=%s 0 RTP/AVP %d\r\na=rtpmap:%d %s\r\n", rtsp_track_name(t), pt, pt,
			       map);
	if (*fmtp)
		g_string_append_printf(out, "a=fmtp:%d %s\r\n", pt, fmtp);
	g_string_append_printf(out, "a=control:%s\r\n", url);
}

static void add_movie_track(GString *out, const struct rtsp_conn *c, enum rtsp_track t,
			    const struct rtsp_movie_track *m)
{
	char map[64];

	if (!m->there)
		return;
	switch (m->codec) {
	case CODEC_H264:
		g_snprintf(map, sizeof map, "H264/90000");
		break;
	case CODEC_OPUS:
		g_snprintf(map, sizeof map, "opus/48000/2");
		break;
	default:
		g_snprintf(map, sizeof map, "mpeg4-generic/%u/%u", m->clock_hz, m->channels);
	}
	add_media(out, c, t, map, m->fmtp);
}

char *rtsp_sdp_describe(const struct rtsp_conn *c, const struct rtsp_movie_info *movie)
{
	GString *out = g_string_new(NULL);
	char url[RTSP_URI_MAX * 2];

	rtsp_url(c, RTSP_AGGREGATE, url, sizeof url);
	g_string_append_printf(out, "v=0\r\no=- %s 1 IN %s %s\r\n", *c->uri.name ? "1" : "0",
			       ip_of(c->local), c->local);
	add_title(out, movie && movie->title[0] ? movie->title : c->uri.name);
	g_string_append_printf(out, "c=IN %s %s\r\nt=0 0\r\na=control:%s\r\n", ip_of(c->local),
			       strchr(c->local, ':') ? "::" : "0.0.0.0", url);
	if (movie) {
		g_string_append_printf(out, "a=range:npt=0-%" G_GINT64_FORMAT ".%03d\r\n",
				       movie->duration_ms / 1000, (int)(movie->duration_ms % 1000));
		for (enum rtsp_track t = RTSP_AUDIO; t < RTSP_TRACKS; t++)
			add_movie_track(out, c, t, &movie->track[t]);
	} else {
		g_string_append(out, "a=range:npt=now-\r\n");
		add_media(out, c, RTSP_AUDIO, "opus/48000/2", "");
		add_media(out, c, RTSP_VIDEO, "H264/90000", "packetization-mode=1");
	}
	return g_string_free(out, FALSE);
}

char *rtsp_sdp_offer(const struct rtsp_session *s)
{
	GString *out = g_string_new("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n");

	g_string_append_printf(out, "c=IN %s %s\r\nt=0 0\r\n", ip_of(s->peer), s->peer);
	for (enum rtsp_track t = RTSP_AUDIO; t < RTSP_TRACKS; t++) {
		int pt = t == RTSP_VIDEO ? RTSP_PT_VIDEO : RTSP_PT_AUDIO;

		if (!s->track[t].used)
			continue;
		/* over the connection the port means nothing, but 0 would refuse the line */
		g_string_append_printf(out, "m=%s %u RTP/AVP %d\r\na=rtpmap:%d %s\r\na=rtcp:%u\r\na=recvonly\r\n",
				       rtsp_track_name(t), s->tcp ? 9u : s->track[t].port, pt, pt,
				       t == RTSP_VIDEO ? "H264/90000" : "opus/48000/2",
				       s->tcp ? 10u : s->track[t].rtcp_port);
		/* of the highest level: it takes what the room has */
		if (t == RTSP_VIDEO)
			g_string_append_printf(out, "a=fmtp:%d packetization-mode=1;profile-level-id=42e034\r\n",
					       pt);
	}
	return g_string_free(out, FALSE);
}
