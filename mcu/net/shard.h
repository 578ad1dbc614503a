/* A network shard: one ROLE_NET thread with an epoll, and everything that runs
 * on it: transports, periodic work of legs, and what other threads post to it.
 *
 * The loop wakes for the mailbox, for descriptors, and for the earliest of all
 * deadlines (a heap). The work of a wake-up depends on what is ready, never on
 * how many transports there are. GLib contexts take part through gpoll.h.
 *
 * Owner: the server; made and freed by CTL. */
#ifndef MCU_NET_SHARD_H
#define MCU_NET_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"

struct net_shard;
struct net_timer;
struct udp_sender;

enum {
	NET_PACKET_BYTES = 2048, /* of each buffer of the packet pool */
	NET_READ_LEAD_US = 2000, /* what reading takes when many have sent something */
};

struct net_shard_cfg {
	size_t mbox_capacity; /* 0: 8192 */
	size_t max_packets;   /* received packets alive at once; 0: 16384 */
	/* While packets come faster than this, sockets are read at most so often
	 * (fewer, fuller wake-ups); the mailbox is not affected. 0: off. */
	unsigned rx_holdoff_us;
	/* Patient descriptors (peers that send feedback or sound alone) are read this
	 * often at most, NET_READ_LEAD_US ahead of its whole multiples on the
	 * monotonic clock. 0: 20,000, a tick of the sound. */
	unsigned rx_patience_us;
	bool no_gso; /* never use UDP segmentation offload */
};

/* Starts the thread. cfg NULL: defaults. 0 or -errno. Any thread. */
int net_shard_new(struct net_shard **out, unsigned index, const struct net_shard_cfg *cfg);
/* Runs what waits in the mailbox and joins the thread. Transports and timers
 * must have been closed before; nobody may post afterwards. May be left out. */
void net_shard_stop(struct net_shard *s);
/* Stops if that was not done. The buffers of the packet pool must be back. */
void net_shard_free(struct net_shard **s);

struct mbox *net_shard_mbox(struct net_shard *s);
/* For what must neither wait nor be lost: it goes to the mailbox when that is full too,
 * once there is room, behind what its sender has posted before. It is its owner's memory
 * until fn runs. Any thread. */
struct net_letter {
	mbox_fn *fn;
	void *obj;
	struct net_letter *next;
};
void net_shard_send(struct net_shard *s, struct net_letter *l);
unsigned net_shard_index(const struct net_shard *s);
/* NET_PACKET_BYTES each. */
struct buf_pool *net_shard_packets(struct net_shard *s);
/* Descriptors watched now; any thread, a snapshot. */
size_t net_shard_fds(const struct net_shard *s);

/* The monotonic time of the current wake-up: cheap, steady within a callback. */
int64_t net_shard_now_ns(const struct net_shard *s) ON_THREAD(ROLE_NET);

/* due_ns: when it should have run (on the monotonic clock). The function may
 * stop, restart or free its timer. */
typedef void net_timer_fn(void *obj, int64_t due_ns);

/* A stopped timer. O(log n) per start, stop and expiry; resolution 1 ms. */
int net_timer_new(struct net_timer **out, struct net_shard *s, net_timer_fn *fn, void *obj)
	ON_THREAD(ROLE_NET);
/* Next at due_ns, then every period_ns after that (0: once). A periodic timer
 * that is late by more than a period skips what it missed and keeps its phase. */
void net_timer_start(struct net_timer *t, int64_t due_ns, int64_t period_ns) ON_THREAD(ROLE_NET);
void net_timer_stop(struct net_timer *t) ON_THREAD(ROLE_NET);
bool net_timer_running(const struct net_timer *t) ON_THREAD(ROLE_NET);
void net_timer_free(struct net_timer **t) ON_THREAD(ROLE_NET);

/* Calls fn when fd is readable (level-triggered). The descriptor stays the
 * caller's; remove it before closing it. 0 or -errno. */
typedef void net_fd_fn(void *obj, int fd, uint32_t epoll_events);
struct net_fd;
int net_fd_add(struct net_fd **out, struct net_shard *s, int fd, uint32_t epoll_events,
	       net_fd_fn *fn, void *obj) ON_THREAD(ROLE_NET);
void net_fd_remove(struct net_fd **w) ON_THREAD(ROLE_NET);
/* Patient: its events may wait up to rx_patience_us for those of others, so that
 * a thousand viewers' feedback comes in a hundred wake-ups a second, not in ten
 * thousand; and the sound of talkers, which is not needed before the next tick. */
int net_fd_set_patient(struct net_fd *w, bool patient) ON_THREAD(ROLE_NET);

/* The shard's packet assembly and sending (udp_send.h). */
struct udp_sender *net_shard_sender(struct net_shard *s) ON_THREAD(ROLE_NET);

/* Raises RLIMIT_NOFILE to its hard limit; returns the limit now in force. Main
 * thread, before the first shard. */
size_t net_raise_nofile_limit(void);

#endif
