/* mcu-bot: many participants in one process, speaking real ICE, DTLS and SRTP,
 * for tests and benches. It shares no code with the server. */
#include <libavutil/log.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tests/load/crowd.h"
#include "tests/load/latency.h"
#include "tests/load/media.h"
#include "tests/load/selftest.h"
#include "tests/load/util.h"

enum { FILES_SPARE = 32, FILES_PER_NICE = 4, FILES_STORM = 1600 };

static int run(const struct options *o)
{
	struct crowd *c = crowd_new(o);
	int status = crowd_run(c);

	crowd_free(&c);
	return status;
}

/* A socket for the session and one for media, or what libnice opens. */
static rlim_t files_needed(const struct options *o)
{
	return FILES_SPARE + 2UL * (o->viewers + o->bads) +
	       (o->mini_senders ? 2UL : FILES_PER_NICE) * o->senders + (o->storm_hz ? FILES_STORM : 0);
}

static void raise_file_limit(const struct options *o)
{
	struct rlimit files;
	rlim_t need = files_needed(o);

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	if (files.rlim_max < need) {
		/* root may go above it */
		files.rlim_max = need;
		if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files))
			bot_die("%u senders and %u viewers need about %lu open files, and the limit "
				"is %lu: raise it (ulimit -Hn %lu as root, or LimitNOFILE= in a "
				"systemd unit), or start several bots with fewer each",
				o->senders, o->viewers, (unsigned long)need,
				(unsigned long)files.rlim_max, (unsigned long)need);
	}
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		bot_die("cannot raise the limit of open files to %lu",
			(unsigned long)files.rlim_max);
}

int main(int argc, char **argv)
{
	struct options o;
	int status;

	options_parse(&o, argc, argv);
	bot_seed(o.seed);
	signal(SIGPIPE, SIG_IGN);
	av_log_set_level(AV_LOG_QUIET);
	raise_file_limit(&o);
	status = o.selftest ? selftest_run() : o.latency ? latency_run(&o) : run(&o);
	media_free_all();
	return status;
}
