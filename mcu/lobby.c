/* Those who wait until a host lets them in. */
#include "mcu/conference_priv.h"

#include <errno.h>
#include <stdlib.h>

static struct leg_handle *waiting_at(const struct hall *h, size_t i)
{
	return g_ptr_array_index(h->lobby, i);
}

void lobby_tell(struct hall *h, struct leg_handle *only)
{
	struct waiting_person *people = calloc(h->lobby->len + 1, sizeof *people);
	struct leg_event ev = { .type = LEG_EVENT_WAITING, .u.waiting.people = people };
	GPtrArray *hosts = g_ptr_array_new();

	for (size_t i = 0; people && i < h->lobby->len; i++)
		people[ev.u.waiting.n++] = (struct waiting_person){
			.waiting = waiting_at(h, i)->waiting, .name = waiting_at(h, i)->name,
		};
	for (size_t i = 0; i < h->people->len; i++) {
		struct leg_handle *p = g_ptr_array_index(h->people, i);

		if (p->host && (!only || p == only))
			g_ptr_array_add(hosts, p);
	}
	for (size_t i = 0; i < hosts->len; i++) {
		struct leg_handle *p = g_ptr_array_index(hosts, i);

		if (hall_has(h, p))
			p->ev->event(p->obj, &ev);
	}
	leg_event_clear(&ev);
	g_ptr_array_unref(hosts);
	free(people);
}

int lobby_wait(struct leg_handle *p, struct hall *h, struct errmsg *why)
{
	if (!p->ev->lobby)
		return errmsg_set(why, -EACCES, "not_allowed", "In this room a host lets people in one "
				  "by one, and you cannot wait for that here. Join by the page.");
	if (h->lobby->len >= MAX_WAITING)
		return errmsg_set(why, -EUSERS, "room_full", "Too many people wait to be let in. Try "
				  "again later.");
	p->lobby = h;
	p->waiting = ++h->last_waiting;
	g_ptr_array_add(h->lobby, p);
	if (h->linger && h->registered) {
		g_source_remove(h->linger);
		h->linger = 0;
	}
	hall_linger(h);
	p->ev->lobby(p->obj, "A host will let you in. Please wait.");
	lobby_tell(h, NULL);
	return 0;
}

static void take_out(struct leg_handle *p)
{
	g_ptr_array_remove(p->lobby->lobby, p);
	p->lobby = NULL;
}

void lobby_leave(struct leg_handle *p)
{
	struct hall *h = p->lobby;

	take_out(p);
	join_discard(p);
	lobby_tell(h, NULL);
	hall_linger(h);
}

ON_THREAD(ROLE_CTL) static void refuse(struct leg_handle *p, const struct errmsg *why)
{
	const struct leg_events *ev = p->ev;
	void *obj = p->obj;

	join_discard(p);
	ev->closed(obj, LEAVE_ERROR, why);
}

ON_THREAD(ROLE_CTL) static void let_in(struct leg_handle *p, struct hall *h)
{
	struct errmsg why;

	if (join_enter(p, h, &why))
		refuse(p, &why);
}

int lobby_decide(struct hall *h, uint32_t waiting, bool allow)
{
	struct errmsg why;
	bool found = false;

	errmsg_set(&why, -EACCES, "refused", "A host has not let you in.");
	for (size_t n = h->lobby->len, i = 0; n && i < h->lobby->len && !h->closing; n--) {
		struct leg_handle *p = waiting_at(h, i);

		if (waiting && p->waiting != waiting) {
			i++;
			continue;
		}
		found = true;
		take_out(p);
		if (allow)
			let_in(p, h);
		else
			refuse(p, &why);
	}
	lobby_tell(h, NULL);
	return found || !waiting ? 0 : -ENOENT;
}

void lobby_close(struct hall *h, const char *code, const char *text)
{
	struct errmsg why;

	errmsg_set(&why, -ESHUTDOWN, code, "%s", text);
	while (h->lobby->len) {
		struct leg_handle *p = waiting_at(h, 0);

		take_out(p);
		refuse(p, &why);
	}
}
