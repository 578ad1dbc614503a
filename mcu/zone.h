/* Days in a time zone, with its summer time. Any thread. */
#ifndef MCU_ZONE_H
#define MCU_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

enum { ZONE_NAME_MAX = 64 };

struct zone_day {
	int year, month, day;
};

/* A name of the tz database, "Asia/Seoul", or "UTC". NULL: there is none of this name. */
struct zone *zone_new(const char *name);
void zone_free(struct zone **z);

/* "2026-11-21"; 1970 to 2999. False: it is no day. */
bool zone_day_parse(struct zone_day *d, const char *text);
void zone_day_write(char out[11], struct zone_day d);
/* n days later, or before. */
struct zone_day zone_day_add(struct zone_day d, int n);
int zone_day_compare(struct zone_day a, struct zone_day b);
/* 0: Monday. */
int zone_weekday(struct zone_day d);
/* Days from a to b. */
int zone_days_between(struct zone_day a, struct zone_day b);

/* Milliseconds UTC of this minute of the day as clocks there show it. A time that clocks leave
 * out is that of the jump; of one that they show twice it is the first. */
int64_t zone_time(const struct zone *z, struct zone_day d, int minute);
/* The day there. */
struct zone_day zone_day_at(const struct zone *z, int64_t ms);

#endif
