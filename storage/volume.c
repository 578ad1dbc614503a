#include "storage/volume.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/thread.h"

enum { MBOX_CAPACITY = 256, NICE = 10, POLL_MS = 1000 / VOLUME_RUNS_PER_S };

struct volume {
	char *root;
	struct mbox *mbox;
	pthread_t thread;
	_Atomic bool quit;
	/* STO only */
	struct volume_job *jobs;
	struct volume_event *events, **events_end;
	bool wake;
};

static void deliver_events(struct volume *v) ON_THREAD(ROLE_STO);
static void run_jobs(struct volume *v, bool last) ON_THREAD(ROLE_STO);

static void deliver_events(struct volume *v)
{
	struct volume_event *e;

	while ((e = v->events)) {
		struct volume_event *next = e->next;

		/* e may be freed by its receiver from here on */
		if (mbox_post(e->to, e->fn, e->obj, NULL))
			return;
		v->events = next;
		if (!next)
			v->events_end = &v->events;
	}
}

void volume_deliver(struct volume *v, struct volume_event *ev)
{
	ev->next = NULL;
	*v->events_end = ev;
	v->events_end = &ev->next;
	deliver_events(v);
}

static void run_jobs(struct volume *v, bool last)
{
	int64_t now_ns = clock_now_ns(&clock_monotonic);
	struct volume_job **p = &v->jobs, *j;

	while ((j = *p)) {
		struct volume_job *next = j->next;

		if (j->run(j, now_ns, last))
			p = &j->next;
		else
			*p = next;
	}
}

static void *volume_main(void *arg)
{
	struct volume *v = arg;
	struct pollfd pfd = { .fd = mbox_fd(v->mbox), .events = POLLIN };
	int64_t next_ns = 0;

	role_enter(ROLE_ID_STO);
	role_assert_sto();
	while (!atomic_load(&v->quit)) {
		bool busy = v->jobs || v->events;
		int64_t now_ns = clock_now_ns(&clock_monotonic);
		int64_t wait_ms = (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;

		poll(&pfd, 1, !busy ? -1 : wait_ms > 0 ? (int)wait_ms : 0);
		mbox_run(v->mbox);
		now_ns = clock_now_ns(&clock_monotonic);
		if (now_ns < next_ns && !v->wake)
			continue;
		v->wake = false;
		next_ns = now_ns + POLL_MS * NS_PER_MS;
		run_jobs(v, false);
		deliver_events(v);
	}
	mbox_run(v->mbox);
	run_jobs(v, true);
	deliver_events(v);
	for (struct volume_event *e = v->events, *next; e; e = next) {
		next = e->next;
		e->drop(e->obj, NULL);
	}
	return NULL;
}

int volume_new(struct volume **out, const char *root, struct errmsg *why)
{
	struct volume *v;
	int err = 0;

	if (mkdir(root, 0750) && errno != EEXIST)
		err = -errno;
	else if (access(root, R_OK | W_OK | X_OK))
		err = -errno;
	if (err)
		return errmsg_set(why, err, "data_dir_unusable",
				  "The data folder %s cannot be used: %s. Create it, or give "
				  "the user that runs the server the right to write there.",
				  root, err_str(err));
	v = calloc(1, sizeof(*v));
	if (v)
		v->root = strdup(root);
	err = v && v->root ? mbox_new(&v->mbox, MBOX_CAPACITY) : -ENOMEM;
	if (!err) {
		v->events_end = &v->events;
		err = thread_start(&v->thread, "sto-volume", NICE, volume_main, v);
	}
	if (err) {
		if (v) {
			mbox_free(&v->mbox);
			free(v->root);
		}
		free(v);
		return errmsg_set(why, err, "storage_start_failed",
				  "The storage thread could not be started: %s.", err_str(err));
	}
	*out = v;
	return 0;
}

static void wake(void *obj, void *arg)
{
	struct volume *v = obj;

	(void)arg;
	v->wake = true;
}

void volume_wake(struct volume *v)
{
	(void)mbox_post(v->mbox, wake, v, NULL); /* full: it is awake anyway */
}

void volume_free(struct volume **pv)
{
	struct volume *v = *pv;

	if (!v)
		return;
	atomic_store(&v->quit, true);
	volume_wake(v);
	pthread_join(v->thread, NULL);
	mbox_free(&v->mbox);
	free(v->root);
	free(v);
	*pv = NULL;
}

struct mbox *volume_mbox(struct volume *v)
{
	return v->mbox;
}

const char *volume_root(const struct volume *v)
{
	return v->root;
}

static void add_job(void *obj, void *arg)
{
	struct volume *v = obj;
	struct volume_job *j = arg, **end = &v->jobs;

	while (*end)
		end = &(*end)->next;
	j->next = NULL;
	*end = j;
	v->wake = true;
}

int volume_add_job(struct volume *v, struct volume_job *j)
{
	return mbox_post(v->mbox, add_job, v, j);
}
