/* Streams of which frames may be lost without harm: every frame that comes out
 * refers only to frames that came out, by a model of the encoder. */
#include "mcu/rtp/video_rx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/mcu/rtp/video_rx_harness.h"

enum { FRAMES_MAX = 2048, LAYERS = 3, PART = 300, NONE = -1 };

struct frame {
	int refs[LAYERS]; /* numbers of frames, or NONE */
	unsigned tid;
	bool key, given;
};

static struct frame made[FRAMES_MAX];

struct encoder {
	enum codec codec;
	bool layered;
	bool sync_ok, free_ok;  /* use Y or U, and N */
	int newest[LAYERS];     /* that later frames may refer to */
	uint8_t tl0;
	unsigned seed, place;
};

static void start(struct encoder *e, enum codec codec, bool layered)
{
	static const struct video_rx_cfg cfg = {
		.nack = true,
		.format = { { 96, CODEC_VP8 }, { 98, CODEC_VP9 } },
		.n_formats = 2,
	};

	open_rx(&cfg);
	memset(made, 0, sizeof(made));
	*e = (struct encoder){ .codec = codec, .layered = layered, .sync_ok = true,
			       .free_ok = true, .tl0 = 250, .seed = 5 };
}

static unsigned dice(struct encoder *e, unsigned n)
{
	return (unsigned)rand_r(&e->seed) / 64 % n;
}

static size_t write_desc(const struct encoder *e, uint8_t *p, bool first, bool last, bool free,
			 bool sync)
{
	const struct frame *f = &made[frame_no];
	size_t n = 0;

	if (e->codec == CODEC_VP8) {
		p[n++] = (uint8_t)((e->layered ? 0x80 : 0) | free << 5 | first << 4);
		if (!e->layered)
			return n;
		p[n++] = 0xe0;
	} else {
		p[n++] = (uint8_t)(0xa0 | !f->key << 6 | first << 3 | last << 2);
	}
	p[n++] = (uint8_t)(0x80 | frame_no >> 8);
	p[n++] = (uint8_t)frame_no;
	if (e->codec == CODEC_VP8) {
		p[n++] = e->tl0;
		p[n++] = (uint8_t)(f->tid << 6 | (sync ? 0x20u : 0));
	} else {
		p[n++] = (uint8_t)(f->tid << 5 | (sync ? 0x10u : 0));
		p[n++] = e->tl0;
	}
	return n;
}

static void send_parts(const struct encoder *e, size_t parts, bool free, bool sync)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	uint8_t p[PART];

	for (size_t i = 0; i < parts; i++) {
		bool key = made[frame_no].key, last = i + 1 == parts;
		size_t n = write_desc(e, p, i == 0, last, free, sync);

		memset(p + n, (int)frame_no, sizeof(p) - n);
		p[n] = e->codec == CODEC_VP8 ? !key : key ? 0x82 : 0x86;
		assert_int_equal(rtp_batch_add(b, NULL, 0, p, sizeof(p), last), 0);
	}
	pt = e->codec == CODEC_VP8 ? 96 : 98;
	remember(b, ts0 + frame_no * 3000);
	rtp_batch_unref(&b);
	frame_no++;
	now += FRAME_MS * MS;
}

/* The next frame, of layers 0 2 1 2 in turn; its packets are [first, seq). */
static uint16_t encode(struct encoder *e, bool key, size_t parts)
{
	static const unsigned tids[] = { 0, 2, 1, 2 };
	struct frame *f = &made[frame_no];
	bool sync, free;
	uint16_t first = seq;

	assert_true(frame_no < FRAMES_MAX);
	if (key)
		e->place = 0;
	f->key = key;
	f->tid = e->layered ? tids[e->place++ % 4] : 0;
	e->tl0 = (uint8_t)(e->tl0 + (e->layered && !f->tid));
	sync = e->sync_ok && dice(e, 4) == 0;
	free = e->free_ok && e->codec == CODEC_VP8 && !key && (f->tid == 2 || !e->layered) &&
	       dice(e, 3) == 0;
	for (unsigned l = 0; l < LAYERS; l++) {
		f->refs[l] = key || l > f->tid ? NONE : e->newest[l];
		/* Y: of the base layer alone */
		if (e->codec == CODEC_VP8 && sync && f->tid && l > 0)
			f->refs[l] = NONE;
		if (key)
			e->newest[l] = NONE;
		/* U: nothing of higher layers before this one counts any more */
		if (e->codec == CODEC_VP9 && sync && l > f->tid)
			e->newest[l] = NONE;
	}
	if (!free)
		e->newest[f->tid] = (int)frame_no;
	send_parts(e, parts, free, sync);
	return first;
}

static size_t take_all(void)
{
	struct video_au au;
	size_t n = 0;

	for (; video_rx_pop(rx, &au); n++) {
		uint32_t k = (au.rtp_ts - ts0) / 3000;

		assert_true(k < frame_no);
		assert_int_equal(au.key, made[k].key);
		assert_true(any_frame ? k > last_frame : au.key);
		for (unsigned l = 0; l < LAYERS; l++)
			if (!made[k].key && made[k].refs[l] != NONE &&
			    !made[made[k].refs[l]].given)
				fail_msg("frame %u of layer %u refers to %d, which was lost", k,
					 made[k].tid, made[k].refs[l]);
		any_frame = true;
		last_frame = k;
		made[k].given = true;
		buf_unref(&au.buf);
	}
	popped += n;
	return n;
}

static void send_next(struct encoder *e, bool key, size_t parts)
{
	uint16_t first = encode(e, key, parts);

	deliver_range(first, seq);
	take_all();
}

/* A period of layers, complete. */
static void begin(struct encoder *e, enum codec codec)
{
	start(e, codec, true);
	e->sync_ok = e->free_ok = false;
	send_next(e, true, 3);
	for (int i = 0; i < 3; i++)
		send_next(e, false, 1);
	assert_int_equal(popped, 4);
}

static void lost_upper_layers_cost_only_themselves(void **state)
{
	static const enum codec codecs[] = { CODEC_VP8, CODEC_VP9 };

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct encoder e;

		begin(&e, codecs[c]);
		send_next(&e, false, 1);          /* 0 */
		encode(&e, false, 1);             /* 2: lost */
		send_next(&e, false, 1);          /* 1: waits for it */
		assert_int_equal(popped, 5);
		now += 250 * MS;
		assert_false(tick().pli);
		take_all();
		/* which layer was lost is not known */
		assert_int_equal(popped, 5);
		send_next(&e, false, 1);          /* 2 */
		send_next(&e, false, 1);          /* 0 */
		assert_int_equal(popped, 6);
		assert_false(tick().pli);
		assert_int_equal(video_rx_stats(rx)->stepped_over, 1);
		send_next(&e, false, 1);          /* 2 */
		assert_int_equal(popped, 6);
		e.sync_ok = true;
		for (int i = 0; i < 200; i++)
			send_next(&e, false, 1);
		assert_true(popped > 180);        /* all layers came back */
		assert_int_equal(video_rx_stats(rx)->plis, 0);
	}
}

static void a_lost_base_needs_a_key_frame(void **state)
{
	struct encoder e;

	(void)state;
	begin(&e, CODEC_VP8);
	encode(&e, false, 1);
	for (int i = 0; i < 8; i++)
		send_next(&e, false, 1);
	now += 250 * MS;
	assert_true(tick().pli);
	take_all();
	assert_int_equal(popped, 4);
	send_next(&e, true, 2);
	assert_int_equal(popped, 5);
	/* part of it, too */
	for (int i = 0; i < 3; i++)
		send_next(&e, false, 1);
	deliver(encode(&e, false, 2));
	send_next(&e, false, 1);
	now += 250 * MS;
	tick();
	take_all();
	assert_true(video_rx_waits_for_key(rx));
}

static void a_hole_in_one_upper_frame(void **state)
{
	struct encoder e;
	uint16_t first;

	(void)state;
	begin(&e, CODEC_VP8);
	send_next(&e, false, 1);
	first = encode(&e, false, 3); /* layer 2, its middle lost */
	deliver(first);
	deliver((uint16_t)(first + 2));
	send_next(&e, false, 1);      /* layer 1 is none of that */
	now += 250 * MS;
	assert_false(tick().pli);
	take_all();
	assert_int_equal(popped, 6);
}

static void non_reference_frames_without_layers(void **state)
{
	struct encoder e;
	unsigned stepped = 0;

	(void)state;
	start(&e, CODEC_VP8, false);
	send_next(&e, true, 3);
	while (frame_no < 60) {
		uint16_t first = encode(&e, false, 3);

		/* of those that nothing refers to, the middle is lost */
		for (uint16_t q = first; q != seq; q++)
			if (q != (uint16_t)(first + 1) || e.newest[0] == (int)frame_no - 1)
				deliver(q);
		stepped += e.newest[0] != (int)frame_no - 1;
		tick();
		take_all();
	}
	send_next(&e, false, 1);
	now += 250 * MS;
	assert_false(tick().pli);
	take_all();
	assert_true(stepped > 5);
	assert_int_equal(popped, 61 - stepped);
	/* all of one lost: nobody knows what it was */
	encode(&e, false, 1);
	send_next(&e, false, 1);
	now += 250 * MS;
	assert_true(tick().pli);
}

/* Loss without repair, at random. */
static void bad_networks(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 24; run++) {
		enum codec codec = run % 2 ? CODEC_VP9 : CODEC_VP8;
		unsigned loss = 2 + run / 2 % 4 * 4, upper = 0;
		int64_t key_at = 0;
		struct encoder e;

		start(&e, codec, codec == CODEC_VP9 || run % 3);
		e.seed = run;
		while (frame_no < 1500) {
			bool key = frame_no == 0 || (key_at && now >= key_at);
			uint16_t first = encode(&e, key, 1 + dice(&e, 3));

			key_at = key ? 0 : key_at;
			for (uint16_t q = first; q != seq; q++)
				if (dice(&e, 100) >= loss)
					deliver(q);
			if (tick().pli && !key_at)
				key_at = now + 40 * MS;
			take_all();
		}
		for (unsigned i = 0; i < frame_no; i++)
			upper += made[i].given && made[i].tid > 0;
		assert_true(popped > 150);
		if (e.layered) {
			assert_true(video_rx_stats(rx)->stepped_over > 3);
			assert_true(upper > 50);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(lost_upper_layers_cost_only_themselves),
		T(a_lost_base_needs_a_key_frame),
		T(a_hole_in_one_upper_frame),
		T(non_reference_frames_without_layers),
		T(bad_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
