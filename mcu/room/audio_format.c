#include "mcu/room/audio_format.h"

_Static_assert(AUDIO_FORMAT_N <= 8, "three bits of the group");

static const struct {
	enum codec codec;
	int channels;
} formats[AUDIO_FORMAT_N] = {
	[AUDIO_FORMAT_NONE] = { CODEC_NONE, 1 },
	[AUDIO_FORMAT_OPUS] = { CODEC_OPUS, 1 },
	[AUDIO_FORMAT_OPUS_STEREO] = { CODEC_OPUS, 2 },
	[AUDIO_FORMAT_G722] = { CODEC_G722, 1 },
	[AUDIO_FORMAT_PCMU] = { CODEC_PCMU, 1 },
	[AUDIO_FORMAT_PCMA] = { CODEC_PCMA, 1 },
};

enum audio_format audio_format_of(const struct leg_tx_format *f, int room_channels)
{
	int channels = f->channels == 2 && room_channels == 2 && f->codec == CODEC_OPUS ? 2 : 1;

	for (enum audio_format i = AUDIO_FORMAT_NONE + 1; i < AUDIO_FORMAT_N; i++)
		if (formats[i].codec == f->codec && formats[i].channels == channels)
			return i;
	return AUDIO_FORMAT_NONE;
}

enum codec audio_format_codec(enum audio_format f)
{
	return formats[f].codec;
}

int audio_format_channels(enum audio_format f)
{
	return formats[f].channels;
}
