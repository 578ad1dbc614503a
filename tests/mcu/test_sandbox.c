/* What those who open the files of strangers cannot do any more. Each case is a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcu/media/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FILTERED = 0 }; /* sandbox.c */
#else
enum { FILTERED = 1 };
#endif

static char folder[] = "/tmp/mcu-sandbox-XXXXXX";
static pid_t parent;

/* How fn ends inside: 0, its answer, or -SIGNAL. */
static int inside(const struct sandbox_cfg *cfg, int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sandbox_enter(cfg))
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int signals_the_server(void)
{
	return syscall(SYS_tgkill, parent, parent, 0) ? errno : 0;
}

static int queues_a_signal(void)
{
	siginfo_t i = { .si_code = SI_QUEUE };

	return syscall(SYS_rt_sigqueueinfo, parent, SIGURG, &i) ? errno : 0;
}

static int limits_the_server(void)
{
	struct rlimit l;

	return prlimit(parent, RLIMIT_FSIZE, NULL, &l) ? errno : 0;
}

static int slows_the_server(void)
{
	return setpriority(PRIO_PROCESS, (id_t)parent, 19) ? errno : 0;
}

static int binds_the_server(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(parent, sizeof one, &one) ? errno : 0;
}

static int signals_by_a_descriptor(void)
{
	return fcntl(0, F_SETOWN, parent) < 0 ? errno : 0;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *nothing(void *arg)
{
	return arg;
}

/* Itself, it may: threads, their signals and limits. */
static int works_for_itself(void)
{
	struct rlimit l;
	pthread_t t;

	signal(SIGUSR1, on_signal);
	return raise(SIGUSR1) || getrlimit(RLIMIT_NOFILE, &l) ||
	       pthread_create(&t, NULL, nothing, NULL) || pthread_kill(t, 0) || pthread_join(t, NULL);
}

static int aborts(void)
{
	abort();
}

static void the_server_is_out_of_reach(void **state)
{
	const struct sandbox_cfg cfg = { .cpu_s = 10 };

	(void)state;
	assert_int_equal(inside(&cfg, works_for_itself), 0);
	assert_int_equal(inside(&cfg, aborts), -SIGABRT);
	if (!FILTERED)
		return;
	assert_int_equal(inside(&cfg, signals_the_server), -SIGSYS);
	assert_int_equal(inside(&cfg, queues_a_signal), -SIGSYS);
	assert_int_equal(inside(&cfg, limits_the_server), EPERM);
	assert_int_equal(inside(&cfg, slows_the_server), EPERM);
	assert_int_equal(inside(&cfg, binds_the_server), EPERM);
	assert_int_equal(inside(&cfg, signals_by_a_descriptor), EPERM);
}

static const char *in_folder(const char *name)
{
	static char full[128];

	snprintf(full, sizeof full, "%s/%s", folder, name);
	return full;
}

static int makes_a_file(void)
{
	char to[128];
	int fd = open(in_folder("a.new"), O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, "a", 1) != 1 || fsync(fd))
		return errno;
	snprintf(to, sizeof to, "%s", in_folder("a"));
	return rename(in_folder("a.new"), to) || unlink(to) ? errno : 0;
}

/* A folder of files is one's own, if that is said. */
static void a_folder_to_work_in(void **state)
{
	const struct sandbox_cfg cfg = { .cpu_s = 10, .folder = folder }, none = { .cpu_s = 10 };

	(void)state;
	assert_int_equal(inside(&cfg, makes_a_file), 0);
	if (FILTERED) {
		assert_int_equal(inside(&none, makes_a_file), EACCES);
		assert_int_equal(inside(&cfg, signals_the_server), -SIGSYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_is_out_of_reach), cmocka_unit_test(a_folder_to_work_in),
	};
	int status;

	parent = getpid();
	if (!mkdtemp(folder))
		return 1;
	status = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return status;
}
