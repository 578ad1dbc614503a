/* The record of a call: filled in by the call while it lives, taken over by whoever
 * keeps records (mcu/call_records.c) at three moments. CTL.
 *
 *     the INVITE was sent, or came ─▶ begin()     gives the call its id
 *     200 was sent, or came        ─▶ answered()  at most once
 *     it is over                   ─▶ ended()     exactly once after begin()
 *
 * What is in the struct at each moment is written; a call that nothing says the end
 * of (the process died) is found "interrupted" at the next start. */
#ifndef MCU_SIGNALING_SIP_CDR_H
#define MCU_SIGNALING_SIP_CDR_H

#include <stdbool.h>
#include <stdint.h>

#include "signaling/leg_api.h"

enum sip_end {
	SIP_END_NONE,
	SIP_END_HANGUP,	       /* BYE of the other side */
	SIP_END_HANGUP_LOCAL,  /* by a host, the menu, or the room's end */
	SIP_END_CANCELLED,     /* by who called, before it was answered */
	SIP_END_BUSY,
	SIP_END_NO_ANSWER,
	SIP_END_REJECTED,      /* any other refusal, of either side: sip_status says which */
	SIP_END_FAILED,	       /* no route, no such host, a broken answer */
	SIP_END_SILENT,	       /* no RTP any more */
	SIP_END_TIMER,	       /* the session timer ran out (RFC 4028) */
	SIP_END_TRANSFERRED,
	SIP_END_SHUTDOWN
};

/* "hangup", "hangup_local", "cancelled", "busy", "no_answer", "rejected", "failed",
 * "silent", "session_timer", "transferred", "shutdown"; "" for NONE. */
const char *sip_end_name(enum sip_end e);

struct sip_cdr {
	int64_t id;   /* by begin(): unique, grows with time; 0: no record was made */
	bool out;     /* we called */
	char room[257]; /* the last one that it was in; "": none */
	char uri[257];	/* the other side's, "sip:…" */
	char number[65]; /* what it is known by; "": the URI says it */
	char user[65];	/* who registered or dialled; "": nobody */
	char trunk[65]; /* "": none */
	int64_t started_ms, answered_ms, ended_ms; /* UTC; answered 0: it was not */
	struct leg_totals media; /* summed by leg_totals_add over the legs of the call */
	enum sip_end end;
	int sip_status; /* final answer to the INVITE; 0: none */
	char reason[129]; /* of BYE, CANCEL or the answer, for people; "" */
};

struct sip_cdr_sink {
	void *ctx;
	/* Sets c->id. */
	void (*begin)(void *ctx, struct sip_cdr *c);
	void (*answered)(void *ctx, const struct sip_cdr *c);
	void (*ended)(void *ctx, const struct sip_cdr *c);
};

#endif
