#include "mcu/room/ladder.h"

#include <stdio.h>

unsigned ladder_rungs(const struct engine_cfg *c)
{
	return 1 + (unsigned)c->n_lower;
}

struct engine_rung ladder_rung(const struct engine_cfg *c, unsigned i)
{
	if (i)
		return c->lower[i - 1];
	return (struct engine_rung){ .width = c->width, .height = c->height, .fps = c->fps,
				     .bps = c->video_bps };
}

static uint32_t macroblocks(const struct engine_rung *r)
{
	return (uint32_t)((r->width + 15) / 16 * ((r->height + 15) / 16));
}

static bool fits(const struct engine_rung *r, const struct leg_view *want,
		 const struct leg_tx_format *f)
{
	uint32_t mbs = macroblocks(r);

	return (!want->max_height || (unsigned)r->height <= want->max_height) &&
	       (!want->max_kbps || (unsigned)r->bps / 1000 <= want->max_kbps) &&
	       (!f->max_fs || mbs <= f->max_fs) &&
	       (!f->max_mbps || mbs * (uint32_t)r->fps <= f->max_mbps) &&
	       (!f->max_bps || (uint32_t)r->bps <= f->max_bps);
}

unsigned ladder_best(const struct engine_cfg *c, const struct leg_view *want,
		     const struct leg_tx_format *f)
{
	unsigned i = 0, last = ladder_rungs(c) - 1;

	for (; i < last; i++) {
		struct engine_rung r = ladder_rung(c, i);

		if (fits(&r, want, f))
			break;
	}
	return i;
}

bool ladder_parse(struct engine_rung *out, const char *text)
{
	int end = 0;

	*out = (struct engine_rung){ 0 };
	return sscanf(text, "%4d@%2d/%5d%n", &out->height, &out->fps, &out->bps, &end) == 3 &&
	       !text[end] && out->height >= 90 && out->height <= 2160 && out->fps >= 1 &&
	       out->fps <= 60 && out->bps >= 30 && out->bps <= 20000;
}

void ladder_add(struct engine_cfg *c, const struct engine_rung *r)
{
	struct engine_rung above = ladder_rung(c, (unsigned)c->n_lower), n = *r;

	n.height &= ~1;
	n.width = (c->width * n.height / c->height + 1) & ~1;
	n.bps *= 1000;
	if (n.fps > above.fps)
		n.fps = above.fps;
	if (c->n_lower == ENGINE_MAX_RUNGS - 1 || n.height >= above.height || n.bps >= above.bps ||
	    n.width < 32)
		return;
	c->lower[c->n_lower++] = n;
}

uint8_t ladder_h264_level(const struct engine_rung *r)
{
	static const struct {
		uint8_t idc;
		uint32_t fs, mbps;
		int kbps;
	} level[] = {
		{ 13, 396, 11880, 768 },    { 21, 792, 19800, 4000 },	{ 30, 1620, 40500, 10000 },
		{ 31, 3600, 108000, 14000 }, { 40, 8192, 245760, 20000 }, { 42, 8704, 522240, 50000 },
	};
	enum { N = sizeof level / sizeof *level };
	uint32_t mbs = macroblocks(r);
	unsigned i = 0;

	while (i < N - 1 && (mbs > level[i].fs || mbs * (uint32_t)r->fps > level[i].mbps ||
			     r->bps / 1000 > level[i].kbps))
		i++;
	return level[i].idc;
}
