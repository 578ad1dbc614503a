#include "mcu/net/silence_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, SAMPLES = 160, SSRC = 0x12345678, PT_ULAW = 0, PT_ALAW = 8, BEFORE = 3 };

static const struct transport_silence ulaw = {
	.payload_len = SAMPLES, .pt = PT_ULAW, .code = 0x7c, .mask = 0x7c,
};
static const struct transport_silence alaw = {
	.payload_len = SAMPLES, .pt = PT_ALAW, .code = 0x54, .mask = 0x7e,
};

static int rx = -1, tx = -1;
static uint8_t packet[2048];

static int open_sockets(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	(void)state;
	rx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	tx = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return bind(rx, (struct sockaddr *)&at, len) ||
	       getsockname(rx, (struct sockaddr *)&at, &len) ||
	       connect(tx, (struct sockaddr *)&at, len);
}

static int close_sockets(void **state)
{
	(void)state;
	close(rx);
	close(tx);
	return 0;
}

/* The silence that is dropped but for its number; its length. */
static size_t make(const struct transport_silence *s, uint16_t seq, uint8_t octet)
{
	const uint8_t header[HEADER] = { 0x80, s->pt, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 0,
					 SSRC >> 24, SSRC >> 16 & 0xff, SSRC >> 8 & 0xff, SSRC & 0xff };

	memcpy(packet, header, HEADER);
	memset(packet + HEADER, octet, SAMPLES);
	return HEADER + SAMPLES;
}

/* Whether what is in packet passes; on loopback it is there when it is sent. drops: as the
 * kernel counts them. */
static bool passes(size_t len, uint32_t *drops)
{
	_Alignas(struct cmsghdr) char control[256];
	uint8_t in[sizeof packet];
	struct iovec v = { in, sizeof in };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof control };

	assert_int_equal(send(tx, packet, len, 0), (ssize_t)len);
	if (recvmsg(rx, &m, MSG_DONTWAIT) < 0)
		return false;
	assert_memory_equal(in, packet, len);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c && drops; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(drops, CMSG_DATA(c), sizeof *drops);
	return true;
}

static void set(const struct transport_silence *s)
{
	uint32_t drops = 99;

	assert_int_equal(silence_filter_set(rx, s, &drops), 0);
	assert_int_equal(drops, 0);
}

static void of_silence_every_eighth_passes(void **state)
{
	uint32_t base = 99, counted = 0;

	(void)state;
	for (uint16_t seq = 0; seq < BEFORE; seq++)
		assert_true(passes(make(&ulaw, seq, 0xff), NULL));
	set(&ulaw);
	for (unsigned seq = BEFORE, dropped = 0; seq < 70000; seq++) {
		bool passed = passes(make(&ulaw, (uint16_t)seq, 0xff), &counted);

		assert_int_equal(passed, seq % SILENCE_FILTER_PASSES == 0);
		dropped += !passed;
		if (passed)
			assert_int_equal(counted, dropped);
	}
	/* set anew it says where it begins */
	assert_int_equal(silence_filter_set(rx, &ulaw, &base), 0);
	assert_true(base >= counted);
	silence_filter_clear(rx);
	for (uint16_t seq = 1; seq < 20; seq++)
		assert_true(passes(make(&ulaw, seq, 0xff), NULL));
	silence_filter_clear(rx); /* there is none */
}

/* For every octet; and wherever in the packet sound of 4 ms begins. */
static void check_octets(const struct transport_silence *s, uint8_t silent)
{
	enum { SOUND = 32 };

	set(s);
	for (int octet = 0; octet < 256; octet++) {
		bool faint = (octet & s->mask) == s->code;

		assert_int_equal(passes(make(s, 1, (uint8_t)octet), NULL), !faint);
		for (size_t at = 0; at + SOUND <= SAMPLES; at += 7) {
			size_t len = make(s, 1, silent);

			memset(packet + HEADER + at, octet, SOUND);
			assert_int_equal(passes(len, NULL), !faint);
		}
	}
	for (size_t at = 0; at + SOUND <= SAMPLES; at++) {
		size_t len = make(s, 1, silent);

		memset(packet + HEADER + at, 0x10, SOUND);
		assert_true(passes(len, NULL));
	}
	/* what begins at the end of a packet */
	make(s, 1, silent);
	packet[HEADER + SAMPLES - 1] = 0x10;
	assert_true(passes(HEADER + SAMPLES, NULL));
}

static void sound_passes(void **state)
{
	(void)state;
	check_octets(&ulaw, 0xff);
}

static void sound_passes_in_the_other_law(void **state)
{
	(void)state;
	check_octets(&alaw, 0xd5);
}

static bool changed_passes(size_t at, uint8_t octet)
{
	size_t len = make(&ulaw, 1, 0xff);

	packet[at] = octet;
	return passes(len, NULL);
}

static void what_is_not_that_stream_passes(void **state)
{
	static const uint8_t firsts[] = { 0x00, 0x40, 0xc0, 0x81, 0x90, 0xa0, 0x8f };

	(void)state;
	set(&ulaw);
	assert_false(passes(make(&ulaw, 1, 0xff), NULL));
	for (size_t i = 0; i < sizeof firsts; i++)
		assert_true(changed_passes(0, firsts[i]));
	/* another type; the marker; RTCP */
	for (int pt = 1; pt < 256; pt++)
		assert_true(changed_passes(1, (uint8_t)pt));
	/* whatever its time stamp and source are */
	for (size_t at = 4; at < HEADER; at++)
		assert_false(changed_passes(at, 0x99));
}

static void other_lengths_pass(void **state)
{
	(void)state;
	set(&ulaw);
	memset(packet, 0xff, sizeof packet);
	for (size_t len = 0; len < 1500; len++) {
		if (len >= HEADER)
			make(&ulaw, 1, 0xff);
		assert_int_equal(passes(len, NULL), len != HEADER + SAMPLES);
	}
}

static void some_silences_cannot_be_told(void **state)
{
	struct transport_silence s = ulaw;
	uint32_t drops;

	(void)state;
	for (unsigned len = 0; len < 2000; len++) {
		bool can = len && len % 4 == 0 && len <= SILENCE_FILTER_MOST;

		s.payload_len = (uint16_t)len;
		assert_int_equal(!silence_filter_set(rx, &s, &drops), can);
	}
	assert_true(silence_filter_set(-1, &ulaw, &drops) < 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_sockets, close_sockets)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(of_silence_every_eighth_passes),
		T(sound_passes),
		T(sound_passes_in_the_other_law),
		T(what_is_not_that_stream_passes),
		T(other_lengths_pass),
		T(some_silences_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
