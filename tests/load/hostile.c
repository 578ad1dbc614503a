/* Garbage for the server: what a broken or hostile client might send on its
 * own, properly established connections. Nobody else may notice. */
#include <stdio.h>
#include <string.h>

#include "tests/load/peer.h"
#include "tests/load/util.h"

enum { PACKET = 1200, BIG_MESSAGE = 70000 };
enum { FLOOD_MBPS = 200, FLOOD_BURST = 400 /* packets at once */ };

struct bits {
	uint8_t *p;
	size_t n;
};

static void put_bit(struct bits *b, unsigned bit)
{
	b->p[b->n / 8] = (uint8_t)(b->p[b->n / 8] | bit << (7 - b->n % 8));
	b->n++;
}

/* Unsigned Exp-Golomb, H.264 section 9.1. */
static void put_ue(struct bits *b, uint32_t v)
{
	int len = 0;

	for (uint32_t x = v + 1; x > 1; x >>= 1)
		len++;
	for (int i = 0; i < len; i++)
		put_bit(b, 0);
	for (int i = len; i >= 0; i--)
		put_bit(b, (v + 1) >> i & 1);
}

/* A sequence parameter set of 16,384 x 16,384 pixels. */
static size_t put_sps_bomb(uint8_t *out)
{
	struct bits b = { out, 32 };

	memset(out, 0, 64);
	memcpy(out, (const uint8_t[]){ 0x67, 0x42, 0xe0, 0x3e }, 4);
	put_ue(&b, 0); /* id */
	put_ue(&b, 0); /* log2_max_frame_num - 4 */
	put_ue(&b, 2); /* picture order count type */
	put_ue(&b, 1); /* reference frames */
	put_bit(&b, 0);
	put_ue(&b, 1023); /* width in macroblocks - 1 */
	put_ue(&b, 1023);
	put_bit(&b, 1);
	put_bit(&b, 0);
	put_bit(&b, 0);
	put_bit(&b, 0);
	put_bit(&b, 1); /* stop bit */
	return b.n / 8 + 1;
}

static size_t put_rtp(const struct peer *p, uint8_t *out, bool video)
{
	static uint16_t seq = 30000;

	out[0] = 0x80;
	out[1] = (uint8_t)(bot_random() & 0x80) | (video ? p->answer.video.pt : p->answer.audio.pt);
	put16(out + 2, bot_random() % 8 ? seq++ : bot_random());
	put32(out + 4, bot_random());
	/* Streams of their own most of the time, so that they cannot be taken for loss. */
	put32(out + 8, bot_random() % 4 ? 0xbad00000U + video : bot_random());
	return 12;
}

static size_t bad_video(const struct peer *p, uint8_t *out)
{
	size_t n = put_rtp(p, out, true);

	bot_random_bytes(out + n, 200);
	switch (bot_random_below(6)) {
	case 0:
		out[n] = 24;
		put16(out + n + 1, 60000);
		return n + 40; /* STAP-A too long */
	case 1:
		out[n] = 24;
		put16(out + n + 1, 0);
		return n + 3; /* and empty */
	case 2:
		out[n] = 28;
		out[n + 1] = 0x45;
		return n + 100;						     /* FU-A from nowhere */
	case 3: out[n] = 28; return n + 1;				     /* FU-A cut off */
	case 4: out[n] = (uint8_t)(25 + bot_random_below(7)); return n + 60; /* not of mode 1 */
	default: return n + put_sps_bomb(out + n);
	}
}

static size_t bad_rtp(const struct peer *p, uint8_t *out)
{
	size_t n = put_rtp(p, out, bot_random() & 1);

	bot_random_bytes(out + n, 300);
	switch (bot_random_below(6)) {
	case 0:
		out[0] |= 0x10;
		put16(out + n + 2, 60000);
		return n + 60; /* extension too long */
	case 1:
		out[0] |= 0x20;
		out[n + 59] = 200;
		return n + 60;					       /* padding too long */
	case 2: out[0] |= 0x0f; return n + 10;			       /* sources cut off */
	case 3: return n;					       /* no payload */
	case 4: out[1] = (uint8_t)bot_random_below(64); return n + 60; /* unknown type */
	default: n = put_rtp(p, out, false); return n + 1 + bot_random_below(250); /* not Opus */
	}
}

static size_t bad_rtcp(const struct peer *p, uint8_t *out)
{
	static const uint8_t types[] = { 200, 201, 202, 203, 204, 205, 206, 207, 192, 223 };
	size_t n = 8 + 4 * (size_t)bot_random_below(60);

	bot_random_bytes(out, n);
	out[0] = (uint8_t)(0x80 | (bot_random() & 0x3f));
	out[1] = types[bot_random_below(sizeof types)];
	put16(out + 2, bot_random() & 1 ? (uint32_t)(n / 4 - 1) : bot_random());
	put32(out + 4, p->audio_ssrc);
	if (bot_random() % 4 == 0) {
		/* A flood of requests for packets and key frames. */
		out[0] = 0x81;
		out[1] = (uint8_t)(205 + (bot_random() & 1));
		put16(out + 2, (uint32_t)(n / 4 - 1));
	}
	return n;
}

static size_t bad_raw(uint8_t *out)
{
	size_t n = 1 + bot_random_below(600);

	bot_random_bytes(out, n + 40);
	switch (bot_random_below(5)) {
	case 0: /* STUN with attributes that lead out of it */
	case 1:
		n = 20 + 4 * (size_t)bot_random_below(40);
		put16(out, bot_random() & 1 ? 0x0001 : 0x0101);
		put16(out + 2, (uint32_t)(n - 20));
		put32(out + 4, 0x2112a442);
		return n;
	case 2: /* a DTLS record */
		out[0] = (uint8_t)(20 + bot_random_below(6));
		put16(out + 1, 0xfefd);
		put16(out + 11, bot_random() & 1 ? (uint32_t)n : bot_random());
		return n + 13;
	case 3: /* RTP that is not authentic */ out[0] = 0x80; return n + 12;
	default: return n;
	}
}

static void send_garbage(struct peer *p)
{
	uint8_t buf[PACKET + SEC_OVERHEAD + 64];

	if (!p->link)
		return;
	switch (bot_random_below(4)) {
	case 0: link_send_raw(p->link, buf, bad_raw(buf)); break;
	case 1: link_send_rtp(p->link, buf, bad_video(p, buf)); break;
	case 2: link_send_rtp(p->link, buf, bad_rtp(p, buf)); break;
	default: link_send_rtcp(p->link, buf, bad_rtcp(p, buf)); break;
	}
	p->garbage_sent++;
}

static const char *const MESSAGES[] = {
	"",
	"not JSON",
	"{",
	"[]",
	"null",
	"{}",
	"{\"type\":5}",
	"{\"type\":\"nonsense\"}",
	"{\"type\":\"join\",\"room\":\"other\",\"name\":\"again\"}",
	"{\"type\":\"answer\",\"sdp\":\"v=0\"}",
	"{\"type\":\"offer\"}",
	"{\"type\":\"offer\",\"sdp\":7}",
	"{\"type\":\"offer\",\"sdp\":\"nonsense\"}",
	"{\"type\":\"offer\",\"sdp\":\"v=0\\r\\nm=audio 99999999 X 1\\r\\n\"}",
	"{\"type\":\"ice\",\"candidate\":\"candidate:1 1 UDP x y z typ\"}",
	"{\"type\":\"ice\",\"candidate\":{}}",
	"{\"type\":\"mute\",\"audio\":\"yes\"}",
	"{\"type\":\"record\",\"action\":\"explode\"}",
	"{\"type\":\"stats\",\"id\":12}",
	"{\"type\":\"ping\",\"id\":\"x\"}",
	"\xff\xfe\xfd",
	"{\"type\":\"ping\",\"id\":\"\xc3\x28\"}",
};

static void send_nonsense(struct peer *p)
{
	static char big[BIG_MESSAGE];
	uint32_t k = bot_random_below(sizeof MESSAGES / sizeof *MESSAGES + 3);

	if (!p->ws)
		return;
	p->garbage_sent++;
	if (k < sizeof MESSAGES / sizeof *MESSAGES) {
		ws_send_text(p->ws, MESSAGES[k]);
		return;
	}
	if (p->garbage_sent < 100)
		return;
	/* These end the connection, so they come late. */
	memset(big, k & 1 ? '[' : 'x', sizeof big - 1);
	if (k & 1)
		ws_send_text(p->ws, big);
	else
		ws_send_raw(p->ws, "\x8f\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10);
}

/* What is due since the last time, as far as the machine keeps up. */
static void send_flood(struct peer *p, int64_t now_ns)
{
	const int64_t each_ns = (int64_t)PACKET * 8 * 1000 / FLOOD_MBPS;
	uint8_t buf[PACKET + SEC_OVERHEAD];

	if (!p->link)
		return;
	for (int i = 0; i < FLOOD_BURST && p->next_bad_ns <= now_ns; i++) {
		size_t n = put_rtp(p, buf, true);

		memset(buf + n, 0, PACKET - n);
		put32(buf + 8, 0xf100d000U);
		link_send_rtp(p->link, buf, PACKET);
		p->garbage_sent++;
		p->next_bad_ns += each_ns;
	}
	if (p->next_bad_ns < now_ns - BOT_NS_PER_MS * 100)
		p->next_bad_ns = now_ns;
}

void hostile_tick(struct peer *p, int64_t now_ns)
{
	int64_t every_ns = p->cfg.kind == PEER_GARBAGE ? 5 * BOT_NS_PER_MS : 40 * BOT_NS_PER_MS;

	if (now_ns < p->next_bad_ns)
		return;
	if (p->cfg.kind == PEER_FLOOD) {
		send_flood(p, now_ns);
		return;
	}
	p->next_bad_ns = now_ns + every_ns;
	if (p->cfg.kind == PEER_GARBAGE)
		send_garbage(p);
	else
		send_nonsense(p);
}
