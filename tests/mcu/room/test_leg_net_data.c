/* The leg's data channel between its transport and CTL: which one it takes, and
 * how much may be on its way. */
#include "tests/mcu/room/leg_net_rig.h"

enum { CHANNEL = 2, MOST_UP = 16, MOST_DOWN = 64 };

static bool opens(uint16_t id, const char *label, bool ordered, bool reliable)
{
	const struct transport_channel c = { .id = id, .ordered = ordered, .reliable = reliable,
					     .label = label, .label_len = strlen(label) };
	bool ok = the.ev->data_open(the.obj, &c);

	mbox_run(the.ctl);
	return ok;
}

static void connect_with_data(void) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = media(false);

	m.data = true;
	m.sctp_port = 5000;
	m.max_message = 65536;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	the.ev->connected(the.obj, "test");
	run();
	assert_true(the.data_started);
}

static void hear(void)
{
	the.ev->data(the.obj, CHANNEL, false, (const uint8_t *)"{}", 2);
}

static void test_only_when_agreed_on(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_leg(true);
	assert_false(the.data_started);
}

static void test_one_channel_of_that_name(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_with_data();
	assert_false(opens(CHANNEL, "chat", true, true));
	assert_false(opens(CHANNEL, "metadata2", true, true));
	assert_false(opens(CHANNEL, "", true, true));
	assert_false(opens(CHANNEL, "metadata", false, true));
	assert_false(opens(CHANNEL, "metadata", true, false));
	assert_true(opens(CHANNEL, "metadata", true, true));
	assert_false(opens(CHANNEL + 2, "metadata", true, true));
	assert_int_equal(the.data_opened, 1);
	the.ev->data_closed(the.obj, CHANNEL + 2);
	run();
	assert_int_equal(the.data_closed, 0);
	the.ev->data_closed(the.obj, CHANNEL);
	run();
	assert_int_equal(the.data_closed, 1);
	hear();
	run();
	assert_int_equal(the.data_heard, 0);
	assert_true(opens(CHANNEL, "metadata", true, true));
}

/* CTL is slow: so many wait, the sender of more is told. */
static void test_so_many_on_their_way_up(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_with_data();
	opens(CHANNEL, "metadata", true, true);
	for (int i = 0; i < MOST_UP; i++)
		hear();
	assert_int_equal(the.data_sent, 0);
	hear();
	assert_int_equal(the.data_sent, 1);
	run();
	assert_int_equal(the.data_heard, MOST_UP);
	hear();
	run();
	assert_int_equal(the.data_heard, MOST_UP + 1);
	assert_int_equal(the.data_sent, 1);
}

static void send_many(int n) ON_THREAD(ROLE_CTL)
{
	struct buf *b = buf_get(the.e.data_pool);

	assert_non_null(b);
	b->len = 2;
	for (int i = 0; i < n; i++)
		leg_net_send_data(the.l, b);
	buf_unref(&b);
}

static void test_so_many_on_their_way_down(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_with_data();
	send_many(1); /* no channel yet */
	run();
	assert_int_equal(the.data_sent, 0);
	opens(CHANNEL, "metadata", true, true);
	send_many(MOST_DOWN + 10);
	run();
	assert_int_equal(the.data_sent, MOST_DOWN);
	the.data_refuse = -EAGAIN; /* the peer takes nothing */
	send_many(3);
	run();
	assert_int_equal(the.data_sent, MOST_DOWN + 3);
	assert_int_equal(buf_pool_in_use(the.e.data_pool), 0);
}

/* Both mailboxes hold messages when the leg is closed: all buffers come back. */
static void test_closed_with_messages_on_their_way(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_with_data();
	opens(CHANNEL, "metadata", true, true);
	hear();
	leg_net_close(the.l);
	send_many(5);
	run();
	assert_int_equal(the.data_sent, 0);
	assert_int_equal(buf_pool_in_use(the.e.data_pool), 0);
	the.closed = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_only_when_agreed_on),
		T(test_one_channel_of_that_name),
		T(test_so_many_on_their_way_up),
		T(test_so_many_on_their_way_down),
		T(test_closed_with_messages_on_their_way),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
