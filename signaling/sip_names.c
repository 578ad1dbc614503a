/* The names of what is said of calls, in records, events and REST. */
#include "signaling/sip_cdr.h"
#include "signaling/sip_dial.h"

const char *sip_end_name(enum sip_end e)
{
	static const char *const names[] = {
		"", "hangup", "hangup_local", "cancelled", "busy", "no_answer", "rejected",
		"failed", "silent", "session_timer", "transferred", "shutdown",
	};

	return (unsigned)e < sizeof names / sizeof names[0] ? names[e] : "";
}

const char *sip_dial_state_name(enum sip_dial_state s)
{
	static const char *const names[] = {
		"", "calling", "ringing", "early", "answered", "busy", "no_answer", "failed",
		"ended",
	};

	return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "";
}
