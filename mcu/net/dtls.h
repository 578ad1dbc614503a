/* DTLS 1.2 for SRTP keys (RFC 5764): the process' identity, and one handshake
 * per transport, driven from outside: datagrams in, datagrams out, a deadline.
 *
 * Owner of a struct dtls: its transport; ROLE_NET. The identity is made by CTL
 * at start, immutable, and outlives every transport. */
#ifndef MCU_NET_DTLS_H
#define MCU_NET_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/srtp_keys.h"
#include "mcu/net/transport.h"

struct dtls_identity;
struct dtls;

/* "sha-256 " and 32 octets in hex with colons, with the final NUL. */
enum { DTLS_FINGERPRINT_BYTES = 8 + 32 * 3 };

/* A new ECDSA P-256 key and a self-signed certificate for it, valid for ten
 * years from yesterday. dns_name: subject and subjectAltName ("localhost" and
 * the loopback addresses are always among the latter). 0, -EINVAL, -ENOMEM. */
int dtls_identity_new(struct dtls_identity **out, const char *dns_name);
/* PEM files, certificate (chain) and private key. 0, -ENOENT and the like,
 * -EBADMSG when they cannot be read or do not belong together. */
int dtls_identity_load(struct dtls_identity **out, const char *cert_path, const char *key_path);
/* Writes both, the key with mode 0600, each replaced atomically. 0 or -errno. */
int dtls_identity_write_pem(const struct dtls_identity *id, const char *cert_path,
			    const char *key_path);
void dtls_identity_free(struct dtls_identity **id);
/* "sha-256 AB:CD:…": the value of a=fingerprint. Any thread. */
const char *dtls_identity_fingerprint(const struct dtls_identity *id);

/* Which SRTP profiles to offer or accept; 0: both, AEAD_AES_128_GCM first. */
enum { DTLS_PROFILE_GCM = 1, DTLS_PROFILE_CM = 2 };

enum dtls_state { DTLS_HANDSHAKE = 1, DTLS_CONNECTED, DTLS_CLOSED };

/* A datagram for the peer, borrowed; at most TRANSPORT_MTU octets. */
typedef void dtls_output_fn(void *obj, const uint8_t *p, size_t len);

/* Application data of the peer: one record, borrowed. */
typedef void dtls_data_fn(void *obj, const uint8_t *p, size_t len);

/* Borrows id. peer_fingerprint as in transport_remote, copied.
 * 0, -EINVAL, -ENOTSUP (unknown hash), -ENOMEM. */
int dtls_new(struct dtls **out, const struct dtls_identity *id, enum transport_setup setup,
	     const char *peer_fingerprint, unsigned profiles, dtls_output_fn *output, void *obj)
	ON_THREAD(ROLE_NET);
void dtls_free(struct dtls **d) ON_THREAD(ROLE_NET);
/* Sends close_notify if it is connected; then it is closed. */
void dtls_goodbye(struct dtls *d) ON_THREAD(ROLE_NET);

/* The active side sends its ClientHello; the passive one waits. */
enum dtls_state dtls_start(struct dtls *d) ON_THREAD(ROLE_NET);
enum dtls_state dtls_input(struct dtls *d, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);
/* Who gets application data inside dtls_input (obj is that of dtls_new); without it
 * it is thrown away. */
void dtls_on_data(struct dtls *d, dtls_data_fn *fn) ON_THREAD(ROLE_NET);
/* Sends a record that fits into a datagram. 0, -ENOTCONN, -ENOMEM, -EIO. */
int dtls_send(struct dtls *d, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);
/* When to call dtls_timeout, in ns from now; -1: not at all. */
int64_t dtls_timeout_in_ns(struct dtls *d) ON_THREAD(ROLE_NET);
enum dtls_state dtls_timeout(struct dtls *d) ON_THREAD(ROLE_NET);

/* DTLS_CLOSED: why, a TRANSPORT_CLOSED_… code. */
const char *dtls_closed_reason(const struct dtls *d) ON_THREAD(ROLE_NET);
/* DTLS_CONNECTED: our keys and the peer's. */
void dtls_keys(const struct dtls *d, struct srtp_keys *local, struct srtp_keys *remote)
	ON_THREAD(ROLE_NET);

/* Does this text name a hash we know and have its right length? 0, -EINVAL, -ENOTSUP. */
int dtls_fingerprint_check(const char *fingerprint);

#endif
