/* Small things about addresses and files that sofia-sip wants: free ports, our address
 * towards a peer, the folder of its TLS. Any thread. */
#ifndef MCU_SIGNALING_SIP_SOCKETS_H
#define MCU_SIGNALING_SIP_SOCKETS_H

#include <stdbool.h>

#include "mcu/base/err.h"

struct sockaddr;

/* Numeric, IPv4 also of an IPv4-mapped one. False: neither IPv4 nor IPv6. */
bool sip_sockets_name(char out[64], int *port, const struct sockaddr *sa);
/* Our own address on the way to this one, as the routing table has it. */
bool sip_sockets_local(char out[64], const struct sockaddr *to);
/* The same towards "192.0.2.1:5060" or "[2001:db8::1]:5060"; of a name, towards the world. */
bool sip_sockets_local_text(char out[64], const char *host);
/* A port that is free now in TCP and, with udp, in UDP on this address ("": on all), or
 * -errno. */
int sip_sockets_free_port(const char *address, bool udp);
/* sofia-sip reads agent.pem (chain and key) and cafile.pem from one folder, which is
 * made. Blocks: at the start. */
int sip_sockets_lay_out(const char *folder, const char *cert_file, const char *key_file,
			struct errmsg *why);

#endif
