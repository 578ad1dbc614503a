/* What clients send about templates and schedules. */
#include "mcu/agenda.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/protocol.h"

static int wrong(struct errmsg *why, const char *text)
{
	return errmsg_set(why, -EINVAL, "bad_json", "%s", text);
}

/* --- templates --------------------------------------------------------------- */

int agenda_read_settings(const char *text, size_t len, struct room_rules *rules, char *title,
			 struct errmsg *why)
{
	const char *named = NULL, *record = NULL;
	int64_t max = rules->max_participants, people = rules->auto_people;
	struct room_rules r = *rules;
	const struct rest_field fields[] = {
		{ "title", REST_TEXT, false, 0, DB_NAME_MAX, .text = &named },
		{ "members_only", REST_BOOL, .flag = &r.members_only },
		{ "lobby", REST_BOOL, .flag = &r.lobby },
		{ "locked", REST_BOOL, .flag = &r.locked },
		{ "unmute", REST_BOOL, .flag = &r.unmute },
		{ "stereo", REST_BOOL, .flag = &r.stereo },
		{ "max_participants", REST_INT, false, 0, 10000, .number = &max },
		{ "record", REST_TEXT, false, 1, 7, .text = &record },
		{ "auto_people", REST_INT, false, 0, 1000, .number = &people },
	};
	json_t *body = NULL;
	int err = rest_parse(&body, text, len, fields, sizeof fields / sizeof *fields, why);

	if (!err && record && !record_right_parse(record))
		err = wrong(why, "The member \"record\" must be \"hosts\", \"all\", \"nobody\" or "
				 "\"auto\".");
	if (!err) {
		r.max_participants = (int)max;
		r.auto_people = (int)people;
		if (record)
			snprintf(r.record, sizeof r.record, "%s", record);
		if (named && title)
			snprintf(title, DB_NAME_MAX + 1, "%s", named);
		*rules = r;
	}
	json_decref(body);
	return err;
}

int agenda_read_template(const char *text, size_t len, struct template_row *out,
			 struct errmsg *why)
{
	struct room_rules scratch = { 0 };
	const char *pattern = NULL;
	json_t *body = NULL, *settings = NULL;
	char *dump = NULL;
	const struct rest_field fields[] = {
		{ "pattern", REST_TEXT, false, 0, sizeof out->pattern - 1, .text = &pattern },
		{ "settings", REST_OBJECT, true, .json = &settings },
	};
	int err = rest_parse(&body, text, len, fields, 2, why);

	if (!err && pattern && strspn(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					       "0123456789._-*?") != strlen(pattern))
		err = wrong(why, "The member \"pattern\" has letters, digits and . _ - of rooms' names, and "
				 "* and ? for others.");
	if (!err) {
		dump = json_dumps(settings, JSON_COMPACT);
		err = dump ? agenda_read_settings(dump, strlen(dump), &scratch, NULL, why) : -ENOMEM;
	}
	if (!err && strlen(dump) > PLAN_SETTINGS_MAX)
		err = wrong(why, "The member \"settings\" is too long.");
	if (!err) {
		snprintf(out->pattern, sizeof out->pattern, "%s", pattern ? pattern : "");
		snprintf(out->settings, sizeof out->settings, "%s", dump);
	}
	free(dump);
	json_decref(body);
	return err;
}

/* --- schedules --------------------------------------------------------------- */

struct schedule_body {
	const char *title, *action, *zone, *repeat, *first, *last, *start;
	json_t *weekdays;
	int64_t minutes;
	bool enabled;
};

static int read_weekdays(const struct schedule_body *b, unsigned *out, struct errmsg *why)
{
	json_t *v;
	size_t i;

	*out = 0;
	json_array_foreach(b->weekdays, i, v) {
		int day = json_is_string(v) ? schedule_weekday_parse(json_string_value(v)) : -1;

		if (day < 0)
			return wrong(why, "The member \"weekdays\" must be a list of \"mon\", \"tue\", "
					  "\"wed\", \"thu\", \"fri\", \"sat\" and \"sun\".");
		*out |= 1U << day;
	}
	if (schedule_repeat_parse(b->repeat) == SCHEDULE_WEEKLY && !*out)
		return wrong(why, "The member \"weekdays\" is missing: on which days of the week?");
	return 0;
}

static int check_body(const struct schedule_body *b, struct errmsg *why)
{
	struct zone *z = zone_new(b->zone);
	struct zone_day first, last;
	bool known = z;

	zone_free(&z);
	if (strcmp(b->action, "open") && strcmp(b->action, "record"))
		return wrong(why, "The member \"action\" must be \"open\" or \"record\".");
	if (!known)
		return wrong(why, "The member \"zone\" must be the name of a time zone, like Asia/Seoul or "
				  "UTC.");
	if (!schedule_repeat_parse(b->repeat))
		return wrong(why, "The member \"repeat\" must be \"once\", \"daily\" or \"weekly\".");
	if (!zone_day_parse(&first, b->first))
		return wrong(why, "The member \"from\" must be a day like 2026-11-21.");
	if (b->last && *b->last && (!zone_day_parse(&last, b->last) || zone_day_compare(last, first) < 0))
		return wrong(why, "The member \"to\" must be a day like 2026-11-21, not before \"from\".");
	if (schedule_minute_parse(b->start) < 0)
		return wrong(why, "The member \"start\" must be a time like 09:30.");
	return 0;
}

int agenda_read_schedule(const char *text, size_t len, struct schedule_row *out,
			 struct errmsg *why)
{
	struct schedule_body b = { .enabled = true };
	json_t *body = NULL;
	unsigned weekdays = 0;
	const struct rest_field fields[] = {
		{ "title", REST_TEXT, false, 0, DB_NAME_MAX, .text = &b.title },
		{ "action", REST_TEXT, true, 1, 8, .text = &b.action },
		{ "zone", REST_TEXT, true, 1, ZONE_NAME_MAX, .text = &b.zone },
		{ "repeat", REST_TEXT, true, 1, 7, .text = &b.repeat },
		{ "weekdays", REST_ARRAY, false, 0, 7, .json = &b.weekdays },
		{ "from", REST_TEXT, true, 10, 10, .text = &b.first },
		{ "to", REST_TEXT, false, 0, 10, .text = &b.last },
		{ "start", REST_TEXT, true, 5, 5, .text = &b.start },
		{ "minutes", REST_INT, true, 1, SCHEDULE_MINUTES_MAX, .number = &b.minutes },
		{ "enabled", REST_BOOL, .flag = &b.enabled },
	};
	int err = rest_parse(&body, text, len, fields, sizeof fields / sizeof *fields, why);

	if (!err)
		err = check_body(&b, why);
	if (!err)
		err = read_weekdays(&b, &weekdays, why);
	if (!err) {
		*out = (struct schedule_row){ .record = b.action[0] == 'r', .enabled = b.enabled,
					      .weekdays = weekdays, .minutes = (int)b.minutes,
					      .start_minute = schedule_minute_parse(b.start) };
		snprintf(out->title, sizeof out->title, "%s", b.title ? b.title : "");
		snprintf(out->zone, sizeof out->zone, "%s", b.zone);
		snprintf(out->repeat, sizeof out->repeat, "%s", b.repeat);
		snprintf(out->first_day, sizeof out->first_day, "%s", b.first);
		snprintf(out->last_day, sizeof out->last_day, "%s", b.last ? b.last : "");
	}
	json_decref(body);
	return err;
}

bool agenda_compile(struct schedule *out, struct zone **zone, const struct schedule_row *row)
{
	*out = (struct schedule){ .repeat = schedule_repeat_parse(row->repeat),
				  .weekdays = row->weekdays, .start_minute = row->start_minute,
				  .minutes = row->minutes };
	*zone = NULL;
	if (!out->repeat || !zone_day_parse(&out->first, row->first_day) ||
	    (row->last_day[0] && !zone_day_parse(&out->last, row->last_day)))
		return false;
	*zone = zone_new(row->zone);
	out->zone = *zone;
	return *zone;
}
