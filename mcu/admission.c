#include "mcu/admission.h"

enum { MIB = 1 << 20, SOUND_LATE_MAX = 10 };

void admission_init(struct admission *a, int high_percent, unsigned millicores)
{
	*a = (struct admission){
		.high_permille = (unsigned)high_percent * 10, .millicores = millicores ? millicores : 1,
		.memory_left = INT64_MAX,
	};
}

void admission_see(struct admission *a, const struct admission_load *l)
{
	unsigned now = (unsigned)((uint64_t)l->permille * a->millicores / 1000);

	/* up sooner than down */
	if (now > a->used)
		a->used += (now - a->used + 1) / 2;
	else
		a->used -= (a->used - now + 3) / 4;
	a->reserved -= (a->reserved + 3) / 4;
	a->strained = l->strained;
	if (l->sound_missed)
		a->sound_late += a->sound_late < SOUND_LATE_MAX;
	else
		a->sound_late -= a->sound_late > 0;
	a->memory_left = l->memory_left;
}

unsigned admission_permille(const struct admission *a)
{
	return (unsigned)((uint64_t)(a->used + a->reserved) * 1000 / a->millicores);
}

static bool dear(enum admission_kind kind)
{
	return kind < ADMISSION_SOUND;
}

static unsigned limit_of(const struct admission *a, enum admission_kind kind)
{
	unsigned above = a->high_permille < 1000 ? 1000 - a->high_permille : 0;

	if (kind == ADMISSION_SOUND)
		return a->high_permille + above / 2;
	return kind == ADMISSION_VIEWER ? a->high_permille + above * 4 / 5 : a->high_permille;
}

static bool fits(const struct admission *a, enum admission_kind kind, unsigned cost)
{
	unsigned limit = limit_of(a, kind);

	if (a->sound_late >= ADMISSION_SOUND_LATE ||
	    a->memory_left < (int64_t)ADMISSION_MEMORY_LEAST_MIB * MIB)
		return false;
	if (dear(kind) && (a->strained || a->memory_left < (int64_t)ADMISSION_MEMORY_MIB * MIB))
		return false;
	if (a->refusing[kind] && limit > ADMISSION_HYSTERESIS_PERMILLE)
		limit -= ADMISSION_HYSTERESIS_PERMILLE;
	return (uint64_t)(a->used + a->reserved + cost) * 1000 <= (uint64_t)limit * a->millicores;
}

bool admission_ask(struct admission *a, enum admission_kind kind, unsigned cost,
		   unsigned at_once)
{
	if (!a->high_permille)
		return true;
	a->refusing[kind] = !fits(a, kind, cost);
	if (a->refusing[kind])
		return false;
	a->reserved += at_once;
	return true;
}
