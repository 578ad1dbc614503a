#include "mcu/playback.h"

#include "mcu/playback_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "storage/audit.h"

METRIC_COUNTER(m_started, "mcu_playbacks_started_total", "Playbacks that were begun.");
METRIC_COUNTER(m_decoded, "mcu_playback_pictures_total", "Pictures of playbacks that were decoded.");
METRIC_COUNTER(m_failed, "mcu_playbacks_failed_total", "Playbacks that ended by an error.");

enum {
	TURN_MS = 100,
	ANSWER_S = 20,	 /* a child that owes an answer for so long is stuck */
	ALONE_S = 10,	 /* nobody else is in the room */
	PICTURES_PER_TURN = 10000,
	RETRIES = 20, RETRY_MS = 1000, RETRY_MOST_MS = 30000, FINE_S = 20
};

static const char *const sources[] = {
	[PLAYBACK_RECORDING] = "recording", [PLAYBACK_UPLOAD] = "upload",
	[PLAYBACK_CAMERA] = "camera",
};

const char *playback_source_name(enum playback_source s)
{
	return s >= PLAYBACK_RECORDING && s <= PLAYBACK_CAMERA ? sources[s] : "";
}

enum playback_source playback_source_parse(const char *name)
{
	for (enum playback_source s = PLAYBACK_RECORDING; s <= PLAYBACK_CAMERA; s++)
		if (!strcmp(name, sources[s]))
			return s;
	return 0;
}

int64_t playback_now(const struct playback *p)
{
	return clock_now_ns(p->owner->conf->cfg.engine->clock);
}

ON_THREAD(ROLE_CTL) static void set_point(struct playback *p)
{
	if (p->feed)
		playback_feed_set(p->feed, &p->clock.point);
}

/* --- end ---------------------------------------------------------------------------- */

void playback_reap(struct playback *p)
{
	struct playbacks *all = p->owner;

	if (!p->ended || p->asking || p->pulled || p->child)
		return;
	if (p->feed)
		playback_feed_free(&p->feed);
	playback_child_unmap(&p->shm, p->max_w, p->max_h);
	if (p->shm_fd >= 0)
		close(p->shm_fd);
	if (p->file >= 0)
		close(p->file);
	g_ptr_array_remove(all->all, p);
	explicit_bzero(p->url, sizeof p->url);
	free(p);
}

void playback_finish(struct playback *p, const char *text)
{
	if (p->ended)
		return;
	p->ended = true;
	p->failing = text != NULL;
	if (text) {
		metric_add(&m_failed, 1);
		snprintf(p->text, sizeof p->text, "%s", text);
		log_info(NULL, "playback %u in %s failed: %s", p->id, p->room, text);
	}
	playback_leave(p);
	playback_tell(p);
	if (p->child)
		playback_child_kill(p->child);
	playback_reap(p);
}

/* --- the child ----------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void seek(struct playback *p, int64_t pos)
{
	int64_t to = playback_clock_seek(&p->clock, playback_now(p), p->facts.pages ? 0 : pos);

	set_point(p);
	atomic_store(&p->shm->position_ns, p->clock.point.pos_ns);
	if (p->child)
		playback_child_order(p->child, MEDIA_SEEK, p->clock.point.serial,
				     p->facts.pages ? (int64_t)p->page - 1 : to, false);
	p->waits_ns = playback_now(p);
}

void playback_order_wanted(struct playback *p)
{
	if (!p->child || p->shows == (p->wanted > 0))
		return;
	p->shows = p->wanted > 0;
	playback_child_order(p->child, MEDIA_WANTED, p->clock.point.serial, 0, p->shows);
}

/* A camera that is back goes on as the leg it was. */
ON_THREAD(ROLE_CTL) static void on_facts(struct playback *p, const struct media_note *n)
{
	bool same = p->leg && n->audio == p->facts.audio && n->video == p->facts.video;
	struct errmsg why;

	p->facts = *n;
	p->page = n->pages ? 1 : 0;
	p->fine_ns = playback_now(p);
	playback_clock_opened(&p->clock, n->duration_ns, p->source == PLAYBACK_CAMERA, n->still);
	seek(p, p->start_ms * NS_PER_MS);
	p->start_ms = 0;
	if (!p->leg && playback_join(p, &why)) {
		playback_finish(p, why.text);
		return;
	}
	if (!same)
		playback_show(p);
	if (!p->ended)
		playback_order_wanted(p);
}

static void on_note(void *obj, const struct media_note *n)
{
	struct playback *p = obj;

	role_assert_ctl();
	if (p->ended)
		return;
	switch (n->type) {
	case MEDIA_FACTS: on_facts(p, n); break;
	case MEDIA_READY:
		playback_clock_ready(&p->clock, playback_now(p), n->serial, n->pos_ns);
		if (n->serial == p->clock.point.serial)
			p->waits_ns = 0;
		break;
	case MEDIA_END: playback_clock_end(&p->clock, n->serial, n->pos_ns); break;
	default:
		snprintf(p->text, sizeof p->text, "%s", n->text);
		snprintf(p->code, sizeof p->code, "%s", n->code);
		break;
	}
	if (p->ended)
		return;
	set_point(p);
	playback_tell(p);
}

/* After a while; longer from time to time. */
ON_THREAD(ROLE_CTL) static bool try_again(struct playback *p)
{
	int64_t ms = RETRY_MS;

	if (p->source != PLAYBACK_CAMERA || !p->leg)
		return false;
	if (p->fine_ns && playback_now(p) - p->fine_ns > FINE_S * NS_PER_S)
		p->tries = 0;
	if (p->tries == RETRIES)
		return false;
	for (unsigned i = 0; i < p->tries && ms < RETRY_MOST_MS; i++)
		ms *= 2;
	p->tries++;
	p->fine_ns = p->waits_ns = 0;
	p->retry_ns = playback_now(p) + (ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS) * NS_PER_MS;
	playback_clock_seek(&p->clock, playback_now(p), 0);
	set_point(p);
	playback_tell(p);
	return true;
}

static void on_gone(void *obj)
{
	struct playback *p = obj;

	role_assert_ctl();
	p->child = NULL;
	if (!p->ended && !try_again(p)) {
		char text[sizeof p->text];

		snprintf(text, sizeof text, "%s", p->text[0] ? p->text :
			 "It could not be played: the program that opens it has ended.");
		playback_finish(p, text);
		return;
	}
	playback_reap(p);
}

static const struct playback_child_events child_events = { .note = on_note, .gone = on_gone };

ON_THREAD(ROLE_CTL) static int make_memory(struct playback *p)
{
	const struct engine *e = p->owner->conf->cfg.engine;

	if (p->feed)
		return 0;
	p->max_w = (uint32_t)e->cfg.width & ~1u;
	p->max_h = (uint32_t)e->cfg.height & ~1u;
	p->shm_fd = playback_child_memory(p->max_w, p->max_h, &p->shm);
	if (p->shm_fd < 0)
		return p->shm_fd;
	return playback_feed_new(&p->feed, p->shm, p->max_w, p->max_h, e->pictures);
}

void playback_open(struct playback *p)
{
	struct playback_child_cfg cfg = {
		.kind = p->source == PLAYBACK_CAMERA ? MEDIA_CAMERA : MEDIA_FILE, .file = p->file,
		.url = p->url,
	};
	struct errmsg why;
	int err = make_memory(p);

	cfg.shm = p->shm_fd;
	cfg.max_w = p->max_w;
	cfg.max_h = p->max_h;
	if (err)
		errmsg_set(&why, err, "internal", "There is no memory for it: %s.", err_str(err));
	else
		err = playback_child_start(&p->child, &cfg, &child_events, p, &why);
	if (err)
		playback_finish(p, why.text);
	else
		p->waits_ns = playback_now(p);
	p->shows = true; /* as each begins */
}

/* --- running ------------------------------------------------------------------------- */

/* Up to where there is sound; without any, pictures: a ring that is full of those is as
 * good as more. */
static int64_t there(const struct playback *p, int64_t pos)
{
	int64_t sound = p->shm->sound_ns, picture = p->shm->picture_ns, ns;

	if (p->shm->slot_head - p->shm->slot_tail >= MEDIA_SLOTS && picture < pos + NS_PER_S)
		picture = pos + NS_PER_S;
	if (!p->facts.audio || sound == MEDIA_MAX_NS)
		ns = picture;
	else
		ns = p->source == PLAYBACK_CAMERA && picture > sound ? picture : sound;
	return ns < 0 ? 0 : ns > MEDIA_MAX_NS ? MEDIA_MAX_NS : ns;
}

/* What a child says of that may be nonsense. */
ON_THREAD(ROLE_CTL) static void count_pictures(struct playback *p)
{
	uint32_t n = p->shm->decoded - p->decoded;

	p->decoded += n;
	if (n > PICTURES_PER_TURN)
		return;
	p->pictures += n;
	metric_add(&m_decoded, n);
}

ON_THREAD(ROLE_CTL) static bool is_alone(const struct playback *p)
{
	const struct hall *h = hall_find(p->owner->conf, p->room);

	for (guint i = 0; h && i < h->people->len; i++)
		if (((const struct leg_handle *)g_ptr_array_index(h->people, i))->kind !=
		    LEG_KIND_PLAYBACK)
			return false;
	return true;
}

/* True: it has ended. */
ON_THREAD(ROLE_CTL) static bool check(struct playback *p, int64_t now_ns)
{
	if (!is_alone(p))
		p->alone_ns = 0;
	else if (!p->alone_ns)
		p->alone_ns = now_ns;
	if (p->alone_ns && now_ns - p->alone_ns > ALONE_S * NS_PER_S) {
		playback_finish(p, NULL);
		return true;
	}
	if (p->child && ((p->waits_ns && now_ns - p->waits_ns > ANSWER_S * NS_PER_S) ||
			 playback_feed_broken(p->feed))) {
		if (!p->text[0])
			snprintf(p->text, sizeof p->text, "It could not be played: it took too long, or is "
				 "damaged.");
		p->waits_ns = 0;
		playback_child_kill(p->child); /* on_gone says the rest */
	}
	return false;
}

ON_THREAD(ROLE_CTL) static void turn(struct playback *p, int64_t now_ns)
{
	int64_t pos;

	if (p->ended || check(p, now_ns))
		return;
	if (p->retry_ns && now_ns >= p->retry_ns) {
		p->retry_ns = 0;
		p->text[0] = p->code[0] = 0;
		playback_open(p);
		return;
	}
	if (!p->child || !p->feed)
		return;
	count_pictures(p);
	playback_order_wanted(p);
	pos = playback_clock_position(&p->clock.point, now_ns);
	atomic_store(&p->shm->position_ns, pos);
	switch (playback_clock_turn(&p->clock, now_ns, there(p, pos))) {
	case PLAYBACK_GOES_ON: break;
	case PLAYBACK_AGAIN: seek(p, 0); break;
	case PLAYBACK_OVER: playback_finish(p, NULL); return;
	}
	set_point(p);
	if (playback_clock_state(&p->clock) != p->told)
		playback_tell(p);
}

static gboolean on_turn(gpointer obj)
{
	struct playbacks *all = obj;
	GPtrArray *copy = g_ptr_array_copy(all->all, NULL, NULL);

	role_assert_ctl();
	for (guint i = 0; i < copy->len; i++) {
		struct playback *p = g_ptr_array_index(copy, i);

		if (g_ptr_array_find(all->all, p, NULL))
			turn(p, playback_now(p));
	}
	g_ptr_array_unref(copy);
	if (all->all->len)
		return G_SOURCE_CONTINUE;
	all->timer = 0;
	return G_SOURCE_REMOVE;
}

/* --- what may be asked --------------------------------------------------------------- */

void playback_describe(const struct playback *p, struct playback_info *out)
{
	*out = (struct playback_info){
		.id = p->id, .leg = p->leg_id, .room = p->room, .title = p->title, .by = p->by,
		.text = p->text, .code = p->code, .source = p->source,
		.state = p->failing ? PLAYBACK_FAILED : p->ended ? PLAYBACK_ENDED :
			 p->retry_ns || p->tries > 0 ? PLAYBACK_RECONNECTING :
			 playback_clock_state(&p->clock),
		.position_ms = playback_clock_position(&p->clock.point, playback_now(p)) / NS_PER_MS,
		.duration_ms = p->clock.duration_ns / NS_PER_MS,
		.page = p->page, .pages = p->facts.pages, .pictures = p->pictures,
		.loop = p->clock.loop, .content = p->content, .audio = p->facts.audio,
		.video = p->facts.video, .seekable = p->clock.open && !p->clock.live && !p->clock.still,
	};
	if (out->state == PLAYBACK_RECONNECTING && p->child && p->clock.open && !p->clock.seeking)
		out->state = playback_clock_state(&p->clock);
}

static struct playback *find(const struct playbacks *all, const char *room, uint32_t id,
			     struct errmsg *why)
{
	for (guint i = 0; i < all->all->len; i++) {
		struct playback *p = g_ptr_array_index(all->all, i);

		if (p->id == id && !p->ended && !strcmp(p->room, room))
			return p;
	}
	errmsg_set(why, -ENOENT, "playback_unknown", "That is not played in this room any more.");
	return NULL;
}

static size_t running(const struct playbacks *all, const char *room)
{
	size_t n = 0;

	for (guint i = 0; i < all->all->len; i++) {
		const struct playback *p = g_ptr_array_index(all->all, i);

		n += !room || !strcmp(p->room, room);
	}
	return n;
}

static struct playback *make(struct playbacks *all, const struct playback_ask *ask)
{
	struct playback *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->owner = all;
	p->id = ++all->last_id;
	p->file = p->shm_fd = -1;
	p->source = ask->source;
	p->source_id = ask->id;
	p->start_ms = ask->position_ms;
	p->admin = ask->admin;
	p->user_id = ask->user_id;
	p->content = ask->content;
	p->titled = ask->title && *ask->title;
	snprintf(p->room, sizeof p->room, "%s", ask->room);
	snprintf(p->title, sizeof p->title, "%s", p->titled ? ask->title : "");
	snprintf(p->by, sizeof p->by, "%s", ask->by ? ask->by : "");
	snprintf(p->url, sizeof p->url, "%s", ask->url ? ask->url : "");
	snprintf(p->token, sizeof p->token, "%s", ask->token ? ask->token : "");
	playback_clock_init(&p->clock, !ask->paused, ask->loop);
	return p;
}

int playback_start(struct playbacks *all, const struct playback_ask *ask, uint32_t *id,
		   struct errmsg *why)
{
	const struct config *c = all->conf->cfg.config;
	struct hall *h = hall_find(all->conf, ask->room);
	struct playback *p;
	int err;

	if (!h || h->closing || all->conf->stopping)
		return errmsg_set(why, -ENOENT, "room_unknown", "The room \"%s\" does not run: nobody is "
				  "in it.", ask->room);
	if (running(all, ask->room) >= (size_t)c->playback.per_room ||
	    running(all, NULL) >= (size_t)c->playback.max)
		return errmsg_set(why, -EUSERS, "busy", "As much is played at the same time as may be. Stop "
				  "something else first.");
	p = make(all, ask);
	if (!p)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	g_ptr_array_add(all->all, p);
	err = playback_find(p, why);
	if (err) {
		g_ptr_array_remove(all->all, p);
		free(p);
		return err;
	}
	if (!all->timer)
		all->timer = g_timeout_add(TURN_MS, on_turn, all);
	metric_add(&m_started, 1);
	*id = p->id;
	playback_tell(p);
	return 0;
}

ON_THREAD(ROLE_CTL) static int turn_page(struct playback *p, int64_t page, struct errmsg *why)
{
	if (page < 1 || page > p->facts.pages)
		return errmsg_set(why, -EINVAL, "bad_message", "It has the pages 1 to %u.",
				  p->facts.pages);
	p->page = (uint32_t)page;
	seek(p, 0);
	return 0;
}

int playback_change(struct playbacks *all, const char *room, uint32_t id,
		    const struct playback_change *c, struct errmsg *why)
{
	struct playback *p = find(all, room, id, why);
	int err = 0;

	if (!p)
		return -ENOENT;
	if (c->position_ms >= 0 && (!p->clock.open || p->clock.live || p->clock.still))
		return errmsg_set(why, -EINVAL, "bad_message", "There is nothing to be sought in it.");
	if ((c->muted != TRISTATE_UNSET || c->hidden != TRISTATE_UNSET) && !p->leg)
		return errmsg_set(why, -EINVAL, "bad_message", "It is not in the room yet.");
	if (c->page)
		err = turn_page(p, c->page, why);
	if (err)
		return err;
	if (c->loop != TRISTATE_UNSET)
		p->clock.loop = c->loop == TRISTATE_TRUE;
	if (c->paused != TRISTATE_UNSET)
		playback_clock_play(&p->clock, playback_now(p), c->paused == TRISTATE_FALSE);
	if (c->position_ms >= 0)
		seek(p, (c->position_ms < MEDIA_MAX_NS / NS_PER_MS ? c->position_ms :
									MEDIA_MAX_NS / NS_PER_MS) * NS_PER_MS);
	set_point(p);
	if (c->content != TRISTATE_UNSET && p->content != (c->content == TRISTATE_TRUE)) {
		p->content = c->content == TRISTATE_TRUE;
		playback_show(p);
	}
	if (p->leg && (c->muted != TRISTATE_UNSET || c->hidden != TRISTATE_UNSET))
		err = moderation_mute(p->leg, c->muted, c->hidden, why);
	if (!p->ended)
		playback_tell(p);
	return err;
}

int playback_stop(struct playbacks *all, const char *room, uint32_t id, struct errmsg *why)
{
	struct playback *p = find(all, room, id, why);

	if (!p)
		return -ENOENT;
	playback_finish(p, NULL);
	return 0;
}

void playbacks_each(const struct playbacks *all, const char *room, playback_info_cb *cb, void *obj)
{
	for (guint i = 0; i < all->all->len; i++) {
		const struct playback *p = g_ptr_array_index(all->all, i);
		struct playback_info info;

		if (p->ended || (room && strcmp(p->room, room)))
			continue;
		playback_describe(p, &info);
		cb(obj, &info);
	}
}

int playback_get(const struct playbacks *all, const char *room, uint32_t id, playback_info_cb *cb,
		 void *obj, struct errmsg *why)
{
	const struct playback *p = find(all, room, id, why);
	struct playback_info info;

	if (!p)
		return -ENOENT;
	playback_describe(p, &info);
	cb(obj, &info);
	return 0;
}

/* --- life ----------------------------------------------------------------------------- */

int playbacks_new(struct playbacks **out, struct conference *c)
{
	struct playbacks *all = calloc(1, sizeof *all);

	if (!all)
		return -ENOMEM;
	all->conf = c;
	all->all = g_ptr_array_new();
	*out = all;
	return 0;
}

void playbacks_free(struct playbacks **all)
{
	if (!*all)
		return;
	if ((*all)->timer)
		g_source_remove((*all)->timer);
	g_ptr_array_unref((*all)->all);
	free(*all);
	*all = NULL;
}

void playbacks_shutdown(struct playbacks *all)
{
	GPtrArray *copy = g_ptr_array_copy(all->all, NULL, NULL);

	for (guint i = 0; i < copy->len; i++) {
		struct playback *p = g_ptr_array_index(copy, i);

		if (g_ptr_array_find(all->all, p, NULL))
			playback_finish(p, NULL);
	}
	g_ptr_array_unref(copy);
}

bool playbacks_is_idle(const struct playbacks *all)
{
	return !all->all->len;
}
