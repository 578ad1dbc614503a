#include "mcu/base/codec.h"

const char *codec_name(enum codec c)
{
	static const char *const names[CODEC_N] = {
		[CODEC_NONE] = "none", [CODEC_OPUS] = "opus", [CODEC_G722] = "G722",
		[CODEC_PCMU] = "PCMU", [CODEC_PCMA] = "PCMA", [CODEC_AAC] = "AAC",
		[CODEC_H264] = "H264", [CODEC_VP8] = "VP8",   [CODEC_VP9] = "VP9",
		[CODEC_AV1] = "AV1",   [CODEC_G729] = "G729", [CODEC_CN] = "CN",
		[CODEC_H263] = "H263-1998",
	};

	return (unsigned)c < CODEC_N ? names[c] : names[CODEC_NONE];
}
