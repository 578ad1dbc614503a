/* Floor of a room of telephones: what N of them (G.711, no encryption), M of whom talk,
 * must cost.
 *
 * Measured: CPU time per second of the process that has a socket for each telephone and
 * every 20 ms reads what has come on all of them, decodes the M that talk, sums, encodes
 * M mixes without the listener's own voice and one for all the others, and sends a
 * packet to each. The kernel charges the loopback's receive side to the sender; a server
 * under test on loopback pays the same.
 * Also told: what the telephones' process costs meanwhile (senders), which is less or more
 * where a receiver lets the kernel do something to what comes.
 * Not measured: signaling, RTCP, jitter buffers, speech detection, the sound's other
 * rates (all here is 8 kHz), the telephones' process, the first second.
 *
 *   phones_floor [--phones 100] [--talkers 20] [--seconds 10]
 */
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor.h"
#include "tests/bench/phones.h"
#include "tests/bench/udp.h"

enum { MAX_PHONES = 2000, TPS = 50, WARMUP_S = 1 };

struct line { /* the server's side of a telephone */
	int fd;
	struct sockaddr_in to;
	uint16_t seq;
	uint32_t ssrc;
	float pcm[PHONE_SAMPLES];
};

static struct {
	int phones, talkers, seconds;
} opt = { 100, 20, 10 };

static struct line *line;
static struct phone *phone; /* shared with the process that plays them */
static float decoded[256];
static uint8_t encoded[65536]; /* by the upper 16 bits of a sample */
static float mix[PHONE_SAMPLES];
static long sent, received;
static int heard; /* the line that is being read */

static void take(const struct sockaddr_in *from, uint8_t *p, size_t n)
{
	(void)from;
	received++;
	if (heard < opt.talkers && n == PHONE_PACKET)
		for (int i = 0; i < PHONE_SAMPLES; i++)
			line[heard].pcm[i] = decoded[p[12 + i]];
}

/* The mix without own (may be NULL), as the payload of a packet. */
static void encode(uint8_t *out, const float *own)
{
	for (int i = 0; i < PHONE_SAMPLES; i++) {
		float v = (own ? mix[i] - own[i] : mix[i]) * 32767;

		v = v > 32767 ? 32767 : v < -32768 ? -32768 : v;
		out[i] = encoded[(uint16_t)(int16_t)v];
	}
}

static void send_line(struct line *l, uint8_t *packet, uint32_t ts)
{
	const uint8_t header[12] = {
		0x80, 0, (uint8_t)(l->seq >> 8), (uint8_t)l->seq, (uint8_t)(ts >> 24),
		(uint8_t)(ts >> 16), (uint8_t)(ts >> 8), (uint8_t)ts, (uint8_t)(l->ssrc >> 24),
		(uint8_t)(l->ssrc >> 16), (uint8_t)(l->ssrc >> 8), (uint8_t)l->ssrc,
	};

	memcpy(packet, header, sizeof header);
	l->seq++;
	sent += sendto(l->fd, packet, PHONE_PACKET, 0, (struct sockaddr *)&l->to, sizeof l->to) ==
		PHONE_PACKET;
}

static void tick(uint32_t ts)
{
	uint8_t own[PHONE_PACKET], shared[PHONE_PACKET];

	for (heard = 0; heard < opt.phones; heard++)
		udp_receive(line[heard].fd, take);
	memset(mix, 0, sizeof mix);
	for (int i = 0; i < opt.talkers; i++)
		for (int k = 0; k < PHONE_SAMPLES; k++)
			mix[k] += line[i].pcm[k];
	encode(shared + 12, NULL);
	for (int i = 0; i < opt.phones; i++) {
		if (i < opt.talkers)
			encode(own + 12, line[i].pcm);
		send_line(&line[i], i < opt.talkers ? own : shared, ts);
	}
}

static double cpu_ms_of(pid_t child)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(child, &clock) || clock_gettime(clock, &t))
		die("no clock of the telephones' process");
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The telephones' process; ends with this one. */
static void play(void)
{
	int64_t start = now_ns();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int64_t turn = 0;; turn++) {
		sleep_until(start + turn * PHONE_TURN_NS);
		phones_turn(phone, opt.phones, turn);
	}
}

static void setup(void)
{
	size_t bytes = (size_t)opt.phones * sizeof *phone;

	line = calloc((size_t)opt.phones, sizeof *line);
	phone = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!line || phone == MAP_FAILED)
		die("out of memory");
	for (int i = 0; i < 256; i++)
		decoded[i] = pcmu_decode((uint8_t)i);
	for (int i = 0; i < 65536; i++)
		encoded[i] = pcmu_encode((float)(int16_t)i / 32768);
	for (int i = 0; i < opt.phones; i++) {
		phone_open(&phone[i], i, i < opt.talkers);
		line[i].fd = udp_socket(&phone[i].to);
		line[i].to = phone[i].to;
		line[i].to.sin_port = htons(phone[i].port);
		line[i].ssrc = (uint32_t)i;
	}
}

int main(int argc, char **argv)
{
	static const struct option opts[] = { { "phones", 1, NULL, 'n' },
					      { "talkers", 1, NULL, 't' },
					      { "seconds", 1, NULL, 's' },
					      { NULL, 0, NULL, 0 } };
	struct rlimit lim;
	double cpu = 0, senders = 0;
	int64_t start;
	long arrived = 0;
	pid_t child;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 'n': opt.phones = atoi(optarg); break;
		case 't': opt.talkers = atoi(optarg); break;
		case 's': opt.seconds = atoi(optarg); break;
		default: die("see the comment on top of phones_floor.c");
		}
	if (opt.phones < 1 || opt.phones > MAX_PHONES || opt.talkers > opt.phones ||
	    opt.seconds < 1)
		die("--phones 1..%d, no more --talkers, --seconds at least 1", MAX_PHONES);
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	setup();
	child = fork();
	if (child < 0)
		die("fork: %s", strerror(errno));
	if (!child)
		play();
	start = now_ns();
	for (int i = 0; i < (WARMUP_S + opt.seconds) * TPS; i++) {
		sleep_until(start + (int64_t)i * NS_PER_S / TPS);
		if (i == WARMUP_S * TPS) {
			cpu = cpu_ms();
			senders = cpu_ms_of(child);
		}
		tick((uint32_t)(i * PHONE_SAMPLES));
	}
	cpu = cpu_ms() - cpu;
	senders = cpu_ms_of(child) - senders;
	usleep(100000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < opt.phones; i++)
		arrived += phone[i].received;
	printf("floor phones%d %.2f ms/s senders=%.2f talkers=%d received=%ld sent=%ld\n",
	       opt.phones, cpu / opt.seconds, senders / opt.seconds, opt.talkers, received, sent);
	/* A figure is worth nothing if the work was not done. */
	if (arrived < sent - sent / 100 - 2 * opt.phones ||
	    received < sent - sent / 20 - 2 * opt.phones)
		die("only %ld of %ld packets arrived, %ld came", arrived, sent, received);
	return 0;
}
