/* A front session with a fake room on one side and a fake client on the other.
 * Included by one file per program. */
#ifndef TESTS_SIGNALING_FRONT_RIG_H
#define TESTS_SIGNALING_FRONT_RIG_H

#include "signaling/front.h"

#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A room that answers as the test says, and remembers what it was asked. */
struct leg_handle {
	int unused;
};

struct fixture {
	struct front_session *s;
	/* what was said to the client */
	GPtrArray *out;
	int closed_code;
	/* the fake room */
	struct leg_handle leg;
	const struct leg_events *ev;
	void *obj;
	bool late_welcome, closes_in_join, closes_in_negotiated, closes_in_act;
	const char *close_code; /* of closes_in_join */
	enum client_msg_type acted;
	int join_err, local_err, negotiated_err, record_err;
	enum leave_reason left;
	unsigned joins, leaves, negotiations;
	bool we_offered, restart;
	char content[33]; /* mid of that section; "": none */
	uint64_t version;
	size_t n_media;
	GPtrArray *candidates;
	enum tristate audio, video;
	int recording;
};

static inline void send_text(void *obj, const char *text, size_t len)
{
	struct fixture *f = obj;
	assert_int_equal(strlen(text), len);
	g_ptr_array_add(f->out, g_strdup(text));
}

static inline void do_close(void *obj, int code, const char *reason)
{
	struct fixture *f = obj;
	(void)reason;
	assert_int_equal(f->closed_code, 0);
	f->closed_code = code;
}

static const struct front_sink sink = { send_text, do_close };

static inline void welcome(struct fixture *f)
{
	struct participant p = { .leg = 7, .name = "Zoë", .audio = true };
	struct ice_server_info ice = { .url = "stun:s:3478" };
	struct welcome_info w = { .leg = 7,
				  .room = "r",
				  .name = "Zoë",
				  .resume = "secret",
				  .version = "1",
				  .participants = &p,
				  .n_participants = 1,
				  .ice_servers = &ice,
				  .n_ice_servers = 1,
				  .canvas_width = 640,
				  .canvas_height = 360,
				  .canvas_fps = 15 };
	f->ev->welcome(f->obj, &w);
}

static inline int r_join(void *ctx, const struct join_req *req, const struct leg_events *events, void *obj,
		  struct leg_handle **out, struct errmsg *why)
{
	struct fixture *f = ctx;
	f->joins++;
	f->ev = events;
	f->obj = obj;
	assert_string_equal(req->peer, "192.0.2.7");
	if (f->join_err)
		return errmsg_set(why, f->join_err, "room_full", "The room %s is full.", req->room);
	*out = &f->leg;
	if (f->closes_in_join) {
		struct errmsg e;
		errmsg_set(&e, 0, f->close_code ? f->close_code : "room_unknown", "No such room.");
		events->closed(obj, LEAVE_ERROR, &e);
	} else if (!f->late_welcome) {
		welcome(f);
	}
	return 0;
}

static inline void r_leave(void *ctx, struct leg_handle *leg, enum leave_reason reason)
{
	struct fixture *f = ctx;
	assert_ptr_equal(leg, &f->leg);
	f->leaves++;
	f->left = reason;
}

static inline int r_local(void *ctx, struct leg_handle *leg, bool restart, struct neg_policy *p,
		   struct errmsg *why)
{
	struct fixture *f = ctx;
	assert_ptr_equal(leg, &f->leg);
	f->restart = restart;
	if (f->local_err)
		return errmsg_set(why, f->local_err, "not_acceptable", "No.");
	neg_policy_browser(p, &(struct neg_abilities){ .rtx = true, .content = true });
	p->ice_ufrag = "ufra";
	p->ice_pwd = "pwdpwdpwdpwdpwdpwdpwdpwd";
	p->fingerprint = "sha-256 "
			 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
			 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
	p->cname = "c";
	return 0;
}

static inline int r_negotiated(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
			struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->negotiations++;
	f->we_offered = plan->we_offered;
	f->n_media = plan->n_media;
	const struct neg_media *content = neg_plan_media(plan, NEG_ROLE_CONTENT);
	snprintf(f->content, sizeof(f->content), "%s", content ? content->mid : "");
	f->version = plan->remote_session_version;
	if (f->closes_in_negotiated) {
		struct errmsg e;
		errmsg_set(&e, 0, "internal", "It broke.");
		f->ev->closed(f->obj, LEAVE_ERROR, &e);
		return 0;
	}
	return f->negotiated_err ? errmsg_set(why, f->negotiated_err, "internal", "No memory.") : 0;
}

static inline void r_candidate(void *ctx, struct leg_handle *leg, const char *mid, const char *candidate)
{
	struct fixture *f = ctx;
	(void)leg;
	g_ptr_array_add(f->candidates,
			g_strdup_printf("%s|%s", mid, candidate ? candidate : "END"));
}

static inline int r_mute(void *ctx, struct leg_handle *leg, enum tristate audio, enum tristate video,
		  struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->audio = audio;
	f->video = video;
	return f->record_err ? errmsg_set(why, f->record_err, "not_allowed", "Stay muted.") : 0;
}

static inline int r_act(void *ctx, struct leg_handle *leg, const struct client_msg *m, struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->acted = m->type;
	if (f->closes_in_act) {
		struct errmsg e;
		errmsg_set(&e, 0, "kicked", "A host has removed you.");
		f->ev->closed(f->obj, LEAVE_KICKED, &e);
		return 0;
	}
	return f->record_err ? errmsg_set(why, f->record_err, "not_allowed", "No.") : 0;
}

static inline int r_record(void *ctx, struct leg_handle *leg, const struct record_wish *wish,
			    struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->recording = (int)wish->action;
	return f->record_err ? errmsg_set(why, f->record_err, "already_recording", "It runs.") : 0;
}

static inline int r_stats(void *ctx, struct leg_handle *leg, struct leg_stats *out)
{
	(void)ctx;
	(void)leg;
	out->uplink.loss = 0.0125;
	out->score = 4.5;
	return 0;
}

static const struct room_api api = {
	.join = r_join,
	.leave = r_leave,
	.local = r_local,
	.negotiated = r_negotiated,
	.remote_candidate = r_candidate,
	.mute = r_mute,
	.record = r_record,
	.act = r_act,
	.stats = r_stats,
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->out = g_ptr_array_new_with_free_func(g_free);
	f->candidates = g_ptr_array_new_with_free_func(g_free);
	assert_int_equal(front_session_new(&f->s, &api, f, &sink, f, "192.0.2.7", true), 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	front_session_free(&f->s, LEAVE_LOST);
	g_ptr_array_free(f->out, TRUE);
	g_ptr_array_free(f->candidates, TRUE);
	free(f);
	return 0;
}

/* What the client says. */
static inline void hear(struct fixture *f, const char *text)
{
	struct client_msg m;
	struct errmsg why;
	int err = client_msg_parse(&m, text, strlen(text), &why);
	front_session_message(f->s, &m, err, &why);
	client_msg_clear(&m);
}

/* The next thing said to it has all of the parts. */
static inline void expect(struct fixture *f, const char *a, const char *b)
{
	if (!f->out->len)
		fail_msg("nothing was said; expected %s", a);
	char *text = g_ptr_array_steal_index(f->out, 0);
	if (!strstr(text, a) || (b && !strstr(text, b)))
		fail_msg("%s lacks %s or %s", text, a, b ? b : "");
	g_free(text);
}

static inline void expect_silence(struct fixture *f)
{
	if (f->out->len)
		fail_msg("unexpected: %s", (char *)f->out->pdata[0]);
}

static const char join[] = "{\"type\":\"join\",\"id\":\"j\",\"room\":\"r\",\"name\":\"Zoë\"}";

static inline void joined(struct fixture *f)
{
	hear(f, join);
	expect(f, "\"type\":\"welcome\"", "\"id\":\"j\"");
}

static inline char *sdp_file(const char *name)
{
	char *text;
	char *path = g_strconcat("tests/signaling/fixtures/", name, NULL);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("cannot read %s", path);
	g_free(path);
	return text;
}

static inline void hear_sdp(struct fixture *f, const char *type, const char *sdp)
{
	char *escaped = g_strescape(sdp, NULL);
	char *text =
		g_strdup_printf("{\"type\":\"%s\",\"id\":\"s\",\"sdp\":\"%s\"}", type, escaped);
	hear(f, text);
	g_free(text);
	g_free(escaped);
}

static inline void hear_offer(struct fixture *f, const char *file)
{
	char *sdp = sdp_file(file);
	hear_sdp(f, "offer", sdp);
	g_free(sdp);
}

#endif
