/* ICE restarts: media stays on the old pair until the new one works, DTLS and
 * SRTP go on, and a pair that is dead or given up is replaced. */
#include "mcu/net/ice.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/net/ice_transport.h"
#include "tests/mcu/net/peer.h"

struct world {
	struct net_shard *shard[2];
	struct dtls_identity *id[2];
	struct peer a, b;
	uint16_t seq;
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
	w->seq = 100;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	peer_call(&w->a, peer_do_close);
	peer_call(&w->b, peer_do_close);
	for (int i = 0; i < 2; i++)
		net_shard_stop(w->shard[i]);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(buf_pool_in_use(net_shard_packets(w->shard[i])), 0);
		net_shard_free(&w->shard[i]);
		dtls_identity_free(&w->id[i]);
	}
	peer_done(&w->a);
	peer_done(&w->b);
	free(w);
	return 0;
}

static void connect_both(struct world *w)
{
	struct peer *p[2] = { &w->a, &w->b };

	for (int i = 0; i < 2; i++)
		peer_call(p[i], peer_do_open);
	for (int i = 0; i < 2; i++)
		peer_call(p[i], peer_do_remote);
	for (int i = 0; i < 2; i++)
		PEER_WAIT(p[i], p[i]->connected);
}

/* One packet each way, as often as it takes until both have got one: what is
 * sent while the pair is dead is lost. */
static void hear_each_other(struct world *w)
{
	struct peer *p[2] = { &w->a, &w->b };
	unsigned before[2], got[2];

	PEER_READ(&w->a, rtp, &before[0]);
	PEER_READ(&w->b, rtp, &before[1]);
	for (int tries = 0;; tries++) {
		const struct timespec ts = { .tv_nsec = 5000000 };

		for (int i = 0; i < 2; i++) {
			peer_packets(p[i], w->seq, 1, 200, 200);
			peer_call(p[i], peer_do_send);
		}
		w->seq++;
		PEER_READ(&w->a, rtp, &got[0]);
		PEER_READ(&w->b, rtp, &got[1]);
		if (got[0] > before[0] && got[1] > before[1])
			break;
		assert_true(tries < 2000);
		nanosleep(&ts, NULL);
	}
	PEER_READ(&w->a, bad, &got[0]);
	PEER_READ(&w->b, bad, &got[1]);
	assert_int_equal(got[0] + got[1], 0);
}

/* All n arrive: nothing is lost while the pairs change. */
static void send_all(struct peer *from, struct peer *to, uint16_t seq, size_t n)
{
	unsigned before;

	PEER_READ(to, rtp, &before);
	peer_packets(from, seq, n, 500, 500);
	peer_call(from, peer_do_send);
	assert_int_equal(from->sent, n);
	PEER_WAIT(to, to->rtp == before + n);
}

static void do_look(void *obj, void *arg)
{
	struct peer *p = obj;
	const struct ice_transport *t = (const struct ice_transport *)p->t;
	bool steady = !t->coming, lost = net_timer_running(&t->silence);
	uint16_t port = ntohs(((const struct sockaddr_in *)&t->path.to)->sin_port);

	(void)arg;
	role_assert_net();
	PEER_NOTE(p, {
		p->steady = steady;
		p->lost = lost;
		p->to_port = port;
	});
}

static void await_steady(struct peer *p)
{
	for (int i = 0; i < 2000; i++) {
		const struct timespec ts = { .tv_nsec = 5000000 };

		peer_call(p, do_look);
		if (p->steady)
			return;
		nanosleep(&ts, NULL);
	}
	fail_msg("the restart does not end");
}

static uint16_t port_of(struct peer *p)
{
	peer_call(p, do_look);
	return p->to_port;
}

static void do_mute(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	p->mute = true;
}

/* The controlled side answers, so it restarts first; its candidates would come
 * before the other is ready for them and are not passed on. */
static void restart_both(struct world *w)
{
	peer_renew(&w->a, &w->b);
	peer_call(&w->b, do_mute);
	peer_call(&w->b, peer_do_restart);
	assert_int_equal(w->b.result, 0);
	peer_call(&w->a, peer_do_restart);
	assert_int_equal(w->a.result, 0);
}

static void test_restart_moves_to_another_pair(void **state)
{
	struct world *w = *state;
	uint16_t a_port, b_port;
	unsigned bad[2];

	connect_both(w);
	a_port = port_of(&w->b);
	b_port = port_of(&w->a);
	restart_both(w);
	/* without a gap, on whatever pair is there */
	for (uint16_t k = 0; k < 20; k++) {
		send_all(&w->a, &w->b, (uint16_t)(1000 + 50 * k), 50);
		send_all(&w->b, &w->a, (uint16_t)(1000 + 50 * k), 50);
	}
	await_steady(&w->a);
	await_steady(&w->b);
	assert_int_not_equal(port_of(&w->b), a_port);
	assert_int_not_equal(port_of(&w->a), b_port);
	send_all(&w->a, &w->b, 3000, 50);
	send_all(&w->b, &w->a, 3000, 50);
	PEER_READ(&w->a, bad, &bad[0]);
	PEER_READ(&w->b, bad, &bad[1]);
	assert_int_equal(bad[0] + bad[1], 0);
	peer_call(&w->a, peer_do_stats);
	assert_int_equal(w->a.stats.rx_dropped, 0);
	assert_int_equal(w->a.stats.tx_packets, 20 * 50 + 50);
}

/* The answer repeats the credentials in force; others need another restart. */
static void test_remote_after_a_restart(void **state)
{
	struct world *w = *state;
	struct transport_remote good;

	connect_both(w);
	restart_both(w);
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, 0);
	good = w->a.remote;
	w->a.remote.ufrag = "another";
	peer_call(&w->a, peer_do_remote);
	assert_int_equal(w->a.result, -EALREADY);
	w->a.remote = good;
	w->a.remote.fingerprint = dtls_identity_fingerprint(w->id[0]);
	peer_call(&w->a, peer_do_restart);
	assert_int_equal(w->a.result, -EALREADY);
	w->a.remote = good;
	hear_each_other(w);
}

/* The peer's network is gone: nothing is read from its old socket any more. */
static void do_vanish(void *obj, void *arg)
{
	struct peer *p = obj;
	const struct ice_transport *t = (const struct ice_transport *)p->t;
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	role_assert_net();
	dup2(other, t->path.fd);
	close(other);
}

static void test_restart_with_the_old_path_dead(void **state)
{
	struct world *w = *state;

	connect_both(w);
	hear_each_other(w);
	peer_call(&w->b, do_vanish);
	restart_both(w);
	hear_each_other(w);
	assert_false(peer_is_closed(&w->a));
	assert_false(peer_is_closed(&w->b));
}

static void do_revoke(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	transport_ice_revoke_consent(p->t);
}

/* libnice has given the peer up; the transport has not. */
static void test_lost_pair_is_rescued(void **state)
{
	struct world *w = *state;

	connect_both(w);
	peer_call(&w->b, do_revoke);
	while (!w->a.lost) {
		const struct timespec ts = { .tv_nsec = 20000000 };

		peer_call(&w->a, do_look);
		nanosleep(&ts, NULL);
	}
	assert_false(peer_is_closed(&w->a));
	restart_both(w);
	await_steady(&w->a);
	peer_call(&w->a, do_look);
	assert_false(w->a.lost);
	hear_each_other(w);
}

/* The second comes before anything can have come of the first. */
static void test_two_restarts_in_a_row(void **state)
{
	struct world *w = *state;
	size_t fds;

	connect_both(w);
	restart_both(w);
	restart_both(w);
	await_steady(&w->a);
	await_steady(&w->b);
	hear_each_other(w);
	fds = open_fds();
	for (int i = 0; i < 5; i++) {
		restart_both(w);
		await_steady(&w->a);
		await_steady(&w->b);
		hear_each_other(w);
	}
	/* One pair lingers on each side, however many restarts there were. */
	assert_in_range(open_fds(), fds - 20, fds + 20);
}

static void test_restart_before_the_first_pair(void **state)
{
	struct world *w = *state;
	struct peer *p[2] = { &w->a, &w->b };

	for (int i = 0; i < 2; i++)
		peer_call(p[i], peer_do_open);
	peer_call(&w->a, peer_do_remote);
	restart_both(w);
	for (int i = 0; i < 2; i++)
		PEER_WAIT(p[i], p[i]->connected);
	hear_each_other(w);
}

/* Nothing comes of it: the peer never hears of the restart. */
static void test_restart_that_leads_nowhere(void **state)
{
	struct world *w = *state;

	connect_both(w);
	ice_credentials_new(w->b.ufrag, w->b.pwd);
	peer_call(&w->a, peer_do_restart);
	assert_int_equal(w->a.result, 0);
	for (int i = 0; i < 20; i++)
		hear_each_other(w);
	assert_false(peer_is_closed(&w->a));
}

static void test_restart_is_checked(void **state)
{
	struct world *w = *state;

	connect_both(w);
	w->a.cfg.local_pwd = "short";
	peer_call(&w->a, peer_do_restart);
	assert_int_equal(w->a.result, -EINVAL);
	w->a.cfg.local_pwd = w->a.pwd;
	hear_each_other(w);
}

/* Each round is cut off a little later; what is varied is not waited for. */
static void test_restart_races_with_close(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 25; i++) {
		const struct timespec ts = { .tv_nsec = i * i * 60000 };

		w->a.connected = w->b.connected = w->b.mute = false;
		w->a.closed[0] = w->b.closed[0] = '\0';
		connect_both(w);
		peer_renew(&w->a, &w->b);
		peer_post(&w->a, peer_do_restart, NULL);
		peer_post(&w->b, peer_do_restart, NULL);
		nanosleep(&ts, NULL);
		peer_post(i & 1 ? &w->a : &w->b, peer_do_close, NULL);
		peer_call(&w->a, peer_do_close);
		peer_call(&w->b, peer_do_close);
		peer_call(&w->a, peer_do_close); /* candidates for each other */
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_restart_moves_to_another_pair),
		T(test_remote_after_a_restart),
		T(test_restart_with_the_old_path_dead),
		T(test_lost_pair_is_rescued),
		T(test_two_restarts_in_a_row),
		T(test_restart_before_the_first_pair),
		T(test_restart_that_leads_nowhere),
		T(test_restart_is_checked),
		T(test_restart_races_with_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
