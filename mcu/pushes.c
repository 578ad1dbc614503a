#include "mcu/pushes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <glib.h>

#include "mcu/base/clock.h"
#include "mixer/codec/aenc.h"
#include "storage/db.h"

enum { GOP_S = 2, REFRESH_MS = 500, FAILED_KEPT = 8, AAC_CONFIG_MAX = 64 };

struct pushes {
	struct pushes_env *env;
	struct room *room;
	push_info_fn *changed;
	void *obj;
	GPtrArray *all; /* struct item, in the order of their start */
};

/* Runs until its push says that it has ended; one that failed is listed longer. */
struct item {
	struct pushes *list; /* NULL: not listed any more */
	struct pushes_env *env;
	struct outlet *outlet; /* NULL: detached, or about to be */
	struct push *push;     /* NULL: it has ended, or is about to */
	bool runs;
	int64_t id, started_ms;
	enum push_state state;
	char to[160], text[256];
};

static void sink_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	push_video(((struct item *)obj)->push, au, pts_ns, key);
}

static void sink_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	push_audio(((struct item *)obj)->push, frame, pts_ns);
}

static void describe(const struct item *i, struct push_info *out)
{
	*out = (struct push_info){ i->id, i->state, i->to, i->text, i->started_ms };
}

ON_THREAD(ROLE_CTL) static void tell(const struct item *i)
{
	struct push_info info;

	if (!i->list)
		return;
	describe(i, &info);
	i->list->changed(i->list->obj, &info);
}

/* --- one of them --------------------------------------------------------------------- */

static void on_detached(void *obj, void *arg)
{
	struct item *i = obj;

	(void)arg;
	role_assert_ctl();
	push_stop(&i->push);
}

ON_THREAD(ROLE_CTL) static void end(struct item *i)
{
	if (i->outlet)
		room_sink_detach(&i->outlet, on_detached, i);
}

/* Takes it off its list; what does not run any more is freed. */
ON_THREAD(ROLE_CTL) static void unlist(struct item *i)
{
	if (i->list)
		g_ptr_array_remove(i->list->all, i);
	i->list = NULL;
	if (!i->runs)
		free(i);
}

/* Of those that failed only the last are remembered. */
ON_THREAD(ROLE_CTL) static void forget_failed(struct pushes *p)
{
	size_t n = 0;

	for (guint k = p->all->len; k--;) {
		struct item *i = g_ptr_array_index(p->all, k);

		if (!i->runs && ++n > FAILED_KEPT)
			unlist(i);
	}
}

ON_THREAD(ROLE_CTL) static void ended(struct item *i)
{
	struct pushes *p = i->list;

	i->runs = false;
	i->env->running--;
	if (!p) {
		free(i);
	} else if (i->state == PUSH_FAILED) {
		forget_failed(p);
	} else {
		i->state = PUSH_ENDED;
		tell(i);
		unlist(i);
	}
}

static void on_state(void *obj, enum push_state s, const char *text)
{
	struct item *i = obj;

	role_assert_ctl();
	if (s == PUSH_ENDED) {
		ended(i);
		return;
	}
	if (!i->outlet) /* it is being stopped */
		return;
	i->state = s;
	snprintf(i->text, sizeof i->text, "%s", text);
	if (s == PUSH_FAILED)
		end(i);
	tell(i);
}

/* --- the list --------------------------------------------------------------------------- */

int pushes_new(struct pushes **out, struct pushes_env *env, struct room *room,
	       push_info_fn *changed, void *obj)
{
	struct pushes *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	*p = (struct pushes){ env, room, changed, obj, g_ptr_array_new() };
	*out = p;
	return 0;
}

void pushes_close(struct pushes **pp)
{
	struct pushes *p = *pp;

	if (!p)
		return;
	while (p->all->len) {
		struct item *i = g_ptr_array_index(p->all, 0);

		end(i);
		unlist(i);
	}
	g_ptr_array_unref(p->all);
	free(p);
	*pp = NULL;
}

static size_t running(const struct pushes *p)
{
	size_t n = 0;

	for (guint k = 0; k < p->all->len; k++)
		n += ((struct item *)g_ptr_array_index(p->all, k))->runs;
	return n;
}

/* The push first, as its sink may be called at once. */
ON_THREAD(ROLE_CTL) static int begin(struct pushes *p, struct item *i, const char *url,
				     struct errmsg *why)
{
	const struct engine *e = p->env->engine;
	const struct aenc_cfg sound = { .format = CODEC_AAC, .channels = room_channels(p->room),
					.bitrate_bps = e->cfg.recording_audio_bps };
	const struct push_events ev = { .mbox = e->ctl, .obj = i, .state = on_state };
	const struct room_sink sink = { .obj = i, .video = sink_video, .audio = sink_audio,
					.sound = ROOM_SINK_AAC, .gop_s = GOP_S,
					.refresh_ms = REFRESH_MS };
	uint8_t aac[AAC_CONFIG_MAX];
	struct push_cfg cfg = {
		.url = url, .aac_config = aac, .sample_rate = 48000, .channels = sound.channels,
		.width = e->cfg.width, .height = e->cfg.height,
		.give_up_s = p->env->config->push.give_up_s,
	};
	int err = aenc_config(&sound, aac, sizeof aac, &cfg.aac_config_len);

	if (err)
		return errmsg_set(why, err, "internal", "The push cannot be started: %s.", err_str(err));
	err = push_start(&i->push, &cfg, &ev, why);
	if (err)
		return err;
	i->runs = true;
	p->env->running++;
	err = room_sink_attach(p->room, &sink, &i->outlet);
	if (err) {
		push_stop(&i->push); /* and it frees i when it has ended */
		errmsg_set(why, err, "internal", "The push cannot be started: %s.", err_str(err));
	}
	return err;
}

ON_THREAD(ROLE_CTL) static int may_push(const struct config *c, const struct push_url *u,
					bool admin, struct errmsg *why)
{
	bool listed = !c->push.hosts.n;

	if (!strcmp(c->push.who, "nobody") || (!admin && strcmp(c->push.who, "hosts")))
		return errmsg_set(why, -EACCES, "not_allowed", "You may not send rooms to other servers. "
				  "The administrator may, or may set push.who.");
	for (size_t i = 0; i < c->push.hosts.n; i++)
		listed = listed || !strcasecmp(c->push.hosts.items[i], u->host);
	return listed ? 0 : errmsg_set(why, -EACCES, "not_allowed", "This server is not among those that "
				       "the administrator allows (push.hosts).");
}

int pushes_start(struct pushes *p, const char *url, bool admin, int64_t *id, struct errmsg *why)
{
	size_t most = (size_t)p->env->config->push.per_room;
	struct push_url u;
	struct item *i;
	int err = push_url_parse(&u, url, why);

	if (!err)
		err = may_push(p->env->config, &u, admin, why);
	if (err)
		return err;
	if (running(p) >= most)
		return errmsg_set(why, -EUSERS, "too_many_pushes", "The room is sent to %zu servers "
				  "already, and no more may be. Stop one first.", most);
	i = calloc(1, sizeof *i);
	if (!i)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	i->env = p->env;
	i->state = PUSH_CONNECTING;
	i->id = db_new_id();
	i->started_ms = clock_wall_ns() / NS_PER_MS;
	snprintf(i->to, sizeof i->to, "%s", u.shown);
	err = begin(p, i, url, why);
	if (err) {
		if (!i->runs)
			free(i);
		return err;
	}
	i->list = p;
	g_ptr_array_add(p->all, i);
	*id = i->id;
	return 0;
}

static struct item *find(const struct pushes *p, int64_t id)
{
	for (guint k = 0; k < p->all->len; k++) {
		struct item *i = g_ptr_array_index(p->all, k);

		if (i->id == id)
			return i;
	}
	return NULL;
}

int pushes_stop(struct pushes *p, int64_t id)
{
	struct item *i = find(p, id);

	if (!i)
		return -ENOENT;
	if (i->runs && i->state != PUSH_FAILED)
		end(i);
	else
		unlist(i);
	return 0;
}

int pushes_get(const struct pushes *p, int64_t id, struct push_info *out)
{
	const struct item *i = find(p, id);

	if (!i)
		return -ENOENT;
	describe(i, out);
	return 0;
}

void pushes_each(const struct pushes *p, push_info_fn *fn, void *obj)
{
	struct push_info info;

	for (guint k = 0; k < p->all->len; k++) {
		describe(g_ptr_array_index(p->all, k), &info);
		fn(obj, &info);
	}
}
