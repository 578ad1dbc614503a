#include "mcu/rtp/payload_vp9.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rtp_batch_pool *batches;
static struct buf_pool *bufs;

enum { AU_BYTES = 200 * 1024, KEY = 0x82, INTER = 0x86 }; /* first octets of frames */

static int setup(void **state)
{
	(void)state;
	return rtp_batch_pool_new(&batches, "batches", 512, 600 * 1024, 4) ||
	       buf_pool_new(&bufs, "bufs", AU_BYTES, 4, 4);
}

static int teardown(void **state)
{
	(void)state;
	rtp_batch_pool_free(&batches);
	buf_pool_free(&bufs);
	return 0;
}

static bool is_same(const struct rtp_vp9_desc *a, const struct rtp_vp9_desc *b)
{
	return a->header_bytes == b->header_bytes && a->inter_picture == b->inter_picture &&
	       a->flexible == b->flexible && a->begins == b->begins && a->ends == b->ends &&
	       a->not_for_upper == b->not_for_upper && a->key == b->key &&
	       a->picture_id == b->picture_id && a->long_picture_id == b->long_picture_id &&
	       a->has_layers == b->has_layers && a->tid == b->tid && a->sid == b->sid &&
	       a->switch_up == b->switch_up && a->inter_layer == b->inter_layer &&
	       a->tl0 == b->tl0 && a->n_refs == b->n_refs &&
	       !memcmp(a->p_diff, b->p_diff, sizeof(a->p_diff)) &&
	       a->has_structure == b->has_structure && a->n_spatial == b->n_spatial &&
	       !memcmp(a->width, b->width, sizeof(a->width)) &&
	       !memcmp(a->height, b->height, sizeof(a->height));
}

/* RFC 9628 4.2, bit by bit. */
static const struct {
	size_t len;
	uint8_t p[32];
	struct rtp_vp9_desc want;
} good[] = {
	{ 2, { 0x0c, KEY }, { .header_bytes = 1, .begins = true, .ends = true,
	  .key = true, .picture_id = -1, .tl0 = -1 } },
	{ 2, { 0x48, INTER }, { .header_bytes = 1, .begins = true, .inter_picture = true,
	  .picture_id = -1, .tl0 = -1 } },
	/* not predicted from other pictures, but no key frame: intra only */
	{ 2, { 0x08, INTER }, { .header_bytes = 1, .begins = true, .picture_id = -1,
	  .tl0 = -1 } },
	{ 2, { 0x05, KEY }, { .header_bytes = 1, .ends = true, .not_for_upper = true,
	  .picture_id = -1, .tl0 = -1 } },
	{ 3, { 0x88, 0x7f, KEY }, { .header_bytes = 2, .begins = true, .key = true,
	  .picture_id = 127, .tl0 = -1 } },
	{ 4, { 0xc8, 0x92, 0x34, INTER }, { .header_bytes = 3, .begins = true,
	  .inter_picture = true, .picture_id = 0x1234, .long_picture_id = true,
	  .tl0 = -1 } },
	/* layers: TID 5, U, SID 2, D; TL0PICIDX */
	{ 4, { 0x68, 0xb5, 0x99, INTER }, { .header_bytes = 3, .begins = true,
	  .inter_picture = true, .picture_id = -1, .has_layers = true, .tid = 5,
	  .switch_up = true, .sid = 2, .inter_layer = true, .tl0 = 0x99 } },
	/* flexible: no TL0PICIDX, but differences */
	{ 7, { 0xf8, 0x05, 0x20, 0x03, 0x07, 0x08, INTER }, { .header_bytes = 6,
	  .begins = true, .flexible = true, .inter_picture = true, .picture_id = 5,
	  .has_layers = true, .tid = 1, .tl0 = -1, .n_refs = 3,
	  .p_diff = { 1, 3, 4 } } },
	/* structure with nothing in it */
	{ 3, { 0x0a, 0x00, KEY }, { .header_bytes = 2, .begins = true, .key = true,
	  .picture_id = -1, .tl0 = -1, .has_structure = true, .n_spatial = 1 } },
	/* two sizes, and a group of two pictures with one and two references */
	{ 17, { 0x0a, 0x38, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 2, 0x04, 1, 0x38, 1, 2,
	  KEY }, { .header_bytes = 16, .begins = true, .key = true, .picture_id = -1,
	  .tl0 = -1, .has_structure = true, .n_spatial = 2, .width = { 320, 640 },
	  .height = { 180, 360 } } },
	/* what Chromium sends: all of it but differences */
	{ 13, { 0xaa, 0xff, 0xff, 0x00, 0x01, 0x18, 5, 0, 2, 0xd0, 1, 0x00, KEY },
	  { .header_bytes = 12, .begins = true, .key = true, .picture_id = 0x7fff,
	  .long_picture_id = true, .has_layers = true, .tl0 = 1, .has_structure = true,
	  .n_spatial = 1, .width = { 1280 }, .height = { 720 } } },
};

static void reads_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rtp_vp9_desc d;

		if (rtp_vp9_parse(&d, good[i].p, good[i].len))
			fail_msg("row %zu is refused", i);
		if (!is_same(&d, &good[i].want))
			fail_msg("row %zu is read wrongly", i);
		for (size_t len = 0; len < good[i].len; len++) {
			uint8_t *cut = malloc(len ? len : 1);

			memcpy(cut, good[i].p, len);
			assert_int_equal(rtp_vp9_parse(&d, cut, len), -EBADMSG);
			free(cut);
		}
	}
}

static void refuses_hostile_descriptors(void **state)
{
	static const struct {
		size_t len;
		uint8_t p[16];
	} rows[] = {
		{ 4, { 0x58, 0x02, 0x00, INTER } },                   /* differences without an id */
		{ 8, { 0xd8, 5, 0x03, 0x03, 0x03, 0x03, 0, INTER } }, /* more than three */
		{ 16, { 0x0a, 0xf0 } },                               /* eight sizes */
		{ 8, { 0x0a, 0x08, 0xff } },                          /* a group of 255 */
		{ 6, { 0x0a, 0x08, 0x01, 0x0c, 1, 2 } },              /* three references */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_vp9_desc d;
		uint8_t *exact = malloc(rows[i].len);

		memcpy(exact, rows[i].p, rows[i].len);
		if (rtp_vp9_parse(&d, exact, rows[i].len) != -EBADMSG)
			fail_msg("row %zu is taken", i);
		free(exact);
	}
}

static void tells_key_frames(void **state)
{
	static const struct {
		uint8_t head;
		bool key;
	} rows[] = {
		{ 0x82, true },  /* profile 0, shown */
		{ 0x80, true },
		{ 0x86, false }, /* inter */
		{ 0x88, false }, /* shows an existing frame */
		{ 0xa2, true },  /* profile 1 */
		{ 0x92, true },  /* profile 2 */
		{ 0xb1, true },  /* profile 3: one more bit */
		{ 0xb2, false }, { 0xb4, false },
		{ 0x42, false }, { 0x02, false }, { 0xc2, false }, /* no frame marker */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rtp_vp9_is_key(&rows[i].head, 1) != rows[i].key)
			fail_msg("%02x", rows[i].head);
	assert_false(rtp_vp9_is_key((const uint8_t *)"", 0));
}

static void cuts_into_equal_parts(void **state)
{
	static const size_t sizes[] = { 1, 63, 99, 100, 198, 199, 1000, 20000 };
	static uint8_t frame[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		struct rtp_vp9_depay d;
		bool key = i % 2 == 0;

		frame[0] = key ? KEY : INTER;
		assert_int_equal(rtp_vp9_packetize(b, frame, sizes[i], 100), 0);
		assert_int_equal(b->n, (sizes[i] + 98) / 99);
		rtp_vp9_depay_begin(&d, au);
		for (unsigned k = 0; k < b->n; k++) {
			bool last = k + 1u == b->n;

			assert_true(b->pkt[k].len <= 100);
			assert_int_equal(b->data[b->pkt[k].off],
					 (key ? 0 : 0x40) | (k ? 0 : 0x08) | (last ? 0x04 : 0));
			assert_int_equal(b->pkt[k].marker, last);
			if (!last)
				assert_int_equal(b->pkt[k].len, b->pkt[0].len);
			assert_int_equal(rtp_vp9_depay_put(&d, b->data + b->pkt[k].off,
							   b->pkt[k].len), 0);
		}
		assert_int_equal(rtp_vp9_depay_end(&d), 0);
		assert_int_equal(d.key, key);
		assert_int_equal(au->len, sizes[i]);
		assert_memory_equal(au->data, frame, sizes[i]);
		buf_unref(&au);
		rtp_batch_unref(&b);
	}
}

static void refuses_what_cannot_be_sent(void **state)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	static uint8_t frame[40000];

	(void)state;
	assert_int_equal(rtp_vp9_packetize(b, frame, 10, 63), -EINVAL);
	assert_int_equal(rtp_vp9_packetize(b, frame, 10, 65536), -EINVAL);
	assert_int_equal(rtp_vp9_packetize(b, frame, 0, 100), -EBADMSG);
	assert_int_equal(rtp_vp9_packetize(b, frame, sizeof(frame), 64), -ENOSPC);
	rtp_batch_unref(&b);
}

/* One packet of a layer's frame: n octets behind a descriptor with layers. */
static int put_layer(struct rtp_vp9_depay *d, uint8_t bits, uint8_t sid, uint8_t head, size_t n)
{
	static uint8_t p[1000];

	memset(p, head, sizeof(p));
	p[0] = (uint8_t)(0x20 | bits);
	p[1] = (uint8_t)(sid << 1 | (sid > 0));
	p[2] = 9;
	return rtp_vp9_depay_put(d, p, 3 + n);
}

static void spatial_layers_become_a_superframe(void **state)
{
	struct buf *au = buf_get(bufs);
	struct rtp_vp9_depay d;
	/* annex B: 3 frames, 2 octets each, little endian */
	static const uint8_t index[] = { 0xca, 3, 0, 0x84, 3, 5, 0, 0xca };

	(void)state;
	rtp_vp9_depay_begin(&d, au);
	assert_int_equal(put_layer(&d, 0x0c, 0, KEY, 3), 0);
	assert_int_equal(put_layer(&d, 0x08, 1, INTER, 450), 0);
	assert_int_equal(put_layer(&d, 0x04, 1, INTER, 450), 0);
	assert_int_equal(put_layer(&d, 0x0c, 2, INTER, 5), 0);
	assert_int_equal(rtp_vp9_depay_end(&d), 0);
	assert_true(d.key);
	assert_int_equal(au->len, 3 + 900 + 5 + sizeof(index));
	assert_int_equal(au->data[0], KEY);
	assert_int_equal(au->data[3], INTER);
	assert_memory_equal(au->data + 908, index, sizeof(index));
	buf_unref(&au);
}

static void refuses_frames_out_of_order(void **state)
{
	struct buf *au = buf_get(bufs);
	struct rtp_vp9_depay d;

	(void)state;
	rtp_vp9_depay_begin(&d, au);
	assert_int_equal(rtp_vp9_depay_end(&d), -EBADMSG);
	assert_int_equal(put_layer(&d, 0x04, 0, KEY, 3), -EBADMSG); /* no beginning */
	assert_int_equal(put_layer(&d, 0x08, 0, KEY, 3), 0);
	assert_int_equal(rtp_vp9_depay_end(&d), -EBADMSG); /* no end */
	assert_int_equal(put_layer(&d, 0x08, 0, KEY, 3), -EBADMSG); /* begins twice */
	assert_int_equal(put_layer(&d, 0x04, 0, KEY, 3), 0);
	for (uint8_t sid = 1; sid < 8; sid++)
		assert_int_equal(put_layer(&d, 0x0c, sid, INTER, 3), 0);
	assert_int_equal(put_layer(&d, 0x0c, 7, INTER, 3), -EBADMSG); /* a ninth */
	buf_unref(&au);
}

static void the_index_must_fit_too(void **state)
{
	struct buf *au = buf_get(bufs);
	struct rtp_vp9_depay d;

	(void)state;
	au->len = au->cap - RTP_AU_TAIL - 8;
	rtp_vp9_depay_begin(&d, au);
	assert_int_equal(put_layer(&d, 0x0c, 0, KEY, 3), 0);
	assert_int_equal(put_layer(&d, 0x0c, 1, INTER, 6), -EMSGSIZE);
	rtp_vp9_depay_begin(&d, au);
	assert_int_equal(put_layer(&d, 0x0c, 0, KEY, 2), 0);
	assert_int_equal(put_layer(&d, 0x0c, 1, INTER, 2), 0);
	assert_int_equal(rtp_vp9_depay_end(&d), -EMSGSIZE);
	buf_unref(&au);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_descriptors),
		cmocka_unit_test(refuses_hostile_descriptors),
		cmocka_unit_test(tells_key_frames),
		cmocka_unit_test(cuts_into_equal_parts),
		cmocka_unit_test(refuses_what_cannot_be_sent),
		cmocka_unit_test(spatial_layers_become_a_superframe),
		cmocka_unit_test(refuses_frames_out_of_order),
		cmocka_unit_test(the_index_must_fit_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
