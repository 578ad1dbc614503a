/* RED (RFC 2198) from a sender: copies fill holes; what is odd is ignored. */
#include "mcu/rtp/payload_red.h"
#include "mixer/codec/aenc.h"
#include "tests/mcu/room/audio_in_rig.h"

enum { RED_PT = 63, DEPTH = 2, UNITS = 8 /* 20 ms */ };

/* Sends a packet of 20 ms of the stub's tone with its `depth` predecessors;
 * shift: how far off their time stamps are. */
static void send_red(struct rig *r, int depth, uint8_t copy_pt, uint32_t shift, double arrival_ms)
	ON_THREAD(ROLE_MIXA)
{
	static const uint8_t stub[2] = { UNITS, 1 };
	struct rtp_red_block block[DEPTH + 1];
	uint8_t payload[64];
	struct rtp_packet p = { .pt = RED_PT, .seq = r->seq, .ts = r->ts, .ssrc = r->ssrc,
				.payload = payload };
	struct buf *b = buf_get(r->pool);

	for (int i = 0; i < depth; i++)
		block[i] = (struct rtp_red_block){ .pt = copy_pt, .data = stub, .len = 2,
			.ts_offset = (uint16_t)((uint32_t)((depth - i) * TICK) + shift) };
	block[depth] = (struct rtp_red_block){ .pt = PT, .data = stub, .len = 2 };
	p.payload_len = rtp_red_build(payload, sizeof payload, block, (size_t)depth + 1);
	assert_true(p.payload_len > 0);
	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &p);
	b->tag = audio_tag(CODEC_OPUS, PT, true);
	audio_in_put(r->in, b, at_ms(arrival_ms));
	lose(r, UNITS); /* the numbers go on */
}

/* n packets; of every `of` the first `lost` do not arrive. */
static void run_red(struct rig *r, int depth, int n, int of, int lost, uint32_t shift,
		    uint8_t copy_pt) ON_THREAD(ROLE_MIXA)
{
	for (int i = 0; i < n; i++) {
		if (i > 3 && i % of < lost)
			lose(r, UNITS);
		else
			send_red(r, depth, copy_pt, shift, i * 20);
		play_until(r, i * 20);
		if (i == 10)
			r->max_step = 0;
	}
}

static void test_one_of_three_lost_is_not_heard(void **state)
{
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	run_red(&r, 1, 300, 3, 1, 0, PT);
	assert_int_equal(stats(&r).concealed_samples, 0);
	assert_int_equal(stats(&r).lost, 0);
	assert_int_equal(stats(&r).duplicate, 0);
	assert_in_range(stats(&r).red_used, 96, 98);
	assert_int_equal(stats(&r).fec_used, 0);
	assert_in_range(stats(&r).delay_ms, 20, 80);
	assert_continuous(&r);
	rig_close(&r);
}

static void test_two_in_a_row_need_two_copies(void **state)
{
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	run_red(&r, 2, 400, 5, 2, 0, PT);
	/* Until it waits for the second copy. */
	assert_true(stats(&r).concealed_samples <= 6 * TICK);
	assert_true(stats(&r).red_used > 140);
	assert_continuous(&r);
	rig_close(&r);
	rig_open(&r, false);
	run_red(&r, 1, 400, 5, 2, 0, PT);
	assert_in_range(stats(&r).lost, 70, 82);
	assert_in_range(stats(&r).red_used, 70, 82);
	rig_close(&r);
}

/* In bad order the packet itself comes after its copy and takes its place. */
static void test_the_packet_replaces_its_copy(void **state)
{
	struct rig r;
	uint16_t seq;
	uint32_t ts;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	for (int i = 0; i < 200; i += 2) {
		seq = r.seq;
		ts = r.ts;
		lose(&r, UNITS);
		send_red(&r, 1, PT, 0, i * 20);
		r.seq = seq;
		r.ts = ts;
		send_red(&r, 1, PT, 0, i * 20 + 1);
		lose(&r, UNITS);
		play_until(&r, i * 20 + 20);
	}
	assert_int_equal(stats(&r).red_used, 0);
	assert_int_equal(stats(&r).duplicate, 0);
	assert_int_equal(stats(&r).lost, 0);
	assert_int_equal(stats(&r).overflow, 0);
	rig_close(&r);
}

static void test_odd_copies_are_ignored(void **state)
{
	struct rig r;

	(void)state;
	role_assert_mixa();
	/* Of another payload type. */
	rig_open(&r, false);
	run_red(&r, 1, 100, 3, 1, 0, PT + 1);
	assert_int_equal(stats(&r).red_used, 0);
	assert_int_equal(stats(&r).malformed, 0);
	assert_in_range(stats(&r).lost, 28, 34);
	rig_close(&r);
	/* Time stamps that overlap what is there. */
	rig_open(&r, false);
	run_red(&r, 1, 100, 3, 1, 480, PT);
	assert_int_equal(stats(&r).red_used, 0);
	rig_close(&r);
}

static void put_raw(struct rig *r, const uint8_t *payload, size_t len) ON_THREAD(ROLE_MIXA)
{
	struct rtp_packet p = { .pt = RED_PT, .seq = r->seq, .ts = r->ts, .ssrc = r->ssrc,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(r->pool);

	b->len = rtp_write(b->data, b->cap, &p);
	b->tag = audio_tag(CODEC_OPUS, PT, true);
	audio_in_put(r->in, b, at_ms(0));
}

static void test_broken_red_is_malformed(void **state)
{
	const uint8_t cut[] = { 0x80 | PT, 0, 0 };
	const uint8_t other[] = { PT + 1, UNITS, 1 }, empty[] = { PT }, bad[] = { PT, 200, 1 };
	const uint8_t copy_bad[] = { 0x80 | PT, 0x0f, 0x00, 0x02, PT, 200, 1, UNITS, 1 };
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	put_raw(&r, cut, sizeof cut);
	put_raw(&r, other, sizeof other);
	put_raw(&r, bad, sizeof bad);
	assert_int_equal(stats(&r).malformed, 3);
	put_raw(&r, empty, sizeof empty);
	assert_int_equal(stats(&r).malformed, 3);
	assert_int_equal(stats(&r).received, 0);
	put_raw(&r, copy_bad, sizeof copy_bad);
	assert_int_equal(stats(&r).received, 1);
	rig_close(&r);
}

/* Both kinds of redundancy are there: the copy is the better one. */
static void test_copies_go_before_fec(void **state)
{
	struct aenc_cfg cfg = { .format = CODEC_OPUS, .fec = true, .loss_percent = 20 };
	struct aenc *e = NULL;
	uint8_t data[2][1275], payload[1500];
	size_t len[2] = { 0 };
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int i = 0; i < 300; i++) {
		struct rtp_red_block block[2];
		struct rtp_packet p = { .pt = RED_PT, .seq = r.seq, .ts = r.ts, .ssrc = r.ssrc,
					.payload = payload };
		struct buf *b;
		float pcm[TICK];
		int now = i & 1;

		tone_fill(pcm, TICK, 1, 300, 0.3, i * TICK);
		len[now] = (size_t)aenc_encode_to(e, pcm, data[now], sizeof data[now]);
		block[0] = (struct rtp_red_block){ .pt = PT, .ts_offset = TICK,
						   .data = data[!now], .len = len[!now] };
		block[1] = (struct rtp_red_block){ .pt = PT, .data = data[now], .len = len[now] };
		p.payload_len = i ? rtp_red_build(payload, sizeof payload, block, 2) :
				    rtp_red_build(payload, sizeof payload, block + 1, 1);
		if (i % 4 != 3) {
			b = buf_get(r.pool);
			b->len = rtp_write(b->data, b->cap, &p);
			b->tag = audio_tag(CODEC_OPUS, PT, true);
			audio_in_put(r.in, b, at_ms(i * 20));
		}
		lose(&r, UNITS);
		play_until(&r, i * 20);
	}
	assert_int_equal(stats(&r).fec_used, 0);
	assert_int_equal(stats(&r).concealed_samples, 0);
	assert_in_range(stats(&r).red_used, 72, 75);
	aenc_free(&e);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_three_lost_is_not_heard),
		cmocka_unit_test(test_two_in_a_row_need_two_copies),
		cmocka_unit_test(test_the_packet_replaces_its_copy),
		cmocka_unit_test(test_odd_copies_are_ignored),
		cmocka_unit_test(test_broken_red_is_malformed),
		cmocka_unit_test(test_copies_go_before_fec),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
