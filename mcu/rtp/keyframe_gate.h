/* Coalescing of key-frame requests: a token bucket that decides whether one is
 * granted now, and remembers as pending what it refused, so that the last asker
 * is served too. One per encode (all its receivers' PLI and FIR), and one per
 * sender that we ask. Also: which FIR is a repetition (RFC 5104 4.3.1). Plain
 * structs, pure; one thread. */
#ifndef MCU_RTP_KEYFRAME_GATE_H
#define MCU_RTP_KEYFRAME_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum { KEYFRAME_GATE_BURST = 2, KEYFRAME_GATE_REFILL_MS = 500 };

struct keyframe_gate {
	int64_t refill_ns;
	int burst, tokens;
	int64_t filled_ns; /* when the newest token came; valid below burst */
	bool pending;
	uint64_t granted, coalesced; /* counters */
};

/* burst >= 1; refill_ns > 0. Starts full. */
void keyframe_gate_init(struct keyframe_gate *g, int burst, int64_t refill_ns);
/* Somebody wants a key frame. True: make (or ask for) one now. */
bool keyframe_gate_ask(struct keyframe_gate *g, int64_t now_ns);
/* When what is pending falls due; INT64_MAX: nothing is. */
int64_t keyframe_gate_due_ns(const struct keyframe_gate *g);
/* True once when what was pending is due: make one now. */
bool keyframe_gate_poll(struct keyframe_gate *g, int64_t now_ns);
/* A key frame came for another reason: whoever waits has it. */
void keyframe_gate_served(struct keyframe_gate *g);

enum { FIR_DEDUP_SENDERS = 4, FIR_DEDUP_MS = 2000 };

struct fir_dedup {
	struct {
		uint32_t ssrc;
		uint8_t seq;
		bool used;
		int64_t at_ns;
	} e[FIR_DEDUP_SENDERS];
	unsigned next;
};

/* False: a repetition of this requester's last FIR. The same number after
 * FIR_DEDUP_MS is a request again, since some endpoints never count. One struct
 * per leg; a zeroed one is empty. */
bool fir_dedup_is_new(struct fir_dedup *d, uint32_t requester_ssrc, uint8_t seq, int64_t now_ns);

#endif
