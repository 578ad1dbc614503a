/* What changes after the first agreement: sections that come, go and are used
 * again, data channels, numbers that keep their meaning. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define TRANSPORT                                                                                  \
	"c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"            \
	"a=fingerprint:" OUR_FINGERPRINT "\r\na=setup:actpass\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" TRANSPORT "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" TRANSPORT "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
#define DATA "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT "a=sctp-port:5001\r\n"
#define HEAD(group) "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " group "\r\n"

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

/* The plan after an offer; *prev is freed and replaced. */
static char *go_on(const char *offer, const struct neg_policy *p, struct neg_plan **prev)
{
	struct neg_plan *plan;
	struct errmsg why;
	char *text;
	if (answer_text(offer, p, *prev, &text, &plan, &why))
		fail_msg("%s", why.text);
	neg_plan_free(prev);
	*prev = plan;
	return text;
}

static struct sdp *offered(const struct neg_policy *p, const struct neg_plan *prev, char **text)
{
	struct sdp *offer = NULL;
	struct errmsg why;
	if (neg_offer(p, prev, &offer, &why))
		fail_msg("%s", why.text);
	*text = text_of(offer);
	return offer;
}

static const struct {
	const char *section;
	bool accepted;
	uint16_t port;
	uint32_t max;
	const char *said;
} data_forms[] = {
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:5000\r\na=max-message-size:262144\r\n",
	  true, 5000, 262144,
	  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
	  "a=sctp-port:5000\r\na=max-message-size:65536\r\n" },
	{ "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:6000\r\n",
	  true, 6000, 65536, "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\r\n" },
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:5000\r\na=max-message-size:0\r\n",
	  true, 5000, 0, "a=max-message-size:65536\r\n" },
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:5000\r\na=max-message-size:18446744073709551615\r\n",
	  true, 5000, UINT32_MAX, "a=max-message-size:65536\r\n" },
	{ "m=application 9 DTLS/SCTP 5002\r\n" TRANSPORT
	  "a=sctpmap:5002 webrtc-datachannel 256\r\n",
	  true, 5002, 65536,
	  "m=application 9 DTLS/SCTP 5000\r\nc=IN IP4 0.0.0.0\r\n"
	  "a=sctpmap:5000 webrtc-datachannel 1024\r\n" },
	{ "m=application 9 DTLS/SCTP 5002\r\n" TRANSPORT
	  "a=sctpmap:5003 webrtc-datachannel 256\r\n",
	  false, 0, 0, "m=application 0 DTLS/SCTP 5002\r\n" },
	{ "m=application 9 DTLS/SCTP 5002\r\n" TRANSPORT, false, 0, 0, "m=application 0 " },
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT, false, 0, 0,
	  "m=application 0 " },
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:0\r\n", false, 0, 0, "m=application 0 " },
	{ "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:99999\r\n", false, 0, 0, "m=application 0 " },
	{ "m=application 9 UDP/DTLS/SCTP t38\r\n" TRANSPORT "a=sctp-port:5000\r\n", false,
	  0, 0, "m=application 0 " },
	{ "m=application 9 UDP/BFCP *\r\n" TRANSPORT, false, 0, 0,
	  "m=application 0 UDP/BFCP *\r\n" },
	{ "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT
	  "a=sctp-port:5000\r\n", false, 0, 0, "m=application 0 " },
};

static void the_forms_of_a_data_channel(void **state)
{
	struct neg_policy p = browser_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(data_forms) / sizeof(data_forms[0]); i++) {
		char offer[4096];
		struct neg_plan *plan = NULL;
		snprintf(offer, sizeof(offer), HEAD("a d") AUDIO "a=mid:a\r\n%sa=mid:d\r\n",
			 data_forms[i].section);
		char *text = go_on(offer, &p, &plan);
		const struct neg_media *d = &plan->media[1];
		if (d->accepted != data_forms[i].accepted)
			fail_msg("case %zu", i);
		expect_lines(text, (const char *[]){ data_forms[i].said, NULL });
		char *application = strstr(text, "m=application");
		expect_none(application, "a=sendrecv");
		expect_none(application, "rtcp");
		if (d->accepted) {
			assert_int_equal(d->sctp_port, data_forms[i].port);
			assert_int_equal(d->max_message, data_forms[i].max);
			assert_int_equal(d->transport_index, 0);
			expect_lines(text, (const char *[]){ "BUNDLE a d\r\n", NULL });
		}
		free(text);
		neg_plan_free(&plan);
	}
}

static void data_alone_and_as_the_first_of_the_bundle(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	(void)state;
	free(go_on(HEAD("d") DATA "a=mid:d\r\n", &p, &plan));
	assert_int_equal(neg_plan_media(plan, NEG_ROLE_APPLICATION)->sctp_port, 5001);
	assert_true(neg_plan_transport(plan, &plan->media[0])->ice);
	neg_plan_free(&plan);
	char *text = go_on(HEAD("d a d2") DATA "a=mid:d\r\n" AUDIO "a=mid:a\r\n" DATA "a=mid:d2\r\n",
			   &p, &plan);
	expect_lines(text, (const char *[]){ "BUNDLE d a\r\n", "m=application 9",
					     "m=audio 9", "a=rtcp-mux\r\n", "m=application 0",
					     NULL });
	assert_int_equal(plan->media[1].transport_index, 0);
	free(text);
	neg_plan_free(&plan);
}

static void sections_come_and_go(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	struct sdp *ours;
	char *text;
	(void)state;
	free(go_on(HEAD("a") AUDIO "a=mid:a\r\n", &p, &plan));
	/* data and a camera are added */
	text = go_on(HEAD("a d v") AUDIO "a=mid:a\r\n" DATA "a=mid:d\r\n" VIDEO "a=mid:v\r\n", &p,
		     &plan);
	expect_lines(text, (const char *[]){ "BUNDLE a d v\r\n", "m=application 9", "m=video 9", NULL });
	assert_false(plan->media[0].created);
	assert_true(plan->media[1].created && plan->media[2].created);
	assert_false(plan->media[0].transport.dtls_new);
	free(text);
	/* data is taken away */
	text = go_on(HEAD("a v") AUDIO "a=mid:a\r\n"
		     "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n"
		     VIDEO "a=mid:v\r\na=sendonly\r\n", &p, &plan);
	expect_lines(text, (const char *[]){ "BUNDLE a v\r\n", "m=application 0", "a=recvonly\r\n",
					     NULL });
	assert_null(neg_plan_media(plan, NEG_ROLE_APPLICATION));
	assert_int_equal(plan->media[2].dir, NEG_RECVONLY);
	free(text);
	/* and its line becomes a second camera, under a new name */
	p.media[NEG_ROLE_CONTENT] = p.media[NEG_ROLE_CAMERA];
	text = go_on(HEAD("a v w") AUDIO "a=mid:a\r\n" VIDEO "a=mid:w\r\na=content:slides\r\n"
		     VIDEO "a=mid:v\r\n", &p, &plan);
	assert_int_equal(plan->media[1].role, NEG_ROLE_CONTENT);
	assert_true(plan->media[1].created);
	assert_int_equal(plan->media[2].role, NEG_ROLE_CAMERA);
	assert_int_equal(plan->media[2].dir, NEG_SENDRECV);
	free(text);
	/* our own offer wants data again: at the end, under a name of its own */
	ours = offered(&p, plan, &text);
	expect_lines(text, (const char *[]){ "BUNDLE a w v 3\r\n", "a=mid:a\r\n", "a=mid:w\r\n",
					     "a=content:slides\r\n", "a=mid:v\r\n",
					     "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
					     "a=mid:3\r\n", NULL });
	sdp_free(&ours);
	free(text);
	neg_plan_free(&plan);
}

/* A line that was refused is used again, and each time under another name. */
static void offers_do_not_grow_for_good(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	struct errmsg why;
	(void)state;
	p.media[NEG_ROLE_APPLICATION].enabled = false;
	free(go_on(HEAD("a") AUDIO "a=mid:a\r\n", &p, &plan));
	for (int i = 0; i < 3; i++) {
		char *text, answer[2048];
		struct neg_plan *next = NULL;
		struct sdp *ours = offered(&p, plan, &text);
		assert_int_equal(ours->n_media, 2);
		const char *mid = sdp_value(ours, &ours->media[1], "mid");
		snprintf(answer, sizeof(answer),
			 "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a\r\n"
			 "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\n"
			 "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
			 "a=fingerprint:" OUR_FINGERPRINT "\r\na=setup:active\r\na=rtcp-mux\r\n"
			 "a=rtpmap:111 opus/48000/2\r\n"
			 "m=video 0 UDP/TLS/RTP/SAVPF 102\r\na=mid:%s\r\n",
			 mid);
		struct sdp *theirs = parse_sdp(answer);
		if (neg_accept(ours, &p, theirs, plan, &next, &why))
			fail_msg("%s", why.text);
		assert_false(next->media[1].accepted);
		if (i)
			assert_string_not_equal(plan->media[1].mid, mid);
		neg_plan_free(&plan);
		plan = next;
		sdp_free(&theirs);
		sdp_free(&ours);
		free(text);
	}
	neg_plan_free(&plan);
}

/* The numbers of Firefox, which are others than ours, stay in our offers; what it
 * did not have gets numbers that mean nothing yet. */
static void numbers_keep_their_meaning(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	char *text, *offer = fixture_text("firefox-av-sendrecv");
	bool seen[128] = { false };
	(void)state;
	free(go_on(offer, &p, &plan));
	struct sdp *ours = offered(&p, plan, &text);
	expect_lines(text, (const char *[]){
				   "m=audio 9 UDP/TLS/RTP/SAVPF 63 109 9 0 8\r\n",
				   "a=fmtp:63 109/109\r\n",
				   "m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 102 103 104 "
				   "105\r\n",
				   "a=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\n",
				   "a=rtpmap:121 VP9/90000\r\n", "a=rtpmap:99 AV1/90000\r\n",
				   "a=rtpmap:102 H264/90000\r\n", "a=fmtp:103 apt=102\r\n", NULL });
	for (size_t i = 0; i < ours->n_media; i++)
		for (size_t k = 0; k < ours->media[i].n_formats; k++) {
			int pt = atoi(ours->media[i].format[k]);
			if (ours->media[i].format[k][0] < '0' || ours->media[i].format[k][0] > '9')
				continue;
			assert_false(seen[pt]);
			seen[pt] = true;
		}
	sdp_free(&ours);
	free(text);
	neg_plan_free(&plan);
	/* a number of ours that means something else there */
	p.media[NEG_ROLE_APPLICATION].enabled = false;
	free(go_on(HEAD("a v") "m=audio 9 UDP/TLS/RTP/SAVPF 102\r\n" TRANSPORT
		   "a=rtcp-mux\r\na=rtpmap:102 opus/48000/2\r\na=mid:a\r\n"
		   "m=video 9 UDP/TLS/RTP/SAVPF 103 63\r\n" TRANSPORT
		   "a=rtcp-mux\r\na=rtpmap:103 VP8/90000\r\na=rtpmap:63 rtx/90000\r\n"
		   "a=fmtp:63 apt=103\r\na=mid:v\r\n", &p, &plan));
	ours = offered(&p, plan, &text);
	expect_lines(text, (const char *[]){ "m=audio 9 UDP/TLS/RTP/SAVPF 127 102 9 0 8\r\n",
					     "a=fmtp:127 102/102\r\n",
					     "m=video 9 UDP/TLS/RTP/SAVPF 103 63 126 125 98 99 45 46 "
					     "104 105\r\n", "a=rtpmap:126 H264/90000\r\n",
					     "a=fmtp:125 apt=126\r\n", NULL });
	sdp_free(&ours);
	free(text);
	free(offer);
	neg_plan_free(&plan);
}

/* It answers with numbers of its own, in an order of its own: we go by ours. */
static void an_answer_with_other_numbers(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	struct errmsg why;
	char *text;
	struct sdp *ours = offered(&p, NULL, &text), *theirs = parse_sdp(
		"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 96 97 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
		"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\n"
		"a=fingerprint:" OUR_FINGERPRINT "\r\na=rtcp-mux\r\n"
		"a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 red/48000/2\r\na=fmtp:97 96/96\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 98 99 100 101 50 51 35\r\na=mid:1\r\na=rtcp-mux\r\n"
		"a=rtpmap:98 VP8/90000\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n"
		"a=rtpmap:100 H264/90000\r\n"
		"a=fmtp:100 packetization-mode=1;profile-level-id=42e00d\r\n"
		"a=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100\r\na=rtpmap:50 H264/90000\r\n"
		"a=fmtp:50 packetization-mode=1;profile-level-id=64001f\r\n"
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:7\r\n");
	(void)state;
	if (neg_accept(ours, &p, theirs, NULL, &plan, &why))
		fail_msg("%s", why.text);
	const struct neg_media *a = &plan->media[0], *v = &plan->media[1], *d = &plan->media[2];
	assert_int_equal(a->codec.pt_tx, 96);
	assert_int_equal(a->codec.pt_rx, 111);
	assert_int_equal(a->red_pt_tx, 97);
	assert_int_equal(a->red_pt_rx, 63);
	assert_int_equal(v->codec.codec, CODEC_H264);
	assert_int_equal(v->codec.pt_tx, 100);
	assert_int_equal(v->codec.pt_rx, 102);
	assert_int_equal(v->codec.h264_sps, 0x42e00d);
	assert_int_equal(v->n_agreed, 2); /* of the H.264 ones the nearest: we offered one */
	assert_int_equal(v->agreed[0].pt, 102);
	assert_int_equal(v->agreed[0].rtx_pt, 103);
	assert_int_equal(v->agreed[0].tx_rtx_pt, 101);
	assert_int_equal(v->agreed[1].codec, CODEC_VP8);
	assert_int_equal(v->agreed[1].pt, 96);
	assert_int_equal(v->agreed[1].rtx_pt, 97);
	assert_int_equal(v->agreed[1].tx_pt, 98);
	assert_int_equal(v->agreed[1].tx_rtx_pt, 99);
	assert_true(d->accepted);
	assert_int_equal(d->sctp_port, 7);
	sdp_free(&ours);
	sdp_free(&theirs);
	free(text);
	/* our next offer goes on with our own numbers */
	ours = offered(&p, plan, &text);
	expect_lines(text, (const char *[]){ "SAVPF 63 111 0 9 8\r\n", "SAVPF 102 103 ", NULL });
	sdp_free(&ours);
	free(text);
	neg_plan_free(&plan);
}

/* A peer that gave one number to two things, in sections of one bundle: in none of ours
 * it is listed twice. */
static void one_number_of_two_meanings(void **state)
{
	static const char *const offer =
		HEAD("a v s") AUDIO "a=mid:a\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" TRANSPORT
		"a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
		"a=mid:v\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n" TRANSPORT
		"a=rtcp-mux\r\na=rtpmap:97 H264/90000\r\n"
		"a=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\na=mid:s\r\na=sendonly\r\na=content:slides\r\n";
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = NULL;
	struct sdp *ours;
	char *text;

	(void)state;
	free(go_on(offer, &p, &plan));
	ours = offered(&p, plan, &text);
	assert_true(ours->n_media >= 3);
	for (size_t i = 0; i < ours->n_media; i++)
		for (size_t k = 0; k < ours->media[i].n_formats; k++)
			for (size_t n = 0; n < k; n++)
				assert_string_not_equal(ours->media[i].format[k],
							ours->media[i].format[n]);
	sdp_free(&ours);
	free(text);
	neg_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_of_a_data_channel),
		cmocka_unit_test(data_alone_and_as_the_first_of_the_bundle),
		cmocka_unit_test(sections_come_and_go),
		cmocka_unit_test(offers_do_not_grow_for_good),
		cmocka_unit_test(numbers_keep_their_meaning),
		cmocka_unit_test(one_number_of_two_meanings),
		cmocka_unit_test(an_answer_with_other_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
