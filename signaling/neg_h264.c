/* Profiles and levels of H.264 in SDP (RFC 6184 8.1, 8.2.2). */
#include <stdlib.h>
#include <string.h>

#include "signaling/neg_internal.h"

/* RFC 6184 8.1: without the parameter it is Baseline at level 1. */
uint32_t neg_h264_profile(const char *fmtp)
{
	char text[16], *end;
	if (!neg_fmtp_get(fmtp, "profile-level-id", text, sizeof(text)) || strlen(text) != 6)
		return 0x42000a;
	unsigned long v = strtoul(text, &end, 16);
	return *end ? 0x42000a : (uint32_t)v;
}

/* How close a profile (table 5 of RFC 6184) is to constrained baseline, which is
 * what we send and what decoders of all of these can read. 0: cannot be used. */
int neg_h264_score(uint32_t id)
{
	unsigned profile = id >> 16, iop = id >> 8 & 0xff;
	switch (profile) {
	case 0x42: return iop & 0x40 ? 10 : 8;
	case 0x4d: return iop & 0x80 ? 10 : 6;
	case 0x58: return (iop & 0xc0) == 0xc0 ? 10 : 0;
	case 0x64: return iop & 0x0c ? 5 : 4;
	default: return 0;
	}
}

enum { LEVEL_1B = 105 };

/* 10 times the level, level 1b (between 1 and 1.1) as 105 of 100 and 110. */
static unsigned h264_level(uint32_t id)
{
	unsigned level = id & 0xff, iop = id >> 8 & 0xff;
	if (level == 9 || (level == 11 && iop & 0x10 && id >> 16 != 0x64))
		return LEVEL_1B;
	return level * 10;
}

/* Table A-1 of H.264: MaxFS, MaxMBPS, MaxBR (kbit/s, VCL, baseline). */
static const struct {
	unsigned level, fs, mbps, br;
} h264_levels[] = {
	{ 100, 99, 1485, 64 },		 { 105, 99, 1485, 128 },
	{ 110, 396, 3000, 192 },	 { 120, 396, 6000, 384 },
	{ 130, 396, 11880, 768 },	 { 200, 396, 11880, 2000 },
	{ 210, 792, 19800, 4000 },	 { 220, 1620, 20250, 4000 },
	{ 300, 1620, 40500, 10000 },	 { 310, 3600, 108000, 14000 },
	{ 320, 5120, 216000, 20000 },	 { 400, 8192, 245760, 20000 },
	{ 410, 8192, 245760, 50000 },	 { 420, 8704, 522240, 50000 },
	{ 500, 22080, 589824, 135000 },	 { 510, 36864, 983040, 240000 },
	{ 520, 36864, 2073600, 240000 },
};

void neg_h264_limits(struct neg_codec_plan *c, const char *fmtp)
{
	size_t i = 0, n = sizeof(h264_levels) / sizeof(h264_levels[0]);
	unsigned level = h264_level(c->h264_profile);
	while (i + 1 < n && h264_levels[i + 1].level <= level)
		i++;
	/* max-… can only raise what the level gives (RFC 6184 8.1) */
	uint32_t fs = neg_fmtp_number(fmtp, "max-fs", 0);
	uint32_t mbps = neg_fmtp_number(fmtp, "max-mbps", 0);
	uint32_t br = neg_fmtp_number(fmtp, "max-br", 0);
	c->max_fs = fs > h264_levels[i].fs ? fs : h264_levels[i].fs;
	c->max_mbps = mbps > h264_levels[i].mbps ? mbps : h264_levels[i].mbps;
	c->max_br_kbps = br > h264_levels[i].br ? br : h264_levels[i].br;
}

uint32_t neg_h264_answer_profile(uint32_t offered, bool asymmetry, uint32_t ours)
{
	uint32_t profile = offered & 0xffff00;
	if (asymmetry || h264_level(offered) > h264_level(ours)) {
		/* constraint_set3 says level 1b only together with level_idc 11 */
		return profile | (ours & 0xff);
	}
	return offered;
}

/* We send constrained baseline, which is also baseline and main; on a payload type
 * of another profile the header names that one, since some decoders compare. */
uint32_t neg_h264_sps(uint32_t theirs, uint32_t ours)
{
	unsigned profile = theirs >> 16, iop = theirs >> 8 & 0xff;
	bool lower = h264_level(theirs) <= h264_level(ours);
	bool one_b = lower && h264_level(theirs) == LEVEL_1B;

	if (profile != 0x4d && profile != 0x64) {
		profile = 0x42;
		iop = 0xe0;
	} else if (profile == 0x4d) {
		iop &= ~0x10u;
	}
	unsigned level = (lower ? theirs : ours) & 0xff;
	if (level < 9)
		level = 10; /* there is none below 1 */
	if (one_b && profile != 0x64) { /* table A-1: constraint_set3 with level 1.1 */
		iop |= 0x10;
		level = 11;
	}
	return profile << 16 | iop << 8 | level;
}
