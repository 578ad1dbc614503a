/* RTCP that the bot writes and reads (RFC 3550, 4585, 5104, REMB). Pure. */
#ifndef TESTS_LOAD_RTCP_H
#define TESTS_LOAD_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTCP_MAX_BYTES = 1200, RTCP_MAX_NACKS = 64 };

struct rtcp_writer {
	uint8_t buf[RTCP_MAX_BYTES + 64];
	size_t len;
};

struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;
	int32_t lost;
	uint32_t highest, jitter, lsr, dlsr;
};

void rtcp_put_sr(struct rtcp_writer *w, uint32_t ssrc, int64_t wall_ns, uint32_t rtp_ts,
		 uint32_t packets, uint32_t octets);
void rtcp_put_rr(struct rtcp_writer *w, uint32_t ssrc, const struct rtcp_block *b, unsigned n);
void rtcp_put_sdes(struct rtcp_writer *w, uint32_t ssrc, const char *cname);
void rtcp_put_bye(struct rtcp_writer *w, uint32_t ssrc);
void rtcp_put_pli(struct rtcp_writer *w, uint32_t ssrc, uint32_t of);
/* seqs in rising order. */
void rtcp_put_nack(struct rtcp_writer *w, uint32_t ssrc, uint32_t of, const uint16_t *seqs,
		   size_t n);
void rtcp_put_remb(struct rtcp_writer *w, uint32_t ssrc, uint32_t of, uint32_t bps);

struct rtcp_reader {
	void *obj;
	void (*sr)(void *obj, uint32_t ssrc, uint64_t ntp, uint32_t rtp_ts);
	void (*block)(void *obj, const struct rtcp_block *b);
	void (*nack)(void *obj, uint32_t of, uint16_t seq);
	void (*key_request)(void *obj, uint32_t of, bool fir);
	/* Everything that came, also what the others were told: packet type and format. */
	void (*any)(void *obj, uint8_t pt, uint8_t fmt);
};

/* False: the compound is malformed from some packet on. */
bool rtcp_read(const struct rtcp_reader *r, const uint8_t *p, size_t len);

#endif
