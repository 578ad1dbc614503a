#include "tests/load/selftest.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/delay.h"
#include "tests/load/dtls.h"
#include "tests/load/receiver.h"
#include "tests/load/rtcp.h"
#include "tests/load/sender.h"
#include "tests/load/util.h"

enum { RUN_MS = 4000, REPAIR_MS = 1000, CONNECT_MS = 5000 };

struct end {
	struct link *link;
	struct end *other;
	struct sender *sender;
	struct receiver *receiver;
	struct sdp_answer answer;
	bool up;
	const char *down;
	uint64_t bad_rtcp, nacked;
	uint32_t ssrc;
};

struct side {
	enum ice_kind ice;
	enum sec_kind sec;
};

struct scenario {
	const char *name;
	struct side side[2];
	enum sec_profile only;
	unsigned drop_permille;
};

static int failures;

__attribute__((format(printf, 3, 4))) static void check(const char *name, bool ok, const char *fmt,
							...)
{
	va_list ap;

	if (ok)
		return;
	failures++;
	fprintf(stderr, "selftest %s: ", name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void on_candidate(void *obj, const char *sdp)
{
	struct end *e = obj;

	if (sdp)
		link_add_candidate(e->other->link, sdp);
}

static void on_up(void *obj)
{
	((struct end *)obj)->up = true;
}

static void on_down(void *obj, const char *why)
{
	((struct end *)obj)->down = why;
}

static void on_rtp(void *obj, uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct end *e = obj;

	if (e->receiver)
		receiver_rtp(e->receiver, p, len, arrival_ns);
}

static void on_sr(void *obj, uint32_t ssrc, uint64_t ntp, uint32_t rtp_ts)
{
	(void)rtp_ts;
	receiver_sr(((struct end *)obj)->receiver, ssrc, ntp, bot_now_ns());
}

static void on_block(void *obj, const struct rtcp_block *b)
{
	(void)obj;
	(void)b;
}

static void on_nack(void *obj, uint32_t of, uint16_t seq)
{
	sender_nack(((struct end *)obj)->sender, of, seq);
}

static void on_key_request(void *obj, uint32_t of, bool fir)
{
	(void)fir;
	sender_key_request(((struct end *)obj)->sender, of);
}

static void on_any(void *obj, uint8_t pt, uint8_t fmt)
{
	(void)obj;
	(void)pt;
	(void)fmt;
}

static void on_rtcp(void *obj, uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct end *e = obj;
	const struct rtcp_reader r = { .obj = e,
				       .sr = on_sr,
				       .block = on_block,
				       .nack = on_nack,
				       .key_request = on_key_request,
				       .any = on_any };

	(void)arrival_ns;
	if (e->receiver && !rtcp_read(&r, p, len))
		e->bad_rtcp++;
}

static const struct link_events EVENTS = {
	.candidate = on_candidate,
	.up = on_up,
	.down = on_down,
	.rtp = on_rtp,
	.rtcp = on_rtcp,
};

/* What the other end would have answered. */
static void make_answer(struct end *e)
{
	const struct sdp_media media = { .accepted = true, .sends = true, .receives = true };

	e->answer.audio = e->answer.video = media;
	e->answer.audio.pt = SDP_PT_AUDIO;
	e->answer.audio.ext_level = SDP_EXT_LEVEL;
	e->answer.video.pt = SDP_PT_VIDEO;
	e->answer.video.ext_mid = e->answer.audio.ext_mid = SDP_EXT_MID;
	e->answer.video.ext_twcc = SDP_EXT_TWCC;
	strcpy(e->answer.audio.mid, "0");
	strcpy(e->answer.video.mid, "1");
}

static void start_media(struct end *e, const struct scenario *s)
{
	e->sender = sender_new(&(struct sender_cfg){ .link = e->link,
						     .audio = media_make_bursts(0, 1),
						     .video = media_make_flips(0, 1),
						     .answer = &e->answer,
						     .audio_ssrc = e->ssrc,
						     .video_ssrc = e->ssrc + 1,
						     .cname = "self",
						     .start_ns = bot_now_ns(),
						     .frame_ns = BOT_NS_PER_S / 30,
						     .drop_permille = s->drop_permille });
	e->receiver = receiver_new(&(struct receiver_cfg){ .link = e->link,
							   .answer = &e->answer,
							   .ssrc = e->ssrc,
							   .cname = "self",
							   .feedback_hz = 11,
							   .decode = true,
							   .nack = s->drop_permille > 0 });
}

static void run(struct end e[2], int ms, bool send, bool until_up)
{
	int64_t start_ns = bot_now_ns();

	for (int k = 0; k < ms && !(until_up && e[0].up && e[1].up); k++) {
		bot_sleep_until(start_ns + k * BOT_NS_PER_MS);
		ice_nice_sweep_all();
		for (int i = 0; i < 2; i++) {
			link_sweep(e[i].link, bot_now_ns());
			if (send)
				sender_tick(e[i].sender, bot_now_ns());
			if (e[i].receiver)
				receiver_tick(e[i].receiver, bot_now_ns());
		}
	}
}

static void check_end(const struct scenario *s, struct end *e)
{
	const struct receiver_stats *r = receiver_stats(e->receiver);
	const struct link_stats *l = link_stats(e->link);
	const struct sender_stats *sent = sender_stats(e->other->sender);
	double level = tone_level_dbfs(receiver_tone(e->receiver), 1000);

	check(s->name, !e->down, "connection lost: %s", e->down);
	check(s->name, !s->only || l->profile == s->only, "another SRTP profile was chosen");
	check(s->name, !l->auth_fail, "%llu packets not authentic",
	      (unsigned long long)l->auth_fail);
	check(s->name, !e->bad_rtcp && !r->malformed && !r->unknown_pt, "malformed packets");
	check(s->name, r->sr >= 6, "%llu sender reports", (unsigned long long)r->sr);
	check(s->name, !r->audio.dup && !r->video.dup, "duplicates");
	check(s->name, seqstat_lost(&r->video) == 0, "%lld video packets lost of %llu",
	      (long long)seqstat_lost(&r->video), (unsigned long long)sent->video_packets);
	/* With loss, the very first packet may be missing: then a key frame is asked for. */
	check(s->name,
	      r->frames + (s->drop_permille ? 30 : 1) >= sent->video_frames && !r->decode_errors &&
		      (s->drop_permille || !r->undecodable),
	      "%llu pictures of %llu, %llu undecodable, %llu errors", (unsigned long long)r->frames,
	      (unsigned long long)sent->video_frames, (unsigned long long)r->undecodable,
	      (unsigned long long)r->decode_errors);
	check(s->name, level > -35, "the tone is missing: %.1f dBFS", level);
	check(s->name, !s->drop_permille || sent->retransmitted, "nothing was repaired");
	check(s->name, s->drop_permille || !seqstat_lost(&r->audio), "%lld audio packets lost",
	      (long long)seqstat_lost(&r->audio));
}

static void run_scenario(const struct scenario *s)
{
	struct end e[2] = { { .ssrc = 1000 }, { .ssrc = 2000 } };

	for (int i = 0; i < 2; i++) {
		e[i].other = &e[!i];
		make_answer(&e[i]);
		e[i].link = link_new(&(struct link_cfg){ .ice = s->side[i].ice,
							 .sec = s->side[i].sec,
							 .only = s->only,
							 .controlling = i == 0,
							 .stamps = true,
							 .events = &EVENTS,
							 .obj = &e[i] });
	}
	for (int i = 0; i < 2; i++) {
		link_set_remote(e[i].link, link_ufrag(e[!i].link), link_pwd(e[!i].link),
				dtls_fingerprint(), i == 0);
		link_start(e[i].link);
	}
	run(e, CONNECT_MS, false, true);
	check(s->name, e[0].up && e[1].up, "not connected");
	if (e[0].up && e[1].up) {
		start_media(&e[0], s);
		start_media(&e[1], s);
		run(e, RUN_MS, true, false);
		run(e, s->drop_permille ? REPAIR_MS : 50, false, false);
		check_end(s, &e[0]);
		check_end(s, &e[1]);
	}
	for (int i = 0; i < 2; i++) {
		link_close(e[i].link);
		sender_free(&e[i].sender);
		receiver_free(&e[i].receiver);
		link_free(&e[i].link);
	}
}

/* A hundred pictures around a wrapping time stamp: every tenth is 40 ms late, one 5
 * seconds, and the fastest ones are not the first. */
static void run_delay(void)
{
	struct delay d = { .clock_hz = 90000 }, sum = { .clock_hz = 90000 };
	const struct {
		double p;
		int ms;
	} expected[] = { { 0, 0 }, { 0.5, 7 }, { 0.89, 7 }, { 0.95, 47 }, { 0.98, 47 } };

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100; i++) {
			int64_t late_ms = i % 10 == 5 ? 47 : i == 50 ? 0 : i == 99 ? 5000 : 7;

			delay_put(&d, UINT32_MAX - 30000 + (uint32_t)i * 3000,
				  (int64_t)i * BOT_NS_PER_S / 30 + 1 + late_ms * BOT_NS_PER_MS);
		}
		delay_merge(&sum, &d);
		if (!round)
			delay_reset(&d);
	}
	for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
		int one = delay_percentile(&d, expected[k].p),
		    both = delay_percentile(&sum, expected[k].p);

		check("delay", abs(one - expected[k].ms) <= 1 && one == both,
		      "%.2f: %d and %d ms, not %d", expected[k].p, one, both, expected[k].ms);
	}
	check("delay", delay_percentile(&d, 1) > 700, "the latest: %d ms", delay_percentile(&d, 1));
	delay_reset(&d);
	check("delay", delay_percentile(&d, 0.5) == -1, "there should be none");
}

int selftest_run(void)
{
	static const struct scenario all[] = {
		{ "gcm", { { ICE_MINI, SEC_EVP }, { ICE_NICE, SEC_LIBSRTP } }, SEC_GCM, 0 },
		{ "cm", { { ICE_MINI, SEC_EVP }, { ICE_NICE, SEC_LIBSRTP } }, SEC_CM, 0 },
		{ "both", { { ICE_NICE, SEC_LIBSRTP }, { ICE_NICE, SEC_EVP } }, SEC_NONE, 0 },
		{ "loss", { { ICE_MINI, SEC_LIBSRTP }, { ICE_NICE, SEC_EVP } }, SEC_NONE, 80 },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		int before = failures;

		run_scenario(&all[i]);
		printf("%s selftest %s\n", failures == before ? "ok  " : "FAIL", all[i].name);
	}
	run_delay();
	printf("%s selftest delay\n", failures ? "FAIL" : "ok  ");
	return failures ? 1 : 0;
}
