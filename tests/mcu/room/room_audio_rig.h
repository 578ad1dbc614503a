/* A room's sound without threads or network: legs that send Opus into their
 * rings, a worker that the test ticks, and receivers that decode what the shard
 * would have sent them. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_ROOM_AUDIO_RIG_H
#define TESTS_MCU_ROOM_ROOM_AUDIO_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mcu/room/audio_format.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/audio_worker.h"
#include "mcu/room/egress.h"
#include "mcu/room/room_audio.h"
#include "mcu/room/room_audio_priv.h"
#include "mcu/rtp/packet.h"
#include "mixer/codec/adec.h"
#include "mixer/codec/aenc.h"
#include "tests/support/tone.h"

enum { TICK = AUDIO_TICK_SAMPLES, PT = 111, MAX_LEGS = 300, HEARD_TICKS = 10, START_S = 100 };

struct person {
	uint32_t id;
	struct audio_leg *leg;
	struct aenc *enc; /* what it speaks with; NULL: never */
	struct adec *dec; /* what it hears with; NULL: only counted */
	double hz;        /* 0: it says nothing */
	double hz2;       /* beside it; 0: nothing */
	bool tones;	  /* digits are listened for in its sound */
	bool sends, hears, muted, away;
	enum codec speaks;         /* its packets are of */
	enum audio_format format;  /* that it hears */
	size_t out_ch, in_ch;      /* channels of enc; of dec and heard */
	unsigned sides;            /* it talks on: 1 left, 2 right, 3 both */
	uint16_t seq;
	uint32_t ts, ssrc; /* ssrc: beside its id */
	unsigned own, shared; /* packets of the last tick */
	uint32_t batch_ts;    /* of the newest */
	uint32_t batch_index; /* likewise */
	int64_t batch_ns;     /* likewise */
	size_t batch_len;     /* likewise: octets */
	unsigned comforts;    /* packets of comfort noise */
	bool marked;          /* likewise: its marker */
	uint64_t packets;     /* in all */
	double volume;        /* it speaks so loud; 0: 0.2 */
	struct route_sound sound;
	uint64_t gaps;        /* ticks without a packet */
	float heard[HEARD_TICKS * TICK * 2]; /* the newest sound, in_ch channels */
};

struct rig {
	struct engine e;
	struct mbox *ctl, *worker;
	struct room_audio *rooms, *room;
	struct buf_pool *packets;
	struct person *who[MAX_LEGS];
	size_t n;
	int64_t tick, woken; /* woken: the tick in which the shards were last */
	uint64_t seq;
	int channels;
	unsigned shared; /* shared packets of the last tick */
	size_t retired, stopped, speakers;
	uint32_t speaker;
};

static struct rig *the;

/* --- what the room's sound calls ---------------------------------------------- */

void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	assert_int_equal(mbox_post(m, fn, obj, arg), 0);
}

struct mbox *audio_worker_mbox(struct audio_worker *w)
{
	(void)w;
	return the->worker;
}

struct room_audio **audio_worker_rooms(struct audio_worker *w)
{
	(void)w;
	return &the->rooms;
}

static inline void hear(struct person *p, const struct rtp_batch *b)
{
	size_t n = 48 * (size_t)audio_format_ptime_ms(p->format);
	int got;

	assert_int_equal(b->n, 1);
	/* Each is the next one, wherever it came from, and lasts as it should. */
	if (p->batch_index && b->first_index == p->batch_index + 1)
		assert_int_equal(b->ts - p->batch_ts,
				 n * codec_clock_hz(audio_format_codec(p->format)) / 48000);
	assert_true(!p->packets || b->first_index != p->batch_index);
	p->batch_index = b->first_index;
	p->batch_ns = b->time_ns;
	p->batch_len = b->pkt[0].len;
	p->comforts += b->comfort;
	p->batch_ts = b->ts;
	p->marked = b->pkt[0].marker;
	p->packets++;
	if (b->only_leg)
		p->own++;
	else
		p->shared++;
	if (!p->dec || b->comfort)
		return;
	memmove(p->heard, p->heard + n * p->in_ch,
		(HEARD_TICKS * TICK - n) * p->in_ch * sizeof p->heard[0]);
	got = adec_decode(p->dec, b->data + b->pkt[0].off, b->pkt[0].len,
			  p->heard + (HEARD_TICKS * TICK - n) * p->in_ch, n);
	assert_int_equal(got, n);
}

void egress_post_audio(struct egress *x, struct rtp_batch *b)
{
	(void)x;
	the->shared += !b->only_leg;
	for (size_t i = 0; i < the->n; i++) {
		struct person *p = the->who[i];

		if (!p->hears || p->away || !rtp_batch_is_for(b, p->id))
			continue;
		if (b->encode_id == audio_format_group(1, p->format))
			hear(p, b);
		else
			assert_int_equal(b->only_leg, 0); /* own mixes are in the own format */
	}
	rtp_batch_unref(&b);
}

void egress_wake_audio(struct egress *x)
{
	(void)x;
	the->woken = the->tick;
}

static inline void on_retired(void *obj, void *arg)
{
	struct routing *r = arg;

	((struct rig *)obj)->retired++;
	routing_free(&r);
}

static inline void on_speaker(void *obj, void *arg)
{
	((struct rig *)obj)->speakers++;
	((struct rig *)obj)->speaker = (uint32_t)(uintptr_t)arg;
}

static inline void on_stopped(void *obj, void *arg)
{
	(void)arg;
	((struct rig *)obj)->stopped++;
}

/* --- the room ----------------------------------------------------------------- */

static inline struct rig *rig_open_with(int channels, size_t max_talkers) ON_THREAD(ROLE_CTL)
{
	static const struct room_audio_events ev = {
		.retired = on_retired, .speaker = on_speaker, .stopped = on_stopped,
	};
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	the = r;
	assert_int_equal(mbox_new(&r->ctl, 4096), 0);
	assert_int_equal(mbox_new(&r->worker, 64), 0);
	assert_int_equal(buf_pool_new(&r->packets, "test", 1600, 32768, 1024), 0);
	r->e = (struct engine){
		.cfg = { .listener_bps = 64000, .audio_complexity = 5, .recording_audio_bps = 64000,
			 .max_talkers = max_talkers },
		.ctl = r->ctl, .n_shards = 1, .n_audio = 1,
	};
	assert_int_equal(buf_pool_new(&r->e.sound_pool, "sound", 4096, 64, 64), 0);
	assert_int_equal(rtp_batch_pool_new(&r->e.audio_batches, "audio", RTP_BATCH_AUDIO_PACKETS,
					    RTP_BATCH_AUDIO_BYTES, 64), 0);
	assert_int_equal(room_audio_new(&r->room, &r->e, 1, channels, &ev, r), 0);
	r->channels = channels;
	return r;
}

static inline struct rig *rig_open_channels(int channels) ON_THREAD(ROLE_CTL)
{
	return rig_open_with(channels, 0);
}

static inline struct rig *rig_open(void) ON_THREAD(ROLE_CTL)
{
	return rig_open_channels(1);
}

/* One with another codec, both ways; hz 0: it says nothing. */
static inline struct person *person_add_format(struct rig *r, double hz, bool decodes,
					       enum audio_format f) ON_THREAD(ROLE_CTL)
{
	struct aenc_cfg cfg = {
		.format = audio_format_codec(f), .bitrate_bps = 64000,
		.channels = audio_format_channels(f),
	};
	struct person *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->id = (uint32_t)r->n + 1;
	p->hz = hz;
	p->sends = hz > 0;
	p->hears = true;
	p->format = f;
	p->speaks = cfg.format;
	p->out_ch = p->in_ch = (size_t)cfg.channels;
	p->sides = 3;
	assert_int_equal(audio_leg_new(&p->leg, &r->e, r->channels), 0);
	if (hz > 0)
		assert_int_equal(aenc_new(&p->enc, &cfg), 0);
	if (decodes)
		assert_int_equal(adec_new(&p->dec, cfg.format, cfg.channels), 0);
	r->who[r->n++] = p;
	return p;
}

static inline struct person *person_add(struct rig *r, double hz, bool decodes)
	ON_THREAD(ROLE_CTL)
{
	return person_add_format(r, hz, decodes, AUDIO_FORMAT_OPUS);
}

static inline void rig_route(struct rig *r) ON_THREAD(ROLE_CTL)
{
	size_t n = 0;
	struct routing *s;

	for (size_t i = 0; i < r->n; i++)
		n += !r->who[i]->away;
	s = routing_new(++r->seq, n, 0);
	assert_non_null(s);
	for (size_t i = 0, k = 0; i < r->n; i++) {
		const struct person *p = r->who[i];

		if (p->away)
			continue;
		if (p->sends)
			assert_int_equal(audio_leg_receive(p->leg), 0);
		s->leg[k++] = (struct route_leg){
			.id = p->id, .audio = p->leg, .audio_muted = p->muted,
			.sends_audio = p->sends, .sound = p->sound,
			.tones = p->tones ? audio_leg_tones(p->leg) : NULL,
			.format = p->hears ? p->format : AUDIO_FORMAT_NONE,
		};
	}
	room_audio_route(r->room, s);
	mbox_run(r->worker);
	mbox_run(r->ctl);
}

static inline void say(struct rig *r, struct person *p, const uint8_t *payload, size_t len)
	ON_THREAD(ROLE_NET)
{
	struct rtp_packet h = { .pt = PT, .seq = p->seq++, .ts = p->ts, .ssrc = p->id + p->ssrc,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(r->packets);

	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &h);
	b->tag = audio_tag(p->speaks, PT, false);
	b->time_ns = START_S * NS_PER_S + r->tick * 20 * NS_PER_MS;
	audio_leg_put(p->leg, b);
}

static inline void speak(struct rig *r, struct person *p) ON_THREAD(ROLE_NET)
{
	uint8_t packet[1275];
	float pcm[TICK * 2] = { 0 };
	int len;

	p->ts += TICK * codec_clock_hz(p->speaks) / 48000;
	if (!p->enc || p->hz <= 0)
		return;
	for (size_t c = 0; c < p->out_ch; c++)
		if (p->sides & 1u << c)
			tone_fill(pcm + c, TICK, p->out_ch, p->hz,
				  p->volume > 0 ? p->volume : 0.2, r->tick * TICK);
	for (size_t i = 0; i < TICK && p->hz2 > 0; i++)
		pcm[i] += (float)((p->volume > 0 ? p->volume : 0.2) *
				  sin(2 * M_PI * p->hz2 * (double)(r->tick * TICK + (int64_t)i) / 48000));
	len = aenc_encode_to(p->enc, pcm, packet, sizeof packet);
	assert_true(len > 0);
	say(r, p, packet, (size_t)len);
}

static inline void rig_tick(struct rig *r)
{
	role_assert_net();
	role_assert_mixa();
	for (size_t i = 0; i < r->n; i++) {
		r->who[i]->own = r->who[i]->shared = 0;
		if (!r->who[i]->away)
			speak(r, r->who[i]);
	}
	r->shared = 0;
	room_audio_tick(r->room, r->tick, START_S * NS_PER_S + r->tick * 20 * NS_PER_MS);
	for (size_t i = 0; i < r->n; i++)
		assert_true(!r->who[i]->own || r->woken == r->tick);
	assert_true(!r->shared || r->woken == r->tick);
	r->tick++;
	mbox_run(r->ctl);
	for (size_t i = 0; i < r->n; i++) {
		struct person *p = r->who[i];
		struct audio_due when[AUDIO_FORMAT_DUE];
		size_t due;

		/* As many packets as there shall be, of one kind. */
		due = audio_format_due(p->format, (uint64_t)r->tick - 1, when);
		assert_true(p->own + p->shared <= due && !(p->own && p->shared));
		p->gaps += p->hears && !p->away && p->own + p->shared < due;
	}
}

static inline void rig_ticks(struct rig *r, int n)
{
	for (int i = 0; i < n; i++)
		rig_tick(r);
}

/* side: 0 left, 1 right */
static inline double heard_on(const struct person *p, size_t side, double hz)
{
	return tone_amplitude(p->heard + (p->in_ch == 2 ? side : 0), HEARD_TICKS * TICK, p->in_ch,
			      hz);
}

static inline double heard(const struct person *p, double hz)
{
	return heard_on(p, 0, hz);
}

static inline struct room_audio_counts rig_counts(const struct rig *r)
{
	struct room_audio_counts c;

	room_audio_get_counts(r->room, &c);
	return c;
}

static inline void rig_close(struct rig *r)
{
	role_assert_ctl();
	room_audio_stop(r->room);
	mbox_run(r->worker);
	mbox_run(r->ctl);
	assert_int_equal(r->stopped, 1);
	assert_null(r->rooms);
	room_audio_free(&r->room);
	for (size_t i = 0; i < r->n; i++) {
		audio_leg_free(&r->who[i]->leg);
		aenc_free(&r->who[i]->enc);
		adec_free(&r->who[i]->dec);
		free(r->who[i]);
	}
	assert_int_equal(rtp_batch_pool_in_use(r->e.audio_batches), 0);
	rtp_batch_pool_free(&r->e.audio_batches);
	buf_pool_free(&r->e.sound_pool);
	buf_pool_free(&r->packets);
	mbox_free(&r->worker);
	mbox_free(&r->ctl);
	free(r);
}

#endif
