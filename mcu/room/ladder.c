#include "mcu/room/ladder.h"

#include <math.h>
#include <stdio.h>

unsigned ladder_rungs(const struct engine_cfg *c)
{
	return 1 + (unsigned)c->n_lower;
}

static uint32_t macroblocks(const struct engine_rung *r)
{
	return (uint32_t)((r->width + 15) / 16 * ((r->height + 15) / 16));
}

/* What is made for whom: the limits of levels 3.1, 3, 1.3, 1.2, 1.1, 1. */
static const struct {
	uint32_t max_fs;
	int fps, bps;
} made[LADDER_MADE] = {
	{ 3600, 30, 1400000 }, { 1620, 25, 760000 }, { 396, 30, 360000 },
	{ 396, 15, 240000 },   { 200, 15, 120000 },  { 99, 15, 56000 },
};

/* The largest of the canvas's shape of so many macroblocks. */
static struct engine_rung in_shape(const struct engine_cfg *c, uint32_t max_fs)
{
	struct engine_rung r = { 0 };

	r.height = (int)sqrt((double)max_fs * 256 * c->height / c->width) + 2;
	r.height = (r.height < c->height ? r.height : c->height) & ~1;
	for (; r.height > 2; r.height -= 2) {
		r.width = (c->width * r.height / c->height + 1) & ~1;
		if (macroblocks(&r) <= max_fs)
			break;
	}
	return r;
}

/* What is shown of the canvas on a picture of 352x288 or half of that, which is 4:3
 * although it does not look so (its pixels are 12:11). */
static struct engine_rung in_cif(const struct engine_cfg *c, bool quarter)
{
	struct engine_rung r = { .width = 352, .height = 288, .fps = 15, .bps = 256000 };

	if (c->width * 3 >= c->height * 4)
		r.height = 384 * c->height / c->width;
	else
		r.width = 264 * c->width / c->height;
	if (quarter) {
		r.width /= 2;
		r.height /= 2;
		r.bps = 64000;
	}
	r.width = (r.width + 2) & ~3;
	r.height = (r.height + 2) & ~3;
	return r;
}

struct engine_rung ladder_rung(const struct engine_cfg *c, unsigned i)
{
	struct engine_rung r;

	if (i >= ladder_rungs(c)) {
		i -= ladder_rungs(c);
		if (i >= LADDER_MADE)
			return in_cif(c, i > LADDER_MADE);
		r = in_shape(c, made[i].max_fs);
		r.fps = made[i].fps < c->fps ? made[i].fps : c->fps;
		r.bps = made[i].bps;
		return r;
	}
	if (i)
		return c->lower[i - 1];
	return (struct engine_rung){ .width = c->width, .height = c->height, .fps = c->fps,
				     .bps = c->video_bps };
}

bool ladder_is_made(const struct engine_cfg *c, unsigned i)
{
	return i >= ladder_rungs(c);
}

static bool is_wanted(const struct engine_rung *r, const struct leg_view *want)
{
	return (!want->max_height || (unsigned)r->height <= want->max_height) &&
	       (!want->max_kbps || (unsigned)r->bps / 1000 <= want->max_kbps);
}

static bool is_allowed(const struct engine_rung *r, const struct leg_tx_format *f)
{
	uint32_t mbs = macroblocks(r);

	return (!f->max_fs || mbs <= f->max_fs) &&
	       (!f->max_mbps || mbs * (uint32_t)r->fps <= f->max_mbps) &&
	       (!f->max_bps || (uint32_t)r->bps <= f->max_bps);
}

bool ladder_fits(const struct engine_cfg *c, unsigned i, const struct leg_tx_format *f)
{
	struct engine_rung r = ladder_rung(c, i);
	bool h263 = i >= ladder_rungs(c) + LADDER_MADE;

	/* All of its picture is coded, bars and all. */
	if (h263 && f->max_fs && f->max_fs < (i > ladder_rungs(c) + LADDER_MADE ? 99u : 396u))
		return false;
	return h263 == (f->codec == CODEC_H263) && is_allowed(&r, f);
}

int ladder_best_plain(const struct engine_cfg *c, const struct leg_view *want,
		      const struct leg_tx_format *f)
{
	int last = -1;

	for (unsigned i = 0; i < ladder_rungs(c); i++) {
		struct engine_rung r = ladder_rung(c, i);

		if (!ladder_fits(c, i, f))
			continue;
		last = (int)i;
		if (is_wanted(&r, want))
			break;
	}
	return last;
}

/* Of the made ones; -1: none. */
static int best_made(const struct engine_cfg *c, const struct leg_view *want,
		     const struct leg_tx_format *f)
{
	unsigned n = ladder_rungs(c), end = n + LADDER_MADE + LADDER_H263;

	for (unsigned i = n; i < end; i++) {
		struct engine_rung r = ladder_rung(c, i);

		if (ladder_fits(c, i, f) && is_wanted(&r, want))
			return (int)i;
	}
	return -1;
}

unsigned ladder_best(const struct engine_cfg *c, const struct leg_view *want,
		     const struct leg_tx_format *f)
{
	unsigned n = ladder_rungs(c), smallest = n + LADDER_MADE - 1;
	int plain = ladder_best_plain(c, want, f), other;

	if (f->codec == CODEC_H263)
		smallest += LADDER_H263;
	else if (!f->max_fs && !f->max_mbps && !f->max_bps)
		return (unsigned)plain;
	if (plain >= 0 && (plain == 0 || ladder_fits(c, (unsigned)plain - 1, f)))
		return (unsigned)plain; /* what it may have is not what makes it no better */
	other = best_made(c, want, f);
	if (plain < 0)
		return other < 0 ? smallest : (unsigned)other;
	/* One more encoder is worth it only where it is much better. */
	if (other >= 0 && ladder_rung(c, (unsigned)plain).bps * 10 <
				  ladder_rung(c, (unsigned)other).bps * 6)
		return (unsigned)other;
	return (unsigned)plain;
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
		{ 10, 99, 1485, 64 },	    { 11, 396, 3000, 192 },	{ 12, 396, 6000, 384 },
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
