/* Telephones as a load: each sends 50 packets of G.711 (PCMU) a second from a socket of
 * its own, speech-like if it talks, else silence as desk phones without silence
 * suppression do, and reads what comes. They take turns of 2 ms, so that a server
 * does not get all of it at once. */
#ifndef TESTS_BENCH_PHONES_H
#define TESTS_BENCH_PHONES_H

#include <netinet/in.h>
#include <stdint.h>

enum {
	PHONE_TURNS = 10,
	PHONE_TURN_NS = 2000000,
	PHONE_SAMPLES = 160,
	PHONE_PACKET = 12 + PHONE_SAMPLES
};

struct phone {
	int no, talks;
	int rtp, rtcp; /* sockets; what comes for RTCP is not read */
	uint16_t port; /* of rtp; that of rtcp is one more */
	struct sockaddr_in to; /* port 0: nowhere yet */
	uint16_t seq, next_seq;
	uint32_t ts, ssrc;
	long sent, received, lost;
};

void phone_open(struct phone *p, int no, int talks);
/* Those whose turn it is send a packet and read what has come. */
void phones_turn(struct phone *p, int count, int64_t turn);

uint8_t pcmu_encode(float x); /* full scale +-1 */
float pcmu_decode(uint8_t octet);

#endif
