#include "mcu/room/audio_out.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mixer/audio/dsp.h"
#include "mixer/codec/aenc.h"

METRIC_COUNTER(m_encodes, "mcu_audio_encodes_total",
	       "Packets of sound encoded for listeners and talkers.");
METRIC_COUNTER(m_spared, "mcu_audio_encodes_spared_total",
	       "Packets of silence that were neither encoded nor sent.");
METRIC_COUNTER(m_failed, "mcu_audio_encodes_failed_total",
	       "Packets of sound that were not sent because encoding failed.");

/* Digital silence: after a fifth of a second only a packet now and then, that
 * keeps paths open and says that we are here (RFC 7587 section 3.1.3). */
enum { QUIET_TICKS = 10, COMFORT_MS = 400 };
/* What Opus needs for a part of the band. */
enum { WIDE_BPS = 20000, NARROW_BPS = 12000 };

/* Comfort noise of -70 dBov, which is hardly heard but says that the line is alive;
 * of any colour (RFC 3389 section 3). */
static const uint8_t noise[] = { 70 };
/* The quietest frame of noise that G.729 knows (its annex B, table B.2). */
static const uint8_t g729_noise[] = { 0, 0 };

struct audio_out {
	struct aenc *enc;
	enum audio_format format;
	enum audio_band band;
	size_t tick;		/* samples of one */
	size_t channels, frame; /* frame: samples of a packet */
	bool rests;		/* silence need not be sent */
	const uint8_t *comfort; /* what is sent in rests; NULL: an ordinary packet */
	size_t comfort_len;
	size_t held;		/* samples of a packet that is not complete */
	unsigned quiet;		/* ticks of digital silence, as far as they matter */
	bool resting;
	unsigned rest_ms;	/* since something was sent */
	float pcm[];		/* frame * channels */
};

static struct aenc_cfg config(const struct engine *e, enum audio_format f, enum audio_band band)
{
	int channels = audio_format_channels(f);
	enum audio_format base = audio_format_base(f);
	struct aenc_cfg cfg = {
		.format = audio_format_codec(f),
		.hz = audio_band_hz(band),
		.channels = channels,
		/* The second channel costs half of the first: most is in the middle. */
		.bitrate_bps = e->cfg.listener_bps * (1 + channels) / 2,
		.complexity = e->cfg.audio_complexity,
		.frame_ms = audio_format_ptime_ms(f),
	};

	if (base == AUDIO_FORMAT_OPUS_WIDE) {
		cfg.max_hz = 16000;
		cfg.bitrate_bps = WIDE_BPS;
	} else if (base == AUDIO_FORMAT_OPUS_NARROW) {
		cfg.max_hz = 8000;
		cfg.bitrate_bps = NARROW_BPS;
	}
	cfg.cbr = cfg.format == CODEC_OPUS && audio_format_option(f);
	return cfg;
}

/* Only where the receiver's decoder knows rests. */
static void set_rests(struct audio_out *o, bool dtx)
{
	enum codec c = audio_format_codec(o->format);

	o->rests = dtx && (c == CODEC_OPUS || audio_format_option(o->format));
	if (c == CODEC_OPUS)
		return;
	o->comfort = c == CODEC_G729 ? g729_noise : noise;
	o->comfort_len = c == CODEC_G729 ? sizeof g729_noise : sizeof noise;
}

static size_t bytes_of(size_t samples)
{
	return sizeof(struct audio_out) + samples * sizeof(float);
}

int audio_out_new(struct audio_out **out, const struct engine *e, enum audio_format f,
		  enum audio_band band)
{
	struct aenc_cfg cfg = config(e, f, band);
	size_t channels = (size_t)cfg.channels, frame = cfg.hz / 1000 * (size_t)cfg.frame_ms;
	struct audio_out *o = hot_calloc(bytes_of(frame * channels));
	int err;

	if (!o)
		return -ENOMEM;
	err = aenc_new(&o->enc, &cfg);
	if (err) {
		hot_free(o, bytes_of(frame * channels));
		return err;
	}
	o->format = f;
	o->band = band;
	o->tick = audio_band_tick(band);
	o->channels = channels;
	o->frame = frame;
	set_rests(o, e->cfg.dtx);
	*out = o;
	return 0;
}

void audio_out_free(struct audio_out **o)
{
	if (!*o)
		return;
	aenc_free(&(*o)->enc);
	hot_free(*o, bytes_of((*o)->frame * (*o)->channels));
	*o = NULL;
}

enum audio_format audio_out_format(const struct audio_out *o)
{
	return o->format;
}

int64_t audio_out_delay_ns(const struct audio_out *o)
{
	return (int64_t)aenc_priming_samples(o->enc) * 1000000000 / 48000;
}

enum audio_band audio_out_band(const struct audio_out *o)
{
	return o->band;
}

/* Whether a packet of silence is not encoded; p: what is sent instead, if anything. */
static bool rest(struct audio_out *o, struct audio_out_packet *p)
{
	bool begins = !o->resting;

	if (o->quiet <= QUIET_TICKS)
		return false;
	o->resting = true;
	o->rest_ms = begins ? 0 : o->rest_ms;
	o->rest_ms += audio_format_ptime_ms(o->format);
	if (o->rest_ms < COMFORT_MS && !(begins && o->comfort)) {
		metric_add(&m_spared, 1);
		return true;
	}
	o->rest_ms = 0;
	p->data = o->comfort;
	p->len = o->comfort_len;
	p->comfort = o->comfort && audio_format_codec(o->format) != CODEC_G729;
	return o->comfort != NULL;
}

static void make(struct audio_out *o, const float *pcm, uint8_t *to, struct audio_out_packet *p)
{
	int len;

	*p = (struct audio_out_packet){ 0 };
	if (rest(o, p))
		return;
	if (o->quiet <= QUIET_TICKS) {
		p->first = o->resting;
		o->resting = false;
	}
	len = aenc_encode_to(o->enc, pcm, to, AUDIO_OUT_PACKET_MAX);
	metric_add(&m_encodes, 1);
	if (len <= 0)
		metric_add(&m_failed, 1);
	p->data = to;
	p->len = len > 0 ? (size_t)len : 0;
}

void audio_out_prefetch(const struct audio_out *o, unsigned step)
{
	enum { ENCODER_BYTES = 256 };

	if (!step)
		__builtin_prefetch(o);
	else
		for (unsigned at = 0; at < ENCODER_BYTES; at += HOT_LINE)
			__builtin_prefetch((const char *)o->enc + at);
}

size_t audio_out_tick(struct audio_out *o, const float *pcm, struct audio_out_made *made)
{
	struct audio_out_packet *p = made->packet;
	size_t n = 0, at = 0, ch = o->channels;
	bool silent = o->rests && dsp_is_silent(pcm, o->tick * ch);

	o->quiet = !silent ? 0 : o->quiet <= QUIET_TICKS ? o->quiet + 1 : o->quiet;
	while (o->held + o->tick - at >= o->frame && n < AUDIO_FORMAT_DUE) {
		const float *from = pcm + at * ch;
		size_t need = o->frame - o->held;

		if (o->held) {
			memcpy(o->pcm + o->held * ch, from, need * ch * sizeof *from);
			from = o->pcm;
			o->held = 0;
		}
		at += need;
		make(o, from, made->octets[n], &p[n]);
		n++;
	}
	memcpy(o->pcm + o->held * ch, pcm + at * ch, (o->tick - at) * ch * sizeof *pcm);
	o->held += o->tick - at;
	return n;
}

void audio_out_warm(struct audio_out *o, const float *pcm)
{
	struct audio_out_made unsent;

	audio_out_tick(o, pcm, &unsent);
	o->quiet = 0;
}
