/* What is received, against libsrtp2. */
#include "mcu/net/srtp_in.h"

#include "tests/mcu/net/srtp_rig.h"

#include "mcu/net/srtp_out.h"

/* What comes twice, late, in leaps and with other bits: libsrtp2's verdict and
 * text, packet by packet. The sender counts without roll-over of its own. */
static void test_rtp_in_equals_libsrtp2(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		srtp_t lib = make_lib(&k, ssrc_any_inbound);
		struct srtp_cipher *c;
		struct srtp_in *in;
		uint64_t at[2] = { 20000, 65000 };
		size_t accepted = 0, refused = 0;

		assert_int_equal(srtp_cipher_new(&c, &k, SRTP_USE_RTP), 0);
		assert_int_equal(srtp_in_new(&in, &k, true), 0);
		for (unsigned i = 0; i < 120000; i++) {
			unsigned who = rnd() & 1, what = rnd(), far = rnd();
			uint64_t index = at[who] += what < 250 ? what % 8 : 300;
			uint8_t hdr[128], payload[64], ours[MAX], theirs[MAX];
			size_t hdr_len, n, len = rnd() % 64;
			int got, lib_len;

			if (far < 60 && index > 3000)
				index -= far * (far < 30 ? 3u : 40u);
			hdr_len = make_header(hdr, SSRC + who, (uint16_t)index, i % 3, i % 4);
			rnd_fill(payload, len);
			lib_len = got = srtp_cipher_protect_rtp(c, ours, hdr, hdr_len, payload, len,
								SSRC + who, index);
			assert_true(got > 0);
			if (far == 255)
				ours[rnd() % (unsigned)got] ^= 4;
			memcpy(theirs, ours, n = (size_t)got);
			got = srtp_in_rtp(in, ours, &n);
			if (srtp_unprotect(lib, theirs, &lib_len)) {
				assert_true(got < 0);
				refused++;
				continue;
			}
			assert_int_equal(got, 0);
			assert_int_equal(n, lib_len);
			assert_memory_equal(ours, theirs, n);
			accepted++;
		}
		assert_true(accepted > 50000 && refused > 5000);
		assert_true(at[0] > 5 * 65536);
		srtp_in_free(&in);
		srtp_cipher_free(&c);
		srtp_dealloc(lib);
	}
}

/* Every flipped bit and every cut is noticed, and nothing is entered. */
static void test_rtp_forgery(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		uint8_t hdr[64], sent[200], got[200], payload[40];
		size_t hdr_len = make_header(hdr, SSRC, 77, 1, 2), n;
		struct srtp_out *out;
		struct srtp_in *in;
		int len;

		assert_int_equal(srtp_out_new(&out, &k), 0);
		assert_int_equal(srtp_in_new(&in, &k, true), 0);
		rnd_fill(payload, sizeof payload);
		len = srtp_out_rtp(out, sent, sizeof sent, hdr, hdr_len, payload, sizeof payload);
		for (int bit = 0; bit < 8 * len; bit++) {
			memcpy(got, sent, n = (size_t)len);
			got[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(srtp_in_rtp(in, got, &n) < 0);
		}
		for (size_t cut = 0; cut < (size_t)len; cut++) {
			memcpy(got, sent, n = cut);
			assert_true(srtp_in_rtp(in, got, &n) < 0);
		}
		memcpy(got, sent, n = (size_t)len);
		assert_int_equal(srtp_in_rtp(in, got, &n), 0);
		assert_memory_equal(got + hdr_len, payload, sizeof payload);
		srtp_in_free(&in);
		srtp_out_free(&out);
	}
}

/* A window of 1024 behind the newest, of each SSRC. */
static void test_rtp_replay_window(void **state)
{
	uint8_t hdr[12], sent[64], got[64];
	struct srtp_keys k = make_keys(SRTP_PROFILE_GCM);
	struct srtp_cipher *c;
	struct srtp_in *in;
	size_t n;

	(void)state;
#define OPEN_AS(ssrc, i)                                                                           \
	(make_header(hdr, ssrc, (uint16_t)(i), 0, 0),                                              \
	 n = (size_t)srtp_cipher_protect_rtp(c, sent, hdr, 12, hdr, 8, ssrc, i),                    \
	 memcpy(got, sent, n), srtp_in_rtp(in, got, &n))
#define OPEN(i) OPEN_AS(SSRC, i)
	assert_int_equal(srtp_cipher_new(&c, &k, SRTP_USE_RTP), 0);
	assert_int_equal(srtp_in_new(&in, &k, true), 0);
	assert_int_equal(OPEN(65000), 0);
	assert_int_equal(OPEN(66000), 0); /* rolled over */
	assert_int_equal(OPEN(65000), -EALREADY);
	assert_int_equal(OPEN(66000 - SRTP_IN_RTP_WINDOW), -EALREADY);
	assert_int_equal(OPEN(66001 - SRTP_IN_RTP_WINDOW), 0);
	assert_int_equal(OPEN(66001 - SRTP_IN_RTP_WINDOW), -EALREADY);
	assert_int_equal(OPEN(66000 + 32000), 0); /* everything in between is open */
	assert_int_equal(OPEN(66000 + 32000 - 1023), 0);
	assert_int_equal(OPEN(66000 + 32000 - 1000), 0);
	for (uint32_t i = 1; i < SRTP_IN_STREAMS; i++)
		assert_int_equal(OPEN_AS(SSRC + i, 5), 0);
	assert_int_equal(OPEN_AS(SSRC + SRTP_IN_STREAMS, 5), 0); /* one is retired for it */
	assert_int_equal(OPEN_AS(SSRC + 1, 6), 0);
#undef OPEN
#undef OPEN_AS
	srtp_in_free(&in);
	srtp_cipher_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtp_in_equals_libsrtp2),
		cmocka_unit_test(test_rtp_forgery),
		cmocka_unit_test(test_rtp_replay_window),
	};

	/* libsrtp2's NSS loads SQLite and drops it again, which the thread sanitizer's
	 * suppressions by library do not survive. */
	dlopen("libsqlite3.so.0", RTLD_NOW);
	assert(srtp_init() == srtp_err_status_ok);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
