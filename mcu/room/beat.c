#include "mcu/room/beat.h"

#include "mcu/base/clock.h"

/* 2^32 over the golden ratio: however many rooms there are, they are spread. */
static const uint32_t SPREAD = 2654435769u;

struct beat beat_of_room(uint32_t room_id, int fps)
{
	int64_t part = (int64_t)(uint32_t)(room_id * SPREAD); /* of 2^32 */

	return (struct beat){ .fps = fps, .phase_ns = (NS_PER_S / fps * part) >> 32 };
}

int64_t beat_time_ns(const struct beat *b, int64_t count)
{
	return b->phase_ns + clock_scale(count, NS_PER_S, b->fps);
}

/* clock_scale rounds down: a beat may lie a nanosecond before its exact time. */
int64_t beat_last(const struct beat *b, int64_t time_ns)
{
	int64_t since = time_ns - b->phase_ns;
	int64_t count = since < 0 ? 0 : clock_scale(since, b->fps, NS_PER_S);

	while (beat_time_ns(b, count + 1) <= time_ns)
		count++;
	while (count > 0 && beat_time_ns(b, count) > time_ns)
		count--;
	return count;
}

int64_t beat_next(const struct beat *b, int64_t time_ns)
{
	int64_t count = beat_last(b, time_ns);

	return beat_time_ns(b, count) < time_ns ? count + 1 : count;
}
