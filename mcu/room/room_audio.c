#include "mcu/room/room_audio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/audio_worker.h"
#include "mcu/room/egress.h"
#include "mcu/room/room_audio_priv.h"
#include "mcu/rtp/payload_opus.h"
#include "mixer/audio/audio_mixer.h"
#include "mixer/audio/speaker.h"
#include "mixer/codec/aenc.h"

METRIC_COUNTER(m_no_batch, "mcu_audio_out_dropped_total",
	       "Encoded audio ticks dropped because the batch pool was dry or encoding failed.");
METRIC_COUNTER(m_no_encoder, "mcu_audio_encoders_failed_total",
	       "Audio encoders that could not be opened.");

/* How long a leg keeps its own encoder after it was last in the mix. */
enum { HOLD_TICKS = 100, OPUS_MAX = 1275, TICK_NS = 20 * 1000 * 1000 };
/* Who is in the mix and who was a moment ago must fit on the skip list of the
 * shared packet together: otherwise nobody could be sent it. */
enum { MAX_LEGS = 192, MAX_HELD = RTP_BATCH_SKIP_MAX - MAX_LEGS };

struct room_audio {
	struct room_audio *next;
	const struct engine *engine;
	struct audio_worker *worker;
	uint32_t room_id;
	struct room_audio_events ev;
	void *obj;
	_Atomic size_t n_mixes, n_listener_encoders, n_talker_encoders;
	/* MIXA only */
	struct routing *routing;
	struct audio_mixer *mixer;
	struct speaker *speaker;
	struct aenc *listener;
	bool listener_warm; /* it has encoded the previous tick */
	struct aenc *aac;
	int64_t aac_start_ns; /* media time of its first input sample */
	int64_t aac_ticks;    /* that it was given */
	const struct room_sink *sink;
	uint32_t out_index; /* packets made per leg so far */
	float last_mix[AUDIO_TICK_SAMPLES]; /* the previous listener mix, to warm encoders */
	float own[AUDIO_TICK_SAMPLES];
	size_t talker_encoders, held; /* held: of this tick */
	uint32_t told_speaker;
};

struct room_audio *room_audio_next(struct room_audio *a)
{
	return a->next;
}

int room_audio_new(struct room_audio **out, const struct engine *e, uint32_t room_id,
		   const struct room_audio_events *ev, void *obj)
{
	struct audio_mixer_cfg cfg = { .max_legs = MAX_LEGS, .max_talkers = e->cfg.max_talkers };
	struct room_audio *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->engine = e;
	a->worker = e->audio[room_id % e->n_audio];
	a->room_id = room_id;
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
		if (k < new->n_legs && new->leg[k].id == id)
			continue;
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
	aenc_free(&a->listener);
	aenc_free(&a->aac);
	a->routing = NULL;
	engine_post(a->engine->ctl, a->ev.retired, a->obj, old);
	engine_post(a->engine->ctl, a->ev.stopped, a->obj, NULL);
}

void room_audio_stop(struct room_audio *a)
{
	engine_post(audio_worker_mbox(a->worker), stop_job, a, NULL);
}

static struct rtp_batch *new_batch(struct room_audio *a, int64_t tick, int64_t due_ns)
{
	struct rtp_batch *b = rtp_batch_get(a->engine->audio_batches, 0);

	if (!b) {
		metric_add(&m_no_batch, 1);
		return NULL;
	}
	b->encode_id = a->room_id;
	b->first_index = a->out_index;
	b->ts = (uint32_t)(tick * AUDIO_TICK_SAMPLES);
	b->time_ns = due_ns;
	return b;
}

static void post_batch(struct room_audio *a, struct rtp_batch *b)
{
	for (size_t i = 0; i < a->engine->n_shards; i++)
		egress_post_audio(a->engine->egress[i], rtp_batch_ref(b));
}

/* Encodes pcm into b. Takes b on failure. */
static bool fill_batch(struct rtp_batch **b, struct aenc *enc, const float *pcm)
{
	uint8_t packet[OPUS_MAX];
	int len = aenc_encode_to(enc, pcm, packet, sizeof packet);

	if (len > 0 && !rtp_opus_packetize(*b, packet, (size_t)len, false))
		return true;
	metric_add(&m_no_batch, 1);
	rtp_batch_unref(b);
	return false;
}

/* The own encoder, ready to go on from the last tick's sound. */
ON_THREAD(ROLE_MIXA) static struct aenc *talker_encoder(struct room_audio *a, struct audio_leg *l)
{
	struct aenc *enc = audio_leg_encoder(l);
	uint8_t scratch[OPUS_MAX];

	if (enc)
		return enc;
	enc = audio_leg_encoder_open(l);
	if (!enc) {
		metric_add(&m_no_encoder, 1);
		return NULL;
	}
	a->talker_encoders++;
	aenc_encode_to(enc, a->last_mix, scratch, sizeof scratch);
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

	if (!has_own(a, r, tick)) {
		close_talker(a, r->audio);
		return false;
	}
	enc = talker_encoder(a, r->audio);
	b = new_batch(a, tick, due_ns);
	if (enc && b) {
		audio_mixer_minus(a->mixer, r->id, a->own);
		b->only_leg = r->id;
		if (fill_batch(&b, enc, a->own))
			post_batch(a, b);
	}
	rtp_batch_unref(&b);
	return true;
}

static bool listener_ready(struct room_audio *a)
{
	struct aenc_cfg cfg = {
		.format = CODEC_OPUS,
		.bitrate_bps = a->engine->cfg.listener_bps,
		.complexity = a->engine->cfg.audio_complexity,
	};
	uint8_t scratch[OPUS_MAX];

	if (!a->listener && aenc_new(&a->listener, &cfg)) {
		metric_add(&m_no_encoder, 1);
		return false;
	}
	if (!a->listener_warm) {
		aenc_reset(a->listener);
		aenc_encode_to(a->listener, a->last_mix, scratch, sizeof scratch);
	}
	return true;
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
	static const float silence[AUDIO_TICK_SAMPLES];
	struct aenc_cfg cfg = { .format = CODEC_AAC, .bitrate_bps = a->engine->cfg.recording_audio_bps };

	if (!a->sink)
		return;
	if (!a->aac) {
		if (aenc_new(&a->aac, &cfg))
			return;
		a->aac_start_ns = due_ns;
		a->aac_ticks = 0;
	}
	/* Ticks that were skipped are silence: the file's sound must not run ahead. */
	for (; a->aac_start_ns + a->aac_ticks * TICK_NS < due_ns - TICK_NS / 2; a->aac_ticks++)
		aenc_encode(a->aac, silence, aac_out, a);
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
	aenc_free(&a->listener);
	a->listener_warm = false;
	a->n_mixes = a->n_listener_encoders = a->n_talker_encoders = 0;
}

void room_audio_tick(struct room_audio *a, int64_t tick, int64_t due_ns)
{
	const struct routing *r = a->routing;
	struct rtp_batch *shared;
	const float *mix;
	size_t listeners = 0;

	if (!r || (!r->n_legs && !a->sink)) {
		rest(a);
		return;
	}
	mix_legs(a, due_ns);
	mix = audio_mixer_listener(a->mixer);
	shared = new_batch(a, tick, due_ns);
	a->held = 0;
	for (size_t i = 0; i < r->n_legs; i++) {
		if (!r->leg[i].hears)
			close_talker(a, r->leg[i].audio);
		else if (!send_own(a, &r->leg[i], tick, due_ns))
			listeners++;
		else if (shared && rtp_batch_skip(shared, r->leg[i].id))
			rtp_batch_unref(&shared); /* nobody may hear itself: rather nobody hears */
	}
	if (shared && listeners && listener_ready(a) && fill_batch(&shared, a->listener, mix))
		post_batch(a, shared);
	rtp_batch_unref(&shared);
	a->listener_warm = listeners > 0;
	if (!listeners)
		aenc_free(&a->listener);
	feed_sink(a, mix, due_ns);
	memcpy(a->last_mix, mix, sizeof a->last_mix);
	a->out_index++;
	a->n_mixes = 1;
	a->n_listener_encoders = (size_t)(a->listener != NULL) + (a->aac != NULL);
	a->n_talker_encoders = a->talker_encoders;
}

void room_audio_get_counts(const struct room_audio *a, struct room_audio_counts *c)
{
	c->listener_mixes = a->n_mixes;
	c->listener_encoders = a->n_listener_encoders;
	c->talker_encoders = a->n_talker_encoders;
}
