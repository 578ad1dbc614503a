/* Data channels over a whole transport. One end plays the browser: it opens
 * channels, which transports otherwise do not, with the association's own calls. */
#include "mcu/net/ice.h"

#include "mcu/net/ice_transport.h"
#include "tests/mcu/net/peer.h"

enum { META = 2, OTHER = 4 };

struct data_peer {
	struct peer p; /* first: it is the events' obj */
	bool refuses;
	/* under p.lock */
	unsigned opened, closed, got;
	uint16_t channel;
	char label[32];
	bool binary, ordered, reliable;
	size_t len;
	uint8_t last[TRANSPORT_MAX_MESSAGE];
	/* arguments */
	uint16_t to;
	bool send_binary;
	size_t send_len;
	uint8_t text[TRANSPORT_MAX_SEND + 1];
};

struct world {
	struct net_shard *shard[2];
	struct dtls_identity *id;
	struct data_peer server, browser;
};

static bool on_open(void *obj, const struct transport_channel *c)
{
	struct data_peer *d = obj;

	role_assert_net();
	PEER_NOTE(&d->p, {
		d->opened++;
		d->channel = c->id;
		d->ordered = c->ordered;
		d->reliable = c->reliable;
		snprintf(d->label, sizeof d->label, "%.*s", (int)c->label_len, c->label);
	});
	return !d->refuses;
}

static void on_data(void *obj, uint16_t channel, bool binary, const uint8_t *p, size_t len)
{
	struct data_peer *d = obj;

	PEER_NOTE(&d->p, {
		d->got++;
		d->channel = channel;
		d->binary = binary;
		d->len = len;
		memcpy(d->last, p, len);
	});
}

static void on_data_closed(void *obj, uint16_t channel)
{
	struct data_peer *d = obj;

	PEER_NOTE(&d->p, {
		d->closed++;
		d->channel = channel;
	});
}

static const struct transport_events events = {
	.candidate = peer_on_candidate,
	.connected = peer_on_connected,
	.data_open = on_open,
	.data = on_data,
	.data_closed = on_data_closed,
	.closed = peer_on_closed,
};

static void do_open(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_ice_new(&p->t, p->shard, &p->cfg, &events, p);
}

static void do_start(void *obj, void *arg)
{
	struct peer *p = obj;

	(void)arg;
	role_assert_net();
	p->result = transport_start_data(p->t, 5000, 0);
}

static void do_channel(void *obj, void *arg)
{
	const struct datachannel_open o = { .ordered = true, .reliable = true, .label = "metadata",
					    .label_len = 8 };
	struct data_peer *d = obj;
	struct ice_transport *t = (struct ice_transport *)d->p.t;
	uint8_t text[64];
	int n = datachannel_write_open(&o, text, sizeof text);

	(void)arg;
	role_assert_net();
	d->p.result = t->sctp ? sctp_send(t->sctp, d->to, PPID_DCEP, text, (size_t)n) : -ENOTCONN;
	if (!d->p.result)
		t->channels.stream[t->channels.n++] = d->to;
}

static void do_send(void *obj, void *arg)
{
	struct data_peer *d = obj;

	(void)arg;
	role_assert_net();
	d->p.result =
		transport_send_data(d->p.t, d->to, d->send_binary, d->text, d->send_len);
}

static void do_close_channel(void *obj, void *arg)
{
	struct data_peer *d = obj;

	(void)arg;
	role_assert_net();
	transport_close_data(d->p.t, d->to);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	for (int i = 0; i < 2; i++)
		assert_int_equal(net_shard_new(&w->shard[i], (unsigned)i, NULL), 0);
	assert_int_equal(dtls_identity_new(&w->id, "data.example"), 0);
	peer_init(&w->server.p, w->shard[0], w->id);
	peer_init(&w->browser.p, w->shard[1], w->id);
	peer_pair(&w->server.p, &w->browser.p);
	for (size_t i = 0; i < sizeof w->server.text; i++)
		w->server.text[i] = w->browser.text[i] = (uint8_t)(i * 7);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	peer_call(&w->server.p, peer_do_close);
	peer_call(&w->browser.p, peer_do_close);
	for (int i = 0; i < 2; i++)
		net_shard_stop(w->shard[i]);
	for (int i = 0; i < 2; i++)
		net_shard_free(&w->shard[i]);
	dtls_identity_free(&w->id);
	peer_done(&w->server.p);
	peer_done(&w->browser.p);
	free(w);
	return 0;
}

static void connect_both(struct world *w, bool early)
{
	struct peer *p[2] = { &w->server.p, &w->browser.p };

	for (int i = 0; i < 2; i++) {
		peer_call(p[i], do_open);
		assert_int_equal(p[i]->result, 0);
		if (early)
			peer_call(p[i], do_start);
	}
	for (int i = 0; i < 2; i++)
		peer_call(p[i], peer_do_remote);
	for (int i = 0; i < 2; i++)
		PEER_WAIT(p[i], p[i]->connected);
	for (int i = 0; i < 2 && !early; i++) {
		peer_call(p[i], do_start);
		assert_int_equal(p[i]->result, 0);
	}
}

static void open_channel(struct data_peer *d, uint16_t id)
{
	d->to = id;
	for (int i = 0; i < 4000; i++) {
		const struct timespec ts = { .tv_nsec = 5000000 };

		peer_call(&d->p, do_channel);
		if (d->p.result != -ENOTCONN)
			break;
		nanosleep(&ts, NULL);
	}
	assert_int_equal(d->p.result, 0);
}

static int send_to(struct data_peer *d, uint16_t id, bool binary, size_t len)
{
	d->to = id;
	d->send_binary = binary;
	d->send_len = len;
	peer_call(&d->p, do_send);
	return d->p.result;
}

static void exchange(struct data_peer *from, struct data_peer *to, bool binary, size_t len)
{
	unsigned before;

	pthread_mutex_lock(&to->p.lock);
	before = to->got;
	pthread_mutex_unlock(&to->p.lock);
	assert_int_equal(send_to(from, META, binary, len), 0);
	PEER_WAIT(&to->p, to->got == before + 1);
	assert_int_equal(to->len, len);
	assert_int_equal(to->binary, binary);
	assert_int_equal(to->channel, META);
	assert_memory_equal(to->last, from->text, len);
}

static void test_a_channel(void **state)
{
	static const size_t len[] = { 0, 1, 500, 5000, TRANSPORT_MAX_MESSAGE };
	struct world *w = *state;

	connect_both(w, true);
	open_channel(&w->browser, META);
	PEER_WAIT(&w->server.p, w->server.opened == 1);
	assert_string_equal(w->server.label, "metadata");
	assert_true(w->server.ordered && w->server.reliable);
	assert_int_equal(w->server.channel, META);
	for (size_t i = 0; i < sizeof len / sizeof *len; i++)
		for (int binary = 0; binary < 2; binary++) {
			exchange(&w->browser, &w->server, binary, len[i]);
			exchange(&w->server, &w->browser, binary, len[i]);
		}
	assert_int_equal(send_to(&w->server, META, true, TRANSPORT_MAX_SEND + 1), -EMSGSIZE);
	assert_int_equal(send_to(&w->server, OTHER, true, 1), -ENOTCONN);
}

/* Agreed on by a later offer; the restart of ICE does not touch it. */
static void test_later_and_through_a_restart(void **state)
{
	struct world *w = *state;

	connect_both(w, false);
	open_channel(&w->browser, META);
	exchange(&w->browser, &w->server, false, 100);
	peer_renew(&w->server.p, &w->browser.p);
	peer_call(&w->browser.p, peer_do_restart);
	peer_call(&w->server.p, peer_do_restart);
	for (int i = 0; i < 50; i++) {
		exchange(&w->browser, &w->server, true, 3000);
		exchange(&w->server, &w->browser, false, 3000);
	}
}

static void test_refused(void **state)
{
	struct world *w = *state;

	w->server.refuses = true;
	connect_both(w, true);
	open_channel(&w->browser, META);
	PEER_WAIT(&w->browser.p, w->browser.closed == 1);
	assert_int_equal(w->browser.channel, META);
	assert_int_equal(w->server.opened, 1);
	assert_int_equal(w->server.closed, 0);
	assert_int_equal(send_to(&w->server, META, false, 5), -ENOTCONN);
}

static void test_too_many(void **state)
{
	struct world *w = *state;

	connect_both(w, true);
	for (uint16_t i = 0; i < DATACHANNEL_MAX; i++)
		open_channel(&w->browser, (uint16_t)(2 * i));
	PEER_WAIT(&w->server.p, w->server.opened == DATACHANNEL_MAX);
	/* One more: the browser forgets one, so that it has room to say so. */
	((struct ice_transport *)w->browser.p.t)->channels.n--;
	open_channel(&w->browser, 100);
	PEER_WAIT(&w->browser.p, w->browser.closed == 1);
	assert_int_equal(w->browser.channel, 100);
	exchange(&w->browser, &w->server, false, 10);
}

static void test_either_side_closes(void **state)
{
	struct world *w = *state;

	connect_both(w, true);
	open_channel(&w->browser, META);
	open_channel(&w->browser, OTHER);
	PEER_WAIT(&w->server.p, w->server.opened == 2);
	w->browser.to = META;
	peer_call(&w->browser.p, do_close_channel);
	PEER_WAIT(&w->server.p, w->server.closed == 1);
	assert_int_equal(w->server.channel, META);
	w->server.to = OTHER;
	peer_call(&w->server.p, do_close_channel);
	PEER_WAIT(&w->browser.p, w->browser.closed == 1);
	assert_int_equal(w->browser.channel, OTHER);
	assert_int_equal(w->server.closed, 1);
}

/* With as much queued as is taken; nothing may be left, which ASan checks. */
static void test_the_end_with_data_queued(void **state)
{
	struct world *w = *state;
	int n = 0;

	connect_both(w, true);
	open_channel(&w->browser, META);
	PEER_WAIT(&w->server.p, w->server.opened == 1);
	while (send_to(&w->server, META, true, 60000) == 0 && n < 50)
		n++;
	assert_true(n >= 1);
	peer_call(&w->server.p, peer_do_close);
	PEER_WAIT(&w->browser.p, w->browser.p.closed[0]);
	assert_string_equal(w->browser.p.closed, "peer");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_channel), T(test_later_and_through_a_restart), T(test_refused),
		T(test_too_many), T(test_either_side_closes), T(test_the_end_with_data_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
