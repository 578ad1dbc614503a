/* A few threads that read files for the control loop, which must not wait for a
 * disk. Jobs are run in the order of pushing; each comes back to the loop when it
 * is done. Bounded: at most max_jobs are out at a time, a further one is refused.
 * Made, pushed to and freed on CTL; the threads have ROLE_STO. */
#ifndef MCU_SIGNALING_READERS_H
#define MCU_SIGNALING_READERS_H

#include <stddef.h>

#include "mcu/base/role.h"

struct readers;
struct _GMainContext;

/* The head of a job of the caller's; its memory is the caller's again in done. */
struct reader_job {
	void (*run)(struct reader_job *j);  /* on a reader thread */
	void (*done)(struct reader_job *j); /* on CTL */
	struct reader_job *next;	    /* private */
};

int readers_new(struct readers **out, struct _GMainContext *loop, unsigned threads, size_t max_jobs)
	ON_THREAD(ROLE_CTL);
/* All jobs are run and done first. */
void readers_free(struct readers **r) ON_THREAD(ROLE_CTL);
/* 0 or -EAGAIN. */
int readers_push(struct readers *r, struct reader_job *j) ON_THREAD(ROLE_CTL);

#endif
