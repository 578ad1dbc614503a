#include "mcu/room/room_audio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/audio_out.h"
#include "mcu/room/audio_worker.h"
#include "mcu/room/egress.h"
#include "mcu/room/room_audio_priv.h"
#include "mcu/room/room_ears.h"
#include "mcu/room/sink_sound.h"
#include "mixer/audio/audio_mixer.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/speaker.h"

METRIC_COUNTER(m_no_batch, "mcu_audio_out_dropped_total",
	       "Encoded audio packets dropped because the batch pool was dry.");
METRIC_COUNTER(m_no_encoder, "mcu_audio_encoders_failed_total",
	       "Audio encoders that could not be opened.");

/* How long a leg keeps its own encoder after it was last in the mix. */
enum { HOLD_TICKS = 100, TICKS_PER_S = 50 };
/* Encoded mixes that the shards are woken for: about a millisecond of work, which
 * telephones' codecs hardly make. */
enum { POST_TOGETHER = 12, POST_LITTLE = 1, POST_MUCH = 8 };
enum { FLOATS = 2 * AUDIO_TICK_SAMPLES };
/* Before this one, and this one. */
enum { PAST_TICKS = AUDIO_FORMAT_CYCLE + 1 };
/* Who is in the mix and who was a moment ago must fit on the skip list of the
 * shared packet together: otherwise nobody could be sent it. */
enum { MAX_LEGS = 192, MAX_HELD = RTP_BATCH_SKIP_MAX - MAX_LEGS };

/* One format of the listener mix, while somebody receives it. */
struct listener {
	struct audio_out *out;
	size_t n; /* who gets it in this tick */
};

/* A tick that was. */
struct past {
	int64_t tick, due_ns;
	/* Of the listeners, in the bands that were wanted. */
	float mix[AUDIO_BANDS][FLOATS];
	bool has[AUDIO_BANDS];
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
	struct room_ears ears;
	struct listener listener[AUDIO_FORMAT_N];
	struct sink_sound sinks;
	uint64_t ticks;		/* made so far */
	struct past past[PAST_TICKS]; /* tick number ticks is at ticks % PAST_TICKS */
	uint32_t skip[RTP_BATCH_SKIP_MAX]; /* who has a mix of its own in this tick, in order */
	size_t n_skip;
	float own[FLOATS], middle[AUDIO_TICK_SAMPLES];
	struct audio_out_made made;
	size_t talker_encoders, held; /* held: of this tick */
	unsigned posted;              /* work in batches that no shard was woken for yet */
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
	a->sinks = (struct sink_sound){ .engine = e, .channels = channels };
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
	struct audio_out **out = audio_leg_out(l);

	a->talker_encoders -= *out != NULL;
	audio_out_free(out);
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
		room_ears_forget(&a->ears, old->leg[i].audio);
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

int room_audio_change_ear(struct room_audio *a, const struct ear_change *c)
{
	return room_ears_change(&a->ears, audio_worker_mbox(a->worker), c);
}

void room_audio_chime(struct room_audio *a, const struct prompt *s)
{
	room_ears_chime(&a->ears, audio_worker_mbox(a->worker), s);
}

static void add_sink_job(void *obj, void *arg)
{
	struct room_audio *a = obj;

	role_assert_mixa();
	sink_sound_add(&a->sinks, arg);
}

static void remove_sink_job(void *obj, void *arg)
{
	struct room_audio *a = obj;
	struct sink_link *l = arg;

	role_assert_mixa();
	sink_sound_remove(&a->sinks, l);
	engine_post(a->engine->ctl, l->done, l->obj, NULL);
}

void room_audio_add_sink(struct room_audio *a, struct sink_link *l)
{
	engine_post(audio_worker_mbox(a->worker), add_sink_job, a, l);
}

void room_audio_remove_sink(struct room_audio *a, struct sink_link *l)
{
	engine_post(audio_worker_mbox(a->worker), remove_sink_job, a, l);
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
		audio_out_free(&a->listener[f].out);
	sink_sound_stop(&a->sinks);
	a->routing = NULL;
	engine_post(a->engine->ctl, a->ev.retired, a->obj, old);
	engine_post(a->engine->ctl, a->ev.stopped, a->obj, NULL);
}

void room_audio_stop(struct room_audio *a)
{
	engine_post(audio_worker_mbox(a->worker), stop_job, a, NULL);
}

static struct past *past(struct room_audio *a, unsigned ticks_ago)
{
	return &a->past[(a->ticks + PAST_TICKS - ticks_ago) % PAST_TICKS];
}

/* Of the packet that began then. */
static struct rtp_batch *new_batch(struct room_audio *a, enum audio_format f,
				   const struct audio_due *due)
{
	struct rtp_batch *b = rtp_batch_get(a->engine->audio_batches, 0);
	uint32_t hz = codec_clock_hz(audio_format_codec(f));
	const struct past *began = past(a, due->ticks_ago);

	if (!b) {
		metric_add(&m_no_batch, 1);
		return NULL;
	}
	b->encode_id = audio_format_group(a->room_id, f);
	b->first_index = due->index;
	b->ts = (uint32_t)(began->tick * (hz / TICKS_PER_S)) + due->offset_ms * (hz / 1000);
	b->time_ns = began->due_ns + due->offset_ms * NS_PER_MS;
	return b;
}

static void wake_shards(struct room_audio *a)
{
	for (size_t i = 0; i < a->engine->n_shards && a->posted; i++)
		egress_wake_audio(a->engine->egress[i]);
	a->posted = 0;
}

/* Waking costs more than sending: the first ones do not wait for the whole tick,
 * nor does each wake the shards. Takes the reference. */
static void post_batch(struct room_audio *a, enum audio_format f, struct rtp_batch *b)
{
	enum codec c = audio_format_codec(f);

	for (size_t i = 1; i < a->engine->n_shards; i++)
		egress_post_audio(a->engine->egress[i], rtp_batch_ref(b));
	egress_post_audio(a->engine->egress[0], b);
	a->posted += c == CODEC_PCMU || c == CODEC_PCMA ? POST_LITTLE : POST_MUCH;
	if (a->posted >= POST_TOGETHER * POST_MUCH)
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

/* What an encoder made of a tick goes out. only: to whom alone; 0: to all but those
 * on the list. */
static void send_packets(struct room_audio *a, enum audio_format f,
			 const struct audio_out_packet *p, size_t n, uint32_t only)
{
	struct audio_due due[AUDIO_FORMAT_DUE];
	size_t ends = audio_format_due(f, a->ticks, due);
	struct rtp_batch *b;

	assert(ends == n);
	for (size_t i = 0; i < n; i++) {
		int err = 0;

		if (!p[i].len || !(b = new_batch(a, f, &due[i])))
			continue;
		b->only_leg = only;
		b->comfort = p[i].comfort;
		for (size_t k = 0; !only && k < a->n_skip && !err; k++)
			err = k < RTP_BATCH_SKIP_MAX ? rtp_batch_skip(b, a->skip[k]) : -ENOSPC;
		/* A codec's packet is the payload as it is (RFC 7587, RFC 3551). Nobody may
		 * hear itself: rather nobody hears. */
		if (!err && !rtp_batch_add(b, NULL, 0, p[i].data, p[i].len, p[i].first)) {
			post_batch(a, f, b);
			continue;
		}
		metric_add(&m_no_batch, 1);
		rtp_batch_unref(&b);
	}
}

/* In which a format is encoded; a room of two channels has but one. */
static enum audio_band band_of(const struct room_audio *a, enum audio_format f)
{
	return a->channels == 1 ? audio_format_band(f) : AUDIO_BAND_FULL;
}

/* The listeners' mix of this tick. */
ON_THREAD(ROLE_MIXA) static const float *listeners_mix(struct room_audio *a, enum audio_band band)
{
	struct past *now = past(a, 0);
	const float *mix = audio_mixer_listener(a->mixer, band);

	if (!now->has[band])
		memcpy(now->mix[band], mix,
		       audio_band_tick(band) * (size_t)a->channels * sizeof *mix);
	now->has[band] = true;
	return mix;
}

/* It will go on from the last ticks' sound, which are part of its first packet where
 * that is longer than a tick. clean: from silence, as they may hold what its receiver
 * must not hear; so where nobody has heard that band. */
ON_THREAD(ROLE_MIXA) static struct audio_out *open_out(struct room_audio *a, enum audio_format f,
						       enum audio_band band, bool clean)
{
	static const float silence[FLOATS];
	struct audio_out *o = NULL;

	if (audio_out_new(&o, a->engine, f, band)) {
		metric_add(&m_no_encoder, 1);
		return NULL;
	}
	for (unsigned ago = audio_format_warm_ticks(f, a->ticks); ago; ago--) {
		const struct past *was = past(a, ago);

		audio_out_warm(o, clean || !was->has[band] ? silence
							   : in_format(a, f, was->mix[band]));
	}
	return o;
}

/* Does the leg get a mix of its own this tick? */
ON_THREAD(ROLE_MIXA) static bool has_own(struct room_audio *a, const struct route_leg *r, int64_t tick)
{
	int64_t *hold = audio_leg_hold_tick(r->audio);
	bool has = *audio_leg_out(r->audio) && tick < *hold;

	if (r->sends_audio && audio_mixer_contains(a->mixer, r->id)) {
		*hold = tick + HOLD_TICKS;
		return true;
	}
	if (!has && !room_ears_busy(&a->ears, r->audio))
		return false;
	/* It may be in what the shared packet of this tick began with. */
	if (has && audio_format_ptime_ms(r->format) > AUDIO_FORMAT_TICK_MS &&
	    *hold - tick > HOLD_TICKS - AUDIO_FORMAT_CYCLE)
		return true;
	return a->held++ < MAX_HELD;
}

/* True: the leg has its own mix this tick (and must be skipped by the shared one). */
ON_THREAD(ROLE_MIXA) static bool send_own(struct room_audio *a, const struct route_leg *r, int64_t tick)
{
	struct audio_out **out = audio_leg_out(r->audio);
	enum audio_band band = band_of(a, r->format);
	bool another;
	size_t n;

	if (!has_own(a, r, tick)) {
		close_talker(a, r->audio);
		return false;
	}
	/* Its own sound can be taken out only where it was put in. */
	if (r->sends_audio)
		band = audio_leg_band(r->audio, band);
	/* It negotiated another codec, or sends one. */
	another = *out && (audio_out_format(*out) != r->format || audio_out_band(*out) != band);
	if (another)
		close_talker(a, r->audio);
	if (!*out) {
		*out = open_out(a, r->format, band, another);
		a->talker_encoders += *out != NULL;
	}
	if (!*out)
		return true;
	audio_mixer_minus(a->mixer, r->id, band, a->own);
	room_ears_hear(&a->ears, r->audio, a->own, a->channels, band);
	n = audio_out_tick(*out, in_format(a, r->format, a->own), &a->made);
	send_packets(a, r->format, a->made.packet, n, r->id);
	return true;
}

static bool may_have_own(const struct room_audio *a, const struct route_leg *r) ON_THREAD(ROLE_MIXA)
{
	return may_talk(r) || room_ears_busy(&a->ears, r->audio);
}

/* Before leg i: the encoders of those a little behind it. */
ON_THREAD(ROLE_MIXA) static void prefetch_outs(const struct routing *r, size_t i)
{
	for (unsigned step = 0; step < 2; step++) {
		size_t at = i + 2 * (2 - step);
		const struct audio_out *o =
			at < r->n_legs && may_talk(&r->leg[at]) ? *audio_leg_out(r->leg[at].audio) : NULL;

		if (o)
			audio_out_prefetch(o, step);
	}
}

/* Everybody's own mix, and who takes which shared one. */
ON_THREAD(ROLE_MIXA) static void send_owns(struct room_audio *a, int64_t tick)
{
	a->held = a->n_skip = 0;
	for (size_t i = 0; i < a->routing->n_legs; i++) {
		const struct route_leg *r = &a->routing->leg[i];

		prefetch_outs(a->routing, i);
		/* whoever talks now may take the shared packet that began with this tick */
		if (r->format)
			listeners_mix(a, band_of(a, r->format));
		if (r->format && (!may_have_own(a, r) || !send_own(a, r, tick))) {
			a->listener[r->format].n++;
		} else if (r->format) {
			/* One too many, and nobody gets a shared one: see send_packets. */
			if (a->n_skip < RTP_BATCH_SKIP_MAX)
				a->skip[a->n_skip] = r->id;
			a->n_skip++;
		}
		if (room_ears_settle(&a->ears, r->audio) && !may_talk(r))
			close_talker(a, r->audio);
	}
}

/* The shared packets; what nobody receives is not encoded (L1). */
ON_THREAD(ROLE_MIXA) static size_t send_shared(struct room_audio *a)
{
	enum audio_format sinks = sink_sound_format(&a->sinks);
	const struct audio_out_packet *p = a->made.packet;
	size_t encoders = 0, n;
	const float *mix;

	for (unsigned i = AUDIO_FORMAT_NONE + 1; i < AUDIO_FORMAT_N; i++) {
		enum audio_format f = (enum audio_format)i;
		struct listener *l = &a->listener[i];
		bool for_sinks = sinks && f == sinks;

		if ((l->n || for_sinks) && !l->out)
			l->out = open_out(a, f, band_of(a, f), false);
		else if (!l->n && !for_sinks)
			audio_out_free(&l->out);
		l->n = 0;
		if (!l->out)
			continue;
		mix = listeners_mix(a, band_of(a, f));
		n = audio_out_tick(l->out, in_format(a, f, mix), &a->made);
		send_packets(a, f, p, n, 0);
		if (for_sinks)
			sink_sound_opus(&a->sinks, p, n, past(a, 0)->due_ns,
					audio_out_delay_ns(l->out));
		encoders++;
	}
	return encoders;
}

/* Before leg i: what those a little behind it need is fetched. */
ON_THREAD(ROLE_MIXA) static void prefetch_legs(const struct routing *r, size_t i)
{
	for (unsigned k = 0; k < AUDIO_LEG_PREFETCH_STEPS; k++) {
		size_t at = i + AUDIO_LEG_PREFETCH_STEPS - k;

		if (at < r->n_legs && r->leg[at].sends_audio)
			audio_leg_prefetch(r->leg[at].audio, k);
	}
}

ON_THREAD(ROLE_MIXA) static void mix_legs(struct room_audio *a, int64_t due_ns)
{
	const struct routing *r = a->routing;
	uint32_t speaker;

	audio_mixer_begin(a->mixer);
	for (size_t i = 0; i < r->n_legs; i++) {
		const struct route_leg *l = &r->leg[i];
		const float *pcm;

		prefetch_legs(r, i);
		if (!l->sends_audio || (!l->tones && audio_leg_rest(l->audio)))
			continue;
		/* Who is muted and has no other way to send digits is still listened to. */
		audio_leg_set_muted(l->audio, l->audio_muted && !l->tones);
		audio_leg_set_tones(l->audio, l->tones);
		audio_leg_set_sound(l->audio, &l->sound);
		pcm = audio_leg_tick(l->audio, due_ns);
		/* A leg that has just been muted fades out in one last tick. */
		if (!pcm || (l->audio_muted ? l->tones != NULL : !audio_leg_speaking(l->audio)))
			continue;
		audio_mixer_add(a->mixer, l->id, pcm, audio_leg_level_dbov(l->audio),
				audio_leg_band(l->audio, AUDIO_BAND_FULL));
		speaker_feed(a->speaker, l->id, audio_leg_level_dbov(l->audio),
			     audio_leg_active(l->audio));
	}
	audio_mixer_also(a->mixer, room_ears_also(&a->ears, a->channels));
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
	for (int f = 0; f < AUDIO_FORMAT_N; f++)
		audio_out_free(&a->listener[f].out);
	a->n_mixes = a->n_listener_encoders = a->n_talker_encoders = 0;
}

void room_audio_tick(struct room_audio *a, int64_t tick, int64_t due_ns)
{
	size_t encoders;

	if (!a->routing || (!a->routing->n_legs && !sink_sound_any(&a->sinks))) {
		rest(a);
		return;
	}
	past(a, 0)->tick = tick;
	past(a, 0)->due_ns = due_ns;
	memset(past(a, 0)->has, 0, sizeof past(a, 0)->has);
	mix_legs(a, due_ns);
	send_owns(a, tick);
	encoders = send_shared(a);
	wake_shards(a);
	if (sink_sound_any(&a->sinks))
		sink_sound_tick(&a->sinks, listeners_mix(a, AUDIO_BAND_FULL), due_ns);
	a->ticks++;
	a->n_mixes = 1;
	a->n_listener_encoders = encoders + (a->sinks.aac != NULL);
	a->n_talker_encoders = a->talker_encoders;
}

void room_audio_get_counts(const struct room_audio *a, struct room_audio_counts *c)
{
	c->listener_mixes = a->n_mixes;
	c->listener_encoders = a->n_listener_encoders;
	c->talker_encoders = a->n_talker_encoders;
}
