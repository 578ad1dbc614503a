/* A GMainContext that takes part in a shard's epoll: its descriptors are watched
 * there, its next timeout is one of the shard's timers, and it is iterated only
 * when one of these is due (GLib's own loop polls everything, O(n) per turn).
 *
 * Owner: a transport; ROLE_NET. The shard's thread is the context's owner, so
 * that libraries call back directly. No other thread may attach sources: the
 * context's own wake-up descriptor is not watched, because GLib writes to it
 * twice per dispatched source and each would cost a turn of the loop. */
#ifndef MCU_NET_GPOLL_H
#define MCU_NET_GPOLL_H

#include <glib.h>
#include <stdbool.h>

#include "mcu/base/role.h"
#include "mcu/net/shard.h"

struct gpoll;

int gpoll_new(struct gpoll **out, struct net_shard *s) ON_THREAD(ROLE_NET);
/* Sources must be gone or may be destroyed with it. Fine in a callback of one
 * of its own sources: the memory goes at the end of the turn. */
void gpoll_free(struct gpoll **g) ON_THREAD(ROLE_NET);
GMainContext *gpoll_context(struct gpoll *g) ON_THREAD(ROLE_NET);
/* After calls from outside that may have added sources or sockets: everything is
 * looked at anew before the shard sleeps. */
void gpoll_touch(struct gpoll *g) ON_THREAD(ROLE_NET);
/* fn sees fd, one of the context's, before GLib does when it is readable;
 * false: nothing is left to GLib. -1: nobody. patient: net_fd_set_patient; GLib's timers
 * then wait for the same moments. */
typedef bool gpoll_reader(void *obj, int fd);
void gpoll_set_reader(struct gpoll *g, int fd, bool patient, gpoll_reader *fn, void *obj)
	ON_THREAD(ROLE_NET);

#endif
