#include "mcu/room/audio_format.h"

/* A format: its base in four bits, the option, the length of its packets. */
enum { OPTION = 1 << 4, PTIME_SHIFT = 5 };

_Static_assert((int)AUDIO_FORMAT_BASES <= (int)OPTION, "four bits of the format");

static const struct {
	enum codec codec;
	int channels;
} bases[OPTION] = {
	[AUDIO_FORMAT_NONE] = { CODEC_NONE, 1 },
	[AUDIO_FORMAT_OPUS] = { CODEC_OPUS, 1 },
	[AUDIO_FORMAT_OPUS_STEREO] = { CODEC_OPUS, 2 },
	[AUDIO_FORMAT_OPUS_WIDE] = { CODEC_OPUS, 1 },
	[AUDIO_FORMAT_OPUS_NARROW] = { CODEC_OPUS, 1 },
	[AUDIO_FORMAT_G722] = { CODEC_G722, 1 },
	[AUDIO_FORMAT_PCMU] = { CODEC_PCMU, 1 },
	[AUDIO_FORMAT_PCMA] = { CODEC_PCMA, 1 },
	[AUDIO_FORMAT_G729] = { CODEC_G729, 1 },
};

/* By its place in a format. */
static const unsigned ptimes_ms[] = { 20, 10, 30, 40, 60 };
enum { N_PTIMES = sizeof ptimes_ms / sizeof ptimes_ms[0] };

/* Below these average rates (RFC 7587 section 6.1) another variant is sent. */
enum { WIDE_BELOW_BPS = 32000, NARROW_BELOW_BPS = 18000 };

static unsigned ptime_place(enum codec c, unsigned ptime_ms)
{
	unsigned best = 1;

	if (!ptime_ms)
		return 0;
	for (unsigned i = 0; i < N_PTIMES; i++)
		if (ptimes_ms[i] <= ptime_ms && ptimes_ms[i] > ptimes_ms[best] &&
		    (c != CODEC_OPUS || ptimes_ms[i] != 30))
			best = i;
	return best;
}

enum audio_format audio_format_make(enum audio_format base, unsigned ptime_ms, bool option)
{
	if (!base)
		return AUDIO_FORMAT_NONE;
	return (enum audio_format)((unsigned)base | (option ? OPTION : 0) |
				   ptime_place(bases[base].codec, ptime_ms) << PTIME_SHIFT);
}

/* Of Opus; who wants little, or plays little, gets neither. */
static enum audio_format opus_base(const struct leg_tx_format *f, int room_channels)
{
	uint32_t hz = f->max_hz ? f->max_hz : 48000;
	uint32_t bps = f->max_bps ? f->max_bps : UINT32_MAX;

	if (hz <= 8000 || bps < NARROW_BELOW_BPS)
		return AUDIO_FORMAT_OPUS_NARROW;
	if (hz <= 16000 || bps < WIDE_BELOW_BPS)
		return AUDIO_FORMAT_OPUS_WIDE;
	return f->channels == 2 && room_channels == 2 ? AUDIO_FORMAT_OPUS_STEREO
						      : AUDIO_FORMAT_OPUS;
}

enum audio_format audio_format_of(const struct leg_tx_format *f, int room_channels)
{
	enum audio_format base = AUDIO_FORMAT_NONE;

	if (f->codec == CODEC_OPUS)
		base = opus_base(f, room_channels);
	for (enum audio_format i = AUDIO_FORMAT_G722; !base && i < AUDIO_FORMAT_BASES; i++)
		if (bases[i].codec == f->codec)
			base = i;
	return audio_format_make(base, f->ptime_ms,
				 f->codec == CODEC_OPUS ? f->cbr : f->cn_pt || f->annex_b);
}

enum audio_format audio_format_base(enum audio_format f)
{
	return (enum audio_format)((unsigned)f & (OPTION - 1));
}

enum codec audio_format_codec(enum audio_format f)
{
	return bases[audio_format_base(f)].codec;
}

int audio_format_channels(enum audio_format f)
{
	return bases[audio_format_base(f)].channels;
}

enum audio_band audio_format_band(enum audio_format f)
{
	switch (audio_format_codec(f)) {
	case CODEC_G722:
		return AUDIO_BAND_WIDE;
	case CODEC_PCMU:
	case CODEC_PCMA:
	case CODEC_G729:
		return AUDIO_BAND_NARROW;
	default:
		return AUDIO_BAND_FULL;
	}
}

unsigned audio_format_ptime_ms(enum audio_format f)
{
	return ptimes_ms[(unsigned)f >> PTIME_SHIFT];
}

bool audio_format_option(enum audio_format f)
{
	return (unsigned)f & OPTION;
}

size_t audio_format_due(enum audio_format f, uint64_t tick, struct audio_due due[AUDIO_FORMAT_DUE])
{
	uint64_t ptime = audio_format_ptime_ms(f);
	uint64_t k = tick * AUDIO_FORMAT_TICK_MS / ptime;
	uint64_t end = (tick + 1) * AUDIO_FORMAT_TICK_MS / ptime;
	size_t n = 0;

	for (; k < end; k++)
		due[n++] = (struct audio_due){
			.index = (uint32_t)k,
			.ticks_ago = (unsigned)(tick - k * ptime / AUDIO_FORMAT_TICK_MS),
			.offset_ms = (unsigned)(k * ptime % AUDIO_FORMAT_TICK_MS),
		};
	return n;
}

unsigned audio_format_warm_ticks(enum audio_format f, uint64_t tick)
{
	unsigned ptime = audio_format_ptime_ms(f);
	unsigned cycle = ptime == 30 || ptime == 60 ? 3 : ptime == 40 ? 2 : 1;

	return (unsigned)((tick + cycle - 1) % cycle) + 1;
}
