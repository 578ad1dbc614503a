/* Mailbox: "run this on that thread". Bounded, many producers, one consumer,
 * lock-free; posting neither allocates nor waits, so media may use it. A full
 * mailbox refuses (-EAGAIN, counted): media drops and counts, control code ends
 * the leg with an error. The consumer sleeps on an eventfd in its own loop. */
#ifndef MCU_BASE_MBOX_H
#define MCU_BASE_MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mbox;

/* obj: whose function it is; arg: taken or borrowed as the function says. */
typedef void mbox_fn(void *obj, void *arg);

int mbox_new(struct mbox **out, size_t capacity);
/* Messages that still wait are run first, on the calling thread. */
void mbox_free(struct mbox **m);

/* Any thread. 0 or -EAGAIN. Messages of one producer run in order. */
int mbox_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg);
/* In two steps, for many messages at the cost of one wake-up: whoever puts must
 * wake soon after. A consumer that is awake may run a message before that. */
int mbox_put(struct mbox *m, mbox_fn *fn, void *obj, void *arg);
void mbox_wake(struct mbox *m);

/* Consumer: readable while messages wait. */
int mbox_fd(const struct mbox *m);
/* Consumer: runs all that wait (at most capacity per call), returns how many. */
size_t mbox_run(struct mbox *m);
/* Consumer: whether any waits. No system call. */
bool mbox_waiting(const struct mbox *m);

uint64_t mbox_refused_count(const struct mbox *m);

#endif
