/* Captures as pcap files (nanosecond stamps, link type RAW): each packet behind an
 * IPv4 and a UDP header, so that Wireshark shows the two directions; "Decode As …
 * RTP" on port 5004 does the rest. The addresses are of RFC 5737: 192.0.2.1 is the
 * server, 192.0.2.2 the peer. Blocking: on a thread that may. */
#ifndef STORAGE_PCAP_H
#define STORAGE_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PCAP_PORT = 5004, PCAP_MAX_PACKET = 1500 };

struct pcap_writer;

/* Makes the file, readable by its owner alone. 0 or -errno. */
int pcap_open(struct pcap_writer **out, const char *path);
/* len: of the packet on the wire; have: octets of it that are here, at most
 * PCAP_MAX_PACKET. wall_ns: since 1970. 0 or -errno. */
int pcap_write(struct pcap_writer *w, bool from_server, int64_t wall_ns, const uint8_t *octets,
	       size_t have, size_t len);
/* Octets written so far, the header included. */
uint64_t pcap_size(const struct pcap_writer *w);
/* Writes out what is buffered and closes. 0 or -errno; *w is NULL afterwards. */
int pcap_close(struct pcap_writer **w);

#endif
