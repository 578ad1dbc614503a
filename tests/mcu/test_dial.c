/* Who may have a room call somebody, where to, how often, and what is told of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/config.h"
#include "mcu/dial.h"

/* The SIP front end. */
static struct {
	sip_dial_cb *cb[256];
	void *obj[256];
	char to[64], name[64], digits[64];
	int64_t calls, hung_up;
	int refuse;
} line;

static int fake_dial(void *ctx, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
		     int64_t *id, struct errmsg *why)
{
	assert_ptr_equal(ctx, &line);
	if (line.refuse)
		return errmsg_set(why, line.refuse, "dial_no_trunk", "No trunk leads there.");
	snprintf(line.to, sizeof line.to, "%s", req->to);
	snprintf(line.name, sizeof line.name, "%s", req->name ? req->name : "");
	snprintf(line.digits, sizeof line.digits, "%s", req->digits ? req->digits : "");
	*id = ++line.calls;
	line.cb[*id] = cb;
	line.obj[*id] = obj;
	return 0;
}

static int fake_hangup(void *ctx, int64_t id)
{
	assert_ptr_equal(ctx, &line);
	line.hung_up = id;
	return 0;
}

static const struct sip_dialler dialler = { &line, fake_dial, fake_hangup };

static void tell(int64_t id, enum sip_dial_state state, const char *text)
{
	line.cb[id](line.obj[id], &(struct sip_dial_event){ .id = id, .state = state, .text = text,
							   .status = 180, .leg = 9 });
}

/* The hosts. */
static struct {
	size_t n;
	struct dial_info last;
	char text[64], number[64];
} told;

static void on_changed(void *obj, const struct dial_info *i)
{
	(void)obj;
	told.n++;
	told.last = *i;
	snprintf(told.text, sizeof told.text, "%s", i->text);
	snprintf(told.number, sizeof told.number, "%s", i->number);
}

static struct config config;
static struct dials *d;
static struct clock clock_at;

static void set(const char *assignment)
{
	struct errmsg why;

	assert_int_equal(config_set(&config, assignment, &why), 0);
}

static int set_up(void **state)
{
	(void)state;
	role_assert_ctl();
	memset(&line, 0, sizeof line);
	memset(&told, 0, sizeof told);
	clock_fake_init(&clock_at, NS_PER_S);
	assert_int_equal(config_init(&config), 0);
	set("sip.dial_per_minute=200");
	return 0;
}

static void begin(void)
{
	role_assert_ctl();
	assert_int_equal(dials_new(&d, &config, &clock_at, on_changed, NULL), 0);
	dials_use(d, &dialler);
}

static int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	dials_free(&d);
	config_free(&config);
	return 0;
}

static const struct dial_ask host = { .room = "r", .to = "+49 89 123", .by = "ada", .user_id = 7,
				      .host = true };

static void must(const struct dial_ask *ask, int64_t *id)
{
	struct errmsg why;

	role_assert_ctl();
	if (dials_start(d, ask, id, &why))
		fail_msg("%s", why.text);
}

static void must_not(const struct dial_ask *ask, int err, const char *code)
{
	struct errmsg why;
	int64_t id;

	role_assert_ctl();
	assert_int_equal(dials_start(d, ask, &id, &why), err);
	assert_string_equal(why.code, code);
	assert_true(strlen(why.text) > 20);
}

static void destinations(void **state)
{
	static const char *const t[][2] = {
		{ "+49 (89) 12.34/5-6", "+4989123456" }, { "0891", "0891" }, { "*31#0891", "*31#0891" },
		{ "tel:+49891", "+49891" }, { "TEL:1", "1" },
		{ "ann@example.org", "sip:ann@example.org" },
		{ "sip:ann@example.org;transport=tcp", "sip:ann@example.org;transport=tcp" },
		{ "SIPS:1@[2001:db8::1]:5061", "sips:1@[2001:db8::1]:5061" },
		{ "ann@example.org:5070;Transport=TLS;user=phone",
		  "sip:ann@example.org:5070;Transport=TLS;user=phone" },
		{ "ann@example.org;maddr=192.0.2.1", NULL }, { "ann@example.org;lr", NULL },
		{ "ann@example.org;%6daddr=192.0.2.1", NULL },
		{ "kim", "kim" }, { "1st.user-2", "1st.user-2" },
		{ "", NULL }, { "+", NULL }, { "a b", NULL }, { "abc/1", NULL }, { ".", NULL }, { "1+2", NULL }, { "tel:", NULL },
		{ "sip:@example.org", NULL }, { "a@", NULL }, { "a@b@c", NULL }, { "a@b?Route=x", NULL },
		{ "a@b>", NULL }, { "a b@c", NULL }, { "a@b,c@d", NULL }, { "a@;lr", NULL },
		{ "sip:example.org", NULL }, { "a@b\r\nX: y", NULL }, { "\"a\"@b", NULL },
	};
	char out[DIAL_TO_MAX + 1], longer[DIAL_TO_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		int err = dial_parse(out, t[i][0]);

		if (err != (t[i][1] ? 0 : -EINVAL) || (!err && strcmp(out, t[i][1])))
			fail_msg("\"%s\" gave %d \"%s\"", t[i][0], err, err ? "" : out);
	}
	memset(longer, '1', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(dial_parse(out, longer), -EINVAL);
}

static void who_may(void **state)
{
	struct dial_ask guest = host, user = host;
	int64_t id;

	(void)state;
	guest.user_id = 0; /* a host who made the room, or has its PIN */
	user.host = false;
	begin();
	must(&host, &id);
	assert_string_equal(line.to, "+4989123");
	must_not(&guest, -EACCES, "dial_sign_in");
	must_not(&user, -EACCES, "not_allowed");
	set("sip.dial=users");
	must(&user, &id);
	must_not(&guest, -EACCES, "dial_sign_in");
	guest.host = false;
	must_not(&guest, -EACCES, "dial_sign_in");
	set("sip.dial=nobody");
	must_not(&host, -EACCES, "not_allowed");
	set("sip.dial=hosts");
	role_assert_ctl();
	dials_use(d, NULL);
	must_not(&host, -ENOTSUP, "dial_off");
}

static void where_to(void **state)
{
	static const struct {
		const char *to;
		bool allowed;
	} t[] = {
		{ "+49 89 1", true }, { "+4989", true }, { "+48 1", false }, { "0049891", false },
		{ "110", true }, { "sip:ann@example.org", true }, { "ann@EXAMPLE.org:5070;transport=tcp", true },
		{ "ann@example.org.evil.net", false }, { "ann@evil.net", false },
		{ "sip:+4989@evil.net", false }, { "+49@example.org", true },
		{ "sip:+4989@evil.net;user=phone", false },
		{ "ann@evil.net;transport=tls", false }, { "ann@example.org.", false },
		{ "kim", true }, /* is registered here */
	};

	(void)state;
	set("sip.dial_to=[\"+49\", \"110\", \"@example.org\"]");
	begin();
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct dial_ask ask = host;
		int64_t id;

		ask.to = t[i].to;
		if (t[i].allowed)
			must(&ask, &id);
		else
			must_not(&ask, -EACCES, "dial_forbidden");
	}
}

static void what_is_wrong(void **state)
{
	struct dial_ask ask = host;

	(void)state;
	begin();
	ask.to = "no body";
	must_not(&ask, -EINVAL, "dial_invalid");
	ask.to = "ann@example.org;maddr=192.0.2.1";
	must_not(&ask, -EINVAL, "dial_invalid");
	ask = host;
	ask.digits = "12x";
	must_not(&ask, -EINVAL, "dial_invalid");
	ask = host;
	ask.name = " A";
	must_not(&ask, -EINVAL, "name_invalid");
	line.refuse = -ENOENT;
	must_not(&host, -ENOENT, "dial_no_trunk");
	assert_int_equal(line.calls, 0);
	assert_int_equal(told.n, 0);
}

static void how_often(void **state)
{
	struct dial_ask other = host;
	int64_t id;

	(void)state;
	set("sip.dial_per_minute=2");
	set("sip.dial_per_room=3");
	begin();
	must(&host, &id);
	must(&host, &id);
	must_not(&host, -EBUSY, "rate_limited");
	other.user_id = 8;
	must(&other, &id);
	must_not(&other, -EBUSY, "too_many_calls");
	tell(id, SIP_DIAL_BUSY, "");
	must(&other, &id);
	clock_fake_advance(&clock_at, 61 * NS_PER_S);
	must_not(&host, -EBUSY, "too_many_calls");
	other.room = "elsewhere";
	must(&other, &id);
}

static void a_call_s_life(void **state)
{
	struct dial_ask ask = host;
	struct dial_info i;
	int64_t id, second;

	(void)state;
	begin();
	ask.name = "Ann";
	ask.digits = "12#";
	must(&ask, &id);
	assert_string_equal(line.name, "Ann");
	assert_string_equal(line.digits, "12#");
	assert_int_equal(told.n, 1);
	assert_int_equal(told.last.state, SIP_DIAL_CALLING);
	assert_string_equal(told.number, "+4989123");
	tell(id, SIP_DIAL_RINGING, "");
	tell(id, SIP_DIAL_ANSWERED, "");
	assert_int_equal(told.n, 3);
	assert_int_equal(told.last.leg, 9);
	role_assert_ctl();
	assert_int_equal(dials_get(d, "r", id, &i), 0);
	assert_int_equal(i.state, SIP_DIAL_ANSWERED);
	assert_int_equal(i.status, 180);
	assert_int_equal(dials_get(d, "other", id, &i), -ENOENT); /* of another room */
	assert_int_equal(dials_hangup(d, "other", id), -ENOENT);
	assert_int_equal(line.hung_up, 0);
	assert_int_equal(dials_hangup(d, "r", id), 0);
	assert_int_equal(line.hung_up, id);
	tell(id, SIP_DIAL_ENDED, "They hung up.");
	assert_string_equal(told.text, "They hung up.");
	line.hung_up = 0;
	assert_int_equal(dials_hangup(d, "r", id), 0); /* over already */
	assert_int_equal(line.hung_up, 0);
	told.n = 0;
	must(&ask, &second);
	dials_each(d, "r", on_changed, NULL);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.last.id, second);
	tell(second, SIP_DIAL_NO_ANSWER, "");
}

static void old_ones_are_forgotten(void **state)
{
	struct dial_info i;
	int64_t first, id;

	(void)state;
	set("sip.dial_per_room=1000");
	begin();
	must(&host, &first);
	tell(first, SIP_DIAL_BUSY, "");
	for (int n = 0; n < DIAL_KEPT; n++) {
		must(&host, &id);
		role_assert_ctl();
		assert_int_equal(dials_get(d, "r", first, &i), 0);
		tell(id, SIP_DIAL_FAILED, "");
	}
	role_assert_ctl();
	assert_int_equal(dials_get(d, "r", first, &i), -ENOENT);
	assert_int_equal(dials_get(d, "r", first + 1, &i), 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* Who asked by other means than the protocol hears what became of it. */
static struct {
	size_t n;
	enum sip_dial_state last;
} wisher;

static void on_progress(void *obj, const struct sip_dial_event *ev)
{
	assert_ptr_equal(obj, &wisher);
	wisher.n++;
	wisher.last = ev->state;
}

static void who_asked_is_told(void **state)
{
	const struct dial_ask ask = { .room = "r", .to = "sip:a@example.org", .by = "Ann", .user_id = 1,
				      .host = true, .progress = on_progress, .obj = &wisher };
	struct errmsg why;
	int64_t id;

	(void)state;
	begin();
	assert_int_equal(dials_start(d, &ask, &id, &why), 0);
	assert_int_equal(wisher.n, 0);
	tell(id, SIP_DIAL_RINGING, "");
	assert_int_equal(wisher.n, 1);
	tell(id, SIP_DIAL_BUSY, "");
	assert_int_equal(wisher.n, 2);
	assert_int_equal(wisher.last, SIP_DIAL_BUSY);
}

/* What a redirect names is an address, and held against sip.dial_to. */
static void redirects(void **state)
{
	(void)state;
	begin();
	assert_true(dials_reaches(d, "sip:x@anywhere.example"));
	assert_false(dials_reaches(d, "tel:+1900555"));
	assert_false(dials_reaches(d, "sip:anywhere.example"));
	set("sip.dial_to=[\"+49\", \"@example.org\"]");
	assert_true(dials_reaches(d, "sip:x@example.org:5070"));
	assert_false(dials_reaches(d, "sip:x@anywhere.example"));
	assert_false(dials_reaches(d, "sip:+4930@anywhere.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations), T(who_may), T(where_to), T(what_is_wrong),
		T(how_often), T(a_call_s_life), T(old_ones_are_forgotten),
		T(who_asked_is_told), T(redirects),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
