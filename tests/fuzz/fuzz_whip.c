/* Requests of WHIP: five headers, path and query, each ended by a zero octet, and
 * behind them the body: an offer, or a fragment. A fragment that is taken is put into
 * an offer, which then can be answered or refused, and what is written can be read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/negotiate.h"
#include "signaling/whip_request.h"
#include "signaling/whip_sdpfrag.h"

static const char offer_text[] =
	"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
	"a=ice-ufrag:them\r\na=ice-pwd:0123456789012345678901\r\na=rtcp-mux\r\n"
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n"
	"a=rtpmap:111 opus/48000/2\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n";

static void check(int ok)
{
	if (!ok)
		abort();
}

static void answer(const struct sdp *offer)
{
	const struct neg_abilities can = { .rtx = true, .red = true, .simulcast = true };
	struct sdp *a = NULL;
	struct neg_plan *plan = NULL;
	struct sdpfrag f;
	struct neg_policy p;
	struct errmsg why;
	char *text = NULL;

	neg_policy_browser(&p, &can);
	p.ice_ufrag = "abcd";
	p.ice_pwd = "abcdefghijklmnopqrstuvwx";
	p.fingerprint = "sha-256 00";
	if (neg_answer(offer, &p, NULL, &a, &plan, &why))
		return;
	check(sdpfrag_write(&text, a, plan->media[0].transport_index) == 0);
	check(sdpfrag_parse(&f, text, strlen(text), &why) == 0 || !plan->media[0].accepted);
	free(text);
	sdp_free(&a);
	neg_plan_free(&plan);
}

static void fragment(const char *body, size_t len)
{
	static struct sdpfrag f;
	struct sdp *offer = NULL;
	struct errmsg why;
	char *text = NULL;

	if (sdpfrag_parse(&f, body, len, &why))
		return;
	check(f.n <= SDPFRAG_MAX_CANDIDATES && !f.ufrag[0] == !f.pwd[0]);
	for (size_t i = 0; i < f.n; i++)
		check(!strncmp(f.candidate[i].text, "candidate:", 10));
	if (!f.ufrag[0])
		return;
	check(sdp_parse(&offer, offer_text, sizeof(offer_text) - 1, &why) == 0);
	check(sdpfrag_apply(offer, &f) == 0);
	check(sdp_write(offer, &text) == 0);
	sdp_free(&offer);
	check(sdp_parse(&offer, text, strlen(text), &why) == 0);
	answer(offer);
	free(text);
	sdp_free(&offer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *field[7], *p = text;
	const char *token = NULL, *name = NULL;
	struct errmsg why;
	bool any = false;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	for (size_t i = 0; i < 7; i++) {
		field[i] = *p ? p : NULL;
		p += strlen(p);
		p += p < text + size;
	}
	struct whip_request r = { .content_type = field[0], .accept = field[1],
				  .authorization = field[2], .if_match = field[3],
				  .room = field[4], .name = field[5], .pin = field[6],
				  .body_len = (size_t)(text + size - p) };
	int status = whip_check_post(&r, "x", &token, &name, &why);
	check(status == 0 || (status >= 400 && status < 500 && why.code[0] && why.text[0]));
	check(status || (name && (!token || *token)));
	status = whip_check_patch(&r, "\"1234\"", &any, &why);
	check(status == 0 || (status >= 400 && status < 500 && why.code[0] && why.text[0]));
	fragment(p, r.body_len);
	struct sdp *offer = NULL;
	if (!sdp_parse(&offer, p, r.body_len, &why))
		answer(offer);
	sdp_free(&offer);
	free(text);
	return 0;
}
