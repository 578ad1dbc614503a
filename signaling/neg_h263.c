/* Sizes of H.263 in SDP (RFC 4629 8.1.1): "CIF=2;QCIF=1", each with the least time
 * between two pictures, in 1/29.97 s. */
#include "signaling/neg_internal.h"

enum {
	MOST_HZ = 30,
	/* We send that many at most; whoever takes fewer gets the smaller size. */
	OURS_HZ = 15,
	CIF_MBS = 396,
	QCIF_MBS = 99
};

/* Pictures of a size per second; 0: it takes none. */
static uint32_t rate(const char *fmtp, const char *name)
{
	uint32_t interval = neg_fmtp_number(fmtp, name, 0);

	return interval && interval <= 32 ? MOST_HZ / interval : 0;
}

/* Without a word of sizes it is QCIF (8.2.1: the least that all have). */
static bool is_silent(const char *fmtp)
{
	return !rate(fmtp, "CIF") && !rate(fmtp, "QCIF") && !rate(fmtp, "SQCIF") &&
	       !rate(fmtp, "CIF4") && !rate(fmtp, "CIF16");
}

bool neg_h263_fits(const char *fmtp)
{
	return is_silent(fmtp) || rate(fmtp, "QCIF") >= OURS_HZ || rate(fmtp, "CIF") >= OURS_HZ ||
	       rate(fmtp, "CIF4");
}

void neg_h263_limits(struct neg_codec_plan *c, const char *fmtp)
{
	/* who takes a size takes the smaller ones (8.2.1) */
	bool cif = rate(fmtp, "CIF") >= OURS_HZ || rate(fmtp, "CIF4") >= OURS_HZ;

	c->max_fs = cif ? CIF_MBS : QCIF_MBS;
	c->max_mbps = c->max_fs * OURS_HZ;
	c->max_br_kbps = neg_fmtp_number(fmtp, "MaxBR", 0) / 10; /* of 100 bit/s */
}
