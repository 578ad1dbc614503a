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

static int run(const struct options *o)
{
	struct crowd *c = crowd_new(o);
	int status = crowd_run(c);

	crowd_free(&c);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	struct rlimit files;
	int status;

	options_parse(&o, argc, argv);
	bot_seed(o.seed);
	signal(SIGPIPE, SIG_IGN);
	av_log_set_level(AV_LOG_QUIET);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	status = o.selftest ? selftest_run() : o.latency ? latency_run(&o) : run(&o);
	media_free_all();
	return status;
}
