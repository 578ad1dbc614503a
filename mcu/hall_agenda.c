/* What templates and schedules (agenda.h) do to rooms. */
#include "mcu/agenda.h"
#include "mcu/conference_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int conference_new_agenda(struct conference *c, struct agenda **out)
{
	struct agenda_cfg cfg = { .db = c->cfg.db, .events = &conference_agenda_events, .ctx = c };
	int err = agenda_new(out, &cfg);

	if (err)
		return err;
	c->agenda = *out;
	agenda_load(*out);
	return 0;
}

void hall_unregistered_rules(const struct conference *c, const char *name, struct room_rules *out)
{
	room_rules_default(out, c->cfg.config->room.record);
	agenda_rules(c->agenda, name, out);
}

int hall_may_enter_now(const struct leg_handle *p, struct errmsg *why)
{
	return p->host || p->who.called ? 0 : hall_is_open_now(p->conf, p->room, why);
}

int hall_is_open_now(const struct conference *c, const char *room, struct errmsg *why)
{
	char text[64] = "";
	GDateTime *t;
	int64_t opens;

	if (agenda_is_open(c->agenda, room, &opens))
		return 0;
	if (!opens)
		return errmsg_set(why, -EACCES, "room_not_open", "This room is closed, and will not open "
				  "again. Ask its host.");
	t = g_date_time_new_from_unix_utc(opens / 1000);
	if (t) {
		char *shown = g_date_time_format(t, "%Y-%m-%d %H:%M");

		snprintf(text, sizeof text, "%s", shown ? shown : "");
		g_free(shown);
		g_date_time_unref(t);
	}
	return errmsg_set(why, -EACCES, "room_not_open", "This room is closed now. It opens at %s UTC.",
			  text);
}

/* The time for which it was open is over. */
static void shut(void *ctx, const char *room)
{
	struct hall *h;

	role_assert_ctl();
	h = hall_find(ctx, room);
	if (!h || h->closing)
		return;
	lobby_close(h, "room_closed", "The room was closed: its time is over.");
	while (h->people->len)
		participant_end(g_ptr_array_index(h->people, 0), LEAVE_KICKED, "room_closed",
				"The room was closed: its time is over.");
	hall_close(h, "schedule");
}

/* A host may have stopped what began by the schedule, and begun one of his own. */
static int record(void *ctx, const char *room, bool start, char id[AGENDA_ID_SIZE])
{
	const struct record_wish wish = { .action = start ? RECORD_START : RECORD_STOP };
	struct recording_info now;
	struct hall *h;
	struct errmsg why;
	int err;

	role_assert_ctl();
	h = hall_find(ctx, room);
	/* Of nobody there is nothing to record. */
	if (!h || (start && !h->people->len))
		return -ENOENT;
	if (!start) {
		hall_recording_info(h, &now);
		return now.id && !strcmp(now.id, id) ?
			hall_record(h, &wish, "schedule", &why) : -ENOENT;
	}
	err = hall_record(h, &wish, "schedule", &why);
	if (err)
		return err;
	hall_recording_info(h, &now);
	snprintf(id, AGENDA_ID_SIZE, "%s", now.id ? now.id : "");
	return 0;
}

const struct agenda_events conference_agenda_events = { .close = shut, .record = record };
