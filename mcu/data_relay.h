/* What is said on the data channels of a room: each participant's message goes to
 * all others that have the channel open, in the form of PROTOCOL.md ("Data
 * channel"). Checks size, form and rate; who breaks a rule hears of it on the
 * channel, and nobody else does.
 *
 * CTL. Owner of a relay: its room; of a member: its participant. */
#ifndef MCU_DATA_RELAY_H
#define MCU_DATA_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/clock.h"
#include "mcu/base/role.h"

struct data_relay;
struct data_member;

enum { DATA_MAX_TEXT = 16384, DATA_MAX_BINARY = 65536 };

struct data_relay_cfg {
	struct buf_pool *pool; /* DATA_MAX_BINARY + 4 octets each */
	const struct clock *clock;
	/* Of one participant; bursts are what a second allows, and at least one
	 * message of the largest size. */
	int messages_per_s, octets_per_s;
};

/* b: borrowed, a reference to keep it; b->tag: binary. */
typedef void data_send_fn(void *obj, struct buf *b);

/* 0 or -ENOMEM. cfg's pointers are borrowed for its life. */
int data_relay_new(struct data_relay **out, const struct data_relay_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Every member must have left. */
void data_relay_free(struct data_relay **r) ON_THREAD(ROLE_CTL);

/* name: copied. Its channel is not open yet. 0 or -ENOMEM. */
int data_relay_join(struct data_relay *r, struct data_member **out, uint32_t leg, const char *name,
		    data_send_fn *send, void *obj) ON_THREAD(ROLE_CTL);
/* 0 or -ENOMEM: it is called as before. */
int data_member_rename(struct data_member *m, const char *name) ON_THREAD(ROLE_CTL);
void data_relay_leave(struct data_member **m) ON_THREAD(ROLE_CTL);

void data_member_open(struct data_member *m, bool open) ON_THREAD(ROLE_CTL);
/* A message of it, borrowed. */
void data_member_message(struct data_member *m, bool binary, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_CTL);

#endif
