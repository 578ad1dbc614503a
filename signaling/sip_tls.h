/* A repair of sofia-sip 1.12.11: it never frees the SSL object of a TLS connection that
 * has ended, some 20 KB each. Its tls_free() is called through the dynamic linker, so that
 * one of this program is called instead, which frees it and then calls the library's own.
 * It knows how the library's object begins, and so is done with that release alone, which
 * the library that is loaded must say it is. CTL. */
#ifndef MCU_SIGNALING_SIP_TLS_H
#define MCU_SIGNALING_SIP_TLS_H

#include <stdbool.h>

/* version: nua_version of the library. Whether it is repaired; of others nothing is touched. */
bool sip_tls_repair(const char *version);

#endif
