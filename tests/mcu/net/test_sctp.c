/* Two associations on two shards, with a wire between them that can lose packets
 * and stand still. usrsctp is on both ends. */
#include "mcu/net/sctp.h"

#include <sys/socket.h>
#include <usrsctp.h>

#include "mcu/net/datachannel.h"
#include "tests/mcu/net/peer.h"

enum { MESSAGES = 4096 };

struct end {
	struct net_shard *shard;
	struct end *other;
	struct sctp_assoc *a; /* NET */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	bool done, stuck, lost, answers;
	char closed[16]; /* for PEER_WAIT's message */
	unsigned got, bad, resets, lose; /* of the next packets */
	uint64_t reset_mask;
	uint32_t ppid;
	size_t largest, packet, packets, last_len;
	/* arguments and results of calls */
	uint16_t stream;
	size_t len;
	int result;
	uint8_t *text;
};

struct world {
	struct end e[2];
};

struct packet {
	size_t len;
	uint8_t octets[];
};

static void end_post(struct end *e, mbox_fn *fn, void *arg)
{
	while (mbox_post(net_shard_mbox(e->shard), fn, e, arg))
		sched_yield();
}

static void take_packet(void *obj, void *arg)
{
	struct packet *p = arg;
	struct end *e = obj;

	role_assert_net();
	if (e->a)
		sctp_input(e->a, p->octets, p->len);
	free(p);
}

static void on_output(void *obj, const uint8_t *octets, size_t len)
{
	struct end *e = obj;
	struct packet *p;
	bool lost;

	role_assert_net();
	pthread_mutex_lock(&e->lock);
	e->packets++;
	if (len > e->packet)
		e->packet = len;
	lost = e->stuck || e->lose;
	if (e->lose)
		e->lose--;
	pthread_mutex_unlock(&e->lock);
	if (lost)
		return;
	p = malloc(sizeof *p + len);
	assert_non_null(p);
	p->len = len;
	memcpy(p->octets, octets, len);
	end_post(e->other, take_packet, p);
}

static void on_message(void *obj, uint16_t stream, uint32_t ppid, const uint8_t *p, size_t len)
{
	struct end *e = obj;
	bool good = true;

	for (size_t i = 0; i < len && good; i++)
		good = p[i] == (uint8_t)(i + stream);
	PEER_NOTE(e, {
		e->got++;
		e->bad += !good;
		e->ppid = ppid;
		e->last_len = len;
	});
}

static void on_reset(void *obj, uint16_t stream)
{
	struct end *e = obj;

	if (e->answers)
		sctp_reset(e->a, stream);
	PEER_NOTE(e, {
		e->resets++;
		e->reset_mask |= (uint64_t)1 << (stream & 63);
	});
}

static void on_lost(void *obj)
{
	struct end *e = obj;

	PEER_NOTE(e, e->lost = true);
}

static const struct sctp_events events = {
	.output = on_output,
	.message = on_message,
	.reset = on_reset,
	.lost = on_lost,
};

static void mark(void *obj, void *arg)
{
	struct end *e = obj;

	(void)arg;
	PEER_NOTE(e, e->done = true);
}

static void call(struct end *e, mbox_fn *fn)
{
	end_post(e, fn, NULL);
	end_post(e, mark, NULL);
	PEER_WAIT(e, e->done);
	e->done = false;
}

static void do_open(void *obj, void *arg)
{
	struct end *e = obj;

	(void)arg;
	role_assert_net();
	e->result = sctp_new(&e->a, e->shard, 0, &events, e);
}

static void do_free(void *obj, void *arg)
{
	struct end *e = obj;

	(void)arg;
	role_assert_net();
	sctp_free(&e->a);
}

static void do_send(void *obj, void *arg)
{
	struct end *e = obj;

	(void)arg;
	role_assert_net();
	for (size_t i = 0; i < e->len; i++)
		e->text[i] = (uint8_t)(i + e->stream);
	e->result = sctp_send(e->a, e->stream, PPID_BINARY, e->text, e->len);
}

static void do_four_resets(void *obj, void *arg)
{
	struct end *e = obj;

	(void)arg;
	role_assert_net();
	for (uint16_t k = 0; k < 4; k++)
		sctp_reset(e->a, (uint16_t)(e->stream + k));
}

static int send_one(struct end *e, uint16_t stream, size_t len)
{
	e->stream = stream;
	e->len = len;
	call(e, do_send);
	return e->result;
}

/* Until the association is up, which nothing tells. */
static void send_first(struct end *e, uint16_t stream, size_t len)
{
	for (int i = 0; send_one(e, stream, len) == -ENOTCONN; i++) {
		const struct timespec ts = { .tv_nsec = 5000000 };

		assert_true(i < 4000);
		nanosleep(&ts, NULL);
	}
	assert_int_equal(e->result, 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	for (int i = 0; i < 2; i++) {
		struct end *e = &w->e[i];

		e->other = &w->e[1 - i];
		e->text = malloc(SCTP_MAX_SEND + 1);
		pthread_mutex_init(&e->lock, NULL);
		pthread_cond_init(&e->changed, NULL);
		assert_int_equal(net_shard_new(&e->shard, (unsigned)i, NULL), 0);
	}
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++)
		call(&w->e[i], do_free);
	for (int i = 0; i < 2; i++)
		net_shard_stop(w->e[i].shard);
	for (int i = 0; i < 2; i++) {
		net_shard_free(&w->e[i].shard);
		pthread_mutex_destroy(&w->e[i].lock);
		pthread_cond_destroy(&w->e[i].changed);
		free(w->e[i].text);
	}
	free(w);
	return 0;
}

static void open_both(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		call(&w->e[i], do_open);
		assert_int_equal(w->e[i].result, 0);
	}
}

static void test_messages_both_ways(void **state)
{
	static const size_t len[] = { 1, 100, SCTP_MTU, 20000, SCTP_MAX_MESSAGE };
	struct world *w = *state;

	open_both(w);
	for (unsigned k = 0; k < sizeof len / sizeof *len; k++)
		for (int i = 0; i < 2; i++) {
			struct end *from = &w->e[i], *to = from->other;

			send_first(from, (uint16_t)k, len[k]);
			PEER_WAIT(to, to->got == k + 1);
			assert_int_equal(to->last_len, len[k]);
			assert_int_equal(to->ppid, PPID_BINARY);
			assert_int_equal(to->bad, 0);
		}
	for (int i = 0; i < 2; i++) {
		assert_in_range(w->e[i].packet, SCTP_MTU - 100, SCTP_MTU);
		assert_int_equal(send_one(&w->e[i], 0, 0), -EMSGSIZE);
		assert_int_equal(send_one(&w->e[i], 0, SCTP_MAX_SEND + 1), -EMSGSIZE);
	}
}

/* Four octets may be sent that are not taken: it is left out, the next is not. */
static void test_too_long_is_left_out(void **state)
{
	struct world *w = *state;

	open_both(w);
	send_first(&w->e[0], 3, 10);
	for (size_t n = 1; n <= 4; n++) {
		assert_int_equal(send_one(&w->e[0], 3, SCTP_MAX_MESSAGE + n), 0);
		assert_int_equal(send_one(&w->e[0], 3, 5000 + n), 0);
		PEER_WAIT(&w->e[1], w->e[1].got == 1 + n);
		assert_int_equal(w->e[1].last_len, 5000 + n);
	}
	assert_int_equal(w->e[1].bad, 0);
}

/* The timers of either come from whichever shard is at it. */
static void test_losses_are_repaired(void **state)
{
	struct world *w = *state;

	w->e[0].lose = w->e[1].lose = 1; /* both INITs */
	open_both(w);
	send_first(&w->e[0], 1, 10);
	PEER_WAIT(&w->e[1], w->e[1].got == 1);
	for (unsigned k = 0; k < 3; k++) {
		PEER_NOTE(&w->e[0], w->e[0].lose = 2);
		assert_int_equal(send_one(&w->e[0], 1, 30000), 0);
		PEER_WAIT(&w->e[1], w->e[1].got == 2 + k);
	}
	assert_int_equal(w->e[1].bad, 0);
}

/* A peer that takes nothing: so much waits, the rest is refused, and when it comes
 * back it gets what was taken. */
static void test_slow_peer(void **state)
{
	struct world *w = *state;
	unsigned taken = 0;

	open_both(w);
	send_first(&w->e[0], 0, 10);
	PEER_WAIT(&w->e[1], w->e[1].got == 1);
	PEER_NOTE(&w->e[0], w->e[0].stuck = true);
	while (send_one(&w->e[0], 0, 10000) == 0 && taken < 1000)
		taken++;
	assert_int_equal(w->e[0].result, -EAGAIN);
	assert_in_range(taken, 10, SCTP_SEND_BYTES / 10000 + 1);
	assert_int_equal(send_one(&w->e[0], 0, SCTP_MAX_MESSAGE), -EAGAIN);
	PEER_NOTE(&w->e[0], w->e[0].stuck = false);
	PEER_WAIT(&w->e[1], w->e[1].got == 1 + taken);
	assert_int_equal(w->e[1].bad, 0);
	assert_int_equal(send_one(&w->e[0], 0, 10000), 0);
	PEER_WAIT(&w->e[1], w->e[1].got == 2 + taken);
}

/* Several at once: each is asked for when the one before is through. */
static void test_resets(void **state)
{
	struct world *w = *state;

	w->e[1].answers = true;
	open_both(w);
	send_first(&w->e[0], 7, 10);
	PEER_WAIT(&w->e[1], w->e[1].got == 1);
	w->e[0].stream = 7;
	call(&w->e[0], do_four_resets);
	PEER_WAIT(&w->e[1], w->e[1].resets == 4);
	PEER_WAIT(&w->e[0], w->e[0].resets == 4); /* the other direction follows */
	for (int i = 0; i < 2; i++)
		assert_int_equal(w->e[i].reset_mask, 0xf << 7);
	send_first(&w->e[0], 7, 20);
	PEER_WAIT(&w->e[1], w->e[1].got == 2);
}

static void test_the_end_of_one_is_told(void **state)
{
	struct world *w = *state;

	open_both(w);
	send_first(&w->e[0], 0, 10);
	PEER_WAIT(&w->e[1], w->e[1].got == 1);
	for (int i = 0; i < 5; i++) /* with something queued */
		assert_int_equal(send_one(&w->e[0], 0, 40000), 0);
	call(&w->e[0], do_free);
	PEER_WAIT(&w->e[1], w->e[1].lost);
	assert_int_equal(send_one(&w->e[1], 0, 10), -ENOTCONN);
}

/* Not SCTP, not ours, cut off: nothing comes of it. */
static void do_junk(void *obj, void *arg)
{
	struct end *e = obj;
	uint8_t junk[1500];

	(void)arg;
	role_assert_net();
	for (size_t n = 0; n < sizeof junk; n += 13) {
		for (size_t i = 0; i < n; i++)
			junk[i] = (uint8_t)(i * 7 + n);
		sctp_input(e->a, junk, n);
	}
}

static void test_junk(void **state)
{
	struct world *w = *state;

	open_both(w);
	call(&w->e[0], do_junk);
	send_first(&w->e[0], 0, 10);
	PEER_WAIT(&w->e[1], w->e[1].got == 1);
	call(&w->e[1], do_junk);
	assert_int_equal(send_one(&w->e[1], 0, 10), 0);
	PEER_WAIT(&w->e[0], w->e[0].got == 1);
	assert_false(w->e[0].lost || w->e[1].lost);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_messages_both_ways), T(test_too_long_is_left_out), T(test_losses_are_repaired), T(test_slow_peer),
		T(test_resets), T(test_the_end_of_one_is_told), T(test_junk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
