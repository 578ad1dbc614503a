#include "tests/storage/db_rig.h"

#include "storage/sip_store.h"

struct seen {
	int replies, err;
	size_t secrets, phones, trunks;
	struct sip_secret_row secret;
	struct sip_phone_row phone[8];
	struct sip_trunk_row trunk;
};

static void on_done(void *obj, int err)
{
	struct seen *s = obj;

	s->replies++;
	s->err = err;
}

static void on_secret(void *obj, const struct sip_secret_row *row)
{
	struct seen *s = obj;

	s->secrets++;
	s->secret = *row;
}

static void on_phone(void *obj, const struct sip_phone_row *row)
{
	struct seen *s = obj;

	s->phone[s->phones++ % 8] = *row;
}

static void on_trunk(void *obj, const struct sip_trunk_row *row)
{
	struct seen *s = obj;

	s->trunks++;
	s->trunk = *row;
}

static void wait_done(struct rig *g, struct seen *s)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	while (!s->replies) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		mbox_run(g->mbox);
	}
	s->replies = 0;
}

static void load(struct rig *g, struct seen *s, int64_t now_ms)
{
	struct sip_load l = { .obj = s, .now_ms = now_ms, .secret = on_secret, .phone = on_phone,
			      .trunk = on_trunk };

	*s = (struct seen){ 0 };
	assert_int_equal(sip_load(g->db, &l), 0);
}

static void add_user(struct rig *g, const char *name)
{
	assert_int_equal(users_create(g->db, name, "$argon2id$x", USER_PARTICIPANT, NULL, NULL), 0);
}

static struct sip_secret_row secret_of(const char *user)
{
	struct sip_secret_row row = { .realm = "conf" };

	snprintf(row.user, sizeof(row.user), "%s", user);
	memset(row.ha1_md5, 'a', 32);
	memset(row.ha1_sha256, 'b', 64);
	return row;
}

static void test_passwords_of_telephones(void **state)
{
	struct sip_secret_row row = secret_of("ada"), nobody = secret_of("nobody");
	struct seen s = { 0 };
	struct rig g;

	(void)state;
	rig_open(&g, "secrets.db");
	add_user(&g, "ada");
	assert_int_equal(sip_secret_put(g.db, &row, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, 0);
	memset(row.ha1_md5, 'c', 32);
	assert_int_equal(sip_secret_put(g.db, &row, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(sip_secret_put(g.db, &nobody, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, -ENOENT);
	row.ha1_md5[5] = '\0';
	assert_int_equal(sip_secret_put(g.db, &row, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, -EINVAL);
	load(&g, &s, 0);
	assert_int_equal(s.secrets, 1);
	assert_string_equal(s.secret.user, "ada");
	assert_string_equal(s.secret.realm, "conf");
	assert_int_equal(s.secret.ha1_md5[0], 'c');
	assert_int_equal(strlen(s.secret.ha1_sha256), 64);
	assert_int_equal(sip_secret_delete(g.db, "ada", on_done, &s), 0);
	wait_done(&g, &s);
	load(&g, &s, 0);
	assert_int_equal(s.secrets, 0);
	rig_close(&g);
}

static void test_telephones_outlive_the_process_until_they_expire(void **state)
{
	struct sip_phone_row p[2] = {
		{ .uri = "sip:a@h", .route = "sip:192.0.2.1:5;transport=tcp", .path = "sip:p",
		  .call_id = "c", .cseq = 4000000000u, .instance = "<urn:uuid:1>", .agent = "x",
		  .expires_ms = 2000 },
		{ .uri = "sip:b@h", .expires_ms = 1000 },
	};
	struct sip_secret_row row = secret_of("ada");
	struct seen s = { 0 };
	struct rig g;

	(void)state;
	rig_open(&g, "phones.db");
	add_user(&g, "ada");
	assert_int_equal(sip_secret_put(g.db, &row, NULL, NULL), 0);
	assert_int_equal(sip_phones_put(g.db, "ada", p, 2), 0);
	assert_int_equal(sip_phones_put(g.db, "ada", p, SIP_PHONES_MAX + 1), -EINVAL);
	rig_close(&g);
	rig_open(&g, "phones.db");
	load(&g, &s, 999);
	assert_int_equal(s.phones, 2);
	assert_string_equal(s.phone[0].user, "ada");
	assert_string_equal(s.phone[0].uri, "sip:a@h");
	assert_string_equal(s.phone[0].route, "sip:192.0.2.1:5;transport=tcp");
	assert_string_equal(s.phone[0].path, "sip:p");
	assert_string_equal(s.phone[0].call_id, "c");
	assert_string_equal(s.phone[0].instance, "<urn:uuid:1>");
	assert_string_equal(s.phone[0].agent, "x");
	assert_true(s.phone[0].cseq == 4000000000u);
	assert_int_equal(s.phone[0].expires_ms, 2000);
	load(&g, &s, 1000);
	assert_int_equal(s.phones, 1);
	assert_int_equal(sip_phones_put(g.db, "ada", p, 1), 0);
	load(&g, &s, 0);
	assert_int_equal(s.phones, 1);
	/* with the user they go */
	assert_int_equal(users_create(g.db, "root", "$argon2id$x", USER_ADMIN, NULL, NULL), 0);
	assert_int_equal(users_delete(g.db, "ada", NULL, NULL), 0);
	load(&g, &s, 0);
	assert_int_equal(s.phones + s.secrets, 0);
	rig_close(&g);
}

static void test_trunks(void **state)
{
	struct sip_trunk_row t = { .name = "itsp", .settings = "{\"user\":\"u\"}", .password = "p" };
	struct sip_trunk_row bad = { .name = "bad", .settings = "{" };
	struct seen s = { 0 };
	struct rig g;

	(void)state;
	rig_open(&g, "trunks.db");
	assert_int_equal(sip_trunk_put(g.db, &t, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, 0);
	assert_int_equal(sip_trunk_put(g.db, &bad, on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_not_equal(s.err, 0);
	load(&g, &s, 0);
	assert_int_equal(s.trunks, 1);
	assert_string_equal(s.trunk.settings, t.settings);
	assert_string_equal(s.trunk.password, "p");
	assert_int_equal(sip_trunk_delete(g.db, "other", on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, -ENOENT);
	assert_int_equal(sip_trunk_delete(g.db, "itsp", on_done, &s), 0);
	wait_done(&g, &s);
	assert_int_equal(s.err, 0);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passwords_of_telephones),
		cmocka_unit_test(test_telephones_outlive_the_process_until_they_expire),
		cmocka_unit_test(test_trunks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
