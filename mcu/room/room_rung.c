/* Which rung of the ladder a receiver gets. */
#include "mcu/room/room_priv.h"

/* The connection and the load are told of in rungs of the configuration. */
static uint32_t bps_of(const struct engine_cfg *c, unsigned rung)
{
	return (uint32_t)ladder_rung(c, rung).bps;
}

/* A rung of its own is no better than what the connection carries and the load allows. */
ON_THREAD(ROLE_CTL) static unsigned made_rung(const struct leg *l, const struct leg_view *want,
					      struct leg_tx_format f, unsigned best, unsigned *limit)
{
	const struct engine_cfg *c = &l->room->engine->cfg;
	unsigned top = room_top_rung(l->room), worst = l->carries > top ? l->carries : top;
	uint32_t bps;

	*limit = 0;
	while (*limit + 1 < ladder_rungs(c) && bps_of(c, *limit) > bps_of(c, best))
		++*limit;
	if (worst <= *limit)
		return best;
	bps = bps_of(c, worst);
	f.max_bps = f.max_bps && f.max_bps < bps ? f.max_bps : bps;
	return ladder_best(c, want, &f);
}

ON_THREAD(ROLE_CTL) static unsigned rung_for(const struct leg *l, const struct leg_view *want,
					     const struct leg_tx_format *f, unsigned *limit)
{
	const struct engine_cfg *c = &l->room->engine->cfg;
	unsigned best = ladder_best(c, want, f);
	unsigned top = room_top_rung(l->room);

	if (ladder_is_made(c, best))
		return made_rung(l, want, *f, best, limit);
	*limit = best > top ? best : top;
	return *limit > l->carries ? *limit : l->carries;
}

unsigned room_rung(const struct leg *l, unsigned *limit)
{
	return rung_for(l, &l->view, &l->media.video.tx_format, limit);
}

unsigned room_rung_content(const struct leg *l)
{
	static const struct leg_view any;
	unsigned limit;

	return rung_for(l, &any, &l->media.content.tx_format, &limit);
}
