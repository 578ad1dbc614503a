/* Where the media of phones goes and how it is keyed: addresses, RTCP, several keys,
 * DTLS with ICE and without, and what of these is refused. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define HEAD "v=0\r\no=phone 1 1 IN IP4 192.0.2.50\r\ns=call\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n"
#define FINGERPRINT "a=fingerprint:sha-256 " \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
#define ICE "a=ice-ufrag:them\r\na=ice-pwd:abcdefabcdefabcdefabcdef\r\n"

static const struct neg_sdes sdes[] = {
	{ "AES_CM_128_HMAC_SHA1_80", "inline:b3VyIGtleQ==" },
	{ "AEAD_AES_128_GCM", "inline:b3VyIEdDTQ==" },
};

static struct neg_policy sip_policy(void)
{
	struct neg_abilities can = { .send = 0, .content = true };
	struct neg_policy p;

	neg_policy_phone(&p, &can);
	p.address = "203.0.113.1";
	p.session_id = 9;
	p.session_version = 1;
	p.cname = "mixer";
	p.stream_id = "s";
	p.ice_ufrag = "ours";
	p.ice_pwd = "0123456789012345678901";
	p.fingerprint = "sha-256 00";
	for (int r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT; r++) {
		p.media[r].port = (uint16_t)(40000 + 2 * (r - NEG_ROLE_AUDIO));
		p.media[r].sdes = sdes;
		p.media[r].n_sdes = 1;
		p.media[r].ssrc = (uint32_t)r;
	}
	return p;
}

static int answer_text(const char *offer_text, const struct neg_policy *p,
		       const struct neg_plan *prev, char **text, struct neg_plan **plan,
		       struct errmsg *why)
{
	struct sdp *offer = parse_sdp(offer_text), *answer = NULL;
	*plan = NULL;
	*text = NULL;
	int err = neg_answer(offer, p, prev, &answer, plan, why);
	if (!err)
		*text = text_of(answer);
	sdp_free(&answer);
	sdp_free(&offer);
	return err;
}

static struct neg_plan *answered(const char *offer_text, const struct neg_policy *p, char **text)
{
	struct neg_plan *plan;
	struct errmsg why;
	if (answer_text(offer_text, p, NULL, text, &plan, &why))
		fail_msg("%s", why.text);
	return plan;
}

#define KEY30 "inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk"
#define KEY28 "inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg=="

static void sdes_keys_are_agreed(void **state)
{
	static const char offer[] = HEAD
		"m=audio 5000 RTP/SAVP 0\r\n"
		"a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:Zmlyc3Q=\r\n"
		"a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^31\r\na=crypto:rubbish\r\n";
	struct neg_policy p = sip_policy();
	struct neg_plan *plan;
	struct errmsg why;
	char *text;
	(void)state;
	plan = answered(offer, &p, &text);
	expect_lines(text,
		     (const char *[]){ "m=audio 40000 RTP/SAVP 0\r\n",
				       "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:b3VyIGtleQ==\r\n",
				       NULL });
	const struct neg_transport *t = &plan->media[0].transport;
	assert_int_equal(t->security, NEG_SDES);
	assert_int_equal(t->n_cryptos, 2);
	assert_string_equal(t->crypto[0].key, KEY30 "|2^31");
	assert_int_equal(t->crypto[0].master_len, 30);
	assert_memory_equal(t->crypto[0].master, "0123456789abcdef0123456789abcd", 30);
	free(text);
	neg_plan_free(&plan);
	p.media[NEG_ROLE_AUDIO].sdes = sdes + 1;
	assert_int_equal(answer_text(offer, &p, NULL, &text, &plan, &why), -ENOTSUP);
	p.security = NEG_PLAIN;
	assert_int_equal(answer_text(offer, &p, NULL, &text, &plan, &why), -ENOTSUP);
	assert_string_equal(why.code, "not_acceptable");
	assert_int_equal(
		answer_text(HEAD "m=audio 5000 RTP/SAVP 0\r\n", &p, NULL, &text, &plan, &why),
		-EINVAL);
	assert_non_null(strstr(why.text, "a=crypto is missing"));
}

/* Which of several keys is taken: the first that is usable here. */
static void the_first_usable_key_is_taken(void **state)
{
	static const struct {
		const char *cryptos;
		unsigned tag; /* 0: refused */
		size_t octets;
	} t[] = {
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", 1, 30 },
		{ "a=crypto:7 AEAD_AES_128_GCM " KEY28 "\r\na=crypto:8 AES_CM_128_HMAC_SHA1_80 "
		  KEY30 "\r\n", 7, 28 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^20|1:4\r\n"
		  "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY30 "|1048576\r\n", 2, 30 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "|1:4\r\n", 0, 0 }, /* MKI */
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY28 "\r\n", 0, 0 },
		{ "a=crypto:1 AEAD_AES_128_GCM " KEY30 "\r\n", 0, 0 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^x\r\n", 0, 0 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:!!!!\r\n", 0, 0 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 " UNENCRYPTED_SRTP\r\n", 0, 0 },
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 " KDR=1\r\n", 0, 0 },
		{ "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY30 " -WSH=64\r\n", 3, 30 },
		/* without padding, as some write it */
		{ "a=crypto:1 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg\r\n",
		  1, 28 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = sip_policy();
		struct neg_plan *plan;
		struct errmsg why;
		char offer[1024], *text;
		p.media[NEG_ROLE_AUDIO].n_sdes = 2;
		snprintf(offer, sizeof(offer), HEAD "m=audio 5000 RTP/SAVP 0\r\n%s", t[i].cryptos);
		int err = answer_text(offer, &p, NULL, &text, &plan, &why);
		if (!t[i].tag) {
			if (err != -ENOTSUP)
				fail_msg("case %zu: %d", i, err);
			assert_string_equal(why.code, "not_acceptable");
			continue;
		}
		if (err)
			fail_msg("case %zu: %s", i, why.text);
		assert_int_equal(plan->media[0].transport.crypto[0].tag, t[i].tag);
		assert_int_equal(plan->media[0].transport.crypto[0].master_len, t[i].octets);
		free(text);
		neg_plan_free(&plan);
	}
}

/* We offer all suites; the answer's tag says which key is ours. */
static void an_offer_of_sdes(void **state)
{
	static const struct {
		const char *crypto;
		bool good;
	} t[] = {
		{ "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", true },
		{ "a=crypto:2 AEAD_AES_128_GCM " KEY28 "\r\n", true },
		{ "a=crypto:1 AEAD_AES_128_GCM " KEY28 "\r\n", false },
		{ "a=crypto:9 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", false },
	};
	struct neg_policy p = sip_policy();
	struct sdp *offer = NULL;
	struct errmsg why;
	(void)state;
	p.offer = NEG_SDES;
	p.media[NEG_ROLE_AUDIO].n_sdes = 2;
	p.media[NEG_ROLE_CAMERA].enabled = p.media[NEG_ROLE_CONTENT].enabled = false;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	expect_lines(text,
		     (const char *[]){ "m=audio 40000 RTP/SAVP 111",
				       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:b3VyIGtleQ==\r\n",
				       "a=crypto:2 AEAD_AES_128_GCM inline:b3VyIEdDTQ==\r\n", NULL });
	free(text);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char body[512];
		struct neg_plan *plan = NULL;
		snprintf(body, sizeof(body), HEAD "m=audio 3000 RTP/SAVP 0\r\n%s", t[i].crypto);
		struct sdp *answer = parse_sdp(body);
		int err = neg_accept(offer, &p, answer, NULL, &plan, &why);
		if (err != (t[i].good ? 0 : -ENOTSUP))
			fail_msg("case %zu: %d", i, err);
		neg_plan_free(&plan);
		sdp_free(&answer);
	}
	sdp_free(&offer);
}

/* Where RTCP goes: one port further, elsewhere, or beside the RTP. */
static void rtcp_ports(void **state)
{
	static const struct {
		const char *lines;
		uint16_t port;
		const char *address;
		bool mux;
	} t[] = {
		{ "", 16385, "192.0.2.50", false },
		{ "a=rtcp:2400\r\n", 2400, "192.0.2.50", false },
		{ "a=rtcp:2400 IN IP4 192.0.2.51\r\n", 2400, "192.0.2.51", false },
		{ "a=rtcp-mux\r\n", 16384, "192.0.2.50", true },
		{ "a=rtcp:2400\r\na=rtcp-mux\r\n", 16384, "192.0.2.50", true },
		{ "a=rtcp:0\r\n", 16385, "192.0.2.50", false },
		{ "a=rtcp:70000\r\n", 16385, "192.0.2.50", false },
		{ "a=rtcp\r\n", 16385, "192.0.2.50", false },
		{ "c=IN IP4 192.0.2.99\r\n", 16385, "192.0.2.99", false },
	};
	struct neg_policy p = sip_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char offer[512], *text;
		snprintf(offer, sizeof(offer), HEAD "m=audio 16384 RTP/AVP 0\r\n%s", t[i].lines);
		struct neg_plan *plan = answered(offer, &p, &text);
		const struct neg_transport *tr = &plan->media[0].transport;
		if (tr->rtcp_port != t[i].port || tr->rtcp_mux != t[i].mux ||
		    strcmp(tr->rtcp_address, t[i].address))
			fail_msg("case %zu: %s %u %d", i, tr->rtcp_address, tr->rtcp_port, tr->rtcp_mux);
		assert_int_equal(strstr(text, "a=rtcp-mux\r\n") != NULL, t[i].mux);
		free(text);
		neg_plan_free(&plan);
	}
}

/* Each line has its own address and way. */
static void lines_of_their_own(void **state)
{
	static const char offer[] = HEAD
		"b=AS:900\r\n"
		"m=audio 5000 RTP/AVP 8\r\nc=IN IP4 192.0.2.60\r\n"
		"m=video 6000 RTP/AVPF 97\r\nc=IN IP4 192.0.2.61\r\nb=TIAS:512000\r\n"
		"a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n"
		"a=rtcp-fb:97 nack\r\na=rtcp-fb:* trr-int 3000\r\na=rtcp-fb:97 nack pli\r\n"
		"m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=content:slides\r\n";
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answered(offer, &p, &text);
	expect_lines(text, (const char *[]){ "m=audio 40000 RTP/AVP 8\r\n",
					     "m=video 40002 RTP/AVPF 97\r\n",
					     "m=video 0 RTP/AVP 97\r\n", NULL });
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO),
			       *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	assert_string_equal(a->transport.address, "192.0.2.60");
	assert_string_equal(v->transport.address, "192.0.2.61");
	assert_int_equal(a->max_bps, 900000);
	assert_int_equal(v->max_bps, 512000);
	assert_true(v->avpf && !a->avpf);
	assert_int_equal(v->trr_int_ms, 3000);
	assert_int_equal(a->trr_int_ms, 0);
	assert_int_equal(v->fb, NEG_FB_NACK | NEG_FB_PLI);
	assert_null(neg_plan_media(plan, NEG_ROLE_CONTENT));
	free(text);
	neg_plan_free(&plan);
}

/* Content goes both ways, as far as the offer does; only who shares something adds the
 * line. */
static void slides_both_ways(void **state)
{
	static const struct {
		const char *said, *answer;
		enum neg_dir dir;
	} row[] = {
		{ "", "a=sendrecv\r\na=content:slides\r\n", NEG_SENDRECV },
		{ "a=sendrecv\r\n", "a=sendrecv\r\na=content:slides\r\n", NEG_SENDRECV },
		{ "a=sendonly\r\n", "a=recvonly\r\na=content:slides\r\n", NEG_RECVONLY },
		{ "a=recvonly\r\n", "a=sendonly\r\na=content:slides\r\n", NEG_SENDONLY },
		{ "a=inactive\r\n", "a=inactive\r\na=content:slides\r\n", NEG_INACTIVE },
	};
	struct neg_policy p = sip_policy();
	struct sdp *offer;
	struct errmsg why;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		char said[1024];
		snprintf(said, sizeof said, HEAD
			"m=audio 5000 RTP/AVP 8\r\n"
			"m=video 6000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
			"m=video 6002 RTP/AVPF 97\r\na=rtpmap:97 H264/90000\r\n"
			"a=rtcp-fb:* ccm fir\r\na=rtcp-fb:* ccm tmmbr\r\n"
			"a=content:slides\r\n%s", row[i].said);
		struct neg_plan *plan = answered(said, &p, &text);

		expect_lines(text, (const char *[]){ "m=video 40004 RTP/AVPF 97\r\n", row[i].answer,
						     "ccm fir\r\n", NULL });
		assert_null(strstr(text, "tmmbr")); /* what its limit would do is not done */
		assert_int_equal(neg_plan_media(plan, NEG_ROLE_CONTENT)->dir, row[i].dir);
		assert_int_equal(neg_plan_media(plan, NEG_ROLE_CAMERA)->dir, NEG_SENDRECV);
		free(text);
		/* what we offer in the call goes on with the line */
		assert_int_equal(neg_offer(&p, plan, &offer, &why), 0);
		text = text_of(offer);
		expect_lines(text, (const char *[]){ "m=video 40004 RTP/AVPF", "a=content:slides\r\n",
						     NULL });
		free(text);
		sdp_free(&offer);
		neg_plan_free(&plan);
	}
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	text = text_of(offer);
	assert_null(strstr(text, "slides"));
	free(text);
	sdp_free(&offer);
}

static void ip6(void **state)
{
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	p.address = "2001:db8::1";
	struct neg_plan *plan = answered("v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\n"
					 "c=IN IP6 2001:db8::9\r\nt=0 0\r\n"
					 "m=audio 5000 RTP/AVP 0\r\na=rtcp:5007 IN IP6 2001:db8::a\r\n",
					 &p, &text);
	expect_lines(text, (const char *[]){ "c=IN IP6 2001:db8::1\r\n", NULL });
	assert_string_equal(plan->media[0].transport.address, "2001:db8::9");
	assert_string_equal(plan->media[0].transport.rtcp_address, "2001:db8::a");
	assert_int_equal(plan->media[0].transport.rtcp_port, 5007);
	free(text);
	neg_plan_free(&plan);
}

/* DTLS needs ICE here; without it what else the line says. */
static void keying_is_chosen_by_the_offer(void **state)
{
	static const struct {
		const char *proto, *lines;
		enum neg_security security; /* 0: refused */
		bool ice;
	} t[] = {
		{ "RTP/AVP", "", NEG_PLAIN, false },
		{ "RTP/AVPF", "", NEG_PLAIN, false },
		{ "RTP/AVP", ICE, NEG_PLAIN, false }, /* ICE alone is not taken */
		{ "RTP/SAVP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", NEG_SDES, false },
		{ "RTP/SAVPF", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n" ICE, NEG_SDES,
		  false },
		{ "UDP/TLS/RTP/SAVPF", FINGERPRINT ICE "a=rtcp-mux\r\na=setup:actpass\r\n", NEG_DTLS,
		  true },
		{ "RTP/SAVPF", FINGERPRINT ICE "a=rtcp-mux\r\na=setup:actpass\r\n", NEG_DTLS, true },
		{ "UDP/TLS/RTP/SAVP", FINGERPRINT "a=setup:actpass\r\n", 0, false },
		{ "RTP/SAVP", FINGERPRINT "a=setup:actpass\r\n"
		  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", NEG_SDES, false },
		{ "RTP/SAVP", FINGERPRINT "a=setup:actpass\r\n", 0, false },
		/* RFC 8643: encrypted if both can, else not */
		{ "RTP/AVP", FINGERPRINT "a=setup:actpass\r\n", NEG_PLAIN, false },
		{ "RTP/AVP", FINGERPRINT ICE "a=rtcp-mux\r\na=setup:actpass\r\n", NEG_DTLS, true },
		/* one component only */
		{ "UDP/TLS/RTP/SAVPF", FINGERPRINT ICE "a=setup:actpass\r\n", 0, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = sip_policy();
		struct neg_plan *plan;
		struct errmsg why;
		char offer[1024], *text;
		snprintf(offer, sizeof(offer), HEAD "m=audio 5000 %s 0\r\n%s", t[i].proto, t[i].lines);
		int err = answer_text(offer, &p, NULL, &text, &plan, &why);
		if (err != (t[i].security ? 0 : -ENOTSUP))
			fail_msg("case %zu: %d %s", i, err, why.text);
		if (err)
			continue;
		const struct neg_transport *tr = &plan->media[0].transport;
		if (tr->security != t[i].security || tr->ice != t[i].ice)
			fail_msg("case %zu: %d %d", i, tr->security, tr->ice);
		assert_int_equal(strstr(text, "a=ice-ufrag:ours") != NULL, t[i].ice);
		assert_int_equal(strstr(text, "a=fingerprint") != NULL, t[i].ice);
		assert_int_equal(strstr(text, "m=audio 40000 ") != NULL, !t[i].ice);
		assert_int_equal(strstr(text, "a=ssrc") != NULL, t[i].ice);
		assert_string_equal(plan->media[0].proto, t[i].proto);
		free(text);
		neg_plan_free(&plan);
	}
}

/* One transport with ICE, or lines of their own without; not both. */
static void bundles_and_mixtures(void **state)
{
	static const char bundle[] = HEAD
		"a=group:BUNDLE 0 1\r\n"
		"m=audio 5000 RTP/AVP 0\r\na=mid:0\r\na=rtcp-mux\r\n"
		"m=video 5000 RTP/AVP 97\r\na=mid:1\r\na=rtcp-mux\r\n"
		"a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n";
	static const char mixed[] = HEAD
		"m=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n" FINGERPRINT ICE
		"a=rtcp-mux\r\na=setup:actpass\r\n"
		"m=video 5002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
		"a=fmtp:97 packetization-mode=1\r\n";
	static const char browser[] = HEAD
		"a=group:BUNDLE 0 1\r\n" FINGERPRINT ICE
		"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:1\r\na=rtcp-mux\r\na=setup:actpass\r\n"
		"a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n";
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answered(bundle, &p, &text);
	expect_none(text, "BUNDLE");
	expect_lines(text, (const char *[]){ "m=audio 40000 RTP/AVP 0\r\n",
					     "m=video 40002 RTP/AVP 97\r\n", NULL });
	assert_false(plan->bundle);
	assert_int_equal(plan->media[1].transport_index, 1);
	assert_int_equal(plan->media[1].transport.port, 5000);
	free(text);
	neg_plan_free(&plan);
	plan = answered(mixed, &p, &text);
	assert_true(plan->media[0].accepted && plan->media[0].transport.ice);
	assert_false(plan->media[1].accepted);
	free(text);
	neg_plan_free(&plan);
	plan = answered(browser, &p, &text);
	expect_lines(text, (const char *[]){ "a=group:BUNDLE 0 1\r\n", NULL });
	assert_true(plan->bundle && plan->media[1].accepted);
	free(text);
	neg_plan_free(&plan);
}

/* Calls out and late offers are plain, unless the front end says otherwise. */
static void what_phones_are_offered(void **state)
{
	struct neg_policy p = sip_policy();
	struct sdp *offer = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;
	(void)state;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	expect_lines(text, (const char *[]){ "m=audio 40000 RTP/AVP ",
					     "telephone-event/8000\r\n", "a=rtcp-mux\r\n", "m=video 40002 RTP/AVP ",
					     ";max-fs=3600;max-mbps=108000", "a=rtcp-fb:102 ccm fir\r\n",
					     NULL });
	expect_none(text, "a=crypto");
	expect_none(text, "a=ice");
	expect_none(text, "fingerprint");
	expect_none(text, "a=ssrc");
	expect_none(text, "a=mid");
	expect_none(text, "m=application");
	free(text);
	/* the peer knows nothing of rtcp-mux, and takes no pictures */
	struct sdp *answer = parse_sdp(HEAD "m=audio 3000 RTP/AVP 0\r\nm=video 0 RTP/AVP 102\r\n");
	if (neg_accept(offer, &p, answer, NULL, &plan, &why))
		fail_msg("%s", why.text);
	assert_int_equal(plan->media[0].transport.rtcp_port, 3001);
	assert_false(plan->media[0].transport.rtcp_mux);
	neg_plan_free(&plan);
	sdp_free(&answer);
	sdp_free(&offer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtcp_ports),
		cmocka_unit_test(lines_of_their_own),
		cmocka_unit_test(slides_both_ways),
		cmocka_unit_test(ip6),
		cmocka_unit_test(keying_is_chosen_by_the_offer),
		cmocka_unit_test(bundles_and_mixtures),
		cmocka_unit_test(what_phones_are_offered),
		cmocka_unit_test(sdes_keys_are_agreed),
		cmocka_unit_test(the_first_usable_key_is_taken),
		cmocka_unit_test(an_offer_of_sdes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
