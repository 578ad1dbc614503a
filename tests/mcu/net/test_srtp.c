/* The protector and the inbound side against libsrtp2, octet by octet. */
#include "mcu/net/srtp_out.h"

#include "tests/mcu/net/srtp_rig.h"

/* One packet through both; returns its length. */
static size_t compare_rtp(struct srtp_out *out, srtp_t lib, uint32_t ssrc, uint16_t seq,
			  unsigned csrcs, unsigned ext, size_t payload_len)
{
	uint8_t hdr[128], payload[MAX], ours[MAX], theirs[MAX];
	size_t hdr_len = make_header(hdr, ssrc, seq, csrcs, ext);
	int n = (int)(hdr_len + payload_len), got;

	rnd_fill(payload, payload_len);
	memcpy(theirs, hdr, hdr_len);
	memcpy(theirs + hdr_len, payload, payload_len);
	assert_int_equal(srtp_protect(lib, theirs, &n), srtp_err_status_ok);
	got = srtp_out_rtp(out, ours, sizeof ours, hdr, hdr_len, payload, payload_len);
	assert_int_equal(got, n);
	assert_memory_equal(ours, theirs, (size_t)n);
	return (size_t)got;
}

/* Three roll-overs, two streams at different paces, every kind of header. */
static void test_rtp_equals_libsrtp2(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		srtp_t lib = make_lib(&k, ssrc_any_outbound);
		struct srtp_out *out;

		assert_int_equal(srtp_out_new(&out, &k), 0);
		for (uint32_t i = 0; i < 3 * 65536 + 100; i += 1 + i % 97) {
			uint16_t seq = (uint16_t)(i + 30000);
			size_t len = i % 1201;

			compare_rtp(out, lib, SSRC, seq, i % 3, i % 5, len);
			if (i % 2)
				compare_rtp(out, lib, SSRC + 1, (uint16_t)(i / 2), 0, 2, i % 50);
		}
		srtp_out_free(&out);
		assert_null(out);
		srtp_dealloc(lib);
	}
}

static void test_retransmission_is_identical(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		static uint8_t first[300][200];
		uint8_t hdr[12], again[200], payload[100];
		struct srtp_out *out;

		assert_int_equal(srtp_out_new(&out, &k), 0);
		for (uint32_t i = 0; i < 300; i++) {
			make_header(hdr, SSRC, (uint16_t)(65400 + i), 0, 0);
			memset(payload, (int)i, sizeof payload);
			assert_true(srtp_out_rtp(out, first[i], 200, hdr, 12, payload, 100) > 0);
		}
		/* from both sides of the roll-over, and the newest itself */
		for (uint32_t i = 0; i < 300; i += 13) {
			make_header(hdr, SSRC, (uint16_t)(65400 + i), 0, 0);
			memset(payload, (int)i, sizeof payload);
			int n = srtp_out_rtp(out, again, 200, hdr, 12, payload, 100);

			assert_true(n > 0);
			assert_memory_equal(again, first[i], (size_t)n);
		}
		make_header(hdr, SSRC, 65399, 0, 0); /* was never sent: before the first */
		assert_int_equal(srtp_out_rtp(out, again, 200, hdr, 12, payload, 100), -EINVAL);
		srtp_out_free(&out);
	}
}

static void test_out_limits(void **state)
{
	struct srtp_keys k = make_keys(SRTP_PROFILE_GCM);
	uint8_t hdr[12], buf[200], payload[100] = { 0 };
	struct srtp_out *out;

	(void)state;
	assert_int_equal(srtp_out_new(&out, &k), 0);
	make_header(hdr, SSRC, 1, 0, 0);
	assert_int_equal(srtp_out_rtp(out, buf, 127, hdr, 12, payload, 100), -EMSGSIZE);
	assert_int_equal(srtp_out_rtp(out, buf, 128, hdr, 12, payload, 100), 128);
	assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 11, payload, 100), -EINVAL);
	for (uint32_t i = 1; i < SRTP_OUT_STREAMS; i++) {
		make_header(hdr, SSRC + i, 1, 0, 0);
		assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 12, payload, 100), 128);
	}
	make_header(hdr, SSRC + SRTP_OUT_STREAMS, 1, 0, 0);
	assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 12, payload, 100), -ENOSPC);
	assert_int_equal(srtp_out_rtcp(out, buf, 200, payload, 7), -EINVAL);
	assert_int_equal(srtp_out_rtcp(out, buf, 119, payload, 100), -EMSGSIZE);
	assert_int_equal(srtp_out_rtcp(out, buf, 120, payload, 100), 120);
	srtp_out_free(&out);
	k.profile = (enum srtp_profile)3;
	assert_int_equal(srtp_out_new(&out, &k), -EINVAL);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Sanitizer builds watch the law that an index is used for one packet only. */
static void test_index_used_twice(void **state)
{
	struct srtp_keys k = make_keys(SRTP_PROFILE_GCM);
	uint8_t hdr[12], buf[200], payload[100] = { 0 };
	struct srtp_out *out;

	(void)state;
	assert_int_equal(srtp_out_new(&out, &k), 0);
	make_header(hdr, SSRC, 1, 0, 0);
	assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 12, payload, 100), 128);
	assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 12, payload, 100), 128);
	payload[50] = 1;
	assert_int_equal(srtp_out_rtp(out, buf, 200, hdr, 12, payload, 100), -EEXIST);
	srtp_out_free(&out);
}
#endif

static size_t make_rtcp(uint8_t *p, uint32_t ssrc, size_t words)
{
	memset(p, 0, 4 * (words + 2));
	p[0] = 0x80;
	p[1] = 201;
	p[3] = (uint8_t)(words + 1);
	srtp_put32(p + 4, ssrc);
	rnd_fill(p + 8, 4 * words);
	return 8 + 4 * words;
}

static void test_rtcp_equals_libsrtp2(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		srtp_t lib = make_lib(&k, ssrc_any_outbound);
		struct srtp_out *out;
		uint8_t plain[600], ours[700], theirs[700];

		assert_int_equal(srtp_out_new(&out, &k), 0);
		for (size_t i = 0; i < 300; i++) {
			size_t len = make_rtcp(plain, SSRC, i % 120);
			int n = (int)len, got;

			memcpy(theirs, plain, len);
			assert_int_equal(srtp_protect_rtcp(lib, theirs, &n), srtp_err_status_ok);
			got = srtp_out_rtcp(out, ours, sizeof ours, plain, len);
			assert_int_equal(got, n);
			assert_memory_equal(ours, theirs, (size_t)n);
		}
		srtp_out_free(&out);
		srtp_dealloc(lib);
	}
}

/* What libsrtp2 sent, both inbound sides open; each rejects it a second time. */
static void test_rtcp_in_from_libsrtp2(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		srtp_t lib = make_lib(&k, ssrc_any_outbound);
		struct srtp_in *in[2];
		uint8_t plain[200], sent[300], got[300];

		assert_int_equal(srtp_in_new(&in[0], &k, false), 0);
		assert_int_equal(srtp_in_new(&in[1], &k, true), 0);
		for (size_t i = 0; i < 400; i++) {
			size_t len = make_rtcp(plain, SSRC + (uint32_t)(i % 3), i % 40), n;
			int sent_len = (int)len;

			memcpy(sent, plain, len);
			assert_int_equal(srtp_protect_rtcp(lib, sent, &sent_len),
					 srtp_err_status_ok);
			for (int s = 0; s < 2; s++) {
				for (int twice = 0; twice < 2; twice++) {
					n = (size_t)sent_len;
					memcpy(got, sent, n);
					assert_int_equal(srtp_in_rtcp(in[s], got, &n),
							 twice ? -EALREADY : 0);
				}
				memcpy(got, sent, n = (size_t)sent_len);
			}
		}
		for (int s = 0; s < 2; s++)
			srtp_in_free(&in[s]);
		srtp_dealloc(lib);
	}
}

static void protect(struct srtp_out *out, uint8_t *sent, size_t *len, uint32_t ssrc)
{
	uint8_t plain[100];
	size_t n = make_rtcp(plain, ssrc, 10);
	int got = srtp_out_rtcp(out, sent, 200, plain, n);

	assert_true(got > 0);
	*len = (size_t)got;
}

/* A window of 64 behind the newest index, per SSRC. */
static void test_rtcp_replay_window(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		static uint8_t sent[200][200];
		size_t len[200], n;
		uint8_t got[200];
		struct srtp_out *out;
		struct srtp_in *in;

#define OPEN(i) (n = len[i], memcpy(got, sent[i], n), srtp_in_rtcp(in, got, &n))
		assert_int_equal(srtp_out_new(&out, &k), 0);
		assert_int_equal(srtp_in_new(&in, &k, false), 0);
		for (size_t i = 0; i < 200; i++)
			protect(out, sent[i], &len[i], SSRC);
		assert_int_equal(OPEN(0), 0);
		assert_int_equal(OPEN(100), 0);
		assert_int_equal(OPEN(100), -EALREADY);
		assert_int_equal(OPEN(36), -EALREADY); /* 64 behind: too old */
		assert_int_equal(OPEN(37), 0);
		assert_int_equal(OPEN(37), -EALREADY);
		assert_int_equal(OPEN(99), 0);
		assert_int_equal(OPEN(199), 0);
		assert_int_equal(OPEN(100), -EALREADY);
		assert_int_equal(OPEN(198), 0);
		assert_int_equal(OPEN(198), -EALREADY);
#undef OPEN
		srtp_in_free(&in);
		srtp_out_free(&out);
	}
}

/* A viewer that begins to publish: what it has sent of RTCP is not taken again. */
static void test_publishing_keeps_the_rtcp_window(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		uint8_t rtcp[200], got[200], rtp[200] = { 0x80, 111 };
		struct srtp_out *out;
		struct srtp_in *in;
		size_t len, n;

		assert_int_equal(srtp_out_new(&out, &k), 0);
		assert_int_equal(srtp_in_new(&in, &k, false), 0);
		protect(out, rtcp, &len, SSRC);
		memcpy(got, rtcp, n = len);
		assert_int_equal(srtp_in_rtcp(in, got, &n), 0);
		n = 100;
		assert_int_equal(srtp_in_rtp(in, rtp, &n), -ENOTSUP);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(srtp_in_publish(in, &k), 0);
			memcpy(got, rtcp, n = len);
			assert_int_equal(srtp_in_rtcp(in, got, &n), -EALREADY);
			n = 100;
			assert_int_equal(srtp_in_rtp(in, rtp, &n), -EACCES);
		}
		srtp_in_free(&in);
		srtp_out_free(&out);
	}
}

/* Every single flipped bit of a packet is noticed, and nothing is entered. */
static void test_rtcp_forgery(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		for (int publishes = 0; publishes < 2; publishes++) {
			struct srtp_keys k = make_keys(profiles[p]);
			uint8_t sent[200], got[200];
			struct srtp_out *out;
			struct srtp_in *in;
			size_t len, n;

			assert_int_equal(srtp_out_new(&out, &k), 0);
			assert_int_equal(srtp_in_new(&in, &k, publishes), 0);
			protect(out, sent, &len, SSRC);
			for (size_t bit = 0; bit < 8 * len; bit++) {
				memcpy(got, sent, n = len);
				got[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_true(srtp_in_rtcp(in, got, &n) < 0);
			}
			for (n = 0; n < len; n++) {
				size_t cut = n;

				memcpy(got, sent, len);
				assert_true(srtp_in_rtcp(in, got, &cut) < 0);
			}
			memcpy(got, sent, n = len);
			assert_int_equal(srtp_in_rtcp(in, got, &n), 0);
			assert_int_equal(n, 48);
			srtp_in_free(&in);
			srtp_out_free(&out);
		}
	}
}

enum { ALL_SSRCS = SRTP_IN_STREAMS + SRTP_IN_RETIRED };

/* A peer that uses one SSRC after the other. */
struct many {
	struct srtp_in *in;
	struct srtp_cipher *out;
	bool rtcp;
};

/* 0 or what srtp_in said, of the packet of that SSRC and index. */
static int many_put(struct many *m, uint32_t ssrc, uint32_t index)
{
	uint8_t plain[40], sent[120];
	size_t len = make_rtcp(plain, ssrc, 8), n;
	int k;

	if (!m->rtcp)
		make_header(plain, ssrc, (uint16_t)index, 0, 0);
	k = m->rtcp ? srtp_cipher_protect_rtcp(m->out, sent, plain, len, ssrc, index) :
		      srtp_cipher_protect_rtp(m->out, sent, plain, 12, plain + 12, 20, ssrc, index);
	assert_true(k > 0);
	n = (size_t)k;
	return m->rtcp ? srtp_in_rtcp(m->in, sent, &n) : srtp_in_rtp(m->in, sent, &n);
}

/* Those that were heard longest ago make room, and nothing of them can be replayed. */
static void one_ssrc_after_the_other(bool rtcp, enum srtp_profile profile)
{
	enum { FIRST = 100 };
	struct srtp_keys k = make_keys(profile);
	struct many m = { .rtcp = rtcp };

	assert_int_equal(srtp_in_new(&m.in, &k, !rtcp), 0);
	assert_int_equal(srtp_cipher_new(&m.out, &k, rtcp ? SRTP_USE_RTCP : SRTP_USE_RTP), 0);
	for (uint32_t i = 0; i < ALL_SSRCS; i++) {
		assert_int_equal(many_put(&m, SSRC + i, FIRST), 0);
		/* the very first is heard all the time, and stays: late ones of it pass */
		assert_int_equal(many_put(&m, SSRC, FIRST + 2 * (i + 1)), 0);
		assert_int_equal(many_put(&m, SSRC, FIRST + 2 * i + 1), 0);
	}
	assert_int_equal(many_put(&m, SSRC + ALL_SSRCS, FIRST), -ENOSPC);
	assert_int_equal(many_put(&m, SSRC, FIRST), -EALREADY);
	for (uint32_t i = 1; i < ALL_SSRCS; i++) {
		assert_int_equal(many_put(&m, SSRC + i, FIRST), -EALREADY);
		if (i < SRTP_IN_RETIRED)
			assert_int_equal(many_put(&m, SSRC + i, FIRST - 1), -EALREADY);
	}
	/* each may go on, and others are retired for it: once round, and again */
	for (uint32_t n = 1; n <= 2; n++)
		for (uint32_t i = 0; i < ALL_SSRCS; i++) {
			uint32_t at = FIRST + 10 * ALL_SSRCS + n;

			assert_int_equal(many_put(&m, SSRC + i, at), 0);
			assert_int_equal(many_put(&m, SSRC + i, at), -EALREADY);
			assert_int_equal(many_put(&m, SSRC + i, FIRST), -EALREADY);
		}
	assert_int_equal(many_put(&m, SSRC + ALL_SSRCS, FIRST), -ENOSPC);
	srtp_in_free(&m.in);
	srtp_cipher_free(&m.out);
}

static void test_one_ssrc_after_the_other(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++)
		for (int rtcp = 0; rtcp < 2; rtcp++)
			one_ssrc_after_the_other(rtcp, profiles[p]);
}

/* The roll-over of one that comes back is the one it had. */
static void test_a_retired_one_keeps_its_roll_over(void **state)
{
	struct srtp_keys k = make_keys(SRTP_PROFILE_GCM);
	struct many m = { 0 };

	(void)state;
	assert_int_equal(srtp_in_new(&m.in, &k, true), 0);
	assert_int_equal(srtp_cipher_new(&m.out, &k, SRTP_USE_RTP), 0);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(many_put(&m, SSRC, i * 30000), 0);
	for (uint32_t i = 1; i <= SRTP_IN_STREAMS; i++)
		assert_int_equal(many_put(&m, SSRC + i, 1), 0);
	assert_int_equal(many_put(&m, SSRC, 120001), 0);
	assert_int_equal(many_put(&m, SSRC, 119999), -EALREADY); /* late, or a replay */
	assert_int_equal(many_put(&m, SSRC, 150000), 0);
	/* a packet of before the roll-over: of another index now */
	assert_true(many_put(&m, SSRC, 30000) < 0);
	srtp_in_free(&m.in);
	srtp_cipher_free(&m.out);
}

static void test_rtp_round_trip(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		struct srtp_keys k = make_keys(profiles[p]);
		uint8_t hdr[12], payload[1000], sent[1100], got[1100];
		struct srtp_out *out;
		struct srtp_in *in, *mute;
		size_t n;
		int len;

		assert_int_equal(srtp_out_new(&out, &k), 0);
		assert_int_equal(srtp_in_new(&in, &k, true), 0);
		assert_int_equal(srtp_in_new(&mute, &k, false), 0);
		rnd_fill(payload, sizeof payload);
		for (uint32_t i = 0; i < 2 * 65536; i += 31) {
			make_header(hdr, SSRC, (uint16_t)i, 0, 0);
			len = srtp_out_rtp(out, sent, sizeof sent, hdr, 12, payload,
					   sizeof payload);
			memcpy(got, sent, n = (size_t)len);
			assert_int_equal(srtp_in_rtp(in, got, &n), 0);
			assert_int_equal(n, 1012);
			assert_memory_equal(got + 12, payload, sizeof payload);
		}
		memcpy(got, sent, n = (size_t)len);
		assert_int_equal(srtp_in_rtp(in, got, &n), -EALREADY);
		make_header(hdr, SSRC, 7000, 0, 0);
		hdr[3] ^= 1;
		n = (size_t)srtp_out_rtp(out, got, sizeof got, hdr, 12, payload, 100);
		got[20] ^= 1;
		assert_int_equal(srtp_in_rtp(in, got, &n), -EACCES);
		n = (size_t)len;
		assert_int_equal(srtp_in_rtp(mute, sent, &n), -ENOTSUP);
		n = 11;
		assert_int_equal(srtp_in_rtp(in, sent, &n), -EBADMSG);
		srtp_in_free(&in);
		srtp_in_free(&mute);
		srtp_out_free(&out);
	}
}

/* RFC 3711 appendix B.3. */
static void test_key_derivation_vector(void **state)
{
	static const uint8_t key[] = { 0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0,
				       0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE, 0x41, 0x39 };
	static const uint8_t salt[] = { 0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE,
					0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6 };
	static const uint8_t want_key[] = { 0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE,
					    0x10, 0x73, 0x4A, 0xFE, 0x3F, 0xF7, 0xA0, 0x87 };
	static const uint8_t want_salt[] = { 0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C,
					     0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A, 0xE1 };
	static const uint8_t want_auth[] = { 0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71,
					     0x6B, 0x6F, 0xD4, 0xAB, 0x49, 0xAF, 0x25,
					     0x6A, 0x15, 0x6D, 0x38, 0xBA, 0xA4 };
	struct srtp_keys m = { .profile = SRTP_PROFILE_CM };
	struct srtp_session_keys k;

	(void)state;
	memcpy(m.key, key, sizeof key);
	memcpy(m.salt, salt, sizeof salt);
	assert_int_equal(srtp_derive(&k, &m, SRTP_USE_RTP), 0);
	assert_memory_equal(k.key, want_key, sizeof want_key);
	assert_memory_equal(k.salt, want_salt, sizeof want_salt);
	assert_memory_equal(k.auth, want_auth, sizeof want_auth);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Prints only: the cost must not grow with the number of sessions. */
static void measure(enum srtp_profile profile, size_t sessions)
{
	enum { PACKETS = 60000 };
	struct srtp_keys k = make_keys(profile);
	struct srtp_out **out = calloc(sessions, sizeof *out);
	uint8_t hdr[12], payload[1188] = { 0 }, buf[MAX];
	int64_t start;

	assert_non_null(out);
	for (size_t i = 0; i < sessions; i++)
		assert_int_equal(srtp_out_new(&out[i], &k), 0);
	start = cpu_ns();
	for (size_t i = 0; i < PACKETS; i++) {
		make_header(hdr, SSRC, (uint16_t)(i / sessions), 0, 0);
		srtp_out_rtp(out[i % sessions], buf, sizeof buf, hdr, 12, payload, sizeof payload);
	}
	printf("bench srtp_protect_%s_%zu %.0f ns\n", srtp_profile_name(profile), sessions,
	       (double)(cpu_ns() - start) / PACKETS);
	for (size_t i = 0; i < sessions; i++)
		srtp_out_free(&out[i]);
	free(out);
}

static void test_cost(void **state)
{
	(void)state;
	for (size_t p = 0; p < N_PROFILES; p++) {
		measure(profiles[p], 2);
		measure(profiles[p], 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_derivation_vector),
		cmocka_unit_test(test_rtp_equals_libsrtp2),
		cmocka_unit_test(test_retransmission_is_identical),
		cmocka_unit_test(test_out_limits),
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
		cmocka_unit_test(test_index_used_twice),
#endif
		cmocka_unit_test(test_rtcp_equals_libsrtp2),
		cmocka_unit_test(test_rtcp_in_from_libsrtp2),
		cmocka_unit_test(test_rtcp_replay_window),
		cmocka_unit_test(test_publishing_keeps_the_rtcp_window),
		cmocka_unit_test(test_rtcp_forgery),
		cmocka_unit_test(test_one_ssrc_after_the_other),
		cmocka_unit_test(test_a_retired_one_keeps_its_roll_over),
		cmocka_unit_test(test_rtp_round_trip),
		cmocka_unit_test(test_cost),
	};

	/* libsrtp2's NSS loads SQLite and drops it again, which the thread sanitizer's
	 * suppressions by library do not survive. */
	dlopen("libsqlite3.so.0", RTLD_NOW);
	assert(srtp_init() == srtp_err_status_ok);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
