/* The least of a SIP user agent (RFC 3261) that can call, be called to account, and
 * hang up: UDP, one server, PCMU. For benches: what it does not expect ends the program. */
#ifndef TESTS_BENCH_SIP_UAC_H
#define TESTS_BENCH_SIP_UAC_H

#include <netinet/in.h>
#include <stdint.h>

enum uac_state { UAC_IDLE, UAC_CALLING, UAC_TALKING, UAC_LEAVING, UAC_GONE };

struct uac_call {
	enum uac_state state;
	int no;
	uint16_t rtp_port; /* ours */
	struct sockaddr_in media; /* theirs, once talking */
	int64_t sent_ns; /* the request that waits for an answer */
	char to[300], contact[300];
};

struct uac {
	int fd;
	struct sockaddr_in server, at;
	char user[64]; /* of the URI that is called */
	struct uac_call *call;
	int calls;
	long retransmitted, hung_up; /* hung_up: by the server */
};

/* Server on 127.0.0.1. call: borrowed, zeroed but for rtp_port. */
void uac_open(struct uac *u, uint16_t port, const char *user, struct uac_call *call, int calls);
void uac_invite(struct uac *u, struct uac_call *c);
void uac_bye(struct uac *u, struct uac_call *c);
/* Reads answers and requests; sends again what was not answered in half a second. */
void uac_turn(struct uac *u);

#endif
