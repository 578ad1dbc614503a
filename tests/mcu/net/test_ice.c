#include "mcu/net/ice.h"

#include "mcu/base/metrics.h"
#include "tests/mcu/net/peer.h"

struct world {
	struct net_shard *shard[2];
	struct dtls_identity *id[2];
	struct peer a, b;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(net_shard_new(&w->shard[i], (unsigned)i, NULL), 0);
		assert_int_equal(dtls_identity_new(&w->id[i], i ? "b.example" : "a.example"), 0);
	}
	peer_init(&w->a, w->shard[0], w->id[0]);
	peer_init(&w->b, w->shard[1], w->id[1]);
	peer_pair(&w->a, &w->b);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	peer_call(&w->a, peer_do_close);
	peer_call(&w->b, peer_do_close);
	for (int i = 0; i < 2; i++)
		net_shard_stop(w->shard[i]); /* what one posts to the other is run before */
	for (int i = 0; i < 2; i++) {
		net_shard_free(&w->shard[i]);
		dtls_identity_free(&w->id[i]);
	}
	peer_done(&w->a);
	peer_done(&w->b);
	free(w);
	return 0;
}

static void open_both(struct world *w)
{
	struct peer *p[2] = { &w->a, &w->b };

	for (int i = 0; i < 2; i++) {
		peer_call(p[i], peer_do_open);
		assert_int_equal(p[i]->result, 0);
	}
	for (int i = 0; i < 2; i++) {
		peer_call(p[i], peer_do_remote);
		assert_int_equal(p[i]->result, 0);
	}
}

static void connect_both(struct world *w)
{
	open_both(w);
	PEER_WAIT(&w->a, w->a.connected);
	PEER_WAIT(&w->b, w->b.connected);
}

static void send_and_expect(struct peer *from, struct peer *to, uint16_t seq, size_t n,
			    uint16_t len, uint16_t last)
{
	unsigned before, bad;

	PEER_READ(to, rtp, &before);
	peer_packets(from, seq, n, len, last);
	peer_call(from, peer_do_send);
	assert_int_equal(from->sent, n);
	PEER_WAIT(to, to->rtp == before + n);
	PEER_READ(to, bad, &bad);
	assert_int_equal(bad, 0);
}

static void exchange(struct world *w)
{
	send_and_expect(&w->a, &w->b, 65000, 40, 1100, 300);
	send_and_expect(&w->b, &w->a, 7, 1, 80, 80);
	peer_call(&w->a, peer_do_rtcp);
	assert_int_equal(w->a.result, 0);
	PEER_WAIT(&w->b, w->b.rtcp == 1);
	peer_call(&w->b, peer_do_rtcp);
	PEER_WAIT(&w->a, w->a.rtcp == 1);
	assert_int_equal(w->a.bad + w->b.bad, 0);
}

static void test_gcm_is_preferred(void **state)
{
	struct world *w = *state;

	connect_both(w);
	assert_string_equal(w->a.profile, "AEAD_AES_128_GCM");
	assert_string_equal(w->b.profile, "AEAD_AES_128_GCM");
	exchange(w);
}

/* Unasked, the loopback serves a machine that has nothing else. */
static void test_whatever_addresses_there_are(void **state)
{
	struct world *w = *state;

	w->a.cfg.loopback = w->b.cfg.loopback = false;
	connect_both(w);
	exchange(w);
}

static void test_cm_and_the_other_role(void **state)
{
	struct world *w = *state;

	w->a.cfg.srtp_profiles = DTLS_PROFILE_CM;
	w->a.remote.setup = TRANSPORT_PASSIVE;
	w->b.remote.setup = TRANSPORT_ACTIVE;
	connect_both(w);
	assert_string_equal(w->a.profile, "AES_CM_128_HMAC_SHA1_80");
	assert_string_equal(w->b.profile, "AES_CM_128_HMAC_SHA1_80");
	exchange(w);
}

static void test_gcm_with_the_controlled_side_active(void **state)
{
	struct world *w = *state;

	w->a.remote.setup = TRANSPORT_PASSIVE;
	w->b.remote.setup = TRANSPORT_ACTIVE;
	connect_both(w);
	assert_string_equal(w->b.profile, "AEAD_AES_128_GCM");
	exchange(w);
}

/* The viewer: RTP from it is refused, its RTCP is opened by the EVP side. */
static void test_receive_only_leg(void **state)
{
	struct world *w = *state;

	w->a.cfg.publishes = false;
	connect_both(w);
	send_and_expect(&w->a, &w->b, 1, 3, 900, 900);
	peer_call(&w->b, peer_do_rtcp);
	PEER_WAIT(&w->a, w->a.rtcp == 1);
	peer_packets(&w->b, 1, 2, 100, 100);
	peer_call(&w->b, peer_do_send);
	peer_call(&w->b, peer_do_rtcp);
	PEER_WAIT(&w->a, w->a.rtcp == 2);
	peer_call(&w->a, peer_do_stats);
	assert_int_equal(w->a.rtp, 0);
	assert_int_equal(w->a.stats.rx_dropped, 2);
	assert_int_equal(w->a.stats.rx_packets, 2);
	assert_int_equal(w->a.bad, 0);
}

static void do_publish(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_ice_publish(p->t);
}

/* A viewer turns its camera on, twice. */
static void test_viewer_begins_to_publish(void **state)
{
	struct world *w = *state;

	w->a.cfg.publishes = false;
	connect_both(w);
	peer_call(&w->b, peer_do_rtcp);
	PEER_WAIT(&w->a, w->a.rtcp == 1);
	for (int i = 0; i < 2; i++) {
		peer_call(&w->a, do_publish);
		assert_int_equal(w->a.result, 0);
	}
	send_and_expect(&w->b, &w->a, 7, 20, 800, 30);
	peer_call(&w->b, peer_do_rtcp);
	PEER_WAIT(&w->a, w->a.rtcp == 2);
}

/* More than the arena holds, in several segmented sends. */
static void test_a_large_run(void **state)
{
	struct world *w = *state;

	connect_both(w);
	for (uint16_t k = 0; k < 10; k++)
		send_and_expect(&w->a, &w->b, (uint16_t)(100 + 100 * k), 100, 1150,
				(uint16_t)(10 + k));
	peer_call(&w->a, peer_do_stats);
	assert_int_equal(w->a.stats.tx_packets, 1000);
	assert_int_equal(w->a.stats.tx_dropped, 0);
}

static void test_wrong_fingerprint(void **state)
{
	struct world *w = *state;

	w->a.remote.fingerprint = dtls_identity_fingerprint(w->id[0]);
	open_both(w);
	PEER_WAIT(&w->a, w->a.closed[0]);
	assert_string_equal(w->a.closed, "fingerprint");
	assert_false(w->a.connected);
}

static void test_wrong_fingerprint_at_the_server(void **state)
{
	struct world *w = *state;

	w->b.remote.fingerprint = dtls_identity_fingerprint(w->id[1]);
	w->b.answer_close = true;
	open_both(w);
	PEER_WAIT(&w->b, w->b.closed[0]);
	assert_string_equal(w->b.closed, "fingerprint");
	assert_false(w->b.connected);
}

static void test_no_common_profile(void **state)
{
	struct world *w = *state;

	w->a.cfg.srtp_profiles = DTLS_PROFILE_CM;
	w->b.cfg.srtp_profiles = DTLS_PROFILE_GCM;
	open_both(w);
	PEER_WAIT(&w->b, w->b.closed[0]);
	PEER_WAIT(&w->a, w->a.closed[0]);
	assert_false(w->a.connected);
	assert_false(w->b.connected);
}

static void test_goodbye(void **state)
{
	struct world *w = *state;

	w->b.answer_close = true;
	connect_both(w);
	peer_call(&w->a, peer_do_close);
	PEER_WAIT(&w->b, w->b.closed[0]);
	assert_string_equal(w->b.closed, "peer");
	assert_false(peer_is_closed(&w->a));
}

static void test_remote_is_checked(void **state)
{
	struct world *w = *state;
	struct transport_remote good = w->a.remote;

	peer_call(&w->a, peer_do_open);
	w->a.remote.fingerprint = "sha-256 AB:CD";
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, -EINVAL);
	w->a.remote.fingerprint = "md2 AB:CD";
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, -ENOTSUP);
	w->a.remote = good;
	w->a.remote.pwd = "short";
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, -EINVAL);
	w->a.remote = good;
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, 0);
	peer_call(&w->a, peer_do_remote); /* a re-offer repeats it */
	assert_int_equal(w->a.result, 0);
	w->a.remote.ufrag = "other";
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, -EALREADY);
}

static void do_candidates(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_add_candidate(p->t, "candidate:1 1 udp 1 0f1e.local 5000 typ host");
	p->result += transport_add_candidate(
		p->t, "candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype active");
	p->result += transport_add_candidate(p->t, "candidate:1 2 udp 1 10.0.0.1 9000 typ host");
	p->result += transport_add_candidate(p->t, "candidate:1 1 udp") != -EBADMSG;
	for (unsigned i = 0; i < 64; i++) {
		char text[80];

		snprintf(text, sizeof text, "candidate:1 1 udp 1 192.0.2.1 %u typ host", 9000 + i);
		p->result += transport_add_candidate(p->t, text);
	}
	p->result += transport_add_candidate(p->t, "candidate:1 1 udp 1 192.0.2.1 99 typ host") !=
		     -ENOSPC;
}

static void test_candidates_are_checked(void **state)
{
	struct world *w = *state;

	peer_call(&w->a, peer_do_open);
	peer_call(&w->a, do_candidates);
	assert_int_equal(w->a.result, 0);
}

static void test_public_address(void **state)
{
	struct world *w = *state;

	w->a.cfg.public_address = "203.0.113.7";
	w->a.cfg.port_min = 42000;
	w->a.cfg.port_max = 42099;
	peer_call(&w->a, peer_do_open);
	PEER_WAIT(&w->a, w->a.gathered);
	/* A machine with only a loopback has nothing to map. */
	if (w->a.candidates > 1) {
		assert_true(w->a.mapped > 0);
		assert_non_null(strstr(w->a.last_candidate, "42"));
	}
}

/* Two opens of a peer, one that never hears of the other. */
static void test_closed_before_anything(void **state)
{
	struct world *w = *state;

	peer_call(&w->a, peer_do_open);
	peer_call(&w->a, peer_do_close);
	assert_null(w->a.t);
	peer_call(&w->a, peer_do_open);
	peer_call(&w->a, peer_do_remote);
	peer_call(&w->a, peer_do_close);
	assert_false(peer_is_closed(&w->a));
}

static void test_not_connected(void **state)
{
	struct world *w = *state;

	peer_call(&w->a, peer_do_open);
	peer_packets(&w->a, 1, 2, 100, 100);
	peer_call(&w->a, peer_do_send);
	assert_int_equal(w->a.sent, 0);
	peer_call(&w->a, peer_do_rtcp);
	assert_int_equal(w->a.result, -ENOTCONN);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_gcm_is_preferred),
		T(test_whatever_addresses_there_are),
		T(test_cm_and_the_other_role),
		T(test_gcm_with_the_controlled_side_active),
		T(test_receive_only_leg),
		T(test_viewer_begins_to_publish),
		T(test_a_large_run),
		T(test_wrong_fingerprint),
		T(test_wrong_fingerprint_at_the_server),
		T(test_no_common_profile),
		T(test_goodbye),
		T(test_remote_is_checked),
		T(test_candidates_are_checked),
		T(test_public_address),
		T(test_closed_before_anything),
		T(test_not_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
