#include "tests/bench/phones.h"

#include <math.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/floor.h"

enum { RATE = 8000, VOICE_SAMPLES = RATE, RX_BATCH = 4, PAIR_TRIES = 200 };

static uint8_t voice[VOICE_SAMPLES]; /* a second of it, again and again */

uint8_t pcmu_encode(float x)
{
	int v = (int)lrintf(x * 32767), sign = v < 0 ? 0x80 : 0, e;

	v = (sign ? -v : v) + 132;
	v = v > 32767 ? 32767 : v;
	e = 31 - __builtin_clz((unsigned)v >> 7);
	return (uint8_t)~(sign | e << 4 | (v >> (e + 3) & 15));
}

float pcmu_decode(uint8_t octet)
{
	int u = ~octet & 255, v = (((u & 15) << 3) + 132) << (u >> 4 & 7);

	v -= 132;
	return (float)(u & 0x80 ? -v : v) / 32768;
}

/* Harmonics of 140 Hz, as loud as speech. */
static void make_voice(void)
{
	for (int i = 0; i < VOICE_SAMPLES; i++) {
		float x = 0;

		for (int h = 1; h <= 8; h++)
			x += 0.06f *
			     sinf(6.2831853f * 140 * (float)(h * i) / RATE + (float)(h * h));
		voice[i] = pcmu_encode(x);
	}
}

static int bound(uint16_t port, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (!bind(fd, (struct sockaddr *)at, len) && !getsockname(fd, (struct sockaddr *)at, &len))
		return fd;
	close(fd);
	return -1;
}

void phone_open(struct phone *p, int no, int talks)
{
	struct sockaddr_in at, other;

	if (!voice[0])
		make_voice();
	*p = (struct phone){ .no = no, .talks = talks, .rtp = -1, .rtcp = -1 };
	p->ssrc = 0x50000000u + (uint32_t)no;
	for (int i = 0; i < PAIR_TRIES && p->rtcp < 0; i++) {
		p->rtp = bound(0, &at);
		p->port = ntohs(at.sin_port);
		if (p->rtp >= 0 && p->port % 2 == 0)
			p->rtcp = bound((uint16_t)(p->port + 1), &other);
		if (p->rtcp < 0 && p->rtp >= 0)
			close(p->rtp);
	}
	if (p->rtcp < 0)
		die("no pair of ports for a telephone");
}

static void send_packet(struct phone *p)
{
	uint8_t b[PHONE_PACKET] = { 0x80, 0 };

	b[1] = p->seq ? 0 : 0x80;
	for (int i = 0; i < 2; i++)
		b[2 + i] = (uint8_t)(p->seq >> (8 - 8 * i));
	for (int i = 0; i < 4; i++) {
		b[4 + i] = (uint8_t)(p->ts >> (24 - 8 * i));
		b[8 + i] = (uint8_t)(p->ssrc >> (24 - 8 * i));
	}
	if (p->talks)
		memcpy(b + 12,
		       voice + (p->ts + (uint32_t)(p->no * 17 * PHONE_SAMPLES)) % VOICE_SAMPLES,
		       PHONE_SAMPLES);
	else
		memset(b + 12, 0xff, PHONE_SAMPLES);
	p->seq++;
	p->ts += PHONE_SAMPLES;
	p->sent += sendto(p->rtp, b, sizeof b, 0, (struct sockaddr *)&p->to, sizeof p->to) > 0;
}

static void count(struct phone *p, const uint8_t *b, unsigned n)
{
	uint16_t seq = (uint16_t)(b[2] << 8 | b[3]), ahead = (uint16_t)(seq - p->next_seq);

	if (n < 12)
		return;
	if (p->received++ && ahead < 1000)
		p->lost += ahead;
	p->next_seq = (uint16_t)(seq + 1);
}

static void read_packets(struct phone *p)
{
	uint8_t in[RX_BATCH][512];
	struct iovec v[RX_BATCH];
	struct mmsghdr m[RX_BATCH];
	int n;

	do {
		memset(m, 0, sizeof m);
		for (int i = 0; i < RX_BATCH; i++) {
			v[i] = (struct iovec){ in[i], sizeof in[i] };
			m[i].msg_hdr.msg_iov = &v[i];
			m[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(p->rtp, m, RX_BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			count(p, in[i], m[i].msg_len);
	} while (n == RX_BATCH);
}

void phones_turn(struct phone *p, int phones, int64_t turn)
{
	for (int i = (int)(turn % PHONE_TURNS); i < phones; i += PHONE_TURNS)
		if (p[i].to.sin_port) {
			send_packet(&p[i]);
			read_packets(&p[i]);
		}
}
