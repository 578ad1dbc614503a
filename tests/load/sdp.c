#include "tests/load/sdp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct text {
	char *p;
	size_t cap, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n < t->cap - t->len ? (size_t)n : t->cap - t->len - 1;
}

static const char *direction(bool sends, bool receives)
{
	return sends ? (receives ? "sendrecv" : "sendonly") : (receives ? "recvonly" : "inactive");
}

static void put_transport(struct text *t, const struct sdp_offer *o, const char *mid)
{
	put(t,
	    "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
	    "a=ice-options:trickle\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=mid:%s\r\n"
	    "a=rtcp-mux\r\na=rtcp-rsize\r\na=extmap:%d urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
	    o->ufrag, o->pwd, o->fingerprint, mid, SDP_EXT_MID);
}

static void put_source(struct text *t, const struct sdp_offer *o, uint32_t ssrc, const char *track)
{
	put(t, "a=msid:%s %s\r\na=ssrc:%u cname:%s\r\n", o->cname, track, ssrc, o->cname);
}

static void put_twcc(struct text *t, const struct sdp_offer *o, bool sends)
{
	if (sends && o->transport_cc)
		put(t,
		    "a=extmap:%d "
		    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n",
		    SDP_EXT_TWCC);
}

static void put_feedback(struct text *t, const struct sdp_offer *o, int pt, bool sends)
{
	if (sends && o->transport_cc)
		put(t, "a=rtcp-fb:%d transport-cc\r\n", pt);
}

/* content: the second picture, which is only sent. */
static void put_video(struct text *t, const struct sdp_offer *o, bool content)
{
	bool sends = content || o->video_send, receives = !content && o->video_receive;

	put(t, "m=video 9 UDP/TLS/RTP/SAVPF %d\r\n", SDP_PT_VIDEO);
	put_transport(t, o, content ? "2" : "1");
	put_twcc(t, o, sends);
	put(t, "a=%s\r\n%sa=rtpmap:%d %s/90000\r\n", direction(sends, receives),
	    content ? "a=content:slides\r\n" : "", SDP_PT_VIDEO, o->vp8 ? "VP8" : "H264");
	if (!o->vp8)
		put(t,
		    "a=fmtp:%d level-asymmetry-allowed=1;packetization-mode=1;"
		    "profile-level-id=42e01f\r\n",
		    SDP_PT_VIDEO);
	put(t,
	    "a=rtcp-fb:%d goog-remb\r\na=rtcp-fb:%d ccm fir\r\na=rtcp-fb:%d nack\r\n"
	    "a=rtcp-fb:%d nack pli\r\n",
	    SDP_PT_VIDEO, SDP_PT_VIDEO, SDP_PT_VIDEO, SDP_PT_VIDEO);
	put_feedback(t, o, SDP_PT_VIDEO, sends);
	if (sends)
		put_source(t, o, content ? o->content_ssrc : o->video_ssrc,
			   content ? "content" : "video");
}

bool sdp_write_offer(char *out, size_t cap, const struct sdp_offer *o)
{
	struct text t = { out, cap, 0 };

	put(&t,
	    "v=0\r\no=- %u 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0%s%s\r\n"
	    "a=msid-semantic: WMS *\r\nm=audio 9 UDP/TLS/RTP/SAVPF %d\r\n",
	    o->audio_ssrc, o->audio_only ? "" : " 1", o->content_ssrc ? " 2" : "", SDP_PT_AUDIO);
	put_transport(&t, o, "0");
	put(&t, "a=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n", SDP_EXT_LEVEL);
	put_twcc(&t, o, o->audio_send);
	put(&t, "a=%s\r\na=rtpmap:%d opus/48000/2\r\na=fmtp:%d minptime=10;useinbandfec=1\r\n",
	    direction(o->audio_send, o->audio_receive), SDP_PT_AUDIO, SDP_PT_AUDIO);
	put_feedback(&t, o, SDP_PT_AUDIO, o->audio_send);
	if (o->audio_send)
		put_source(&t, o, o->audio_ssrc, "audio");
	if (!o->audio_only)
		put_video(&t, o, false);
	if (!o->audio_only && o->content_ssrc)
		put_video(&t, o, true);
	return t.len + 1 < cap;
}

/* The value of "a=name:" (or "" for a plain "a=name"), NULL: another line. */
static const char *attribute(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(line, "a=", 2) || strncmp(line + 2, name, n))
		return NULL;
	return line[2 + n] == ':' ? line + 3 + n : line[2 + n] ? NULL : line + 2 + n;
}

static void copy(char *to, size_t cap, const char *from)
{
	snprintf(to, cap, "%s", from);
}

static void parse_extmap(struct sdp_media *m, const char *value)
{
	uint8_t id = (uint8_t)strtoul(value, NULL, 10);

	if (strstr(value, "sdes:mid"))
		m->ext_mid = id;
	else if (strstr(value, "ssrc-audio-level"))
		m->ext_level = id;
	else if (strstr(value, "transport-wide-cc"))
		m->ext_twcc = id;
}

static void parse_rtpmap(struct sdp_media *m, const struct sdp_answer *a, const char *value)
{
	const char *name = strchr(value, ' ');
	bool vp8 = name && m != &a->audio && !strncasecmp(name + 1, "VP8/", 4);

	if (!name || m->pt ||
	    (!vp8 && strncasecmp(name + 1, m == &a->audio ? "opus/" : "H264/", 5)))
		return;
	m->pt = (uint8_t)strtoul(value, NULL, 10);
	m->vp8 = vp8;
}

/* Attributes of a section. The first section's transport is everybody's. */
static void parse_line(struct sdp_answer *a, struct sdp_media *m, const char *line)
{
	const char *v;

	if ((v = attribute(line, "ice-ufrag"))) {
		copy(a->ufrag, sizeof a->ufrag, v);
	} else if ((v = attribute(line, "ice-pwd"))) {
		copy(a->pwd, sizeof a->pwd, v);
	} else if ((v = attribute(line, "fingerprint"))) {
		if (!strncasecmp(v, "sha-256 ", 8))
			copy(a->fingerprint, sizeof a->fingerprint, v + 8);
	} else if ((v = attribute(line, "setup"))) {
		a->active = !strcmp(v, "active");
	} else if (attribute(line, "candidate")) {
		if (a->candidates < SDP_MAX_CANDIDATES)
			copy(a->candidate[a->candidates++], SDP_LINE, line + 2);
	} else if (!m) {
		return;
	} else if ((v = attribute(line, "mid"))) {
		copy(m->mid, sizeof m->mid, v);
	} else if ((v = attribute(line, "extmap"))) {
		parse_extmap(m, v);
	} else if ((v = attribute(line, "rtpmap"))) {
		parse_rtpmap(m, a, v);
	} else if (attribute(line, "sendrecv")) {
		m->sends = m->receives = true;
	} else if (attribute(line, "sendonly")) {
		m->sends = true;
	} else if (attribute(line, "recvonly")) {
		m->receives = true;
	}
}

const char *sdp_parse_answer(struct sdp_answer *a, const char *text)
{
	struct sdp_media *m = NULL;
	char line[SDP_LINE];

	memset(a, 0, sizeof *a);
	while (*text) {
		size_t n = strcspn(text, "\r\n");

		snprintf(line, sizeof line, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, "\r\n");
		if (!strncmp(line, "m=", 2)) {
			m = !strncmp(line, "m=audio ", 8) ? &a->audio : m != &a->video ? &a->video : &a->content;
			m->accepted = strncmp(line + 8, "0 ", 2) != 0;
		} else {
			parse_line(a, m, line);
		}
	}
	if (!a->ufrag[0] || !a->pwd[0])
		return "the answer has no ICE credentials";
	if (!a->fingerprint[0])
		return "the answer has no SHA-256 fingerprint";
	if (!a->audio.accepted && !a->video.accepted)
		return "the answer refuses both sections";
	if ((a->audio.accepted && !a->audio.pt) || (a->video.accepted && !a->video.pt) ||
	    (a->content.accepted && !a->content.pt))
		return "an accepted section has no payload type of its codec";
	return NULL;
}
