#include "tests/load/peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/dtls.h"
#include "tests/load/util.h"

enum { WS_EVERY_MS = 50, SWEEP_MS = 10, SDP_BYTES = 8192 };

static bool publishes(const struct peer *p)
{
	return p->cfg.audio || p->cfg.video || p->cfg.content;
}

__attribute__((format(printf, 2, 3))) static void fail(struct peer *p, const char *fmt, ...)
{
	va_list ap;

	if (!p->error[0] && p->state != PEER_LEAVING && p->state != PEER_ENDED && !p->misbehaves) {
		va_start(ap, fmt);
		vsnprintf(p->error, sizeof p->error, fmt, ap);
		va_end(ap);
	}
}

static void end(struct peer *p)
{
	p->state = PEER_ENDED;
}

static void send_message(struct peer *p, json_t *m)
{
	char *text = json_dumps(m, JSON_COMPACT);

	json_decref(m);
	if (!text)
		bot_die("out of memory");
	if (p->ws)
		ws_send_text(p->ws, text);
	free(text);
}

static void on_link_candidate(void *obj, const char *sdp)
{
	struct peer *p = obj;

	send_message(p, json_pack("{s:s, s:s, s:s}", "type", "ice", "candidate", sdp ? sdp : "",
				  "mid", "0"));
}

static void start_media(struct peer *p)
{
	int64_t start_ns = bot_now_ns(), align_ns = p->cfg.send_align_ns;

	if (align_ns)
		start_ns = (start_ns / align_ns + 1) * align_ns;
	if (publishes(p))
		p->sender = sender_new(
			&(struct sender_cfg){ .link = p->link,
					      .audio = p->cfg.audio,
					      .video = p->cfg.video,
					      .content = p->cfg.content,
					      .answer = &p->answer,
					      .audio_ssrc = p->audio_ssrc,
					      .video_ssrc = p->video_ssrc,
					      .content_ssrc = p->content_ssrc,
					      .cname = p->cname,
					      .start_ns = start_ns + p->cfg.send_offset_ns,
					      .frame_ns = p->cfg.frame_ns,
					      .drop_permille = p->cfg.drop_tx_permille,
					      .late_permille = p->cfg.late_tx_permille,
					      .marked = p->cfg.marked,
					      .obj = p->cfg.obj });
	p->receiver = receiver_new(&(struct receiver_cfg){ .link = p->link,
							   .answer = &p->answer,
							   .ssrc = p->audio_ssrc,
							   .cname = p->cname,
							   .feedback_hz = p->cfg.feedback_hz,
							   .decode = p->cfg.decode,
							   .nack = p->cfg.nack,
							   .file = p->cfg.file,
							   .picture = p->cfg.picture,
							   .burst = p->cfg.burst,
							   .obj = p->cfg.obj });
}

static void on_link_up(void *obj)
{
	struct peer *p = obj;

	p->up_ns = bot_now_ns();
	if (p->state == PEER_CONNECTING)
		p->state = PEER_UP;
	start_media(p);
	peer_fit_uplink(p);
}

static void on_link_down(void *obj, const char *why)
{
	fail(obj, "media connection: %s", why);
}

static void on_link_rtp(void *obj, uint8_t *data, size_t len, int64_t arrival_ns)
{
	struct peer *p = obj;

	if (p->receiver)
		receiver_rtp(p->receiver, data, len, arrival_ns);
}

static void on_sr(void *obj, uint32_t ssrc, uint64_t ntp, uint32_t rtp_ts)
{
	struct peer *p = obj;

	(void)rtp_ts;
	receiver_sr(p->receiver, ssrc, ntp, bot_now_ns());
}

static void on_block(void *obj, const struct rtcp_block *b)
{
	struct peer *p = obj;

	if (b->fraction > p->rtcp.worst_fraction * 256)
		p->rtcp.worst_fraction = b->fraction / 256.0;
}

static void on_nack(void *obj, uint32_t of, uint16_t seq)
{
	struct peer *p = obj;

	if (p->sender)
		sender_nack(p->sender, of, seq);
}

static void on_key_request(void *obj, uint32_t of, bool fir)
{
	struct peer *p = obj;

	p->rtcp.pli += !fir;
	p->rtcp.fir += fir;
	if (p->sender)
		sender_key_request(p->sender, of);
}

static void on_any(void *obj, uint8_t pt, uint8_t fmt)
{
	struct peer *p = obj;

	switch (pt) {
	case 200: p->rtcp.sr++; break;
	case 201: p->rtcp.rr++; break;
	case 203: p->rtcp.bye++; break;
	case 205:
		p->rtcp.nack += fmt == 1;
		p->rtcp.twcc += fmt == 15;
		break;
	case 206: p->rtcp.remb += fmt == 15; break;
	default: p->rtcp.other++; break;
	}
}

static void on_link_rtcp(void *obj, uint8_t *data, size_t len, int64_t arrival_ns)
{
	struct peer *p = obj;
	const struct rtcp_reader r = { .obj = p,
				       .sr = on_sr,
				       .block = on_block,
				       .nack = on_nack,
				       .key_request = on_key_request,
				       .any = on_any };

	(void)arrival_ns;
	if (p->receiver && !rtcp_read(&r, data, len))
		p->rtcp.malformed++;
}

static const struct link_events LINK_EVENTS = {
	.candidate = on_link_candidate,
	.up = on_link_up,
	.down = on_link_down,
	.rtp = on_link_rtp,
	.rtcp = on_link_rtcp,
};

static void on_open(void *obj)
{
	struct peer *p = obj;

	if (p->state != PEER_OPENING)
		return; /* it has changed its mind meanwhile */
	p->state = PEER_JOINING;
	p->join_sent_ns = bot_now_ns();
	send_message(p, json_pack("{s:s, s:s, s:s}", "type", "join", "room", p->cfg.room, "name",
				  p->cfg.name));
}

static void make_offer(struct peer *p)
{
	const struct sdp_offer o = {
		.ufrag = link_ufrag(p->link),
		.pwd = link_pwd(p->link),
		.fingerprint = dtls_fingerprint(),
		.cname = p->cname,
		.audio_send = p->cfg.audio,
		.audio_receive = true,
		.video_send = p->cfg.video,
		.video_receive = !p->cfg.send_only_video,
		.audio_only = p->cfg.audio_only,
		.vp8 = p->cfg.vp8,
		.transport_cc = p->cfg.transport_cc,
		.audio_ssrc = p->audio_ssrc,
		.video_ssrc = p->video_ssrc,
		.content_ssrc = p->cfg.content ? p->content_ssrc : 0,
	};
	char sdp[SDP_BYTES];

	if (!sdp_write_offer(sdp, sizeof sdp, &o))
		bot_die("offer too long");
	send_message(p, json_pack("{s:s, s:s}", "type", "offer", "sdp", sdp));
	p->state = PEER_CONNECTING;
	link_start(p->link);
}

static void say_wishes(struct peer *p)
{
	if (!p->cfg.has_max_height)
		return;
	if (p->cfg.max_height)
		send_message(p, json_pack("{s:s, s:i}", "type", "view", "max_height",
					  (int)p->cfg.max_height));
	else
		send_message(p, json_pack("{s:s, s:b}", "type", "view", "video", 0));
}

static void say(struct peer *p)
{
	json_t *m = p->cfg.say ? json_loads(p->cfg.say, 0, NULL) : NULL;

	if (m)
		send_message(p, m);
}

static void on_welcome(struct peer *p, json_t *m)
{
	p->welcome_ns = bot_now_ns();
	p->leg = (int)json_integer_value(json_object_get(m, "leg"));
	say_wishes(p);
	say(p);
	if (p->state == PEER_JOINING)
		make_offer(p);
}

static void on_answer(struct peer *p, json_t *m)
{
	const char *sdp = json_string_value(json_object_get(m, "sdp"));
	const char *why = sdp ? sdp_parse_answer(&p->answer, sdp) : "the answer has no sdp";

	if (p->answered)
		return;
	if (why) {
		fail(p, "%s", why);
		return;
	}
	p->answered = true;
	for (size_t i = 0; i < p->answer.candidates; i++)
		link_add_candidate(p->link, p->answer.candidate[i]);
	link_set_remote(p->link, p->answer.ufrag, p->answer.pwd, p->answer.fingerprint,
			!p->answer.active);
}

static void on_ice(struct peer *p, json_t *m)
{
	const char *c = json_string_value(json_object_get(m, "candidate"));

	if (c && *c)
		link_add_candidate(p->link, strncmp(c, "a=", 2) ? c : c + 2);
}

static void on_error(struct peer *p, json_t *m)
{
	const char *code = json_string_value(json_object_get(m, "code"));
	const char *text = json_string_value(json_object_get(m, "text"));

	p->seen.error++;
	snprintf(p->last_code, sizeof p->last_code, "%s", code ? code : "");
	fail(p, "%s: %s", code ? code : "(no code)", text ? text : "(no text)");
}

static void on_text(void *obj, const char *text, size_t len)
{
	struct peer *p = obj;
	json_t *m = json_loadb(text, len, 0, NULL);
	const char *type = json_string_value(json_object_get(m, "type"));

	if (!type) {
		fail(p, "the server sent something that is no message: %.60s", text);
	} else if (!strcmp(type, "welcome")) {
		on_welcome(p, m);
	} else if (!strcmp(type, "answer")) {
		on_answer(p, m);
	} else if (!strcmp(type, "ice")) {
		on_ice(p, m);
	} else if (!strcmp(type, "error")) {
		on_error(p, m);
	} else if (!strcmp(type, "bye")) {
		const char *reason = json_string_value(json_object_get(m, "reason"));

		snprintf(p->bye, sizeof p->bye, "%s", reason ? reason : "");
		if (p->state == PEER_LEAVING)
			p->end_by_ns = 0;
		else
			fail(p, "the server said bye: %s", p->bye);
	} else {
		peer_on_event(p, type, m);
	}
	json_decref(m);
}

static void on_closed(void *obj, const char *why)
{
	struct peer *p = obj;

	fail(p, "WebSocket: %s", why);
	if (p->state == PEER_LEAVING)
		p->end_by_ns = 0;
	else
		end(p);
}

static const struct ws_events WS_EVENTS = { .open = on_open, .text = on_text, .closed = on_closed };

struct peer *peer_new(const struct peer_cfg *cfg)
{
	struct peer *p = bot_alloc(sizeof *p);

	p->cfg = *cfg;
	p->leg = -1;
	p->audio_ssrc = bot_random() | 1;
	/* Not all in the same millisecond. */
	p->next_sweep_ns = bot_now_ns() + bot_random_below(SWEEP_MS) * BOT_NS_PER_MS;
	p->video_ssrc = p->audio_ssrc + 2;
	p->content_ssrc = p->audio_ssrc + 4;
	bot_random_text(p->cname, 16);
	return p;
}

void peer_free(struct peer **p)
{
	if (!*p)
		return;
	sender_free(&(*p)->sender);
	receiver_free(&(*p)->receiver);
	link_free(&(*p)->link);
	ws_free(&(*p)->ws);
	free(*p);
	*p = NULL;
}

static void begin(struct peer *p)
{
	p->link =
		link_new(&(struct link_cfg){ .ice = p->cfg.ice,
					     .sec = p->cfg.ice == ICE_NICE ? SEC_LIBSRTP : SEC_EVP,
					     .only = p->cfg.only,
					     .controlling = true,
					     .stamps = p->cfg.stamps,
					     .drop_permille = p->cfg.drop_rx_permille,
					     .events = &LINK_EVENTS,
					     .obj = p });
	p->state = PEER_OPENING;
	p->ws = ws_new(p->cfg.url, &WS_EVENTS, p);
}

void peer_leave(struct peer *p, int64_t now_ns)
{
	if (p->state == PEER_LEAVING || p->state == PEER_ENDED)
		return;
	if (p->state == PEER_WAITING) {
		end(p);
		return;
	}
	p->state = PEER_LEAVING;
	p->end_by_ns = now_ns;
	if (p->cfg.abrupt || p->misbehaves)
		return;
	p->end_by_ns += p->cfg.bye_wait_ns;
	if (p->sender)
		sender_bye(p->sender);
	send_message(p, json_pack("{s:s}", "type", "leave"));
}

static void finish(struct peer *p)
{
	if (p->cfg.abrupt) {
		if (p->ws)
			ws_abort(p->ws);
		if (p->link)
			link_mute(p->link);
	} else {
		if (p->ws)
			ws_close(p->ws);
		if (p->link)
			link_close(p->link);
	}
	ws_free(&p->ws);
	if (p->link)
		p->link_stats = *link_stats(p->link);
	link_free(&p->link);
}

static void misbehave(struct peer *p, int64_t now_ns)
{
	if (!p->misbehaves) {
		p->misbehaves = true;
		if (p->cfg.kind == PEER_VANISH) {
			ws_abort(p->ws);
			link_mute(p->link);
		} else if (p->cfg.kind == PEER_STALL) {
			link_mute(p->link);
		}
	}
	if (p->cfg.kind == PEER_GARBAGE || p->cfg.kind == PEER_SIGNALING ||
	    p->cfg.kind == PEER_FLOOD)
		hostile_tick(p, now_ns);
}

static bool is_silent(const struct peer *p)
{
	return p->misbehaves && (p->cfg.kind == PEER_STALL || p->cfg.kind == PEER_VANISH);
}

/* By its own time: whatever the ticks that were missed, its turn comes. */
static bool sweep_is_due(struct peer *p, int64_t now_ns)
{
	if (now_ns < p->next_sweep_ns)
		return false;
	p->next_sweep_ns = now_ns + SWEEP_MS * BOT_NS_PER_MS;
	return true;
}

void peer_tick(struct peer *p, int64_t now_ns)
{
	bool sweep = sweep_is_due(p, now_ns);

	if (p->state == PEER_WAITING && now_ns >= p->cfg.join_ns)
		begin(p);
	if (p->state == PEER_WAITING || p->state == PEER_ENDED)
		return;
	/* Until the first picture the sweep is finer than what is measured. */
	sweep = sweep || !p->receiver ||
		(peer_wants_pictures(p) && !receiver_stats(p->receiver)->first_frame_ns);
	if (p->up_ns && p->cfg.kind >= PEER_STALL && now_ns > p->up_ns + p->cfg.bad_after_ns)
		misbehave(p, now_ns);
	if (!is_silent(p)) {
		if (sweep && (p->state != PEER_UP || now_ns >= p->next_ws_ns)) {
			ws_service(p->ws);
			p->next_ws_ns = now_ns + WS_EVERY_MS * BOT_NS_PER_MS;
		}
		if (sweep && p->state != PEER_ENDED)
			link_sweep(p->link, now_ns);
		if (p->sender && p->state == PEER_UP)
			sender_tick(p->sender, now_ns);
		if (p->receiver && p->state == PEER_UP)
			receiver_tick(p->receiver, now_ns);
	}
	if (p->cfg.leave_ns && now_ns >= p->cfg.leave_ns)
		peer_leave(p, now_ns);
	if (p->state == PEER_LEAVING && now_ns >= p->end_by_ns)
		end(p);
	if (p->state == PEER_ENDED)
		finish(p);
}

void peer_mark(struct peer *p)
{
	if (p->receiver)
		receiver_mark(p->receiver);
}

void peer_postpone(struct peer *p, int64_t by_ns)
{
	p->cfg.join_ns += by_ns;
}

uint64_t peer_auth_fail(const struct peer *p)
{
	return p->link ? link_stats(p->link)->auth_fail : p->link_stats.auth_fail;
}

const struct peer_cfg *peer_cfg(const struct peer *p)
{
	return &p->cfg;
}

enum peer_state peer_state(const struct peer *p)
{
	return p->state;
}

bool peer_wants_pictures(const struct peer *p)
{
	return !p->cfg.send_only_video && !p->cfg.audio_only && !p->cfg.idle &&
	       (!p->cfg.has_max_height || p->cfg.max_height);
}

bool peer_ready(const struct peer *p)
{
	if (p->state == PEER_ENDED || p->error[0])
		return true;
	if (p->state != PEER_UP)
		return false;
	/* Silence is refreshed every 400 ms only: the first sound may come after the picture. */
	if (p->cfg.kind <= PEER_VIEWER && !p->cfg.idle &&
	    !receiver_stats(p->receiver)->audio.packets)
		return false;
	return !peer_wants_pictures(p) || peer_first_frame_ms(p) >= 0;
}

int peer_leg(const struct peer *p)
{
	return p->leg;
}

const struct peer_tile *peer_tile(const struct peer *p, int leg)
{
	for (size_t i = 0; i < p->tiles; i++)
		if (p->tile[i].leg == leg && !p->tile[i].content)
			return &p->tile[i];
	return NULL;
}

const struct receiver *peer_receiver(const struct peer *p)
{
	return p->receiver;
}

const char *peer_error(const struct peer *p)
{
	return p->error;
}

static double since_join_ms(const struct peer *p, int64_t t_ns)
{
	return t_ns && p->join_sent_ns ? (double)(t_ns - p->join_sent_ns) / 1e6 : -1;
}

double peer_welcome_ms(const struct peer *p)
{
	return since_join_ms(p, p->welcome_ns);
}

double peer_connected_ms(const struct peer *p)
{
	return since_join_ms(p, p->up_ns);
}

double peer_first_frame_ms(const struct peer *p)
{
	return since_join_ms(p, p->receiver ? receiver_stats(p->receiver)->first_frame_ns : 0);
}
