#include "mcu/rtp/audio_target.h"

#include "mcu/base/clock.h"

#define QUANTILE    0.985
#define MEMORY_S    10.0
/* What is believed before anything is known; outvoted after 3.3 s. */
#define PRIOR_S     0.05f
#define UNIT_MAX    1e6
#define NOTHING_S   1e-9f
#define NO_TRANSIT  INT64_MAX

enum { PRIOR_MS = 40 };

/* Beyond this the sender's time stamps have jumped, and the past says nothing. */
static const int64_t jump_ns = 2 * NS_PER_S;
static const int64_t together_min_ns = 2 * NS_PER_MS;

void audio_target_init(struct audio_target *t, int min_ms, int max_ms)
{
	*t = (struct audio_target){ .min_ms = min_ms, .max_ms = max_ms };
	t->quantile = (PRIOR_MS - 1) / AUDIO_TARGET_BIN_MS;
	t->bin[t->quantile] = PRIOR_S;
	t->total = PRIOR_S;
	t->unit = 1;
	t->target_ns = PRIOR_MS * NS_PER_MS;
	audio_target_set_min_ms(t, min_ms);
}

static void clamp_target(struct audio_target *t)
{
	if (t->target_ns < t->min_ms * NS_PER_MS)
		t->target_ns = t->min_ms * NS_PER_MS;
	if (t->target_ns > t->max_ms * NS_PER_MS)
		t->target_ns = t->max_ms * NS_PER_MS;
}

void audio_target_set_min_ms(struct audio_target *t, int min_ms)
{
	t->min_ms = min_ms < t->max_ms ? min_ms : t->max_ms;
	clamp_target(t);
}

static void forget_transits(struct audio_target *t, int64_t second)
{
	for (int i = 0; i < AUDIO_TARGET_BUCKETS; i++)
		t->bucket_ns[i] = NO_TRANSIT;
	t->second = second;
}

static void update_base(struct audio_target *t, int64_t transit_ns, int64_t arrival_ns)
{
	int64_t second = arrival_ns / NS_PER_S;
	int64_t *bucket;

	if (!t->started || second - t->second >= AUDIO_TARGET_BUCKETS ||
	    transit_ns - t->base_ns > jump_ns)
		forget_transits(t, second);
	t->started = true;
	while (t->second < second)
		t->bucket_ns[++t->second % AUDIO_TARGET_BUCKETS] = NO_TRANSIT;
	bucket = &t->bucket_ns[t->second % AUDIO_TARGET_BUCKETS];
	if (transit_ns < *bucket)
		*bucket = transit_ns;
	t->base_ns = NO_TRANSIT;
	for (int i = 0; i < AUDIO_TARGET_BUCKETS; i++)
		if (t->bucket_ns[i] < t->base_ns)
			t->base_ns = t->bucket_ns[i];
}

/* Came at the heels of a packet that was later still: it waited behind it. */
static bool waited_behind(const struct audio_target *t, int64_t late_ns, int64_t arrival_ns,
			  int64_t duration_ns)
{
	int64_t gap_ns = arrival_ns - t->arrival_ns;
	int64_t together_ns = duration_ns / 4 > together_min_ns ? duration_ns / 4 : together_min_ns;

	return gap_ns < together_ns && late_ns < t->late_ns;
}

/* Everything in seconds again, and the sums anew. */
static void settle(struct audio_target *t)
{
	t->total = t->above = 0;
	for (int i = 0; i < AUDIO_TARGET_BINS; i++) {
		t->bin[i] = (float)(t->bin[i] / t->unit);
		if (t->bin[i] < NOTHING_S)
			t->bin[i] = 0;
		t->total += t->bin[i];
		if (i > t->quantile)
			t->above += t->bin[i];
	}
	t->unit = 1;
}

/* The quantile has moved by a bin or so since the last packet. */
static void follow_quantile(struct audio_target *t)
{
	double late = t->total * (1 - QUANTILE);

	while (t->quantile < AUDIO_TARGET_BINS - 1 && t->above > late)
		t->above -= t->bin[++t->quantile];
	while (t->quantile > 0 && t->above + t->bin[t->quantile] <= late)
		t->above += t->bin[t->quantile--];
}

static void update_target(struct audio_target *t, int64_t late_ns, int64_t duration_ns)
{
	double duration_s = (double)duration_ns * 1e-9, more;
	int64_t bin = late_ns / (AUDIO_TARGET_BIN_MS * NS_PER_MS);

	if (bin >= AUDIO_TARGET_BINS)
		bin = AUDIO_TARGET_BINS - 1;
	t->unit *= MEMORY_S / (MEMORY_S - duration_s);
	more = duration_s * t->unit;
	t->bin[bin] += (float)more;
	t->total += more;
	if (bin > t->quantile)
		t->above += more;
	if (t->unit > UNIT_MAX)
		settle(t);
	follow_quantile(t);
	t->target_ns = (int64_t)(t->quantile + 1) * AUDIO_TARGET_BIN_MS * NS_PER_MS;
	clamp_target(t);
}

void audio_target_put(struct audio_target *t, int64_t transit_ns, int64_t arrival_ns,
		      int64_t duration_ns)
{
	int64_t late_ns;
	bool waited;

	update_base(t, transit_ns, arrival_ns);
	late_ns = transit_ns - t->base_ns;
	waited = waited_behind(t, late_ns, arrival_ns, duration_ns);
	t->arrival_ns = arrival_ns;
	t->late_ns = late_ns;
	update_target(t, waited ? 0 : late_ns, duration_ns);
}
