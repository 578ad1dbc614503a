/* One place to send an INVITE to. */
#ifndef MCU_SIGNALING_SIP_TARGET_H
#define MCU_SIGNALING_SIP_TARGET_H

#include <stdbool.h>

struct sip_target {
	char uri[300];	 /* Request-URI and To */
	char route[300]; /* "sip:address:port;transport=…": sent there (NUTAG_PROXY); "": by the URI */
	char from[300];	 /* "sip:user@domain"; "": the server's own */
	char user[65], password[129]; /* for 401 and 407; "": none */
	char trunk[65];	 /* for the record; "": none */
	char local[64];	 /* our address on the way there; "": of the default route */
	bool srtp;	 /* is offered */
	bool plain;	 /* it may be called without, when it refuses that */
};

#endif
