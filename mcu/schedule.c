#include "mcu/schedule.h"

#include <stddef.h>
#include <string.h>

static const char *const repeats[] = { [SCHEDULE_ONCE] = "once", [SCHEDULE_DAILY] = "daily",
				       [SCHEDULE_WEEKLY] = "weekly" };
static const char *const weekdays[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static bool begins_on(const struct schedule *s, struct zone_day d)
{
	if (zone_day_compare(d, s->first) < 0 || (s->last.year && zone_day_compare(d, s->last) > 0))
		return false;
	switch (s->repeat) {
	case SCHEDULE_ONCE: return !zone_day_compare(d, s->first);
	case SCHEDULE_DAILY: return true;
	case SCHEDULE_WEEKLY: return s->weekdays >> zone_weekday(d) & 1;
	}
	return false;
}

static struct schedule_slot slot_of(const struct schedule *s, struct zone_day d)
{
	int64_t from = zone_time(s->zone, d, s->start_minute);

	return (struct schedule_slot){ from, from + (int64_t)s->minutes * 60000 };
}

bool schedule_at(const struct schedule *s, int64_t ms, struct schedule_slot *out)
{
	struct zone_day today = zone_day_at(s->zone, ms);

	/* The latest one; two days back, for a day of 25 hours may end it. */
	for (int back = 0; back <= 2; back++) {
		struct zone_day d = zone_day_add(today, -back);

		if (!begins_on(s, d))
			continue;
		*out = slot_of(s, d);
		if (out->from_ms <= ms && ms < out->until_ms)
			return true;
	}
	return false;
}

bool schedule_next(const struct schedule *s, int64_t ms, struct schedule_slot *out)
{
	struct zone_day d = zone_day_at(s->zone, ms);

	if (zone_day_compare(d, s->first) < 0)
		d = s->first;
	/* Within eight days every one that recurs has come. */
	for (int n = 0; n <= 8; n++, d = zone_day_add(d, 1)) {
		if (!begins_on(s, d))
			continue;
		*out = slot_of(s, d);
		if (out->from_ms > ms)
			return true;
	}
	return false;
}

enum schedule_repeat schedule_repeat_parse(const char *text)
{
	for (int i = SCHEDULE_ONCE; i <= SCHEDULE_WEEKLY; i++)
		if (!strcmp(text, repeats[i]))
			return (enum schedule_repeat)i;
	return 0;
}

const char *schedule_repeat_name(enum schedule_repeat r)
{
	return repeats[r];
}

static int two_digits(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9' ?
		       (text[0] - '0') * 10 + text[1] - '0' : -1;
}

int schedule_minute_parse(const char *text)
{
	int hour, minute;

	if (strlen(text) != 5 || text[2] != ':')
		return -1;
	hour = two_digits(text);
	minute = two_digits(text + 3);
	return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 ? hour * 60 + minute : -1;
}

int schedule_weekday_parse(const char *text)
{
	for (int i = 0; i < 7; i++)
		if (!strcmp(text, weekdays[i]))
			return i;
	return -1;
}

const char *schedule_weekday_name(int day)
{
	return weekdays[day];
}
