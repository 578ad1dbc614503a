#include "mcu/agenda.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { LOOK_MS = 30000, RECORD_LOOK_MS = 2000, LEAST_MS = 50 };

struct entry {
	struct schedule_row row;
	struct schedule when;
	struct zone *zone;
	bool on;	  /* its time was, when it was looked at last */
	int64_t from_ms;  /* of that time */
	bool recorded;		   /* in that time: begun once */
	char records[AGENDA_ID_SIZE]; /* this one; "": none */
};

struct agenda {
	struct agenda_cfg cfg;
	GArray *entries; /* struct entry */
	struct template_row *templates;
	size_t n_templates;
	guint timer;
	bool stopped;
};

static int64_t wall_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

static struct entry *entry(const struct agenda *a, guint i)
{
	return &g_array_index(a->entries, struct entry, i);
}

/* --- schedules --------------------------------------------------------------- */

bool agenda_is_open(const struct agenda *a, const char *room, int64_t *opens_ms)
{
	int64_t now = a ? a->cfg.now_ms() : 0;
	bool any = false;

	*opens_ms = 0;
	for (guint i = 0; a && i < a->entries->len; i++) {
		const struct entry *e = entry(a, i);
		struct schedule_slot s;

		if (e->row.record || strcmp(e->row.room, room))
			continue;
		any = true;
		if (schedule_at(&e->when, now, &s))
			return true;
		if (schedule_next(&e->when, now, &s) && (!*opens_ms || s.from_ms < *opens_ms))
			*opens_ms = s.from_ms;
	}
	return !any;
}

static void open_over(struct agenda *a, const char *room) ON_THREAD(ROLE_CTL)
{
	int64_t next;
	char name[DB_NAME_MAX + 1];

	g_strlcpy(name, room, sizeof name);
	if (!agenda_is_open(a, name, &next)) {
		log_info(NULL, "room %s: closed by its schedule", name);
		a->cfg.events->close(a->cfg.ctx, name);
	}
}

static void look_at(struct agenda *a, guint i, int64_t now) ON_THREAD(ROLE_CTL)
{
	struct entry *e = entry(a, i);
	struct schedule_slot s;
	bool on = schedule_at(&e->when, now, &s), over = e->on && (!on || s.from_ms != e->from_ms);

	if (over && e->records[0])
		(void)a->cfg.events->record(a->cfg.ctx, e->row.room, false, e->records);
	if (over || !e->on) {
		e->recorded = false;
		e->records[0] = '\0';
	}
	e->on = on;
	e->from_ms = on ? s.from_ms : 0;
	if (e->row.record && on && !e->recorded)
		e->recorded = !a->cfg.events->record(a->cfg.ctx, e->row.room, true, e->records);
	if (!e->row.record && over && !on)
		open_over(a, e->row.room);
}

/* Until when nothing can be due. */
static int64_t wait_ms(const struct agenda *a, int64_t now)
{
	int64_t until = now + LOOK_MS;

	for (guint i = 0; i < a->entries->len; i++) {
		const struct entry *e = entry(a, i);
		struct schedule_slot s;

		if (schedule_at(&e->when, now, &s) && s.until_ms < until)
			until = s.until_ms;
		if (schedule_next(&e->when, now, &s) && s.from_ms < until)
			until = s.from_ms;
		if (e->row.record && e->on && !e->recorded && now + RECORD_LOOK_MS < until)
			until = now + RECORD_LOOK_MS;
	}
	return until - now > LEAST_MS ? until - now : LEAST_MS;
}

static gboolean due(gpointer arg)
{
	struct agenda *a = arg;

	role_assert_ctl();
	a->timer = 0;
	agenda_look(a);
	return G_SOURCE_REMOVE;
}

void agenda_look(struct agenda *a)
{
	int64_t now = a->cfg.now_ms();

	if (a->timer)
		g_source_remove(a->timer);
	a->timer = 0;
	for (guint i = 0; i < a->entries->len; i++)
		look_at(a, i, now);
	if (!a->stopped && a->entries->len)
		a->timer = g_timeout_add((guint)wait_ms(a, now), due, a);
}

static void free_entries(GArray *entries)
{
	for (guint i = 0; i < entries->len; i++)
		zone_free(&g_array_index(entries, struct entry, i).zone);
	g_array_unref(entries);
}

void agenda_set_schedules(struct agenda *a, const struct schedule_row *rows, size_t n)
{
	GArray *old = a->entries;

	a->entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
	for (size_t i = 0; i < n; i++) {
		struct entry e = { .row = rows[i] };

		if (!rows[i].enabled || !agenda_compile(&e.when, &e.zone, &rows[i]))
			continue;
		/* what has begun by it goes on */
		for (guint k = 0; k < old->len; k++) {
			const struct entry *was = &g_array_index(old, struct entry, k);

			if (was->row.id == rows[i].id) {
				e.on = was->on;
				e.from_ms = was->from_ms;
				e.recorded = was->recorded;
				memcpy(e.records, was->records, sizeof e.records);
			}
		}
		g_array_append_val(a->entries, e);
	}
	free_entries(old);
	agenda_look(a);
}

/* --- templates --------------------------------------------------------------- */

void agenda_set_templates(struct agenda *a, const struct template_row *rows, size_t n)
{
	struct template_row *copy = calloc(n ? n : 1, sizeof *copy);

	if (!copy)
		return;
	if (n)
		memcpy(copy, rows, n * sizeof *copy);
	free(a->templates);
	a->templates = copy;
	a->n_templates = n;
}

static void apply(const struct template_row *t, struct room_rules *rules, char *title)
{
	struct errmsg why;

	/* It was checked when it was written; an older server's may have less. */
	if (agenda_read_settings(t->settings, strlen(t->settings), rules, title, &why))
		log_warn(NULL, "template %s: %s", t->name, why.text);
}

void agenda_rules(const struct agenda *a, const char *room, struct room_rules *rules)
{
	for (size_t i = 0; a && i < a->n_templates; i++) {
		const struct template_row *t = &a->templates[i];

		if (t->pattern[0] && g_pattern_match_simple(t->pattern, room)) {
			apply(t, rules, NULL);
			return;
		}
	}
}

bool agenda_template(const struct agenda *a, const char *name, struct room_rules *rules,
		     char *title)
{
	for (size_t i = 0; a && i < a->n_templates; i++) {
		if (strcmp(a->templates[i].name, name))
			continue;
		apply(&a->templates[i], rules, title);
		return true;
	}
	return false;
}

/* --- life -------------------------------------------------------------------- */

static void on_schedules(void *obj, int err, const struct schedule_row *rows, size_t n)
{
	struct agenda *a = obj;

	role_assert_ctl();
	if (!err && !a->stopped)
		agenda_set_schedules(a, rows, n);
}

static void on_templates(void *obj, int err, const struct template_row *rows, size_t n)
{
	struct agenda *a = obj;

	role_assert_ctl();
	if (!err && !a->stopped)
		agenda_set_templates(a, rows, n);
}

void agenda_load(struct agenda *a)
{
	if (templates_list(a->cfg.db, on_templates, a) || schedules_list(a->cfg.db, on_schedules, a))
		log_error(NULL, "templates and schedules cannot be read: the registry is busy");
}

int agenda_new(struct agenda **out, const struct agenda_cfg *cfg)
{
	struct agenda *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->cfg = *cfg;
	if (!a->cfg.now_ms)
		a->cfg.now_ms = wall_ms;
	a->entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
	*out = a;
	return 0;
}

void agenda_stop(struct agenda *a)
{
	a->stopped = true;
	if (a->timer)
		g_source_remove(a->timer);
	a->timer = 0;
}

void agenda_free(struct agenda **a)
{
	if (!*a)
		return;
	agenda_stop(*a);
	free_entries((*a)->entries);
	free((*a)->templates);
	free(*a);
	*a = NULL;
}
