/* What the associations (sctp.c) share: usrsctp's one stack of the process.
 *
 * usrsctp has locks of its own and may be called for different associations by
 * several threads at once; each association is called by its shard only. Its
 * call-backs come in the thread that calls: a packet that leaves inside a call for
 * the same association goes out at once. Only the timers are common: one of the
 * shards that have associations runs them for all, so a packet of a timer may be
 * another shard's and goes there by mailbox, named by a number that is never used
 * again; it is dropped when the association is gone or too much waits (SCTP sends
 * again). No up-calls are registered: each shard reads after its own input, and
 * once a second for what timers have to say. The table of numbers has the only
 * lock of ours; nothing is called under it. */
#ifndef MCU_NET_SCTP_STACK_H
#define MCU_NET_SCTP_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/shard.h"

enum { SCTP_SCRATCH_BYTES = 65536 + 1 };

/* Part of an association. The first three are its own business. */
struct sctp_link {
	void (*output)(void *obj, const uint8_t *p, size_t len);
	void (*look)(void *obj); /* once a second */
	void *obj;
	struct net_shard *shard;
	uintptr_t id; /* the association's "address" */
	struct sctp_link *next;
	unsigned waiting; /* packets in the shard's mailbox; under the lock */
};

/* 0, -ENOMEM. */
int sctp_stack_join(struct sctp_link *k, struct net_shard *s) ON_THREAD(ROLE_NET);
/* No packet leaves for it any more. */
void sctp_stack_leave(struct sctp_link *k) ON_THREAD(ROLE_NET);

/* Around calls of usrsctp for an association; returns what to give to exit. */
struct sctp_link *sctp_stack_enter(struct sctp_link *k) ON_THREAD(ROLE_NET);
void sctp_stack_exit(struct sctp_link *before) ON_THREAD(ROLE_NET);
/* SCTP_SCRATCH_BYTES of the shard, until the next call of anything. */
uint8_t *sctp_stack_scratch(struct sctp_link *k) ON_THREAD(ROLE_NET);

#endif
