/* Transports that come and go: closing in every phase, many at once, a peer
 * that withdraws its consent, and what is left afterwards. */
#include "mcu/net/ice.h"

#include <sys/socket.h>
#include <unistd.h>

#include "mcu/net/ice_transport.h"
#include "tests/mcu/net/peer.h"

enum { ROUNDS = 40, MANY = 100 };

struct world {
	struct net_shard *shard[2];
	struct dtls_identity *id;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	for (int i = 0; i < 2; i++)
		assert_int_equal(net_shard_new(&w->shard[i], (unsigned)i, NULL), 0);
	assert_int_equal(dtls_identity_new(&w->id, "storm.example"), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++)
		net_shard_stop(w->shard[i]);
	for (int i = 0; i < 2; i++)
		net_shard_free(&w->shard[i]);
	dtls_identity_free(&w->id);
	free(w);
	return 0;
}

static void open_pair(struct peer *a, struct peer *b)
{
	peer_post(a, peer_do_open, NULL);
	peer_post(b, peer_do_open, NULL);
	peer_post(a, peer_do_remote, NULL);
	peer_post(b, peer_do_remote, NULL);
}

static void make_pair(struct world *w, struct peer *a, struct peer *b)
{
	peer_init(a, w->shard[0], w->id);
	peer_init(b, w->shard[1], w->id);
	peer_pair(a, b);
}

/* The mailboxes may hold candidates for each other: run both before the end. */
static void finish_pair(struct peer *a, struct peer *b)
{
	peer_call(a, peer_do_close);
	peer_call(b, peer_do_close);
	peer_call(a, peer_do_close);
	peer_call(b, peer_do_close);
	peer_done(a);
	peer_done(b);
}

static void let_pass(long us)
{
	const struct timespec ts = { .tv_nsec = us * 1000 };

	nanosleep(&ts, NULL);
}

/* Each round is cut off a little later: while gathering, checking, shaking hands
 * and when connected. The delay is what is varied, not what is waited for. */
static void test_closed_in_every_phase(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < ROUNDS; i++) {
		struct peer a, b;

		make_pair(w, &a, &b);
		b.answer_close = i & 1;
		open_pair(&a, &b);
		let_pass(i * i * 40);
		peer_post(i & 2 ? &a : &b, peer_do_close, NULL);
		finish_pair(&a, &b);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(buf_pool_in_use(net_shard_packets(w->shard[i])), 0);
}

static void on_connected_close(void *obj, const char *profile)
{
	struct peer *p = obj;

	role_assert_net();
	transport_close(&p->t);
	peer_on_connected(obj, profile);
}

static void on_rtp_close(void *obj, struct buf *b, int64_t arrival_ns)
{
	struct peer *p = obj;

	role_assert_net();
	transport_close(&p->t);
	peer_on_rtp(obj, b, arrival_ns);
}

static void on_candidate_close(void *obj, const char *candidate)
{
	struct peer *p = obj;

	role_assert_net();
	transport_close(&p->t);
	peer_on_candidate(obj, candidate);
}

static const struct transport_events closing_events[] = {
	{ .candidate = peer_on_candidate,
	  .connected = on_connected_close,
	  .closed = peer_on_closed },
	{ .candidate = peer_on_candidate, .rtp = on_rtp_close, .closed = peer_on_closed },
	{ .candidate = on_candidate_close, .closed = peer_on_closed },
};

static void do_open_closing(void *obj, void *arg)
{
	struct peer *p = obj;

	role_assert_net();
	p->result = transport_ice_new(&p->t, p->shard, &p->cfg, arg, p);
}

static bool peer_saw(struct peer *a, struct peer *b)
{
	unsigned rtp;

	PEER_READ(a, rtp, &rtp);
	return rtp > 0 || peer_is_closed(b);
}

static void test_closed_inside_an_event(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < 3; i++) {
		struct peer a, b;

		make_pair(w, &a, &b);
		peer_post(&a, do_open_closing, (void *)&closing_events[i]);
		peer_post(&b, peer_do_open, NULL);
		peer_post(&a, peer_do_remote, NULL);
		peer_post(&b, peer_do_remote, NULL);
		if (i == 0)
			PEER_WAIT(&a, a.connected);
		if (i == 1) {
			PEER_WAIT(&b, b.connected);
			peer_packets(&b, 1, 20, 500, 500);
			peer_call(&b, peer_do_send);
			/* b's packet may come before a has its keys */
			while (!peer_saw(&a, &b)) {
				peer_packets(&b, 30, 20, 500, 500);
				peer_call(&b, peer_do_send);
			}
			PEER_WAIT(&a, a.rtp == 1);
		}
		if (i < 2)
			PEER_WAIT(&b, b.closed[0]);
		else
			PEER_WAIT(&a, a.candidates > 0 || a.gathered);
		assert_null(a.t);
		finish_pair(&a, &b);
	}
}

static void test_many_at_once_leave_nothing(void **state)
{
	struct world *w = *state;
	static struct peer a[MANY], b[MANY];
	size_t fds = open_fds(), watched = net_shard_fds(w->shard[0]) + net_shard_fds(w->shard[1]);

	for (int i = 0; i < MANY; i++) {
		make_pair(w, &a[i], &b[i]);
		open_pair(&a[i], &b[i]);
	}
	for (int i = 0; i < MANY; i++) {
		PEER_WAIT(&a[i], a[i].connected);
		PEER_WAIT(&b[i], b[i].connected);
		peer_post(&a[i], peer_do_rtcp, NULL);
	}
	for (int i = 0; i < MANY; i++)
		PEER_WAIT(&b[i], b[i].rtcp == 1);
	assert_true(open_fds() > fds + 2 * MANY);
	for (int i = 0; i < MANY; i++)
		finish_pair(&a[i], &b[i]);
	/* Descriptors go at the end of the shards' turns. */
	for (int i = 0; i < 2000 && open_fds() != fds; i++) {
		make_pair(w, &a[0], &b[0]);
		finish_pair(&a[0], &b[0]);
		sched_yield();
	}
	assert_int_equal(open_fds(), fds);
	assert_int_equal(net_shard_fds(w->shard[0]) + net_shard_fds(w->shard[1]), watched);
}

static void do_revoke(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	transport_ice_revoke_consent(p->t);
}

/* As if its process had been killed: nothing is read or answered any more. */
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

/* RFC 7675: told, at the next check; untold, when the consent expires. */
static void test_lost_consent(void **state)
{
	static mbox_fn *const how[2] = { do_revoke, do_vanish };
	struct world *w = *state;
	struct peer a[2], b[2];

	for (int i = 0; i < 2; i++) {
		make_pair(w, &a[i], &b[i]);
		a[i].cfg.consent_ms = 12000; /* libnice takes 10 s to notice */
		open_pair(&a[i], &b[i]);
	}
	for (int i = 0; i < 2; i++) {
		PEER_WAIT(&a[i], a[i].connected);
		PEER_WAIT(&b[i], b[i].connected);
		peer_call(&b[i], how[i]);
	}
	for (int i = 0; i < 2; i++) {
		PEER_WAIT(&a[i], a[i].closed[0]);
		assert_string_equal(a[i].closed, "consent");
		finish_pair(&a[i], &b[i]);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_closed_in_every_phase),
		T(test_closed_inside_an_event),
		T(test_many_at_once_leave_nothing),
		T(test_lost_consent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
