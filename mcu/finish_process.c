/* The process that finishes one recording. What it says on standard output:
 *
 *   progress PERCENT
 *   note TEXT
 *   done BYTES SHA256 PARTS REMUXED
 *   failed ERRNO TEXT */
#include "mcu/finisher.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libavutil/log.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mcu/base/err.h"
#include "mcu/base/log.h"
#include "mcu/media/sandbox.h"
#include "storage/files.h"
#include "storage/finish.h"

enum {
	IOPRIO_WHO_PROCESS = 1,
	IOPRIO_IDLE = 3 << 13,
	CHAPTERS_MAX = 1 << 20,
	SPARE_BYTES = 64 << 20, /* that recorders would run out of first */
	FILES_MAX = 64,
	CPU_S = 3 * 3600,
};

#define MEMORY_BYTES (4ULL << 30)

/* What is decoded may be as somebody sent it. */
static void limit(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){ FILES_MAX, FILES_MAX });
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)setrlimit(RLIMIT_AS, &(struct rlimit){ MEMORY_BYTES, MEMORY_BYTES });
#endif
}

/* The last to get a processor or the disk, the first to go when memory is short,
 * and gone with the server. */
static int step_back(void)
{
	struct sched_param none = { 0 };
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		return -ESRCH;
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	limit();
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "1000", 4);
		close(fd);
	}
	return 0;
}

/* From here on there are the recordings and nothing else: no keys, no database, no network.
 * All that is open by now stays so. */
static int shut_in(const char *data_dir)
{
	struct sandbox_cfg box = { .cpu_s = CPU_S };
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof folder, "%s/recordings", data_dir) >= (int)sizeof folder)
		return -ENAMETOOLONG;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	box.folder = folder;
	return sandbox_enter(&box);
}

static char *read_chapters(size_t *len)
{
	struct stat st;
	char *text = NULL;

	*len = 0;
	if (fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode) || st.st_size < 1 ||
	    st.st_size > CHAPTERS_MAX)
		return NULL;
	text = malloc((size_t)st.st_size);
	if (text && !files_read_at(STDIN_FILENO, 0, text, (size_t)st.st_size))
		*len = (size_t)st.st_size;
	return text;
}

static int say_progress(void *obj, int percent)
{
	(void)obj;
	return printf("progress %d\n", percent) < 0 ? -EPIPE : 0;
}

int finish_process(int argc, char **argv)
{
	struct finish_cfg cfg = { .remux = true, .spare_bytes = SPARE_BYTES,
				  .progress = say_progress };
	struct finish_result r = { 0 };
	struct errmsg why = { 0 };
	char *chapters;
	int err = argc == 4 ? step_back() : -EINVAL;

	if (err) {
		fprintf(stderr, "mcu: --finish is started by the server itself.\n");
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	av_log_set_level(AV_LOG_QUIET);
	umask(0027);
	cfg.data_dir = argv[2];
	cfg.path = argv[3];
	cfg.chapters = chapters = read_chapters(&cfg.chapters_len);
	err = shut_in(cfg.data_dir);
	if (err)
		errmsg_set(&why, err, "internal", "What decodes its pictures cannot be shut in: %s.",
			   err_str(err));
	else
		err = finish_run(&cfg, &r, &why);
	free(chapters);
	if (r.note[0])
		printf("note %s\n", r.note);
	if (err)
		printf("failed %d %s\n", -err, why.text);
	else
		printf("done %" PRId64 " %s %u %d\n", r.bytes, r.sha256, r.parts, r.remuxed);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
