/* DTLS-SRTP (RFC 5764) by OpenSSL for one peer, either role, with one
 * self-signed certificate for the whole program. */
#ifndef TESTS_LOAD_DTLS_H
#define TESTS_LOAD_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/load/sec.h"

struct dtls;

enum dtls_state { DTLS_HANDSHAKE, DTLS_UP, DTLS_FAILED, DTLS_CLOSED };

typedef void dtls_send_fn(void *obj, const uint8_t *p, size_t len);

/* "AA:BB:…", the SHA-256 fingerprint of the certificate. */
const char *dtls_fingerprint(void);
/* only: SEC_NONE offers both profiles, GCM first. */
struct dtls *dtls_new(bool client, enum sec_profile only, dtls_send_fn *send, void *obj);
void dtls_free(struct dtls **d);
/* What the peer's certificate must be; required before the handshake ends. */
void dtls_expect(struct dtls *d, const char *fingerprint);
/* One received datagram, or NULL to start or to look at the timer. */
enum dtls_state dtls_step(struct dtls *d, const uint8_t *p, size_t len);
/* Sends close_notify. */
void dtls_close(struct dtls *d);
const char *dtls_error(const struct dtls *d);
/* After DTLS_UP. */
enum sec_profile dtls_keys(struct dtls *d, struct sec_master *tx, struct sec_master *rx);

#endif
