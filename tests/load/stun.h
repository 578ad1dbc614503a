/* The part of STUN (RFC 8489) that ICE (RFC 8445) uses over UDP: binding
 * requests with short-term credentials and their answers. Pure. */
#ifndef TESTS_LOAD_STUN_H
#define TESTS_LOAD_STUN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STUN_REQUEST = 0x0001,
	STUN_INDICATION = 0x0011,
	STUN_SUCCESS = 0x0101,
	STUN_ERROR = 0x0111
};
enum { STUN_TXID = 12, STUN_MAX_BYTES = 700 };

struct stun_msg {
	uint16_t type;
	const uint8_t *txid;
	const char *username; /* not terminated; NULL when absent */
	size_t username_len;
	bool use_candidate;
	int error;	     /* of ERROR-CODE, 0 when absent */
	size_t integrity_at; /* offset of MESSAGE-INTEGRITY, 0 when absent */
	const uint8_t *raw;
	size_t len;
};

struct stun_request {
	uint8_t txid[STUN_TXID];
	const char *username, *pwd;
	uint32_t priority;
	uint64_t tie_breaker;
	bool use_candidate;
};

/* False: not a well-formed STUN message. *m borrows p. */
bool stun_parse(struct stun_msg *m, const uint8_t *p, size_t len);
bool stun_authentic(const struct stun_msg *m, const char *pwd);
/* A binding request of a controlling agent. out: STUN_MAX_BYTES. Octets. */
size_t stun_write_request(uint8_t *out, const struct stun_request *r);
/* The success response to m, signed with the responder's own password. */
size_t stun_write_success(uint8_t *out, const struct stun_msg *m, const struct sockaddr_in *mapped,
			  const char *pwd);

#endif
