/* Floor of the fan-out: what one passive viewer of a mixed room must cost.
 *
 * Measured: CPU time of the sending process per viewer and second for 1.4 Mb/s
 * of video (30 frames/s, 5 or 6 equal FU-A fragments each, 5.4 on average) and
 * 50 audio packets/s. Per packet: own header (sequence, time stamp, SSRC, one
 * transport-wide extension), encryption from the shared plain payload under the
 * viewer's own key, and sending over loopback: per viewer one UDP GSO train per
 * frame, several viewers per sendmmsg. With --feedback also receiving and
 * authenticating small RTCP packets through epoll and recvmmsg.
 * The kernel charges the loopback's receive side to the sender as well; a
 * server under test on loopback pays the same.
 * Not measured: encoding, packetization, key set-up, ICE, congestion control,
 * retransmission, RTCP out, the viewers' process, the first second.
 *
 *   fanout_floor [--viewers 50] [--seconds 10] [--cm] [--gso 0|1] [--batch 8]
 *                [--each] [--audio-only] [--feedback R [--coalesce]] [--plain]
 *
 * --each: a socket per viewer instead of one for all (so one call per viewer).
 * --plain: no encryption, neither of packets nor of feedback.
 * --coalesce: reads feedback when a frame or audio packet is due and does not
 * wake up for it in between.
 */
#include <getopt.h>
#include <sys/epoll.h>

#include "tests/bench/floor.h"
#include "tests/bench/udp.h"
#include "tests/bench/viewers.h"

enum {
	FPS = 30,
	TPS = 50,
	WARMUP_S = 1,
	HDR = 20,
	MAX_FRAGMENTS = 6,
	MAX_PKT = 1200,
	MAX_BATCH = UDP_QUEUE / MAX_FRAGMENTS,
	EVENTS = 64
};
enum { VIDEO, AUDIO };

/* Packets in a frame and octets in each before SRTP: 27 packets per 5 frames. */
static const struct {
	int packets, bytes;
} FRAME[] = {
	{ 5, 1096 }, { 5, 1120 }, { 6, 1104 }, { 5, 1088 }, { 6, 1112 },
};
static const int TICK_BYTES[] = { 96, 80, 104, 88, 112 };

struct viewer {
	int fd;
	struct sockaddr_in to;
	struct srtp *out, *in;
	uint64_t index[2]; /* of the next video and audio packet */
	uint16_t twcc;
};

static struct {
	int viewers, seconds, gso, batch, each, audio_only, feedback, coalesce, plain;
	enum srtp_profile profile;
} opt = { .viewers = 50, .seconds = 10, .gso = 1, .batch = 8 };

static struct viewer *viewer, *by_port[65536];
static uint8_t payload[MAX_FRAGMENTS][MAX_PKT];
static uint8_t buf[MAX_BATCH][MAX_FRAGMENTS * MAX_PKT];
static int ep;
static long sent, fed, forged;

static size_t packet(struct viewer *v, uint8_t *p, int kind, int k, int bytes, int last,
		     uint32_t ts)
{
	uint64_t index = v->index[kind]++;
	uint8_t pt = kind == VIDEO ? 102 : 111;
	uint16_t twcc = v->twcc++;
	const uint8_t hdr[HDR] = {
		0x90,
		(uint8_t)(pt | last << 7),
		(uint8_t)(index >> 8),
		(uint8_t)index,
		(uint8_t)(ts >> 24),
		(uint8_t)(ts >> 16),
		(uint8_t)(ts >> 8),
		(uint8_t)ts,
		0x12,
		0x34,
		0x56,
		(uint8_t)kind,
		0xbe,
		0xde,
		0,
		1, /* RFC 8285, one word */
		0x51,
		(uint8_t)(twcc >> 8),
		(uint8_t)twcc,
		0,
	};

	memcpy(p, hdr, HDR);
	if (opt.plain) {
		memcpy(p + HDR, payload[k], (size_t)(bytes - HDR));
		return (size_t)bytes;
	}
	return srtp_protect(v->out, p, HDR, payload[k], (size_t)(bytes - HDR), index);
}

/* One video frame, or one audio packet, to every viewer. */
static void fan_out(int kind, int packets, int bytes, uint32_t ts)
{
	int limit = opt.each ? 1 : opt.batch, slot = 0;

	for (int i = 0; i < opt.viewers; i++) {
		struct viewer *v = &viewer[i];
		uint8_t *p = buf[slot++];
		size_t len = 0, n = 0;

		for (int k = 0; k < packets; k++, n += len) {
			len = packet(v, p + n, kind, k, bytes, k == packets - 1, ts);
			if (!opt.gso)
				udp_queue(&v->to, p + n, len, len);
		}
		if (opt.gso)
			udp_queue(&v->to, p, n, len);
		if (slot == limit || i == opt.viewers - 1) {
			udp_flush(v->fd);
			slot = 0;
		}
	}
	sent += (long)packets * opt.viewers;
}

static void feedback(const struct sockaddr_in *from, uint8_t *p, size_t n)
{
	struct viewer *v = by_port[ntohs(from->sin_port)];
	int ok;

	if (!v) /* for whoever had this port before */
		return;
	ok = opt.plain || srtcp_open(v->in, p, n);
	fed += ok;
	forged += !ok;
}

static void wait_until(int64_t t)
{
	struct epoll_event e[EVENTS];
	int n;

	if (!opt.feedback || opt.coalesce)
		sleep_until(t);
	while (opt.feedback) {
		int64_t left = t - now_ns();
		struct timespec ts = { left > 0 ? left / NS_PER_S : 0,
				       left > 0 ? left % NS_PER_S : 0 };

		n = epoll_pwait2(ep, e, EVENTS, &ts, NULL);
		for (int i = 0; i < n; i++)
			udp_receive(e[i].data.fd, feedback);
		if (n <= 0 && left <= 0)
			break;
	}
}

static double run(void)
{
	struct schedule s = { .fps = opt.audio_only ? 0 : FPS, .tps = TPS, .start_ns = now_ns() };
	double cpu = -1;
	int video, audio;

	for (;;) {
		int64_t t = schedule_next(&s, &video, &audio);

		wait_until(s.start_ns + t);
		if (cpu < 0 && t >= WARMUP_S * NS_PER_S)
			cpu = cpu_ms();
		if (t >= (WARMUP_S + opt.seconds) * NS_PER_S)
			return cpu_ms() - cpu;
		if (audio)
			fan_out(AUDIO, 1, TICK_BYTES[s.ticks % 5], (uint32_t)(s.ticks * 960));
		if (video)
			fan_out(VIDEO, FRAME[s.frames % 5].packets, FRAME[s.frames % 5].bytes,
				(uint32_t)(s.frames * 3000));
	}
}

static struct srtp_keys keys_of(int viewer_no, int direction)
{
	struct srtp_keys k;

	memset(&k, 0x40 + direction, sizeof k);
	memcpy(k.key, &viewer_no, sizeof viewer_no);
	return k;
}

static void setup(struct viewers *v)
{
	struct viewer_end *end = calloc((size_t)opt.viewers, sizeof *end);
	struct rlimit lim;
	struct sockaddr_in at;
	int fd = -1;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	viewer = calloc((size_t)opt.viewers, sizeof *viewer);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (!end || !viewer || ep < 0)
		die("out of memory");
	for (unsigned i = 0; i < MAX_FRAGMENTS * MAX_PKT; i++)
		payload[i / MAX_PKT][i % MAX_PKT] = (uint8_t)(i * 2654435761U >> 13);
	opt.gso = opt.gso && udp_has_gso();
	for (int i = 0; i < opt.viewers; i++) {
		struct srtp_keys k = keys_of(i, 0);

		if (fd < 0 || opt.each) {
			struct epoll_event e = { .events = EPOLLIN };

			e.data.fd = fd = udp_socket(&at);
			epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		}
		end[i].fd = udp_socket(&end[i].at);
		end[i].to = at;
		end[i].keys = keys_of(i, 1);
		by_port[ntohs(end[i].at.sin_port)] = &viewer[i];
		viewer[i] = (struct viewer){ .fd = fd, .to = end[i].at };
		viewer[i].out = srtp_new(opt.profile, &k, 0);
		viewer[i].in = srtp_new(opt.profile, &end[i].keys, 1);
	}
	viewers_start(v, end, opt.viewers, opt.feedback, opt.profile);
	free(end);
}

static void options(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "viewers", 1, NULL, 'v' },	{ "seconds", 1, NULL, 's' },
		{ "cm", 0, NULL, 'c' },		{ "gso", 1, NULL, 'g' },
		{ "batch", 1, NULL, 'b' },	{ "each", 0, NULL, 'e' },
		{ "audio-only", 0, NULL, 'a' }, { "feedback", 1, NULL, 'f' },
		{ "coalesce", 0, NULL, 'w' },	{ "plain", 0, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'v': opt.viewers = atoi(optarg); break;
		case 's': opt.seconds = atoi(optarg); break;
		case 'c': opt.profile = SRTP_CM; break;
		case 'g': opt.gso = atoi(optarg); break;
		case 'b': opt.batch = atoi(optarg); break;
		case 'e': opt.each = 1; break;
		case 'a': opt.audio_only = 1; break;
		case 'f': opt.feedback = atoi(optarg); break;
		case 'w': opt.coalesce = 1; break;
		case 'p': opt.plain = 1; break;
		default: die("see the comment on top of fanout_floor.c");
		}
	}
	if (opt.viewers < 1 || opt.seconds < 1 || opt.batch < 1 || opt.batch > MAX_BATCH)
		die("--viewers and --seconds must be at least 1, --batch 1..%d", MAX_BATCH);
}

int main(int argc, char **argv)
{
	struct viewers v;
	long received, told;
	double ms;

	options(argc, argv);
	setup(&v);
	ms = run();
	viewers_stop(&v, &received, &told);
	printf("floor %s %.1f us/s viewers=%d profile=%s gso=%d",
	       opt.audio_only ? "listener" : "viewer", ms * 1e3 / opt.viewers / opt.seconds,
	       opt.viewers, opt.plain ? "none" : opt.profile == SRTP_GCM ? "gcm" : "cm", opt.gso);
	printf(opt.feedback ? " feedback=%d\n" : "\n", opt.feedback);
	/* A figure is worth nothing if the work was not done. */
	if (received < sent - sent / 1000)
		die("only %ld of %ld packets arrived", received, sent);
	if (forged || fed < told - told / 50)
		die("feedback: %ld sent, %ld authentic, %ld forged", told, fed, forged);
	return 0;
}
