#include "mcu/net/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "mcu/base/clock.h"

/* Datagrams on their way to the other side. */
struct wire {
	uint8_t octets[64][1300];
	size_t len[64], n;
	size_t longest;
};

struct side {
	struct dtls_identity *id;
	struct dtls *d;
	struct wire out;
};

static struct side sides[2];

/* The injected clock: OpenSSL asks this one for the time of its timers. */
static int64_t now_us = 1700000000000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	(void)tz;
	*tv = (struct timeval){ .tv_sec = now_us / 1000000, .tv_usec = now_us % 1000000 };
	return 0;
}

static void on_output(void *obj, const uint8_t *p, size_t len)
{
	struct wire *w = obj;

	if (w->n == 64 || len > sizeof w->octets[0])
		return;
	memcpy(w->octets[w->n], p, len);
	w->len[w->n++] = len;
	if (len > w->longest)
		w->longest = len;
}

static int setup(void **state)
{
	(void)state;
	memset(sides, 0, sizeof sides);
	for (int i = 0; i < 2; i++)
		assert_int_equal(dtls_identity_new(&sides[i].id, "test.example"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		dtls_free(&sides[i].d);
		dtls_identity_free(&sides[i].id);
	}
	return 0;
}

static void open_side(int i, const char *fingerprint, unsigned profiles)
{
	assert_int_equal(
		dtls_new(&sides[i].d, sides[i].id, i ? TRANSPORT_PASSIVE : TRANSPORT_ACTIVE,
			 fingerprint ? fingerprint : dtls_identity_fingerprint(sides[1 - i].id),
			 profiles, on_output, &sides[i].out),
		0);
}

/* Hands over what side i has sent; every drop-th datagram is lost (0: none). */
static enum dtls_state deliver(int i, size_t drop)
{
	static struct wire w;
	enum dtls_state st = DTLS_HANDSHAKE;
	static size_t count;

	w = sides[i].out;
	sides[i].out.n = 0;
	for (size_t k = 0; k < w.n; k++)
		if (drop == 0 || ++count % drop)
			st = dtls_input(sides[1 - i].d, w.octets[k], w.len[k]);
	return st;
}

static void shake_hands(void)
{
	dtls_start(sides[0].d);
	dtls_start(sides[1].d);
	for (int i = 0; i < 12; i++)
		deliver(i & 1, 0);
}

static void expect_keys(enum srtp_profile profile)
{
	struct srtp_keys l[2], r[2];

	for (int i = 0; i < 2; i++)
		dtls_keys(sides[i].d, &l[i], &r[i]);
	assert_int_equal(l[0].profile, profile);
	assert_memory_equal(&l[0], &r[1], sizeof l[0]);
	assert_memory_equal(&l[1], &r[0], sizeof l[0]);
	assert_memory_not_equal(l[0].key, l[1].key, sizeof l[0].key);
}

static void test_profiles(void **state)
{
	static const struct {
		unsigned active, passive;
		enum srtp_profile want;
	} row[] = {
		{ 0, 0, SRTP_PROFILE_GCM },
		{ DTLS_PROFILE_CM, 0, SRTP_PROFILE_CM },
		{ 0, DTLS_PROFILE_CM, SRTP_PROFILE_CM },
		{ DTLS_PROFILE_GCM, 0, SRTP_PROFILE_GCM },
		{ DTLS_PROFILE_GCM | DTLS_PROFILE_CM, DTLS_PROFILE_GCM, SRTP_PROFILE_GCM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		open_side(0, NULL, row[i].active);
		open_side(1, NULL, row[i].passive);
		shake_hands();
		expect_keys(row[i].want);
		assert_int_equal(dtls_timeout_in_ns(sides[0].d), -1);
		assert_in_range(sides[1].out.longest, 200, TRANSPORT_MTU);
		dtls_free(&sides[0].d);
		dtls_free(&sides[1].d);
	}
}

static void test_no_common_profile(void **state)
{
	(void)state;
	open_side(0, NULL, DTLS_PROFILE_CM);
	open_side(1, NULL, DTLS_PROFILE_GCM);
	shake_hands();
	assert_string_equal(dtls_closed_reason(sides[1].d), TRANSPORT_CLOSED_PROFILE);
	assert_non_null(dtls_closed_reason(sides[0].d));
}

static void test_fingerprints(void **state)
{
	char lower[DTLS_FINGERPRINT_BYTES];

	(void)state;
	snprintf(lower, sizeof lower, "SHA-256 %s", dtls_identity_fingerprint(sides[1].id) + 8);
	for (char *p = lower + 8; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + 'a' - 'A');
	open_side(0, lower, 0);
	open_side(1, dtls_identity_fingerprint(sides[1].id), 0); /* its own: wrong */
	shake_hands();
	assert_string_equal(dtls_closed_reason(sides[1].d), TRANSPORT_CLOSED_FINGERPRINT);
	/* The other side was content, and is told. */
	assert_non_null(dtls_closed_reason(sides[0].d));
}

static void test_fingerprint_texts(void **state)
{
	char good[DTLS_FINGERPRINT_BYTES];

	(void)state;
	snprintf(good, sizeof good, "%s", dtls_identity_fingerprint(sides[0].id));
	assert_int_equal(strlen(good), DTLS_FINGERPRINT_BYTES - 1);
	assert_int_equal(dtls_fingerprint_check(good), 0);
	good[strlen(good) - 1] = '\0';
	assert_int_equal(dtls_fingerprint_check(good), -EINVAL);
	assert_int_equal(dtls_fingerprint_check("sha-256"), -EINVAL);
	assert_int_equal(dtls_fingerprint_check("sha-256 "), -EINVAL);
	assert_int_equal(dtls_fingerprint_check("sha-256 AA:BB:"), -EINVAL);
	assert_int_equal(dtls_fingerprint_check("sha-1 AA:BB"), -ENOTSUP);
	assert_int_equal(dtls_fingerprint_check(""), -EINVAL);
	assert_int_equal(dtls_fingerprint_check(NULL), -EINVAL);
}

/* The flight is sent again when the timer says so; losses are made up for. */
static void test_retransmission(void **state)
{
	(void)state;
	open_side(0, NULL, 0);
	open_side(1, NULL, 0);
	dtls_start(sides[0].d);
	assert_true(sides[0].out.n > 0);
	sides[0].out.n = 0; /* the hello is lost */
	assert_int_equal(dtls_timeout_in_ns(sides[0].d), 250 * NS_PER_MS);
	assert_int_equal(dtls_timeout_in_ns(sides[1].d), -1);
	assert_int_equal(dtls_timeout(sides[0].d), DTLS_HANDSHAKE); /* too early: nothing */
	assert_int_equal(sides[0].out.n, 0);
	now_us += 250000;
	assert_int_equal(dtls_timeout_in_ns(sides[0].d), 0);
	assert_int_equal(dtls_timeout(sides[0].d), DTLS_HANDSHAKE);
	assert_true(sides[0].out.n > 0);
	assert_int_equal(dtls_timeout_in_ns(sides[0].d), 500 * NS_PER_MS);
	for (int i = 0; i < 12; i++)
		deliver(i & 1, 0);
	expect_keys(SRTP_PROFILE_GCM);
}

/* Every third datagram is lost: the timers of both sides bring it to an end. */
static void test_lossy_path(void **state)
{
	struct srtp_keys k, l;

	(void)state;
	open_side(0, NULL, 0);
	open_side(1, NULL, 0);
	dtls_start(sides[0].d);
	dtls_start(sides[1].d);
	for (int i = 0; i < 60; i++) {
		deliver(i & 1, 3);
		now_us += 300000;
		for (int k2 = 0; k2 < 2; k2++)
			if (dtls_timeout_in_ns(sides[k2].d) == 0)
				assert_int_not_equal(dtls_timeout(sides[k2].d), DTLS_CLOSED);
	}
	expect_keys(SRTP_PROFILE_GCM);
	dtls_keys(sides[0].d, &k, &l);
	assert_int_equal(k.profile, SRTP_PROFILE_GCM);
}

/* Nobody answers: it ends by itself. */
static void test_gives_up(void **state)
{
	int tries = 0;

	(void)state;
	open_side(0, NULL, 0);
	dtls_start(sides[0].d);
	do {
		sides[0].out.n = 0;
		now_us += dtls_timeout_in_ns(sides[0].d) / 1000;
	} while (dtls_timeout(sides[0].d) == DTLS_HANDSHAKE && ++tries < 30);
	assert_in_range(tries, 5, 20);
	assert_string_equal(dtls_closed_reason(sides[0].d), TRANSPORT_CLOSED_DTLS);
	assert_int_equal(dtls_timeout_in_ns(sides[0].d), -1);
}

static void test_goodbye(void **state)
{
	(void)state;
	open_side(0, NULL, 0);
	open_side(1, NULL, 0);
	shake_hands();
	dtls_goodbye(sides[0].d);
	assert_int_equal(deliver(0, 0), DTLS_CLOSED);
	assert_string_equal(dtls_closed_reason(sides[1].d), TRANSPORT_CLOSED_PEER);
	dtls_goodbye(sides[0].d); /* twice is nothing */
}

/* Noise of every kind neither ends the handshake nor the connection. */
static void test_noise(void **state)
{
	uint8_t junk[1400];
	uint32_t r = 3;

	(void)state;
	open_side(0, NULL, 0);
	open_side(1, NULL, 0);
	dtls_start(sides[0].d);
	dtls_start(sides[1].d);
	for (int round = 0; round < 12; round++) {
		for (int k = 0; k < 50; k++) {
			for (size_t i = 0; i < sizeof junk; i++)
				junk[i] = (uint8_t)((r = r * 1664525 + 1013904223) >> 24);
			/* alerts (21) in the clear could end a handshake: not those */
			junk[0] = (uint8_t)(64 + k % 150);
			assert_true(dtls_input(sides[k & 1].d, junk, 1 + r % sizeof junk) !=
				    DTLS_CLOSED);
		}
		deliver(round & 1, 0);
	}
	expect_keys(SRTP_PROFILE_GCM);
}

static void test_pem_files(void **state)
{
	char dir[] = "/tmp/mcu-test-XXXXXX", cert[64], key[64];
	struct dtls_identity *id = NULL;
	struct stat st;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(cert, sizeof cert, "%s/cert.pem", dir);
	snprintf(key, sizeof key, "%s/key.pem", dir);
	assert_int_equal(dtls_identity_load(&id, cert, key), -ENOENT);
	assert_int_equal(dtls_identity_write_pem(sides[0].id, cert, key), 0);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(dtls_identity_load(&id, cert, key), 0);
	assert_string_equal(dtls_identity_fingerprint(id), dtls_identity_fingerprint(sides[0].id));
	dtls_identity_free(&id);
	assert_int_equal(dtls_identity_write_pem(sides[1].id, cert, "/nonexistent/key"), -ENOENT);
	assert_int_equal(dtls_identity_write_pem(sides[1].id, cert, key), 0); /* replaces */
	assert_int_equal(dtls_identity_load(&id, cert, key), 0);
	assert_string_equal(dtls_identity_fingerprint(id), dtls_identity_fingerprint(sides[1].id));
	dtls_identity_free(&id);
	f = fopen(cert, "w");
	assert_non_null(f);
	fputs("no certificate\n", f);
	fclose(f);
	assert_int_equal(dtls_identity_load(&id, cert, key), -EBADMSG);
	unlink(cert);
	unlink(key);
	assert_int_equal(rmdir(dir), 0);
}

static void test_names(void **state)
{
	struct dtls_identity *id = NULL;

	(void)state;
	assert_int_equal(dtls_identity_new(&id, ""), -EINVAL);
	assert_int_equal(dtls_identity_new(&id, NULL), -EINVAL);
	assert_int_equal(dtls_identity_new(&id, "a,DNS:b"), -EINVAL);
	assert_null(id);
	assert_string_not_equal(dtls_identity_fingerprint(sides[0].id),
				dtls_identity_fingerprint(sides[1].id));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_profiles),	T(test_no_common_profile),
		T(test_fingerprints),	T(test_fingerprint_texts),
		T(test_retransmission), T(test_lossy_path),
		T(test_gives_up),	T(test_goodbye),
		T(test_noise),		T(test_pem_files),
		T(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
