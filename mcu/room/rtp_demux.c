#include "mcu/room/rtp_demux.h"

#include <string.h>

#include "mcu/base/clock.h"

static const int64_t SILENT_NS = RTP_DEMUX_SILENT_MS * NS_PER_MS;
static const int64_t LAYER_NS = RTP_DEMUX_LAYER_MS * NS_PER_MS;

/* of: RTP_STREAM_NONE: of any stream. */
static struct rtp_source *find(struct rtp_demux *d, uint32_t ssrc, enum rtp_route_stream of)
{
	for (size_t i = 0; i < RTP_DEMUX_SOURCES; i++)
		if (d->source[i].stream && d->source[i].ssrc == ssrc &&
		    (!of || d->source[i].stream == of))
			return &d->source[i];
	return NULL;
}

static bool is_in_use(const struct rtp_demux *d, const struct rtp_source *s)
{
	const struct rtp_demux_stream *t = &d->stream[s->stream];

	return t->have && t->ssrc == s->ssrc;
}

/* A free place, or that of the source which was not heard for longest. */
static struct rtp_source *add(struct rtp_demux *d, uint32_t ssrc, enum rtp_route_stream stream)
{
	struct rtp_source *to = NULL;

	for (size_t i = 0; i < RTP_DEMUX_SOURCES; i++) {
		struct rtp_source *s = &d->source[i];

		if (!s->stream) {
			to = s;
			break;
		}
		if (!is_in_use(d, s) && (!to || s->last_ns < to->last_ns))
			to = s;
	}
	*to = (struct rtp_source){ .ssrc = ssrc, .stream = (uint8_t)stream };
	return to;
}

/* What signaling says of a source, when it says something new. */
static void signal_source(struct rtp_demux *d, enum rtp_route_stream stream, uint32_t *last,
			  uint32_t ssrc, uint32_t pair)
{
	struct rtp_source *s;

	if (!ssrc || ssrc == *last)
		return;
	*last = ssrc;
	s = find(d, ssrc, d->lines ? stream : RTP_STREAM_NONE);
	if (s && s->stream == stream) {
		s->announced = true;
		s->used = s->used && is_in_use(d, s);
	} else {
		if (s)
			s->stream = RTP_STREAM_NONE;
		s = add(d, ssrc, stream);
		s->announced = true;
	}
	s->has_pair = pair != 0;
	s->pair = pair;
}

static void configure_stream(struct rtp_demux *d, enum rtp_route_stream i,
			     const struct leg_stream *s)
{
	struct rtp_demux_stream *t = &d->stream[i];

	t->s = s;
	if (strcmp(t->asked, s->rid)) {
		memcpy(t->asked, s->rid, sizeof t->asked);
		memcpy(t->rid, s->rid, sizeof t->rid);
		t->last_ns = 0;
		t->have = false;
	}
	if (!s->rx)
		return;
	signal_source(d, i, &t->signalled, s->rx_ssrc, 0);
	signal_source(d, i, &t->signalled_rtx, s->rx_rtx_ssrc, s->rx_ssrc);
}

static uint8_t first(uint8_t a, uint8_t b, uint8_t c)
{
	return a ? a : b ? b : c;
}

void rtp_demux_configure(struct rtp_demux *d, const struct leg_media *m)
{
	d->lines = m->udp;
	/* RFC 8843 9.1: an extension has the same id in all sections of a bundle. */
	d->ext_mid = first(m->video.ext_mid, m->content.ext_mid, m->audio.ext_mid);
	d->ext_rid = first(m->video.ext_rid, m->content.ext_rid, 0);
	d->ext_rrid = first(m->video.ext_rrid, m->content.ext_rrid, 0);
	/* Payload types may mean something else now. */
	for (size_t i = 0; i < RTP_DEMUX_SOURCES; i++) {
		struct rtp_source *s = &d->source[i];

		if (s->stream && !s->announced && !is_in_use(d, s))
			s->stream = RTP_STREAM_NONE;
	}
	configure_stream(d, RTP_STREAM_AUDIO, &m->audio);
	configure_stream(d, RTP_STREAM_VIDEO, &m->video);
	configure_stream(d, RTP_STREAM_CONTENT, &m->content);
}

/* RTP_ROUTE_MEDIA or _RTX with codec and pt, or RTP_ROUTE_UNKNOWN. */
static enum rtp_route_kind use_of(const struct leg_stream *s, uint8_t pt, struct rtp_route *out)
{
	if (!s->rx)
		return RTP_ROUTE_UNKNOWN;
	for (unsigned i = 0; i < s->n_rx_formats; i++) {
		const struct leg_rx_format *f = &s->rx_format[i];
		bool rtx = f->rtx_pt && f->rtx_pt == pt;

		if (f->pt != pt && !rtx)
			continue;
		out->codec = f->codec;
		out->pt = f->pt;
		return rtx ? RTP_ROUTE_RTX : RTP_ROUTE_MEDIA;
	}
	out->codec = CODEC_NONE;
	out->pt = pt;
	return s->rx_red_pt && s->rx_red_pt == pt ? RTP_ROUTE_MEDIA : RTP_ROUTE_UNKNOWN;
}

static enum rtp_route_stream stream_of_pt(const struct rtp_demux *d, uint8_t pt)
{
	enum rtp_route_stream found = RTP_STREAM_NONE;
	struct rtp_route ignored;

	for (enum rtp_route_stream i = RTP_STREAM_AUDIO; i < RTP_STREAM_N; i++) {
		if (use_of(d->stream[i].s, pt, &ignored) == RTP_ROUTE_UNKNOWN)
			continue;
		if (found) /* it is of several, and says nothing */
			return RTP_STREAM_NONE;
		found = i;
	}
	return found;
}

static enum rtp_route_stream stream_of_mid(const struct rtp_demux *d, const char *mid)
{
	for (enum rtp_route_stream i = RTP_STREAM_AUDIO; i < RTP_STREAM_N; i++)
		if (d->stream[i].s->rx && !strcmp(d->stream[i].s->mid, mid))
			return i;
	return RTP_STREAM_NONE; /* RFC 8843 9.2: such a packet is dropped */
}

static void hear(struct rtp_source *s, int64_t now_ns)
{
	if (!s->last_ns || now_ns - s->last_ns > SILENT_NS)
		s->since_ns = now_ns;
	s->last_ns = now_ns;
}

/* What the packet itself says of its layer. */
static void read_rid(struct rtp_demux_stream *t, struct rtp_source *s, const struct rtp_packet *p,
		     uint8_t ext)
{
	char rid[RTP_MID_MAX + 1];

	if (!rtp_ext_mid(p, ext, rid))
		return;
	s->announced = true;
	t->rids = true;
	if (strcmp(s->rid, rid)) {
		memcpy(s->rid, rid, sizeof rid);
		s->used = false;
	}
	if (!t->rid[0])
		memcpy(t->rid, rid, sizeof rid);
	if (strcmp(t->rid, rid))
		t->layers = true;
}

static bool is_other_layer(const struct rtp_demux_stream *t, const struct rtp_source *s)
{
	if (s->rid[0])
		return strcmp(s->rid, t->rid) != 0;
	/* not said yet, while others have said theirs */
	return (t->layers || (t->rids && t->asked[0])) && !(t->have && t->ssrc == s->ssrc);
}

/* A sender may have switched layers off for want of bandwidth: take what comes,
 * and go back to what was asked for when that has come for a while. */
static bool may_change_layer(const struct rtp_demux_stream *t, const struct rtp_source *s,
			     const struct rtp_packet *p, int64_t now_ns)
{
	if (!s->rid[0] || !p->payload_len)
		return false;
	return now_ns - t->last_ns > LAYER_NS ||
	       (!strcmp(s->rid, t->asked) && now_ns - s->since_ns >= LAYER_NS);
}

/* A new source replaces the old one; one that was replaced must wait until its
 * successor is silent, and so must one that nothing was said of. */
static bool may_replace(const struct rtp_demux_stream *t, const struct rtp_source *s,
			int64_t now_ns)
{
	if (!t->have || now_ns - t->last_ns > SILENT_NS)
		return true;
	return !s->used && (s->announced || !t->announced);
}

static enum rtp_route_kind route_media(struct rtp_demux *d, struct rtp_demux_stream *t,
				       struct rtp_source *s, const struct rtp_packet *p,
				       int64_t now_ns)
{
	read_rid(t, s, p, d->ext_rid);
	hear(s, now_ns);
	if (!t->last_ns)
		t->last_ns = now_ns;
	if (is_other_layer(t, s)) {
		if (!may_change_layer(t, s, p, now_ns))
			return RTP_ROUTE_OTHER_LAYER;
		memcpy(t->rid, s->rid, sizeof t->rid);
	} else if ((!t->have || t->ssrc != s->ssrc) && !may_replace(t, s, now_ns)) {
		return RTP_ROUTE_OLD_SOURCE;
	}
	t->have = s->used = true;
	t->ssrc = s->ssrc;
	t->announced = s->announced;
	t->last_ns = now_ns;
	return RTP_ROUTE_MEDIA;
}

static enum rtp_route_kind route_rtx(struct rtp_demux *d, struct rtp_demux_stream *t,
				     struct rtp_source *s, const struct rtp_packet *p,
				     int64_t now_ns)
{
	read_rid(t, s, p, d->ext_rrid);
	hear(s, now_ns);
	if (s->rid[0] ? strcmp(s->rid, t->rid) != 0 : t->layers)
		return RTP_ROUTE_OTHER_LAYER;
	if (!t->have)
		return RTP_ROUTE_OLD_SOURCE; /* a probe before anything: repairs nothing */
	if (!s->has_pair && !s->rid[0]) {
		s->has_pair = true;
		s->pair = t->ssrc;
	}
	return s->rid[0] || s->pair == t->ssrc ? RTP_ROUTE_RTX : RTP_ROUTE_OLD_SOURCE;
}

void rtp_demux_route(struct rtp_demux *d, const struct rtp_packet *p, enum rtp_route_stream line,
		     int64_t now_ns, struct rtp_route *out)
{
	struct rtp_source *s = find(d, p->ssrc, line);
	char mid[RTP_MID_MAX + 1];
	bool said = !line && rtp_ext_mid(p, d->ext_mid, mid);
	struct rtp_demux_stream *t;

	*out = (struct rtp_route){ .kind = RTP_ROUTE_UNKNOWN };
	if (line)
		out->stream = line;
	else if (said)
		out->stream = stream_of_mid(d, mid);
	else
		out->stream = s ? (enum rtp_route_stream)s->stream : stream_of_pt(d, p->pt);
	if (!out->stream)
		return;
	t = &d->stream[out->stream];
	out->kind = use_of(t->s, p->pt, out);
	if (out->kind == RTP_ROUTE_UNKNOWN)
		return;
	if (s && s->stream != out->stream) {
		s->stream = RTP_STREAM_NONE;
		s = NULL;
	}
	if (!s)
		s = add(d, p->ssrc, out->stream);
	s->announced |= said;
	if (out->kind == RTP_ROUTE_RTX)
		out->kind = route_rtx(d, t, s, p, now_ns);
	else
		out->kind = route_media(d, t, s, p, now_ns);
	out->media_ssrc = t->ssrc;
}

const char *rtp_demux_rid(const struct rtp_demux *d, enum rtp_route_stream stream)
{
	return d->stream[stream].rid;
}
