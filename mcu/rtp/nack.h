/* The receiver's side of generic NACK (RFC 4585 6.2.1): which packets are
 * missing, which of them to ask for now, and when to give up. Works on unwrapped
 * sequence numbers (seq_unwrap). Bounded: NACK_MAX missing packets; more than
 * that at once is a loss not worth repairing. Plain struct; one thread. */
#ifndef MCU_RTP_NACK_H
#define MCU_RTP_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NACK_MAX = 256,      /* missing at a time */
	NACK_BURST = 64,     /* asked for in one go */
	NACK_TRIES = 8,
	NACK_REORDER = 3,    /* newer packets that end the wait for a straggler */
};

struct nack_entry {
	int64_t seq;
	int64_t since_ns; /* noticed */
	int64_t due_ns;   /* ask (again) then */
	uint8_t tries;
};

struct nack {
	int64_t high; /* highest received; valid with started */
	int64_t rtt_ns;
	int64_t max_age_ns; /* 0: by the round trip */
	bool started;
	size_t n;
	struct nack_entry e[NACK_MAX]; /* ascending */
	uint64_t asked, repaired, lost; /* counters */
};

/* max_age_ns: how long a missing packet is waited for; 0: 80 … 200 ms by RTT. */
void nack_init(struct nack *k, int64_t max_age_ns);
/* Default 50 ms until it is known. */
void nack_set_rtt(struct nack *k, int64_t rtt_ns);
/* A packet came. False: the gap it opened is beyond NACK_MAX (the whole list is
 * cleared: resynchronise on a key frame). */
bool nack_received(struct nack *k, int64_t seq, int64_t now_ns);
/* Everything before seq is no longer wanted. */
void nack_forget_before(struct nack *k, int64_t seq);
/* Forgets all; seq is the newest received. */
void nack_reset(struct nack *k, int64_t seq);
/* Fills in what to ask for now, ascending; how many. */
size_t nack_due(struct nack *k, int64_t now_ns, uint16_t *out, size_t max);
/* Drops the entries that are past repair; true and the newest such seq when
 * there were any. */
bool nack_gave_up(struct nack *k, int64_t now_ns, int64_t *seq);
/* How long a missing packet is waited for. */
int64_t nack_max_age_ns(const struct nack *k);

#endif
