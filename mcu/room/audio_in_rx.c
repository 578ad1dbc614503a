/* Packets into a leg's receiving chain: whose they are, of which codec, and what
 * RED holds. */
#include "mcu/room/audio_in_priv.h"

#include "mcu/rtp/audio_jitter.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_red.h"
#include "mcu/rtp/seq.h"

/* So much older than the newest is late; more is another sequence. */
enum { MAX_MISORDER = 300 };

/* A new SSRC is believed at its second packet in a row. */
static bool accept_ssrc(struct audio_in *a, uint32_t ssrc)
{
	if (a->have_ssrc && ssrc == a->ssrc) {
		a->have_other = false;
		return true;
	}
	if (a->have_ssrc && !(a->have_other && a->other_ssrc == ssrc)) {
		a->have_other = true;
		a->other_ssrc = ssrc;
		return false;
	}
	if (a->have_ssrc) {
		audio_in_restart(a);
		a->stats.restarts++;
	}
	a->have_ssrc = true;
	a->have_other = false;
	a->ssrc = ssrc;
	return true;
}

/* NULL: it cannot be opened. */
static struct adec *decoder(struct audio_in *a, enum codec c)
{
	if (c >= CODEC_AAC)
		return NULL;
	/* Once per codec that the leg uses; kept for its life. */
	if (!a->dec_of[c] && adec_new(&a->dec_of[c], c, a->channels))
		return NULL;
	return a->dec_of[c];
}

/* false: a straggler of the codec before. */
static bool follow_codec(struct audio_in *a, enum codec c, uint32_t clock_hz, uint16_t seq)
{
	int newer = seq_diff(seq, a->rx_seq);

	if (a->rx_codec && c != a->rx_codec && newer <= 0 && newer > -MAX_MISORDER)
		return false;
	if (!a->rx_codec || newer > 0 || newer <= -MAX_MISORDER)
		a->rx_seq = seq;
	a->rx_codec = c;
	if (clock_hz == a->clock_hz)
		return true;
	/* RFC 7160: time stamps of two clocks do not compare. What is waiting
	 * goes; it is bridged like a loss. */
	a->clock_hz = clock_hz;
	a->have_play_point = false;
	audio_jitter_set_clock(a->jitter, clock_hz);
	return true;
}

static uint32_t duration_ticks(const struct adec *d, const uint8_t *payload, size_t len)
{
	int64_t samples = adec_packet_samples(d, payload, len);

	if (samples <= 0 || samples > ADEC_MAX_SAMPLES)
		return 0;
	return (uint32_t)(samples * adec_clock_hz(d) / AUDIO_IN_RATE_HZ);
}

/* The blocks ahead of the primary one are the packets ahead of this one; they
 * carry no sequence numbers of their own. */
static void put_copies(struct audio_in *a, struct buf *pkt, const struct adec *d,
		       const struct rtp_packet *p, const struct rtp_red_block *block, int n)
{
	uint8_t pt = block[n - 1].pt;

	for (int back = 1; back < n; back++) {
		const struct rtp_red_block *b = &block[n - 1 - back];
		uint32_t ticks = b->pt == pt && b->len ? duration_ticks(d, b->data, b->len) : 0;

		if (ticks)
			audio_jitter_put_redundant(a->jitter, pkt, b->data, b->len,
						   (uint16_t)(p->seq - back), p->ts - b->ts_offset,
						   ticks);
	}
}

/* What the packet holds, the primary block last; 0: not what the tag says. */
static int blocks_of(const struct rtp_packet *p, uint32_t tag,
		     struct rtp_red_block block[RTP_RED_MAX_BLOCKS])
{
	int n = 1;

	if (audio_tag_red(tag))
		n = rtp_red_parse(p->payload, p->payload_len, block);
	else
		block[0] = (struct rtp_red_block){ .pt = p->pt, .data = p->payload,
						   .len = p->payload_len };
	return n > 0 && block[n - 1].pt == (uint8_t)tag ? n : 0;
}

void audio_in_put(struct audio_in *a, struct buf *pkt, int64_t arrival_ns)
{
	struct adec *d = decoder(a, audio_tag_codec(pkt->tag));
	struct rtp_red_block block[RTP_RED_MAX_BLOCKS];
	struct buf *keep;
	struct rtp_packet p;
	uint32_t ticks;
	int n;

	if (a->muted)
		goto drop;
	if (!d || rtp_parse(&p, pkt->data, pkt->len) < 0)
		goto malformed;
	n = blocks_of(&p, pkt->tag, block);
	if (!n)
		goto malformed;
	if (!block[n - 1].len)
		goto drop;
	ticks = duration_ticks(d, block[n - 1].data, block[n - 1].len);
	if (!ticks)
		goto malformed;
	if (!accept_ssrc(a, p.ssrc) ||
	    !follow_codec(a, audio_tag_codec(pkt->tag), adec_clock_hz(d), p.seq))
		goto drop;
	pkt->data = (uint8_t *)(uintptr_t)block[n - 1].data;
	pkt->len = block[n - 1].len;
	keep = n > 1 ? buf_ref(pkt) : NULL;
	audio_jitter_put(a->jitter, pkt, p.seq, p.ts, ticks, arrival_ns);
	if (keep)
		put_copies(a, keep, d, &p, block, n);
	buf_unref(&keep);
	return;
malformed:
	a->stats.malformed++;
drop:
	buf_unref(&pkt);
}
