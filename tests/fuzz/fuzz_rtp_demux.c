/* Packets of many sources, mids and rids. The first octet chooses what was agreed
 * on; then, per packet: its length, milliseconds since the last, its octets. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/room/rtp_demux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIMULCAST = 1, SIGNALLED = 2, SAME_PT = 4, VIEWER = 8, CONTENT = 16 };

static struct leg_media media(uint8_t how)
{
	struct leg_media m = {
		.audio = { .rx = !(how & VIEWER), .n_rx_formats = 1, .mid = "a", .ext_mid = 4,
			   .rx_format = { { CODEC_OPUS, 111, 0 } }, .rx_red_pt = 63 },
		.video = { .rx = true, .n_rx_formats = 2, .mid = "v", .ext_mid = 4, .ext_rid = 10,
			   .ext_rrid = 11,
			   .rx_format = { { CODEC_H264, 102, 103 }, { CODEC_VP8, 96, 97 } } },
	};

	if (how & SIMULCAST)
		memcpy(m.video.rid, "h", 2);
	if (how & SAME_PT)
		m.audio.rx_format[0].pt = 96;
	if (how & SIGNALLED) {
		m.audio.rx_ssrc = 1;
		m.video.rx_ssrc = 2;
		m.video.rx_rtx_ssrc = 3;
	}
	if (how & CONTENT) {
		m.content = m.video;
		memcpy(m.content.mid, "s", 2);
		m.content.rx_ssrc = how & SIGNALLED ? 4 : 0;
		m.content.rx_rtx_ssrc = how & SIGNALLED ? 5 : 0;
	}
	return m;
}

static void check(const struct rtp_demux *d, const struct rtp_route *to, const struct leg_media *m)
{
	const struct leg_stream *s;
	bool agreed = false;

	if (to->kind == RTP_ROUTE_UNKNOWN)
		return;
	if (to->stream == RTP_STREAM_NONE || to->stream >= RTP_STREAM_N)
		abort();
	s = to->stream == RTP_STREAM_AUDIO ? &m->audio :
	    to->stream == RTP_STREAM_VIDEO ? &m->video : &m->content;
	for (unsigned i = 0; i < s->n_rx_formats; i++)
		agreed |= s->rx_format[i].pt == to->pt && s->rx_format[i].codec == to->codec;
	if (!s->rx || (!agreed && to->pt != s->rx_red_pt))
		abort();
	if (strlen(rtp_demux_rid(d, to->stream)) > RTP_MID_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtp_demux d;
	struct leg_media m;
	int64_t now_ns = NS_PER_S;
	size_t pos = 1;

	if (!size)
		return 0;
	memset(&d, 0, sizeof d);
	m = media(data[0]);
	rtp_demux_configure(&d, &m);
	while (size - pos >= 2) {
		size_t len = data[pos];
		struct rtp_packet p;
		struct rtp_route to;

		now_ns += data[pos + 1] * 16 * NS_PER_MS;
		pos += 2;
		if (!len) { /* another negotiation */
			m = media(data[pos - 1]);
			rtp_demux_configure(&d, &m);
			continue;
		}
		if (len > size - pos)
			len = size - pos;
		if (!rtp_parse(&p, data + pos, len)) {
			rtp_demux_route(&d, &p, (enum rtp_route_stream)(p.ts & 3), now_ns, &to);
			check(&d, &to, &m);
		}
		pos += len;
	}
	return 0;
}
