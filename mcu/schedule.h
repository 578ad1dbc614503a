/* When something recurs: once, every day, or on days of the week, at a time of a time zone's
 * clocks, for a number of minutes. Pure: the time is given. Any thread. */
#ifndef MCU_SCHEDULE_H
#define MCU_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/zone.h"

enum { SCHEDULE_MINUTES_MAX = 1440, SCHEDULE_WEEK = 127 };

enum schedule_repeat { SCHEDULE_ONCE = 1, SCHEDULE_DAILY, SCHEDULE_WEEKLY };

struct schedule {
	const struct zone *zone; /* borrowed */
	enum schedule_repeat repeat;
	unsigned weekdays;   /* of weekly: bit 0 is Monday */
	struct zone_day first, last; /* of beginnings; last.year 0: for ever */
	int start_minute;    /* of the day */
	int minutes;	     /* that really pass: a change of the clocks does not change them */
};

struct schedule_slot {
	int64_t from_ms, until_ms;
};

/* The slot that this time is in. False: none. */
bool schedule_at(const struct schedule *s, int64_t ms, struct schedule_slot *out);
/* The first one that begins after this time. False: none any more. */
bool schedule_next(const struct schedule *s, int64_t ms, struct schedule_slot *out);

/* "once", "daily", "weekly"; 0: none of them. */
enum schedule_repeat schedule_repeat_parse(const char *text);
const char *schedule_repeat_name(enum schedule_repeat r);
/* "09:30" and 570. -1: it is no time of a day. */
int schedule_minute_parse(const char *text);
/* "mon" to "sun": 0 to 6; -1. */
int schedule_weekday_parse(const char *text);
const char *schedule_weekday_name(int day);

#endif
