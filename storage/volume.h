/* A storage thread of the data folder (ROLE_STO, nice +10). There are two: recordings that
 * run are written by one, and all else that reads, writes or removes files is done by the
 * other, so that nobody's upload holds a recording up. It drains the recorders
 * about ten times a second, so that packets cost no wake-up each. */
#ifndef MCU_STORAGE_VOLUME_H
#define MCU_STORAGE_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"

struct volume;

/* root: the data folder, created when missing (one level). 0 or -errno with
 * *why. Starts the thread. */
int volume_new(struct volume **out, const char *root, struct errmsg *why);
/* Finishes every recorder that was stopped, joins. All recorders must have been
 * stopped. Events that cannot be delivered any more are dropped. */
void volume_free(struct volume **v);
/* For other jobs on the volume's files. */
struct mbox *volume_mbox(struct volume *v);
const char *volume_root(const struct volume *v);

/* For recorders: what the thread does VOLUME_RUNS_PER_S times a second, in the order in
 * which they were added. run returns false when it is over; the job may then have been
 * freed. last: the volume is being freed, there will be no further run. */
enum { VOLUME_RUNS_PER_S = 10 };

struct volume_job {
	bool (*run)(struct volume_job *j, int64_t now_ns, bool last);
	struct volume_job *next;
};

/* Any thread. 0 or -EAGAIN. The job must live until run has returned false. */
int volume_add_job(struct volume *v, struct volume_job *j);
/* Has the jobs run now instead of at their next time. Any thread. */
void volume_wake(struct volume *v);

/* A message to somebody's mailbox that must not get lost: tried again while the
 * mailbox is full. fn gets obj and frees it; drop frees it undelivered. */
struct volume_event {
	struct mbox *to;
	mbox_fn *fn, *drop;
	void *obj;
	struct volume_event *next;
};
void volume_deliver(struct volume *v, struct volume_event *ev) ON_THREAD(ROLE_STO);

#endif
