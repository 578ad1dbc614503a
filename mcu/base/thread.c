#include "mcu/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct start {
	void *(*fn)(void *);
	void *arg;
	int nice;
	char name[16];
};

static void *thread_main(void *p)
{
	struct start s = *(struct start *)p;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	free(p);
	pthread_setname_np(pthread_self(), s.name);
	if (getpriority(PRIO_PROCESS, (id_t)tid) != s.nice)
		setpriority(PRIO_PROCESS, (id_t)tid, s.nice);
	return s.fn(s.arg);
}

int thread_start(pthread_t *out, const char *name, int nice, void *(*fn)(void *), void *arg)
{
	struct start *s = malloc(sizeof(*s));
	sigset_t all, old;
	int err;

	if (!s)
		return -ENOMEM;
	*s = (struct start){ .fn = fn, .arg = arg, .nice = nice };
	snprintf(s->name, sizeof(s->name), "%s", name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(out, NULL, thread_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		free(s);
	return -err;
}
