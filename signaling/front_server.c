/* The sessions of a struct server, each with its state machine. */
#include "signaling/front.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "mcu/base/clock.h"

struct bound {
	struct front *front;
	struct front_session *session;
	struct bound *next, **link;
};

struct front {
	const struct room_api *api;
	void *api_ctx;
	struct bound *all;
	size_t n;
	guint tick;
};

static void sink_send(void *obj, const char *text, size_t len)
{
	role_assert_ctl();
	ws_send_text(obj, text, len);
}

static void sink_close(void *obj, int code, const char *reason)
{
	role_assert_ctl();
	ws_close(obj, code, reason);
}

static const struct front_sink ws_sink = { .send = sink_send, .close = sink_close };

static void on_opened(void *ctx, struct ws_session *ws)
{
	struct front *f = ctx;
	role_assert_ctl();
	struct bound *b = calloc(1, sizeof(*b));
	if (!b || front_session_new(&b->session, f->api, f->api_ctx, &ws_sink, ws,
				    ws_session_peer(ws), ws_session_tls(ws))) {
		free(b);
		ws_close(ws, 1011, "internal");
		return;
	}
	b->front = f;
	b->next = f->all;
	b->link = &f->all;
	if (b->next)
		b->next->link = &b->next;
	f->all = b;
	f->n++;
	ws_session_set_user(ws, b);
}

static void on_message(void *ctx, struct ws_session *ws, const struct client_msg *msg, int err,
		       const struct errmsg *why)
{
	(void)ctx;
	role_assert_ctl();
	struct bound *b = ws_session_user(ws);
	if (b)
		front_session_message(b->session, msg, err, why);
}

static void on_closed(void *ctx, struct ws_session *ws)
{
	struct front *f = ctx;
	role_assert_ctl();
	struct bound *b = ws_session_user(ws);
	if (!b)
		return;
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	f->n--;
	front_session_free(&b->session, LEAVE_LOST);
	free(b);
}

const struct server_events front_server_events = {
	.opened = on_opened,
	.message = on_message,
	.closed = on_closed,
};

static gboolean on_tick(gpointer arg)
{
	struct front *f = arg;
	int64_t now_ns = clock_now_ns(&clock_monotonic);

	role_assert_ctl();
	/* Ending one takes it off the list later, from the loop. */
	for (struct bound *b = f->all; b; b = b->next)
		front_session_tick(b->session, now_ns);
	return G_SOURCE_CONTINUE;
}

int front_new(struct front **out, const struct room_api *api, void *api_ctx)
{
	struct front *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->api = api;
	f->api_ctx = api_ctx;
	f->tick = g_timeout_add_seconds(1, on_tick, f);
	*out = f;
	return 0;
}

void front_free(struct front **f)
{
	if (*f)
		g_source_remove((*f)->tick);
	free(*f);
	*f = NULL;
}

void front_shutdown(struct front *f)
{
	for (struct bound *b = f->all; b; b = b->next)
		front_session_shutdown(b->session);
}

size_t front_session_count(const struct front *f)
{
	return f->n;
}
