/* What the shard's loop offers to its neighbours in this folder (gpoll.c,
 * ice*.c) beyond shard.h. ROLE_NET. */
#ifndef MCU_NET_SHARD_LOOP_H
#define MCU_NET_SHARD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/net/shard.h"
#include "mcu/net/timers.h"

/* Something to be done once at the end of the present turn, or of the next if
 * it is asked for while the end of a turn is being worked on. */
struct shard_work {
	void (*fn)(void *obj);
	void *obj;
	struct shard_work *next;
	bool queued;
};

void shard_work_post(struct net_shard *s, struct shard_work *w) ON_THREAD(ROLE_NET);
/* Where sctp_stack.c keeps its part of the shard; NULL at first. */
struct sctp_shard;
struct sctp_shard **shard_sctp(struct net_shard *s) ON_THREAD(ROLE_NET);

/* When patient descriptors are read for the first time from at_ns on: what is due then
 * costs no wake-up of its own. */
int64_t shard_patient_ns(const struct net_shard *s, int64_t at_ns) ON_THREAD(ROLE_NET);

/* What waits there is sent at several points of a turn. */
struct udp_post;
struct udp_post *shard_post(struct net_shard *s) ON_THREAD(ROLE_NET);
struct udp_receiver;
struct udp_receiver *shard_receiver(struct net_shard *s) ON_THREAD(ROLE_NET);

struct net_timers *shard_timers(struct net_shard *s) ON_THREAD(ROLE_NET);

/* A patient descriptor by which something has come NET_FD_STEADY_AFTER times in a row is
 * read every time without asking whether there is anything, which costs the kernel about
 * as much again: fn is called with events 0, and says net_fd_idle when nothing was there.
 * After NET_FD_STEADY_IDLE such times in a row it is waited for again. */
enum { NET_FD_STEADY_AFTER = 25, NET_FD_STEADY_IDLE = 10 };
void net_fd_may_be_steady(struct net_fd *w) ON_THREAD(ROLE_NET);
void net_fd_idle(struct net_fd *w) ON_THREAD(ROLE_NET);
/* It is waited for from now on, until things come by it steadily again. */
void net_fd_end_steady(struct net_fd *w) ON_THREAD(ROLE_NET);
bool net_fd_is_steady(const struct net_fd *w) ON_THREAD(ROLE_NET);

/* What comes by it may wait for another read: a steady one is then read every other time,
 * two packets with one call. */
void net_fd_relax(struct net_fd *w, bool relaxed) ON_THREAD(ROLE_NET);

/* fn(obj, step) fetches into the processor's cache what reading the descriptor will take:
 * steps 0, 1, … NET_FD_PREFETCH_STEPS - 1, each a little after the one before, whose
 * pointers it follows. */
enum { NET_FD_PREFETCH_STEPS = 3 };
typedef void net_fd_prefetch_fn(const void *obj, unsigned step);
void net_fd_set_prefetch(struct net_fd *w, net_fd_prefetch_fn *fn) ON_THREAD(ROLE_NET);

/* Changes what a watch waits for, or enters its descriptor again if the kernel
 * forgot it (closed, and the number used anew). 0 or -errno. */
int net_fd_modify(struct net_fd *w, uint32_t epoll_events) ON_THREAD(ROLE_NET);

#endif
