#include "tests/load/delay.h"

#include <string.h>

#include "tests/load/util.h"

enum { ORIGIN = DELAY_BINS / 4 };

static void count(struct delay *d, int64_t at, uint32_t n)
{
	d->bin[at < 0 ? 0 : at >= DELAY_BINS ? DELAY_BINS - 1 : at] += n;
	d->count += n;
}

void delay_put(struct delay *d, uint32_t ts, int64_t arrival_ns)
{
	int64_t media_us, way_us;

	if (!d->started) {
		d->started = true;
		d->first_ts = ts;
		d->first_ns = arrival_ns;
	}
	media_us = (int64_t)(int32_t)(ts - d->first_ts) * 1000000 / d->clock_hz;
	way_us = (arrival_ns - d->first_ns) / 1000 - media_us + ORIGIN * 1000;
	count(d, way_us < 0 ? 0 : way_us / 1000, 1);
}

void delay_reset(struct delay *d)
{
	memset(d->bin, 0, sizeof d->bin);
	d->count = 0;
}

static int fastest(const struct delay *d)
{
	int i = 0;

	while (i < DELAY_BINS - 1 && !d->bin[i])
		i++;
	return i;
}

void delay_merge(struct delay *sum, const struct delay *d)
{
	int from = fastest(d);

	for (int i = from; i < DELAY_BINS; i++)
		if (d->bin[i])
			count(sum, i - from, d->bin[i]);
}

int delay_percentile(const struct delay *d, double p)
{
	uint64_t rank = (uint64_t)(p * (double)d->count + 0.999999), seen = 0;
	int from = fastest(d);

	if (!d->count)
		return -1;
	for (int i = from; i < DELAY_BINS; i++) {
		seen += d->bin[i];
		if (seen && seen >= rank)
			return i - from;
	}
	return DELAY_BINS - from;
}
