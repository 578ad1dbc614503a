#include "mcu/room/stage.h"

#include <stdlib.h>

#include "mcu/base/log.h"
#include "mcu/room/dress.h"
#include "mcu/room/ladder.h"
#include "mcu/room/tick.h"
#include "mcu/room/video_encode.h"
#include "mixer/video/compositor.h"
#include "mixer/video/shrink.h"

struct stage {
	const struct engine *engine;
	uint32_t picture;
	size_t at; /* of it in the routing */
	struct compositor *comp;
	struct shrink *shrink[LADDER_MAX]; /* of the rungs in use; [0] never */
	struct dress dress;
};

struct stage *stage_new(const struct engine *e, uint32_t picture)
{
	struct stage *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->engine = e;
	s->picture = picture;
	return s;
}

void stage_free(struct stage **s)
{
	if (!*s)
		return;
	compositor_free(&(*s)->comp);
	for (int i = 0; i < LADDER_MAX; i++)
		shrink_free(&(*s)->shrink[i]);
	free(*s);
	*s = NULL;
}

uint32_t stage_picture(const struct stage *s)
{
	return s->picture;
}

/* Drops what no encode needs any more. */
void stage_follow(struct stage *s, const struct routing *r, size_t at)
{
	bool used[LADDER_MAX] = { false };

	s->at = at;
	for (size_t i = 0; i < r->n_encodes; i++)
		if (r->encode[i].picture == at)
			used[r->encode[i].rung] = true;
	for (int i = 0; i < LADDER_MAX; i++)
		if (!used[i])
			shrink_free(&s->shrink[i]);
}

static enum tile_state state_of(const struct route_source *r, const struct newest *n,
				int64_t now_ns)
{
	if (r->muted)
		return TILE_MUTED;
	if (!r->sends || !n->frame)
		return TILE_NO_VIDEO;
	if (r->content || r->local) /* a screen, or a film, may stand still for long */
		return TILE_LIVE;
	return now_ns - n->at_ns > TICK_STALE_MS * NS_PER_MS ? TILE_STALE : TILE_LIVE;
}

static size_t make_scene(const struct stage *s, const struct stage_call *c, struct scene_tile *tile)
{
	const struct routing *r = c->routing;
	const struct route_picture *p = &r->picture[s->at];

	for (size_t i = 0; i < p->n_tiles; i++) {
		const struct route_source *from = &r->source[p->tile[i].source];
		const struct newest *n = &c->newest[p->tile[i].source];
		const struct route_leg *l = &r->leg[from->leg];
		bool names = !p->signs.no_names, shared = source_is_content(from->id);
		bool bare = shared && n->frame; /* no label hides what is shared */

		tile[i] = (struct scene_tile){
			.leg_id = from->id, .name = names && !bare ? l->name : NULL, .rect = p->tile[i].rect,
			.state = state_of(from, n, c->now_ns),
			.fit = p->crop && !from->content ? TILE_CROP : TILE_FIT,
			.audio_muted = names && !shared && (l->audio_muted || !l->sends_audio),
			.speaking = !p->signs.no_border && from->id == c->speaker && !l->audio_muted,
			.frame = n->frame,
		};
	}
	return p->n_tiles;
}

/* The canvas at the size of a rung, made when the first encode of it wants it. */
ON_THREAD(ROLE_MIXV) static struct vframe *at_rung(struct stage *s, unsigned rung,
						   struct vframe *canvas, uint64_t *shrunk)
{
	struct vframe *f = NULL;
	uint64_t before;
	int err = 0;

	if (!rung)
		return vframe_ref(canvas);
	if (!s->shrink[rung]) {
		struct engine_rung r = ladder_rung(&s->engine->cfg, rung);

		err = shrink_new(&s->shrink[rung], r.width, r.height);
	}
	if (err)
		return NULL;
	before = shrink_made(s->shrink[rung]);
	if (shrink_make(s->shrink[rung], canvas, &f))
		return NULL;
	*shrunk += shrink_made(s->shrink[rung]) - before;
	return f;
}

/* To those encodes that want it now. */
ON_THREAD(ROLE_MIXV) static enum stage_result give_out(struct stage *s, const struct stage_call *c,
						       struct vframe *canvas, uint64_t *shrunk)
{
	enum stage_result result = STAGE_UNCHANGED;

	for (size_t i = 0; i < c->routing->n_encodes; i++) {
		const struct route_encode *e = &c->routing->encode[i];
		struct vframe *f;

		if (e->picture != s->at || video_encode_is_passing(e->v) ||
		    !video_encode_due(e->v, canvas->gen, c->due_ns))
			continue;
		f = at_rung(s, e->rung, canvas, shrunk);
		if (f)
			video_encode_frame(e->v, f, c->due_ns);
		if (!f)
			result = STAGE_SKIPPED;
		else if (result == STAGE_UNCHANGED)
			result = STAGE_GIVEN;
		vframe_unref(&f);
	}
	return result;
}

ON_THREAD(ROLE_MIXV) static void dress(struct stage *s, const struct stage_call *c)
{
	const struct routing_signs *signs = &c->routing->picture[s->at].signs;
	const struct engine_cfg *cfg = &s->engine->cfg;
	struct signs_wanted wanted;

	dress_update(&s->dress, signs, cfg->logo, c->routing->recorded_since_ns, c->now_ns,
		     clock_wall_ns(), &wanted);
	compositor_set_signs(s->comp, &wanted);
	compositor_set_page(s->comp, signs->page_rgb, signs->picture ? cfg->background : NULL);
	compositor_set_transition(s->comp, cfg->transition_ms);
}

static bool has_signs(const struct stage *s, const struct stage_call *c)
{
	const struct routing_signs *signs = &c->routing->picture[s->at].signs;

	return *signs->banner || signs->clock || (signs->logo && s->engine->cfg.logo) ||
	       (signs->recording_time && c->routing->recorded_since_ns);
}

/* The passage of the source that is all of the canvas, pixel by pixel; or NULL. */
static struct passage *alone(const struct stage *s, const struct stage_call *c,
			     const struct scene *scene)
{
	const struct engine_cfg *cfg = &s->engine->cfg;
	const struct scene_tile *t = scene->tile;
	const struct vframe *f = scene->n == 1 ? t->frame : NULL;

	if (!cfg->pass_through || !f || t->state != TILE_LIVE || (t->name && *t->name) ||
	    t->audio_muted || has_signs(s, c))
		return NULL;
	if (t->rect.w != cfg->width || t->rect.h != cfg->height || f->av->width != cfg->width ||
	    f->av->height != cfg->height || f->rotation || f->av->color_range == AVCOL_RANGE_JPEG)
		return NULL;
	return &c->newest[c->routing->picture[s->at].tile[0].source].passage;
}

enum stage_result stage_show(struct stage *s, const struct stage_call *c, uint64_t *shrunk)
{
	const struct engine_cfg *cfg = &s->engine->cfg;
	struct scene_tile tile[LAYOUT_MAX_TILES];
	struct scene scene = { .tile = tile };
	struct vframe *canvas = NULL;
	enum stage_result result;
	bool changed;

	if (!s->comp && compositor_new(&s->comp, cfg->width, cfg->height)) {
		log_error(NULL, "out of memory: a room cannot be composed");
		return STAGE_SKIPPED;
	}
	scene.n = make_scene(s, c, tile);
	if (passage_give(alone(s, c, &scene), c, s->at))
		return STAGE_GIVEN;
	dress(s, c);
	if (compositor_paint(s->comp, &scene, c->due_ns, &canvas, &changed))
		return STAGE_SKIPPED;
	result = give_out(s, c, canvas, shrunk);
	vframe_unref(&canvas);
	return result;
}
