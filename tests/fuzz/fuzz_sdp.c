/* SDP and offer/answer on any octets: an offer and, behind a zero octet, the next
 * one. What was read is written and read again as the same; every answer can be
 * read and has the offer's m-lines in number. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/negotiate.h"

static const struct neg_sdes sdes[] = {
	{ "AES_CM_128_HMAC_SHA1_80", "inline:AAAA" },
	{ "AEAD_AES_128_GCM", "inline:BBBB" },
};
static const struct neg_format audio[] = {
	{ .codec = CODEC_OPUS, .pt = 111 },
	{ .codec = CODEC_G722, .pt = 9 },
	{ .codec = CODEC_PCMU, .pt = 0 },
};
static const struct neg_format video[] = {
	{ .codec = CODEC_H264, .pt = 102, .h264_mode = 1, .h264_profile = 0x42e01f },
	{ .codec = CODEC_VP8, .pt = 96 },
	{ .codec = CODEC_H264, .pt = 103, .h264_mode = 0, .h264_profile = 0x42e01f },
};

/* Kinds: a browser, everything at once, a telephone. */
static struct neg_policy policy_of(int kind)
{
	const struct neg_abilities can = {
		.rtx = true, .red = true, .stereo = true, .simulcast = true, .data = true
	};
	struct neg_policy p;
	if (kind == 2)
		neg_policy_phone(&p, &can);
	else
		neg_policy_browser(&p, &can);
	p.ice_ufrag = "abcd";
	p.ice_pwd = "abcdefghijklmnopqrstuvwx";
	p.fingerprint = "sha-256 00";
	p.cname = "c";
	p.stream_id = "s";
	p.media[NEG_ROLE_CAMERA].ssrc = 1;
	p.media[NEG_ROLE_CAMERA].rtx_ssrc = 2;
	p.media[NEG_ROLE_CONTENT] = p.media[NEG_ROLE_CAMERA];
	if (!kind)
		return p;
	p.address = "192.0.2.1";
	if (kind == 2) {
		p.security = NEG_PLAIN | NEG_SDES;
		for (int r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT; r++) {
			p.media[r].port = 4000;
			p.media[r].sdes = sdes;
			p.media[r].n_sdes = 2;
		}
		return p;
	}
	p.security = NEG_PLAIN | NEG_SDES | NEG_DTLS;
	p.one_transport = false;
	p.dtls_needs_ice = true;
	for (int r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT; r++) {
		struct neg_media_policy *m = &p.media[r];
		m->port = 4000;
		m->sdes = sdes;
		m->n_sdes = 2;
		m->dtmf = true;
		m->fb = 63;
		m->exts = 127;
		m->formats = r == NEG_ROLE_AUDIO ? audio : video;
		m->n_formats = 3;
	}
	return p;
}

static void check(int ok)
{
	if (!ok)
		abort();
}

static void round_trip(const struct sdp *s)
{
	char *one = NULL, *two = NULL;
	struct sdp *again = NULL;
	struct errmsg why;
	check(sdp_write(s, &one) == 0);
	/* the lines that are written by default may make it longer than the limit */
	if (sdp_parse(&again, one, strlen(one), &why) == 0) {
		check(again->n_media == s->n_media);
		check(sdp_write(again, &two) == 0);
		check(!strcmp(one, two));
	}
	sdp_free(&again);
	free(one);
	free(two);
}

/* A number is once in an m-line of ours. */
static void numbers_are_unique(const struct sdp *s)
{
	for (size_t i = 0; i < s->n_media; i++)
		for (size_t j = 0; j < s->media[i].n_formats; j++)
			for (size_t k = 0; s->media[i].port && k < j; k++)
				check(strcmp(s->media[i].format[j], s->media[i].format[k]) != 0);
}

static struct neg_plan *answer(const struct sdp *offer, const struct neg_policy *p,
			       const struct neg_plan *prev)
{
	struct sdp *a = NULL, *o = NULL;
	struct neg_plan *plan = NULL, *mine = NULL;
	struct errmsg why;
	neg_wants_ice_restart(offer, prev);
	if (neg_answer(offer, p, prev, &a, &plan, &why)) {
		check(!a && !plan && why.code[0]);
		return NULL;
	}
	check(a->n_media == offer->n_media && plan->n_media == offer->n_media);
	for (size_t i = 0; i < plan->n_media; i++) {
		check(plan->media[i].transport_index < plan->n_media);
		check(plan->media[i].accepted == (a->media[i].port != 0));
		check(plan->media[i].n_agreed <= NEG_MAX_FORMATS);
	}
	numbers_are_unique(a);
	round_trip(a);
	if (neg_offer(p, plan, &o, &why) == 0) {
		round_trip(o);
		numbers_are_unique(o);
		neg_accept(o, p, a, plan, &mine, &why); /* our own answer for want of another */
	}
	neg_plan_free(&mine);
	sdp_free(&o);
	sdp_free(&a);
	return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
	size_t n = zero ? (size_t)(zero - data) : size;
	struct sdp *first = NULL, *second = NULL, *ours = NULL;
	struct errmsg why;

	if (!size || sdp_parse(&first, (const char *)data, n, &why))
		return 0;
	if (zero && sdp_parse(&second, (const char *)zero + 1, size - n - 1, &why))
		second = NULL;
	round_trip(first);
	for (int kind = 0; kind < 3; kind++) {
		struct neg_policy p = policy_of(kind);
		struct neg_plan *plan = answer(first, &p, NULL), *next = NULL;
		if (second)
			next = answer(second, &p, plan);
		neg_plan_free(&next);
		neg_plan_free(&plan);
		if (neg_offer(&p, NULL, &ours, &why) == 0 &&
		    !neg_accept(ours, &p, first, NULL, &plan, &why))
			neg_plan_free(&plan);
		sdp_free(&ours);
	}
	sdp_free(&second);
	sdp_free(&first);
	return 0;
}
