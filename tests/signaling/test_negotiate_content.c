/* A second picture: which section is it, where it stands, how it comes and goes. */
#include "signaling/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define TRANSPORT                                                                                  \
	"c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"            \
	"a=fingerprint:" OUR_FINGERPRINT "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define A "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" TRANSPORT "a=rtpmap:111 opus/48000/2\r\na=mid:a\r\n"
#define V(port) "m=video " port " UDP/TLS/RTP/SAVPF 96\r\n" TRANSPORT "a=rtpmap:96 VP8/90000\r\n"
#define CAMERA V("9") "a=mid:v\r\n"
#define SLIDES "a=content:slides\r\n"
#define HEAD(group) "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " group "\r\n"

static struct neg_policy policy(bool content)
{
	struct neg_abilities can = everything;
	struct neg_policy p = browser_policy();

	can.content = content;
	neg_policy_browser(&p, &can);
	p.ice_ufrag = "ourU";
	p.ice_pwd = "ourpwdourpwdourpwdourpwd";
	p.fingerprint = OUR_FINGERPRINT;
	p.cname = "mixer";
	p.stream_id = "room";
	p.media[NEG_ROLE_AUDIO].ssrc = 1;
	p.media[NEG_ROLE_CAMERA].ssrc = 2;
	return p;
}

/* *plan is freed and replaced. */
static char *answer(const char *offer_text, const struct neg_policy *p, struct neg_plan **plan)
{
	struct sdp *offer = parse_sdp(offer_text), *a = NULL;
	struct neg_plan *next = NULL;
	struct errmsg why;

	if (neg_answer(offer, p, *plan, &a, &next, &why))
		fail_msg("%s", why.text);
	neg_plan_free(plan);
	*plan = next;
	char *text = text_of(a);
	sdp_free(&a);
	sdp_free(&offer);
	return text;
}

/* Lines by place: a(udio), v (camera), c(ontent), -: refused at port 0. */
static void assert_roles(const struct neg_plan *plan, const char *want, const char *which)
{
	static const char letter[] = { [NEG_ROLE_NONE] = '?', [NEG_ROLE_AUDIO] = 'a',
				       [NEG_ROLE_CAMERA] = 'v', [NEG_ROLE_CONTENT] = 'c',
				       [NEG_ROLE_APPLICATION] = 'd' };
	char got[8] = "";

	assert_true(plan->n_media < sizeof got);
	for (size_t i = 0; i < plan->n_media; i++)
		got[i] = plan->media[i].accepted ? letter[plan->media[i].role] : '-';
	if (strcmp(got, want))
		fail_msg("%s: the lines are \"%s\", not \"%s\"", which, got, want);
}

static const struct {
	const char *offer, *roles;
} places[] = {
	{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\n" SLIDES "a=sendonly\r\n", "avc" },
	{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\na=sendonly\r\n", "avc" },
	{ HEAD("s a v") V("9") "a=mid:s\r\n" SLIDES A CAMERA, "cav" },
	{ HEAD("a s v") A V("9") "a=mid:s\r\n" SLIDES CAMERA, "acv" },
	{ HEAD("a s") A V("9") "a=mid:s\r\n" SLIDES, "ac" },
	{ HEAD("s") V("9") "a=mid:s\r\n" SLIDES, "c" },
	/* one of several, in any case; not a part of a word */
	{ HEAD("a s v") A V("9") "a=mid:s\r\na=content:alt,Slides\r\n" CAMERA, "acv" },
	{ HEAD("a s v") A V("9") "a=mid:s\r\na=content:noslides\r\n" CAMERA, "avc" },
	{ HEAD("a s v") A V("9") "a=mid:s\r\na=content\r\n" CAMERA, "avc" },
	{ HEAD("a s v") A V("9") "a=mid:s\r\na=content:,,\r\n" CAMERA, "avc" },
	{ HEAD("a v s") A V("9") "a=mid:v\r\na=content:main\r\n" V("9") "a=mid:s\r\na=label:12\r\n", "avc" },
	/* two cameras without a word, and a third: two pictures are the most */
	{ HEAD("a v s t") A CAMERA V("9") "a=mid:s\r\n" V("9") "a=mid:t\r\n", "avc-" },
	{ HEAD("a v s t") A CAMERA V("9") "a=mid:s\r\n" SLIDES V("9") "a=mid:t\r\n" SLIDES, "avc-" },
	/* none; as Firefox bundles it; outside of the bundle */
	{ HEAD("a v") A CAMERA V("0") "a=mid:s\r\n" SLIDES, "av-" },
	{ HEAD("a v s") A CAMERA V("0") "a=mid:s\r\na=bundle-only\r\n" SLIDES, "avc" },
	{ HEAD("a v") A CAMERA V("9") "a=mid:s\r\n" SLIDES, "av-" },
	/* the camera is off for good */
	{ HEAD("a s") A V("0") "a=mid:v\r\n" V("9") "a=mid:s\r\n" SLIDES, "a-c" },
};

static void content_in_all_places(void **state)
{
	struct neg_policy with = policy(true), without = policy(false);

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct neg_plan *plan = NULL;
		const struct neg_media *c;
		char *text = answer(places[i].offer, &with, &plan);

		assert_roles(plan, places[i].roles, places[i].offer);
		c = neg_plan_media(plan, NEG_ROLE_CONTENT);
		if (c) {
			assert_int_equal(c->dir, NEG_RECVONLY); /* we send none */
			assert_int_equal(c->codec.codec, CODEC_VP8);
			expect_lines(text, (const char *[]){ "a=recvonly\r\na=content:slides\r\n", NULL });
			expect_none(strstr(text, "a=content:slides"), "a=content:slides\r\na=content");
		}
		free(text);
		neg_plan_free(&plan);
		if (!c || !strcmp(places[i].roles, "c")) /* nothing would be left */
			continue;
		text = answer(places[i].offer, &without, &plan);
		assert_null(neg_plan_media(plan, NEG_ROLE_CONTENT));
		expect_lines(text, (const char *[]){ "m=video 0 ", NULL });
		expect_none(text, "a=content");
		free(text);
		neg_plan_free(&plan);
	}
}

/* It comes later, stops, comes again, and goes. */
static void content_comes_and_goes(void **state)
{
	struct neg_policy p = policy(true);
	struct neg_plan *plan = NULL;
	static const struct {
		const char *offer, *roles;
		enum neg_dir dir;
	} step[] = {
		{ HEAD("a v") A CAMERA, "av", NEG_INACTIVE },
		{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\na=sendonly\r\n", "avc", NEG_RECVONLY },
		{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\na=inactive\r\n", "avc", NEG_INACTIVE },
		{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\na=sendrecv\r\n", "avc", NEG_RECVONLY },
		{ HEAD("a v s") A CAMERA V("9") "a=mid:s\r\na=recvonly\r\n", "avc", NEG_INACTIVE },
		{ HEAD("a v") A CAMERA V("0") "a=mid:s\r\na=inactive\r\n", "av-", NEG_INACTIVE },
		{ HEAD("a v t") A CAMERA V("9") "a=mid:t\r\na=sendonly\r\n", "avc", NEG_RECVONLY },
		/* the camera goes: what is content stays content */
		{ HEAD("a t") A V("0") "a=mid:v\r\n" V("9") "a=mid:t\r\na=sendonly\r\n", "a-c", NEG_RECVONLY },
		/* a line that is used again, for a camera */
		{ HEAD("a w t") A V("9") "a=mid:w\r\n" V("9") "a=mid:t\r\na=sendonly\r\n", "avc", NEG_RECVONLY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
		char *text = answer(step[i].offer, &p, &plan);
		const struct neg_media *c;

		assert_roles(plan, step[i].roles, step[i].offer);
		c = neg_plan_media(plan, NEG_ROLE_CONTENT);
		if ((c ? c->dir : NEG_INACTIVE) != step[i].dir)
			fail_msg("step %zu: direction %s", i, neg_dir_name(c->dir));
		assert_false(plan->media[0].transport.dtls_new && i);
		free(text);
	}
	neg_plan_free(&plan);
}

/* We ask nobody for content, and keep the line of who has one. */
static void our_own_offers(void **state)
{
	struct neg_policy p = policy(true);
	struct neg_plan *plan = NULL;
	struct sdp *o = NULL;
	struct errmsg why;
	char *text;

	(void)state;
	assert_int_equal(neg_offer(&p, NULL, &o, &why), 0);
	text = text_of(o);
	expect_none(text, "a=content");
	free(text);
	sdp_free(&o);
	free(answer(HEAD("a v s") A CAMERA V("9") "a=mid:s\r\n" SLIDES "a=sendonly\r\n", &p, &plan));
	assert_int_equal(neg_offer(&p, plan, &o, &why), 0);
	text = text_of(o);
	expect_lines(text, (const char *[]){ "BUNDLE a v s", "m=video 9 ", "a=sendrecv", "m=video 9 ",
					     "a=mid:s\r\n", "a=recvonly\r\na=content:slides\r\n", NULL });
	free(text);
	sdp_free(&o);
	neg_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_in_all_places),
		cmocka_unit_test(content_comes_and_goes),
		cmocka_unit_test(our_own_offers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
