#include "signaling/readers.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mcu/base/mbox.h"
#include "mcu/base/thread.h"

enum { MAX_THREADS = 8, NICE = 5 };

struct readers {
	struct mbox *back; /* to CTL */
	GSource *source;
	size_t out, max_out; /* CTL's */
	pthread_t threads[MAX_THREADS];
	unsigned n_threads;
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* under lock */
	struct reader_job *first, **last;
	bool stop;
};

static void job_back(void *obj, void *arg)
{
	struct readers *r = obj;
	struct reader_job *j = arg;
	r->out--;
	j->done(j);
}

/* The oldest job; NULL when there are none and none will come. */
static struct reader_job *next_job(struct readers *r)
{
	pthread_mutex_lock(&r->lock);
	while (!r->first && !r->stop)
		pthread_cond_wait(&r->more, &r->lock);
	struct reader_job *j = r->first;
	if (j) {
		r->first = j->next;
		if (!r->first)
			r->last = &r->first;
	}
	pthread_mutex_unlock(&r->lock);
	return j;
}

static void *reader_main(void *arg)
{
	struct readers *r = arg;
	struct reader_job *j;

	role_enter(ROLE_ID_STO);
	while ((j = next_job(r))) {
		j->run(j);
		/* its capacity is that of all jobs: it is never full */
		if (mbox_post(r->back, job_back, r, j))
			abort();
	}
	return NULL;
}

static gboolean on_back(gint fd, GIOCondition cond, gpointer obj)
{
	struct readers *r = obj;
	(void)fd;
	(void)cond;
	role_assert_ctl();
	mbox_run(r->back);
	return G_SOURCE_CONTINUE;
}

int readers_push(struct readers *r, struct reader_job *j)
{
	if (r->out == r->max_out)
		return -EAGAIN;
	r->out++;
	j->next = NULL;
	pthread_mutex_lock(&r->lock);
	*r->last = j;
	r->last = &j->next;
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

int readers_new(struct readers **out, GMainContext *loop, unsigned threads, size_t max_jobs)
{
	struct readers *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->max_out = max_jobs;
	r->last = &r->first;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	int err = mbox_new(&r->back, max_jobs);
	for (unsigned i = 0; i < threads && i < MAX_THREADS && !err; i++) {
		err = thread_start(&r->threads[i], "mcu-read", NICE, reader_main, r);
		r->n_threads += !err;
	}
	if (err) {
		readers_free(&r);
		return err;
	}
	r->source = g_unix_fd_source_new(mbox_fd(r->back), G_IO_IN);
	g_source_set_callback(r->source, G_SOURCE_FUNC(on_back), r, NULL);
	g_source_attach(r->source, loop);
	*out = r;
	return 0;
}

void readers_free(struct readers **rp)
{
	struct readers *r = *rp;
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->more);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->n_threads; i++)
		pthread_join(r->threads[i], NULL);
	if (r->source) {
		g_source_destroy(r->source);
		g_source_unref(r->source);
	}
	if (r->back)
		mbox_free(&r->back); /* what waits in it comes back now */
	pthread_cond_destroy(&r->more);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*rp = NULL;
}
