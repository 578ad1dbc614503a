#include "mcu/room/room_audio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/audio_worker.h"
#include "mcu/room/egress.h"
#include "mcu/room/room_audio_priv.h"
#include "mixer/audio/audio_mixer.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/speaker.h"
#include "mixer/codec/aenc.h"

METRIC_COUNTER(m_no_batch, "mcu_audio_out_dropped_total",
	       "Encoded audio ticks dropped because the batch pool was dry or encoding failed.");
METRIC_COUNTER(m_encodes, "mcu_audio_encodes_total",
	       "Ticks of sound encoded for listeners and talkers.");
METRIC_COUNTER(m_spared, "mcu_audio_encodes_spared_total",
	       "Ticks of silence that were neither encoded nor sent.");
METRIC_COUNTER(m_no_encoder, "mcu_audio_encoders_failed_total",
	       "Audio encoders that could not be opened.");

/* How long a leg keeps its own encoder after it was last in the mix. */
enum { HOLD_TICKS = 100, PACKET_MAX = 1275, TICK_NS = 20 * 1000 * 1000, TICKS_PER_S = 50 };
/* Of silence that a recording makes up for in one tick. */
enum { SINK_SKIP_MAX = 8 };
/* Digital silence: after a fifth of a second only a packet now and then, that
 * keeps paths open and says that we are here (RFC 7587 section 3.1.3). */
enum { QUIET_TICKS = 10, COMFORT_TICKS = 20 };
/* Encoded mixes that the shards are woken for: about a millisecond of work. */
enum { POST_TOGETHER = 12 };
enum { FLOATS = 2 * AUDIO_TICK_SAMPLES };
/* Who is in the mix and who was a moment ago must fit on the skip list of the
 * shared packet together: otherwise nobody could be sent it. */
enum { MAX_LEGS = 192, MAX_HELD = RTP_BATCH_SKIP_MAX - MAX_LEGS };

/* One format of the listener mix, while somebody receives it. */
struct listener {
	struct aenc *enc;
	bool warm; /* it has encoded the previous tick */
	unsigned quiet; /* ticks of digital silence */
	/* of this tick */
	struct rtp_batch *batch;
	size_t n;      /* who gets it */
	bool used;     /* there are legs of this format */
};

struct room_audio {
	struct room_audio *next;
	const struct engine *engine;
	struct audio_worker *worker;
	uint32_t room_id;
	int channels;
	struct room_audio_events ev;
	void *obj;
	_Atomic size_t n_mixes, n_listener_encoders, n_talker_encoders;
	/* MIXA only */
	struct routing *routing;
	struct audio_mixer *mixer;
	struct speaker *speaker;
	struct listener listener[AUDIO_FORMAT_N];
	struct aenc *aac;
	int64_t aac_start_ns; /* media time of its first input sample */
	int64_t aac_ticks;    /* that it was given */
	const struct room_sink *sink;
	uint32_t out_index; /* packets made per leg so far */
	float last_mix[FLOATS]; /* the previous listener mix, to warm encoders */
	float own[FLOATS], middle[AUDIO_TICK_SAMPLES];
	size_t talker_encoders, held; /* held: of this tick */
	unsigned posted;              /* batches that no shard was woken for yet */
	uint32_t told_speaker;
};

struct room_audio *room_audio_next(struct room_audio *a)
{
	return a->next;
}

int room_audio_new(struct room_audio **out, const struct engine *e, uint32_t room_id, int channels,
		   const struct room_audio_events *ev, void *obj)
{
	struct audio_mixer_cfg cfg = {
		.channels = channels, .max_legs = MAX_LEGS, .max_talkers = e->cfg.max_talkers,
	};
	struct room_audio *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->engine = e;
	a->worker = e->audio[room_id % e->n_audio];
	a->room_id = room_id;
	a->channels = channels;
	a->ev = *ev;
	a->obj = obj;
	err = audio_mixer_new(&a->mixer, &cfg);
	if (!err)
		err = speaker_new(&a->speaker, MAX_LEGS);
	if (err) {
		room_audio_free(&a);
		return err;
	}
	*out = a;
	return 0;
}

void room_audio_free(struct room_audio **a)
{
	if (!*a)
		return;
	audio_mixer_free(&(*a)->mixer);
	speaker_free(&(*a)->speaker);
	free(*a);
	*a = NULL;
}

ON_THREAD(ROLE_MIXA) static void close_talker(struct room_audio *a, struct audio_leg *l)
{
	if (!audio_leg_encoder(l))
		return;
	audio_leg_encoder_close(l);
	a->talker_encoders--;
}

/* Whether it may ever hear a mix of its own: the state of those who only listen, most
 * of them all in a webinar, is not even looked at. */
static bool may_talk(const struct route_leg *r)
{
	return r->sends_audio && r->format;
}

static void route_job(void *obj, void *arg)
{
	struct room_audio *a = obj;
	struct routing *old = a->routing;
	const struct routing *new = arg;

	role_assert_mixa();
	a->routing = arg;
	/* Both are in order of joining: ids grow. */
	for (size_t i = 0, k = 0; old && i < old->n_legs; i++) {
		uint32_t id = old->leg[i].id;

		while (k < new->n_legs && new->leg[k].id < id)
			k++;
		if (k < new->n_legs && new->leg[k].id == id) {
			if (may_talk(&old->leg[i]) && !may_talk(&new->leg[k]))
				close_talker(a, new->leg[k].audio);
			continue;
		}
		close_talker(a, old->leg[i].audio);
		audio_mixer_forget(a->mixer, id);
		speaker_forget(a->speaker, id);
	}
	engine_post(a->engine->ctl, a->ev.retired, a->obj, old);
}

static void first_route_job(void *obj, void *arg)
{
	struct room_audio *a = obj, **list = NULL;

	role_assert_mixa();
	list = audio_worker_rooms(a->worker);
	a->next = *list;
	*list = a;
	route_job(obj, arg);
}

void room_audio_route(struct room_audio *a, struct routing *r)
{
	engine_post(audio_worker_mbox(a->worker), r->seq == 1 ? first_route_job : route_job, a, r);
}

struct sink_change {
	const struct room_sink *sink;
	mbox_fn *done;
	void *obj;
};

static void sink_job(void *obj, void *arg)
{
	struct room_audio *a = obj;
	struct sink_change *c = arg;

	role_assert_mixa();
	if (!c->sink)
		aenc_free(&a->aac);
	a->sink = c->sink;
	if (c->done)
		engine_post(a->engine->ctl, c->done, c->obj, NULL);
	free(c);
}

void room_audio_set_sink(struct room_audio *a, const struct room_sink *s, mbox_fn *done, void *obj)
{
	struct sink_change *c = malloc(sizeof *c);

	if (!c)
		abort();
	*c = (struct sink_change){ .sink = s, .done = done, .obj = obj };
	engine_post(audio_worker_mbox(a->worker), sink_job, a, c);
}

static void stop_job(void *obj, void *arg)
{
	struct room_audio *a = obj, **at;
	struct routing *old = a->routing;

	(void)arg;
	role_assert_mixa();
	for (at = audio_worker_rooms(a->worker); *at; at = &(*at)->next) {
		if (*at != a)
			continue;
		*at = a->next;
		break;
	}
	for (size_t i = 0; old && i < old->n_legs; i++)
		close_talker(a, old->leg[i].audio);
	for (int f = 0; f < AUDIO_FORMAT_N; f++)
		aenc_free(&a->listener[f].enc);
	aenc_free(&a->aac);
	a->routing = NULL;
	engine_post(a->engine->ctl, a->ev.retired, a->obj, old);
	engine_post(a->engine->ctl, a->ev.stopped, a->obj, NULL);
}

void room_audio_stop(struct room_audio *a)
{
	engine_post(audio_worker_mbox(a->worker), stop_job, a, NULL);
}

static struct rtp_batch *new_batch(struct room_audio *a, enum audio_format f, int64_t tick,
				   int64_t due_ns)
{
	struct rtp_batch *b = rtp_batch_get(a->engine->audio_batches, 0);
	uint32_t hz = codec_clock_hz(audio_format_codec(f));

	if (!b) {
		metric_add(&m_no_batch, 1);
		return NULL;
	}
	b->encode_id = audio_format_group(a->room_id, f);
	b->first_index = a->out_index;
	b->ts = (uint32_t)(tick * (hz / TICKS_PER_S));
	b->time_ns = due_ns;
	return b;
}

static void wake_shards(struct room_audio *a)
{
	for (size_t i = 0; i < a->engine->n_shards && a->posted; i++)
		egress_wake_audio(a->engine->egress[i]);
	a->posted = 0;
}

/* Waking costs more than sending: the first ones do not wait for the whole tick,
 * nor does each wake the shards. */
static void post_batch(struct room_audio *a, struct rtp_batch *b)
{
	for (size_t i = 0; i < a->engine->n_shards; i++)
		egress_post_audio(a->engine->egress[i], rtp_batch_ref(b));
	if (++a->posted == POST_TOGETHER)
		wake_shards(a);
}

/* A mix of the room in the channels of the format. */
static const float *in_format(struct room_audio *a, enum audio_format f, const float *mix)
{
	if (audio_format_channels(f) == a->channels)
		return mix;
	dsp_middle(a->middle, mix, AUDIO_TICK_SAMPLES);
	return a->middle;
}

/* Whether this tick of a mix need not be sent; quiet: its own count, of silent ticks.
 * *first: there was a rest before it. Only where the codec's own time says what
 * is missing and its decoders know rests. */
static bool rests(const struct room_audio *a, unsigned *quiet, enum audio_format f,
		  const float *mix, bool *first)
{
	*first = *quiet > QUIET_TICKS;
	if (!a->engine->cfg.dtx || audio_format_codec(f) != CODEC_OPUS ||
	    dsp_peak(mix, AUDIO_TICK_SAMPLES * (size_t)a->channels) > 0) {
		*quiet = 0;
		return false;
	}
	*first = false;
	if (++*quiet <= QUIET_TICKS)
		return false;
	if (*quiet < QUIET_TICKS + COMFORT_TICKS) {
		metric_add(&m_spared, 1);
		return true;
	}
	*quiet = QUIET_TICKS;
	return false;
}

/* Encodes a mix into b. first: the marker says that a rest is over (RFC 3551 section
 * 4.1). Takes b on failure. */
static bool fill_batch(struct room_audio *a, struct rtp_batch **b, struct aenc *enc,
		       enum audio_format f, const float *mix, bool first)
{
	uint8_t packet[PACKET_MAX];
	int len = aenc_encode_to(enc, in_format(a, f, mix), packet, sizeof packet);

	/* A codec's packet is the payload as it is (RFC 7587, RFC 3551). */
	metric_add(&m_encodes, 1);
	if (len > 0 && !rtp_batch_add(*b, NULL, 0, packet, (size_t)len, first))
		return true;
	metric_add(&m_no_batch, 1);
	rtp_batch_unref(b);
	return false;
}

/* It will go on from the last tick's sound. */
static void warm_up(struct room_audio *a, struct aenc *enc, enum audio_format f)
{
	uint8_t scratch[PACKET_MAX];

	aenc_encode_to(enc, in_format(a, f, a->last_mix), scratch, sizeof scratch);
}

ON_THREAD(ROLE_MIXA) static struct aenc *talker_encoder(struct room_audio *a, const struct route_leg *r)
{
	struct aenc *enc = audio_leg_encoder(r->audio);

	if (enc)
		return enc;
	enc = audio_leg_encoder_open(r->audio, r->format);
	if (!enc) {
		metric_add(&m_no_encoder, 1);
		return NULL;
	}
	a->talker_encoders++;
	warm_up(a, enc, r->format);
	return enc;
}

/* Does the leg get a mix of its own this tick? */
ON_THREAD(ROLE_MIXA) static bool has_own(struct room_audio *a, const struct route_leg *r, int64_t tick)
{
	int64_t *hold = audio_leg_hold_tick(r->audio);

	if (r->sends_audio && audio_mixer_contains(a->mixer, r->id)) {
		*hold = tick + HOLD_TICKS;
		return true;
	}
	return audio_leg_encoder(r->audio) && tick < *hold && a->held++ < MAX_HELD;
}

/* True: the leg has its own mix this tick (and must be skipped by the shared one). */
ON_THREAD(ROLE_MIXA) static bool send_own(struct room_audio *a, const struct route_leg *r, int64_t tick, int64_t due_ns)
{
	struct rtp_batch *b;
	struct aenc *enc;
	bool first;

	if (!has_own(a, r, tick)) {
		close_talker(a, r->audio);
		return false;
	}
	/* It negotiated another codec. */
	if (audio_leg_encoder_format(r->audio) != r->format)
		close_talker(a, r->audio);
	enc = talker_encoder(a, r);
	audio_mixer_minus(a->mixer, r->id, a->own);
	if (!enc || rests(a, audio_leg_quiet(r->audio), r->format, a->own, &first))
		return true;
	b = new_batch(a, r->format, tick, due_ns);
	if (b) {
		b->only_leg = r->id;
		if (fill_batch(a, &b, enc, r->format, a->own, first))
			post_batch(a, b);
	}
	rtp_batch_unref(&b);
	return true;
}

static bool listener_ready(struct room_audio *a, enum audio_format f)
{
	struct aenc_cfg cfg = audio_leg_encoder_cfg(a->engine, f);
	struct listener *l = &a->listener[f];

	if (!l->enc && aenc_new(&l->enc, &cfg)) {
		metric_add(&m_no_encoder, 1);
		return false;
	}
	if (!l->warm) {
		aenc_reset(l->enc);
		warm_up(a, l->enc, f);
	}
	return true;
}

/* The format's packet of this tick, begun when the first leg asks. */
static void use_format(struct room_audio *a, enum audio_format f, int64_t tick, int64_t due_ns)
{
	struct listener *l = &a->listener[f];

	if (l->used)
		return;
	l->used = true;
	l->batch = new_batch(a, f, tick, due_ns);
}

/* Everybody's own mix, and who takes which shared one. */
ON_THREAD(ROLE_MIXA) static void send_owns(struct room_audio *a, int64_t tick, int64_t due_ns)
{
	a->held = 0;
	for (size_t i = 0; i < a->routing->n_legs; i++) {
		const struct route_leg *r = &a->routing->leg[i];
		struct listener *l = &a->listener[r->format];

		if (!r->format)
			continue;
		use_format(a, r->format, tick, due_ns);
		if (!may_talk(r) || !send_own(a, r, tick, due_ns))
			l->n++;
		else if (l->batch && rtp_batch_skip(l->batch, r->id))
			rtp_batch_unref(&l->batch); /* nobody may hear itself: rather nobody hears */
	}
}

/* The shared packets; what nobody receives is not encoded (L1). */
ON_THREAD(ROLE_MIXA) static size_t send_shared(struct room_audio *a, const float *mix)
{
	size_t encoders = 0;

	for (enum audio_format f = AUDIO_FORMAT_NONE + 1; f < AUDIO_FORMAT_N; f++) {
		struct listener *l = &a->listener[f];
		bool first;

		if (l->batch && l->n && listener_ready(a, f) &&
		    !rests(a, &l->quiet, f, mix, &first) &&
		    fill_batch(a, &l->batch, l->enc, f, mix, first))
			post_batch(a, l->batch);
		rtp_batch_unref(&l->batch);
		l->warm = l->n > 0;
		if (!l->n) {
			aenc_free(&l->enc);
			l->quiet = 0;
		}
		encoders += l->enc != NULL;
		l->n = 0;
		l->used = false;
	}
	return encoders;
}

static void aac_out(void *obj, const struct aenc_packet *p)
{
	struct room_audio *a = obj;
	struct buf *b = buf_get(a->engine->sound_pool);

	if (!b || p->len > b->cap) {
		metric_add(&m_no_batch, 1);
		buf_unref(&b);
		return;
	}
	memcpy(b->data, p->data, p->len);
	b->len = p->len;
	a->sink->audio(a->sink->obj, b,
		       a->aac_start_ns + p->pts_samples * NS_PER_S / 48000);
	buf_unref(&b);
}

static void feed_sink(struct room_audio *a, const float *mix, int64_t due_ns)
{
	static const float silence[FLOATS];
	struct aenc_cfg cfg = {
		.format = CODEC_AAC, .channels = a->channels,
		.bitrate_bps = a->engine->cfg.recording_audio_bps,
	};

	if (!a->sink)
		return;
	if (!a->aac) {
		if (aenc_new(&a->aac, &cfg))
			return;
		a->aac_start_ns = due_ns;
		a->aac_ticks = 0;
	}
	/* Ticks that were skipped are silence: the file's sound must not run ahead. A
	 * few at a time: everybody else's sound waits meanwhile. */
	for (int n = 0; a->aac_start_ns + a->aac_ticks * TICK_NS < due_ns - TICK_NS / 2; n++) {
		if (n == SINK_SKIP_MAX)
			return; /* nor may this sound come too early */
		a->aac_ticks++;
		aenc_encode(a->aac, silence, aac_out, a);
	}
	a->aac_ticks++;
	aenc_encode(a->aac, mix, aac_out, a);
}

ON_THREAD(ROLE_MIXA) static void mix_legs(struct room_audio *a, int64_t due_ns)
{
	const struct routing *r = a->routing;
	uint32_t speaker;

	audio_mixer_begin(a->mixer);
	for (size_t i = 0; i < r->n_legs; i++) {
		const struct route_leg *l = &r->leg[i];
		const float *pcm;

		if (!l->sends_audio)
			continue;
		audio_leg_set_muted(l->audio, l->audio_muted);
		audio_leg_set_sound(l->audio, &l->sound);
		pcm = audio_leg_tick(l->audio, due_ns);
		/* A leg that has just been muted fades out in one last tick. */
		if (!pcm || (!l->audio_muted && !audio_leg_speaking(l->audio)))
			continue;
		audio_mixer_add(a->mixer, l->id, pcm, audio_leg_level_dbov(l->audio));
		speaker_feed(a->speaker, l->id, audio_leg_level_dbov(l->audio),
			     audio_leg_active(l->audio));
	}
	audio_mixer_sum(a->mixer);
	/* Told until it is taken: also when the speaker has left. */
	speaker = speaker_tick(a->speaker, NULL);
	if (speaker != a->told_speaker &&
	    !mbox_post(a->engine->ctl, a->ev.speaker, a->obj, (void *)(uintptr_t)speaker))
		a->told_speaker = speaker;
}

/* Nobody is there: no encoder runs (L1). */
static void rest(struct room_audio *a)
{
	for (int f = 0; f < AUDIO_FORMAT_N; f++) {
		aenc_free(&a->listener[f].enc);
		a->listener[f].warm = false;
	}
	a->n_mixes = a->n_listener_encoders = a->n_talker_encoders = 0;
}

void room_audio_tick(struct room_audio *a, int64_t tick, int64_t due_ns)
{
	const float *mix;
	size_t encoders;

	if (!a->routing || (!a->routing->n_legs && !a->sink)) {
		rest(a);
		return;
	}
	mix_legs(a, due_ns);
	mix = audio_mixer_listener(a->mixer);
	send_owns(a, tick, due_ns);
	encoders = send_shared(a, mix);
	wake_shards(a);
	feed_sink(a, mix, due_ns);
	memcpy(a->last_mix, mix, AUDIO_TICK_SAMPLES * (size_t)a->channels * sizeof *mix);
	a->out_index++;
	a->n_mixes = 1;
	a->n_listener_encoders = encoders + (a->aac != NULL);
	a->n_talker_encoders = a->talker_encoders;
}

void room_audio_get_counts(const struct room_audio *a, struct room_audio_counts *c)
{
	c->listener_mixes = a->n_mixes;
	c->listener_encoders = a->n_listener_encoders;
	c->talker_encoders = a->n_talker_encoders;
}
