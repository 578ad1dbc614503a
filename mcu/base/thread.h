/* Starting threads of the server: a name that `top -H` shows, a nice value of
 * its own (Linux keeps one per thread), signals blocked so that only the main
 * thread sees them. */
#ifndef MCU_BASE_THREAD_H
#define MCU_BASE_THREAD_H

#include <pthread.h>

/* name: copied, cut at 15 octets. nice: what setpriority(2) takes; where the
 * system refuses it (a lower one without the privilege) the thread runs with
 * its parent's. 0 or -errno. */
int thread_start(pthread_t *out, const char *name, int nice, void *(*fn)(void *), void *arg);

#endif
