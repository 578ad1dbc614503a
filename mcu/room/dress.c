#include "mcu/room/dress.h"

#include <stdio.h>
#include <time.h>

#include "mcu/base/clock.h"

void dress_update(struct dress *d, const struct routing_signs *s, const struct sprite *logo,
		  int64_t recorded_since_ns, int64_t now_ns, int64_t wall_ns,
		  struct signs_wanted *out)
{
	int64_t wall_s = wall_ns / NS_PER_S;
	int64_t elapsed_s = (now_ns - recorded_since_ns) / NS_PER_S;
	struct tm tm;

	*out = (struct signs_wanted){ .banner = s->banner, .logo = s->logo ? logo : NULL };
	if (s->clock) {
		time_t t = (time_t)wall_s;

		if (wall_s != d->clock_s && localtime_r(&t, &tm))
			strftime(d->clock, sizeof d->clock, "%H:%M", &tm);
		d->clock_s = wall_s;
		out->clock = d->clock;
	}
	if (s->recording_time && recorded_since_ns && elapsed_s >= 0) {
		if (elapsed_s != d->elapsed_s || !d->elapsed[0])
			snprintf(d->elapsed, sizeof d->elapsed, "%d:%02d:%02d",
				 (int)(elapsed_s / 3600), (int)(elapsed_s / 60 % 60),
				 (int)(elapsed_s % 60));
		d->elapsed_s = elapsed_s;
		out->recording = d->elapsed;
	}
}
