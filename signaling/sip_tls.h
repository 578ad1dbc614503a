/* A repair of sofia-sip 1.12.11: it never frees the SSL object of a TLS connection that
 * has ended, some 20 KB each. Its tls_free() is called through the dynamic linker, so that
 * one of this program is called instead, which frees it and then calls the library's own. */
#ifndef MCU_SIGNALING_SIP_TLS_H
#define MCU_SIGNALING_SIP_TLS_H

/* Has the linker take this file. */
void sip_tls_repair(void);

#endif
