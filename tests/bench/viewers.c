#include "tests/bench/viewers.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor.h"

enum { SWEEP_MS = 10, BATCH = 64, RTCP_BYTES = 60 };

static long sweep(const struct viewer_end *end, int count)
{
	static char buf[BATCH][2048];
	static struct iovec iov[BATCH];
	static struct mmsghdr msg[BATCH];
	long total = 0;
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof buf[i] };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	for (int i = 0; i < count; i++)
		do {
			n = recvmmsg(end[i].fd, msg, BATCH, MSG_DONTWAIT, NULL);
			total += n > 0 ? n : 0;
		} while (n == BATCH);
	return total;
}

/* A receiver report with a block of transport-wide feedback's size behind it. */
static void feedback(const struct viewer_end *end, struct srtp *s, uint32_t index)
{
	uint8_t pkt[RTCP_BYTES + SRTP_MAX_OVERHEAD] = {
		0x81, 201, 0, RTCP_BYTES / 4 - 1, 1, 2, 3, 4
	};
	size_t n = srtcp_protect(s, pkt, RTCP_BYTES, index);

	if (sendto(end->fd, pkt, n, 0, (const struct sockaddr *)&end->to, sizeof end->to) < 0)
		die("viewer: %s", strerror(errno));
}

static void child(struct viewer_end *end, int count, int rate, enum srtp_profile profile, int stop,
		  int result)
{
	struct srtp **s = calloc((size_t)count, sizeof *s);
	struct pollfd p = { .fd = stop };
	int64_t start = now_ns();
	int tick_ms = rate ? 1 : SWEEP_MS;
	long stat[2] = { 0, 0 };

	if (!s)
		die("out of memory");
	for (int i = 0; i < count; i++)
		s[i] = srtp_new(profile, &end[i].keys, 0);
	/* The pipe's end of file says stop. */
	for (int64_t ms = 0; !poll(&p, 1, 0); ms += tick_ms) {
		int64_t due = ms * rate * count / 1000;

		sleep_until(start + ms * 1000000);
		for (; stat[1] < due; stat[1]++)
			feedback(&end[stat[1] % count], s[stat[1] % count],
				 (uint32_t)(stat[1] / count));
		if (ms % SWEEP_MS == 0)
			stat[0] += sweep(end, count);
	}
	stat[0] += sweep(end, count);
	if (write(result, stat, sizeof stat) != sizeof stat)
		die("viewers: %s", strerror(errno));
	_exit(0);
}

void viewers_start(struct viewers *v, struct viewer_end *end, int count, int rate,
		   enum srtp_profile profile)
{
	int stop[2], result[2];

	if (pipe(stop) || pipe(result))
		die("pipe: %s", strerror(errno));
	v->child = fork();
	if (v->child < 0)
		die("fork: %s", strerror(errno));
	if (!v->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(stop[1]);
		child(end, count, rate, profile, stop[0], result[1]);
	}
	close(stop[0]);
	close(result[1]);
	v->stop = stop[1];
	v->result = result[0];
	for (int i = 0; i < count; i++)
		close(end[i].fd);
}

void viewers_stop(struct viewers *v, long *received, long *sent)
{
	long stat[2];

	close(v->stop);
	if (read(v->result, stat, sizeof stat) != sizeof stat)
		die("the viewers' process failed");
	waitpid(v->child, NULL, 0);
	close(v->result);
	*received = stat[0];
	*sent = stat[1];
}
