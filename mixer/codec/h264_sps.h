/* The little of H.264 (ITU-T H.264, Annex B and 7.3.2.1.1) that must be known
 * before a decoder may see a stream: which NAL units an access unit holds, and
 * what its sequence parameter sets ask for. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_H264_SPS_H
#define MCU_MIXER_CODEC_H264_SPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	H264_NAL_SLICE = 1,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8
};

struct h264_sps {
	uint8_t profile_idc, constraint_flags, level_idc;
	uint8_t id;                /* 0…31 */
	uint8_t chroma_format_idc; /* 1: 4:2:0 */
	uint8_t bit_depth_luma, bit_depth_chroma;
	uint8_t max_num_ref_frames;
	bool frame_mbs_only;
	uint32_t coded_w, coded_h; /* whole macroblocks: what is allocated */
	uint32_t width, height;    /* after cropping: what is shown */
};

/* nal: from the NAL header on, without start code; emulation prevention octets
 * are removed on the way. 0, or -EBADMSG when it is truncated or says something
 * the standard forbids (dimensions up to 2^20 are reported, not judged). */
int h264_sps_parse(struct h264_sps *out, const uint8_t *nal, size_t len);

/* Walks Annex B: finds the next NAL unit at or after *pos and moves *pos to its
 * end. nal: borrowed from data, without start code, trailing zeros removed,
 * len >= 1. False at the end. */
bool h264_next_nal(const uint8_t *data, size_t len, size_t *pos, const uint8_t **nal,
		   size_t *nal_len);

/* True for an SEI NAL unit whose first message is a recovery point (D.1.8). */
bool h264_sei_is_recovery_point(const uint8_t *nal, size_t len);

#endif
