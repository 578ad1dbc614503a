/* Copies of one leg's RTP and RTCP in plain text, both ways, on their way to a
 * capture. Bounded: TAP_SLOTS packets; when the reader is behind, new ones are
 * dropped and counted. One writer (the leg's shard), one reader (any one thread);
 * neither waits, allocates or locks. */
#ifndef MCU_NET_TAP_H
#define MCU_NET_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"

enum { TAP_SLOTS = 2048, TAP_OCTETS = 1500 };

struct tap;

struct tap_packet {
	int64_t time_ns; /* CLOCK_MONOTONIC */
	bool out;	 /* from us to the peer */
	bool rtcp;
	uint16_t len;	 /* as it was; at most TAP_OCTETS of it are here */
	uint8_t octets[TAP_OCTETS];
};

/* 0 or -ENOMEM. Any thread. */
int tap_new(struct tap **out);
/* Nobody may write any more. */
void tap_free(struct tap **t);

/* A packet in two parts, copied. rest may be NULL with rest_len 0. */
void tap_put(struct tap *t, bool out, bool rtcp, int64_t time_ns, const uint8_t *head,
	     size_t head_len, const uint8_t *rest, size_t rest_len) ON_THREAD(ROLE_NET);

/* Reader: the oldest packet, valid until tap_pop; NULL: there is none. */
const struct tap_packet *tap_peek(const struct tap *t);
void tap_pop(struct tap *t);
uint64_t tap_dropped(const struct tap *t);

#endif
