#include "mcu/zone.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)

struct zone {
	GTimeZone *tz;
};

struct zone *zone_new(const char *name)
{
	GTimeZone *tz;
	struct zone *z;

	/* Names of the database only: no path out of it, no offsets that need no database. */
	if (!*name || strlen(name) > ZONE_NAME_MAX || !g_ascii_isalpha(*name) || strstr(name, "..") ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
		    strlen(name))
		return NULL;
	tz = g_time_zone_new_identifier(name);
	z = tz ? calloc(1, sizeof *z) : NULL;
	if (z)
		z->tz = tz;
	else if (tz)
		g_time_zone_unref(tz);
	return z;
}

void zone_free(struct zone **z)
{
	if (!*z)
		return;
	g_time_zone_unref((*z)->tz);
	free(*z);
	*z = NULL;
}

/* --- days -------------------------------------------------------------------- */

/* Days since 1970-01-01. */
static int64_t serial(struct zone_day d)
{
	GDate g;

	g_date_clear(&g, 1);
	g_date_set_dmy(&g, (GDateDay)d.day, (GDateMonth)d.month, (GDateYear)d.year);
	return (int64_t)g_date_get_julian(&g) - 719163;
}

static struct zone_day of_serial(int64_t n)
{
	GDate g;

	g_date_clear(&g, 1);
	g_date_set_julian(&g, (guint32)(n + 719163));
	return (struct zone_day){ g_date_get_year(&g), g_date_get_month(&g), g_date_get_day(&g) };
}

bool zone_day_parse(struct zone_day *d, const char *text)
{
	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : !g_ascii_isdigit(text[i]))
			return false;
	if (text[10])
		return false;
	*d = (struct zone_day){ atoi(text), atoi(text + 5), atoi(text + 8) };
	return d->year >= 1970 && d->year < 3000 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
	       g_date_valid_dmy((GDateDay)d->day, (GDateMonth)d->month, (GDateYear)d->year);
}

void zone_day_write(char out[11], struct zone_day d)
{
	char text[40];

	snprintf(text, sizeof text, "%04d-%02d-%02d", d.year, d.month, d.day);
	memcpy(out, text, 10);
	out[10] = 0;
}

struct zone_day zone_day_add(struct zone_day d, int n)
{
	return of_serial(serial(d) + n);
}

int zone_day_compare(struct zone_day a, struct zone_day b)
{
	int64_t x = serial(a), y = serial(b);

	return x < y ? -1 : x > y;
}

int zone_weekday(struct zone_day d)
{
	return (int)((serial(d) + 3) % 7); /* 1970-01-01 was a Thursday */
}

int zone_days_between(struct zone_day a, struct zone_day b)
{
	return (int)(serial(b) - serial(a));
}

/* --- times ------------------------------------------------------------------- */

/* What clocks there show, in seconds since 1970 as if it were UTC. */
static int64_t shown(const struct zone *z, int64_t utc_s)
{
	int i = g_time_zone_find_interval(z->tz, G_TIME_TYPE_UNIVERSAL, utc_s);

	return utc_s + (i < 0 ? 0 : g_time_zone_get_offset(z->tz, i));
}

int64_t zone_time(const struct zone *z, struct zone_day d, int minute)
{
	int64_t local = serial(d) * DAY_S + minute * 60;
	int64_t low = local - DAY_S, high = local + DAY_S;
	/* by the clocks of the day before, and of the day after */
	int64_t early = local - (shown(z, low) - low), late = local - (shown(z, high) - high);
	bool is_early = shown(z, early) == local, is_late = shown(z, late) == local;

	if (is_early && is_late)
		return (early < late ? early : late) * 1000;
	if (is_early || is_late)
		return (is_early ? early : late) * 1000;
	/* no clock shows it: when they jump over it */
	while (high - low > 1) {
		int64_t mid = (low + high) / 2;

		if (shown(z, mid) < local)
			low = mid;
		else
			high = mid;
	}
	return high * 1000;
}

struct zone_day zone_day_at(const struct zone *z, int64_t ms)
{
	int64_t s = shown(z, ms / 1000);

	return of_serial(s >= 0 ? s / DAY_S : 0);
}
