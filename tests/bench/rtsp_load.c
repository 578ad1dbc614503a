/* RTSP players that watch a room of the server under test over UDP, until SIGTERM; then one
 * line of JSON says how it was. "ready" on stderr when all get pictures and sound. A report a
 * second each, as players send; what comes is read on a timer.
 *
 *   rtsp_load --port RTSP [--room room] [--viewers 100]
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/bench/floor.h"
#include "tests/bench/udp.h"

enum { MAX_VIEWERS = 2000, SWEEP_MS = 10, BATCH = 64, TRACKS = 2, TRIES = 100 };

struct stream {
	int fd[2]; /* RTP, RTCP */
	struct sockaddr_in report_to;
	long received;
	int begun;
	uint16_t last;
	long lost;
};

struct viewer {
	int tcp;
	char session[64];
	struct stream stream[TRACKS];
};

static struct {
	int port, viewers;
	const char *room;
} opt = { 0, 100, "room" };

static volatile sig_atomic_t stop;
static struct viewer *viewer;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void options(int argc, char **argv)
{
	static const struct option opts[] = { { "port", 1, NULL, 'p' }, { "room", 1, NULL, 'r' },
					      { "viewers", 1, NULL, 'v' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 'p': opt.port = atoi(optarg); break;
		case 'r': opt.room = optarg; break;
		case 'v': opt.viewers = atoi(optarg); break;
		default: die("see the comment on top of rtsp_load.c");
		}
	if (opt.port < 1 || opt.viewers < 1 || opt.viewers > MAX_VIEWERS)
		die("--port is that of RTSP, --viewers 1..%d", MAX_VIEWERS);
}

static struct sockaddr_in local(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* A pair of ports, the first even. */
static int open_pair(struct stream *s)
{
	for (int i = 0; i < TRIES; i++) {
		struct sockaddr_in at, next;
		int bytes = 1 << 20;

		s->fd[0] = udp_socket(&at);
		next = local(ntohs(at.sin_port) + 1);
		s->fd[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (ntohs(at.sin_port) % 2 == 0 &&
		    !bind(s->fd[1], (struct sockaddr *)&next, sizeof next)) {
			setsockopt(s->fd[0], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
			return ntohs(at.sin_port);
		}
		close(s->fd[0]);
		close(s->fd[1]);
	}
	die("no pair of ports");
}

/* The value of a header of the reply, up to one of the ends. */
static void take(char *out, size_t cap, const char *reply, const char *name, const char *ends)
{
	const char *at = strstr(reply, name);
	size_t n = at ? strcspn(at + strlen(name), ends) : 0;

	snprintf(out, cap, "%.*s", (int)n, at ? at + strlen(name) : "");
}

static void ask(struct viewer *v, char reply[2048], const char *request)
{
	size_t n = 0;

	if (send(v->tcp, request, strlen(request), MSG_NOSIGNAL) < 0)
		die("RTSP: %s", strerror(errno));
	do {
		ssize_t got = recv(v->tcp, reply + n, 2047 - n, 0);

		if (got <= 0)
			die("RTSP: the server has hung up");
		n += (size_t)got;
		reply[n] = '\0';
	} while (!strstr(reply, "\r\n\r\n") && n < 2047);
	if (strncmp(reply, "RTSP/1.0 200", 12))
		die("RTSP: %s", reply);
}

static void enter(struct viewer *v)
{
	static const char *const names[TRACKS] = { "audio", "video" };
	struct sockaddr_in to = local(opt.port);
	char request[512], reply[2048], port[16];

	v->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(v->tcp, (struct sockaddr *)&to, sizeof to))
		die("RTSP: %s", strerror(errno));
	for (int i = 0; i < TRACKS; i++) {
		struct stream *s = &v->stream[i];
		int mine = open_pair(s);

		snprintf(request, sizeof request, "SETUP rtsp://127.0.0.1:%d/rooms/%s/%s RTSP/1.0\r\nCSeq: 1\r\n"
			 "%s%s%sTransport: RTP/AVP;unicast;client_port=%d-%d\r\n\r\n", opt.port, opt.room, names[i],
			 i ? "Session: " : "", v->session, i ? "\r\n" : "", mine, mine + 1);
		ask(v, reply, request);
		take(v->session, sizeof v->session, reply, "Session: ", ";\r");
		take(port, sizeof port, reply, "server_port=", "-;\r");
		s->report_to = local(atoi(port) + 1);
	}
	snprintf(request, sizeof request, "PLAY rtsp://127.0.0.1:%d/rooms/%s RTSP/1.0\r\nCSeq: 2\r\nSession: %s\r\n"
		 "\r\n", opt.port, opt.room, v->session);
	ask(v, reply, request);
}

/* Otherwise the session goes on until it times out, and sends to whoever has its ports then. */
static void leave(struct viewer *v)
{
	char request[512], reply[2048];

	snprintf(request, sizeof request, "TEARDOWN rtsp://127.0.0.1:%d/rooms/%s RTSP/1.0\r\nCSeq: 3\r\n"
		 "Session: %s\r\n\r\n", opt.port, opt.room, v->session);
	ask(v, reply, request);
}

static void sweep(struct stream *s)
{
	static char buf[BATCH][2048];
	static struct iovec iov[BATCH];
	static struct mmsghdr msg[BATCH];
	int n;

	do {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ buf[i], sizeof buf[i] };
			msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		n = recvmmsg(s->fd[0], msg, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			uint16_t seq = (uint16_t)((uint8_t)buf[i][2] << 8 | (uint8_t)buf[i][3]);

			if (s->begun && (uint16_t)(seq - s->last - 1) < 0x8000)
				s->lost += (uint16_t)(seq - s->last - 1);
			s->begun = 1;
			s->last = seq;
			s->received++;
		}
	} while (n == BATCH);
}

static void report(struct stream *s)
{
	const uint8_t rr[8] = { 0x80, 201, 0, 1, 1, 2, 3, 4 };
	char none[512];

	sendto(s->fd[1], rr, sizeof rr, 0, (struct sockaddr *)&s->report_to, sizeof s->report_to);
	while (recv(s->fd[1], none, sizeof none, MSG_DONTWAIT) > 0)
		;
}

int main(int argc, char **argv)
{
	int64_t start, turn = 0;
	long received = 0, lost = 0;
	struct rlimit lim;
	int entered = 0, ready = 0;

	options(argc, argv);
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	viewer = calloc((size_t)opt.viewers, sizeof *viewer);
	if (!viewer)
		die("out of memory");
	while (entered < opt.viewers && !stop) {
		enter(&viewer[entered++]);
		/* who is in is sent to already */
		for (int i = 0; entered % 8 == 0 && i < entered; i++)
			for (int k = 0; k < TRACKS; k++)
				sweep(&viewer[i].stream[k]);
	}
	for (start = now_ns(); !stop; turn++) {
		int all = 1;

		sleep_until(start + turn * SWEEP_MS * 1000000);
		for (int i = 0; i < entered; i++)
			for (int k = 0; k < TRACKS; k++) {
				sweep(&viewer[i].stream[k]);
				all = all && viewer[i].stream[k].received;
				/* one of the two each second, spread over it */
				if ((turn + i) % 100 == 0 && (turn / 100 + i) % TRACKS == k)
					report(&viewer[i].stream[k]);
			}
		if (!ready && all) {
			ready = 1;
			fprintf(stderr, "ready\n");
			for (int i = 0; i < entered; i++)
				viewer[i].stream[0].lost = viewer[i].stream[1].lost = 0;
		}
	}
	for (int i = 0; i < entered; i++)
		for (int k = 0; k < TRACKS; k++) {
			received += viewer[i].stream[k].received;
			lost += viewer[i].stream[k].lost;
		}
	for (int i = 0; i < entered; i++)
		leave(&viewer[i]);
	printf("{\"ok\":%s,\"failures\":[%s],\"received\":%ld,\"totals\":{\"lost\":%ld}}\n",
	       ready ? "true" : "false", ready ? "" : "\"not all were served\"", received, lost);
	return 0;
}
