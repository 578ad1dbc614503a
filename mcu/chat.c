/* What is said in writing: told to the room, kept for newcomers and in the registry. */
#include "mcu/conference_priv.h"
#include "storage/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct line {
	uint32_t leg;
	char name[257];
	char *text;
	int64_t at_ms;
};

struct chat_log {
	struct line line[CHAT_HISTORY]; /* a ring */
	size_t n;			/* ever added */
};

struct chat_log *chat_log_new(void)
{
	return calloc(1, sizeof(struct chat_log));
}

void chat_log_free(struct chat_log **l)
{
	for (size_t i = 0; *l && i < CHAT_HISTORY; i++)
		free((*l)->line[i].text);
	free(*l);
	*l = NULL;
}

static void keep(struct chat_log *l, const struct chat_info *c)
{
	struct line *to = &l->line[l->n % CHAT_HISTORY];
	char *text = strdup(c->text);

	if (!text)
		return;
	free(to->text);
	*to = (struct line){ .leg = c->leg, .text = text, .at_ms = c->at_ms };
	snprintf(to->name, sizeof to->name, "%s", c->name);
	l->n++;
}

void chat_replay(struct hall *h, struct leg_handle *p)
{
	const struct chat_log *l = h->chat;
	size_t from = l->n > CHAT_HISTORY ? l->n - CHAT_HISTORY : 0;

	for (size_t i = from; i < l->n && hall_has(h, p); i++) {
		const struct line *one = &l->line[i % CHAT_HISTORY];
		struct leg_event ev = { .type = LEG_EVENT_CHAT, .u.chat = {
			.leg = one->leg, .name = one->name, .text = one->text, .at_ms = one->at_ms,
			.history = true } };

		p->ev->event(p->obj, &ev);
		leg_event_clear(&ev);
	}
}

/* A ring of the last CHAT_BURST times: the oldest must be long enough ago. */
static bool too_fast(struct leg_handle *p)
{
	int64_t now = clock_now_ns(p->conf->cfg.engine->clock);
	int64_t *oldest = &p->chat_at_ns[p->chat_n % CHAT_BURST];

	if (p->chat_n >= CHAT_BURST && now - *oldest < CHAT_BURST_MS * NS_PER_MS)
		return true;
	*oldest = now;
	p->chat_n++;
	return false;
}

int chat_say(struct leg_handle *p, const char *text, uint32_t to, struct errmsg *why)
{
	struct hall *h = p->hall;
	struct leg_handle *other = to ? hall_leg(h, to) : NULL;
	char name[sizeof p->name]; /* it may leave while others are told */
	struct leg_event ev = { .type = LEG_EVENT_CHAT, .u.chat = {
		.leg = leg_id(p->leg), .to = to, .name = name, .text = text,
		.at_ms = clock_wall_ns() / NS_PER_MS } };
	struct chat_row row = {
		.id = db_new_id(), .session_id = h->session_id, .at_ms = ev.u.chat.at_ms,
		.leg = ev.u.chat.leg, .to_leg = to, .name = p->name, .text = text,
	};

	snprintf(name, sizeof name, "%s", p->name);
	if (to && !other)
		return errmsg_set(why, -ENOENT, "bad_message", "Whom you write to has left the room.");
	if (too_fast(p))
		return errmsg_set(why, -EDQUOT, "rate_limited", "You have sent %d messages within %d "
				  "seconds. Wait a moment.", CHAT_BURST, CHAT_BURST_MS / 1000);
	chat_add(p->conf->cfg.db, &row);
	if (!to) {
		keep(h->chat, &ev.u.chat);
		hall_tell(h, &ev, NULL);
		return 0;
	}
	p->ev->event(p->obj, &ev);
	if (other != p && hall_has(h, other))
		other->ev->event(other->obj, &ev);
	leg_event_clear(&ev);
	return 0;
}
