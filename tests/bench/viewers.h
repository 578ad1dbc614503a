/* The other end of fanout_floor: a child process that owns the viewers' sockets,
 * reads and drops what arrives, and sends feedback. Its CPU time is not counted.
 * It sweeps the sockets on a timer and never waits on one, so that the sender
 * is not charged for waking it. */
#ifndef TESTS_BENCH_VIEWERS_H
#define TESTS_BENCH_VIEWERS_H

#include <netinet/in.h>
#include <sys/types.h>

#include "tests/bench/srtp.h"

struct viewer_end {
	int fd;		       /* bound on 127.0.0.1; the child's after the fork */
	struct sockaddr_in at; /* its address */
	struct sockaddr_in to; /* where its feedback goes */
	struct srtp_keys keys; /* of its feedback */
};

struct viewers {
	pid_t child;
	int stop, result; /* pipes */
};

/* Sends rate feedback packets per second and viewer, spread evenly. */
void viewers_start(struct viewers *v, struct viewer_end *end, int count, int rate,
		   enum srtp_profile profile);
/* Returns the number of packets all viewers received, and of feedback sent. */
void viewers_stop(struct viewers *v, long *received, long *sent);

#endif
