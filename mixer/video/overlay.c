#include "mixer/video/overlay.h"

#include <errno.h>
#include <math.h>

#include <cairo.h>

#include "mixer/video/text.h"

enum { ACCENT_RGB = 0x34d399, MUTED_RGB = 0xff6b6b, WARN_RGB = 0xfbbf24 };

static const uint32_t palette[] = {
	0x4f7cff, 0x8b5cf6, 0xd9468f, 0xe0524d, 0xe07b39, 0xb98a16,
	0x4d9a3c, 0x0f9b76, 0x1793a8, 0x3b82c4, 0x6d6ae0, 0xa855c8,
};

enum { PALETTE = sizeof palette / sizeof *palette };

static double clamp(double v, double lo, double hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static int even_up(double v)
{
	return ((int)ceil(v) + 1) & ~1;
}

static void set_rgb(cairo_t *cr, uint32_t rgb, double alpha)
{
	cairo_set_source_rgba(cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0,
			      (rgb & 255) / 255.0, alpha);
}

static void round_rect(cairo_t *cr, double x, double y, double w, double h, double r)
{
	cairo_new_sub_path(cr);
	cairo_arc(cr, x + w - r, y + r, r, -M_PI / 2, 0);
	cairo_arc(cr, x + w - r, y + h - r, r, 0, M_PI / 2);
	cairo_arc(cr, x + r, y + h - r, r, M_PI / 2, M_PI);
	cairo_arc(cr, x + r, y + r, r, M_PI, 3 * M_PI / 2);
	cairo_close_path(cr);
}

/* A drawing surface that covers `at` of the tile, in the tile's coordinates. */
static cairo_t *begin(const struct rect *at)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, at->w, at->h);
	cairo_t *cr = cairo_create(s);

	cairo_surface_destroy(s);
	cairo_translate(cr, -at->x, -at->y);
	return cr;
}

/* The part `at` of a drawing that covers `whole`, as a sprite. */
static int cut(struct sprite **out, cairo_t *cr, const struct rect *whole, const struct rect *at)
{
	cairo_surface_t *s = cairo_get_target(cr);

	*out = NULL;
	if (cairo_status(cr) || cairo_surface_status(s))
		return -ENOMEM;
	cairo_surface_flush(s);
	return sprite_new(out, cairo_image_surface_get_data(s), cairo_image_surface_get_stride(s), at,
			  whole->x, whole->y);
}

static int finish(struct sprite **out, cairo_t *cr, const struct rect *at)
{
	int err = cut(out, cr, at, at);

	cairo_destroy(cr);
	return err;
}

static double font_px(int tile_h)
{
	return clamp(7 + tile_h * 0.032, 11, 30);
}

/* A diagonal, with a gap beside it that keeps it apart from what it crosses out. */
static void draw_crossing(cairo_t *cr, uint32_t rgb, double x, double y, double s, double line)
{
	set_rgb(cr, rgb, 1);
	for (int gap = 1; gap >= 0; gap--) {
		cairo_set_operator(cr, gap ? CAIRO_OPERATOR_CLEAR : CAIRO_OPERATOR_OVER);
		cairo_set_line_width(cr, gap ? line * 2.8 : line);
		cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
		cairo_move_to(cr, x, y);
		cairo_line_to(cr, x + s, y + s);
		cairo_stroke(cr);
	}
}

/* A microphone in a box of s x s, crossed out. */
static void draw_mic_off(cairo_t *cr, double x, double y, double s)
{
	double cx = x + s / 2, line = clamp(s * 0.1, 1.2, 4);

	cairo_push_group(cr);
	set_rgb(cr, MUTED_RGB, 1);
	cairo_set_line_width(cr, line);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
	round_rect(cr, cx - s * 0.145, y + s * 0.04, s * 0.29, s * 0.54, s * 0.145);
	cairo_fill(cr);
	cairo_arc(cr, cx, y + s * 0.44, s * 0.27, 0.05 * M_PI, 0.95 * M_PI);
	cairo_stroke(cr);
	cairo_move_to(cr, cx, y + s * 0.72);
	cairo_line_to(cr, cx, y + s * 0.93);
	cairo_stroke(cr);
	draw_crossing(cr, MUTED_RGB, x + s * 0.12, y + s * 0.12, s * 0.76, line);
	cairo_pop_group_to_source(cr);
	cairo_paint(cr);
}

int overlay_label(struct sprite **out, const char *name, bool audio_muted, int tile_w, int tile_h)
{
	double px = font_px(tile_h), margin = clamp(tile_h * 0.024, 4, 14);
	double pad = px * 0.55, icon = audio_muted ? px * 1.05 : 0;
	double gap = audio_muted && name[0] ? px * 0.35 : 0;
	double h = floor(px * 1.72), w, top;
	struct text_style style = { .px = px };
	int text_w = 0, text_h = 0;
	struct rect at;
	cairo_t *cr;

	*out = NULL;
	if (!name[0] && !audio_muted)
		return 0;
	style.max_width_px = (int)(tile_w - 2 * margin - 2 * pad - icon - gap);
	if (style.max_width_px < px)
		return 0;
	if (name[0])
		text_measure(name, &style, &text_w, &text_h);
	w = 2 * pad + icon + gap + text_w;
	top = tile_h - margin - h;
	at = (struct rect){ (int)margin & ~1, (int)top & ~1, 0, 0 };
	at.w = even_up(margin + w - at.x);
	at.h = even_up(top + h - at.y);
	if (at.x + at.w > tile_w || at.y + at.h > tile_h || at.y < 0)
		return 0;
	cr = begin(&at);
	round_rect(cr, margin, top, w, h, h * 0.32);
	set_rgb(cr, 0x0b0d11, 0.66);
	cairo_fill(cr);
	if (audio_muted)
		draw_mic_off(cr, margin + pad, top + (h - icon) / 2, icon);
	set_rgb(cr, 0xffffff, 1);
	if (name[0])
		text_draw(cr, name, &style, margin + pad + icon + gap, top + (h - text_h) / 2);
	return finish(out, cr, &at);
}

/* A head and shoulders for somebody without a name. */
static void draw_person(cairo_t *cr, double cx, double cy, double r)
{
	cairo_save(cr);
	cairo_arc(cr, cx, cy, r, 0, 2 * M_PI);
	cairo_clip(cr);
	set_rgb(cr, 0xffffff, 0.92);
	cairo_arc(cr, cx, cy - r * 0.22, r * 0.34, 0, 2 * M_PI);
	cairo_fill(cr);
	cairo_arc(cr, cx, cy + r * 0.82, r * 0.62, 0, 2 * M_PI);
	cairo_fill(cr);
	cairo_restore(cr);
}

static uint32_t leg_color(uint32_t leg_id)
{
	/* ids are handed out in sequence: neighbours get colours far from each other */
	return palette[leg_id % PALETTE * 5 % PALETTE];
}

int overlay_avatar(struct sprite **out, const char *name, uint32_t leg_id, int tile_w, int tile_h)
{
	double r = (tile_h < tile_w ? tile_h : tile_w) * 0.23;
	double cx = tile_w / 2.0, cy = tile_h * 0.48;
	uint32_t rgb = leg_color(leg_id);
	struct text_style style = { .bold = true };
	char initials[16];
	struct rect at = { (int)(cx - r) & ~1, (int)(cy - r) & ~1, 0, 0 };
	cairo_pattern_t *shade;
	cairo_t *cr;

	at.w = even_up(cx + r - at.x);
	at.h = even_up(cy + r - at.y);
	cr = begin(&at);
	set_rgb(cr, rgb, 1);
	cairo_arc(cr, cx, cy, r, 0, 2 * M_PI);
	cairo_fill_preserve(cr);
	shade = cairo_pattern_create_linear(0, cy - r, 0, cy + r);
	cairo_pattern_add_color_stop_rgba(shade, 0, 1, 1, 1, 0.12);
	cairo_pattern_add_color_stop_rgba(shade, 1, 0, 0, 0, 0.14);
	cairo_set_source(cr, shade);
	cairo_fill(cr);
	cairo_pattern_destroy(shade);
	text_initials(name, initials, sizeof initials);
	/* two full-width characters fill the disc where two letters do not */
	style.px = r * ((unsigned char)initials[0] >= 0xe0 ? 0.66 : 0.78);
	set_rgb(cr, 0xffffff, 1);
	if (initials[0])
		text_draw_centered(cr, initials, &style, cx, cy);
	else
		draw_person(cr, cx, cy, r);
	return finish(out, cr, &at);
}

/* Three rising bars in a box of s x s, and a cross where they leave room. */
static void draw_no_signal(cairo_t *cr, double x, double y, double s)
{
	set_rgb(cr, 0x9aa3b2, 1);
	for (int i = 0; i < 3; i++) {
		double bar_h = s * (0.16 + 0.19 * i);

		round_rect(cr, x + s * (0.23 + 0.21 * i), y + s * 0.76 - bar_h, s * 0.13, bar_h,
			   s * 0.04);
		cairo_fill(cr);
	}
	set_rgb(cr, WARN_RGB, 1);
	cairo_set_line_width(cr, clamp(s * 0.09, 1.5, 5));
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
	for (int i = 0; i < 2; i++) {
		cairo_move_to(cr, x + s * 0.24, y + s * (i ? 0.46 : 0.24));
		cairo_line_to(cr, x + s * 0.46, y + s * (i ? 0.24 : 0.46));
		cairo_stroke(cr);
	}
}

int overlay_badge(struct sprite **out, int tile_w, int tile_h)
{
	double s = clamp(tile_h * 0.1, 20, 52), margin = clamp(tile_h * 0.03, 5, 18);
	double x = tile_w - margin - s, y = margin;
	struct rect at = { (int)x & ~1, (int)y & ~1, 0, 0 };
	cairo_t *cr;

	*out = NULL;
	at.w = even_up(x + s - at.x);
	at.h = even_up(y + s - at.y);
	if (at.x < 0 || at.x + at.w > tile_w || at.y + at.h > tile_h)
		return 0;
	cr = begin(&at);
	round_rect(cr, x, y, s, s, s * 0.28);
	set_rgb(cr, 0x0b0d11, 0.72);
	cairo_fill(cr);
	draw_no_signal(cr, x, y, s);
	return finish(out, cr, &at);
}

int overlay_sign(struct sprite **out, const char *text, enum overlay_place place, int canvas_w,
		 int canvas_h)
{
	double px = clamp(canvas_h * 0.03, 11, 40), margin = clamp(canvas_h * 0.02, 4, 24);
	double pad = px * 0.6, dot = place == OVERLAY_LEFT_WITH_DOT ? px * 0.9 : 0;
	double h = floor(px * 1.8), w, x = margin;
	struct text_style style = { .px = px, .max_width_px = canvas_w / 2 };
	int text_w, text_h;
	struct rect at;
	cairo_t *cr;

	*out = NULL;
	text_measure(text, &style, &text_w, &text_h);
	w = 2 * pad + dot + text_w;
	if (place == OVERLAY_MIDDLE)
		x = (canvas_w - w) / 2;
	else if (place == OVERLAY_RIGHT)
		x = canvas_w - margin - w;
	at = (struct rect){ (int)x & ~1, (int)margin & ~1, 0, 0 };
	at.w = even_up(x + w - at.x);
	at.h = even_up(margin + h - at.y);
	if (x < 0 || at.x + at.w > canvas_w || at.y + at.h > canvas_h)
		return 0;
	cr = begin(&at);
	round_rect(cr, x, margin, w, h, h * 0.32);
	set_rgb(cr, 0x0b0d11, 0.72);
	cairo_fill(cr);
	if (dot > 0) {
		set_rgb(cr, MUTED_RGB, 1);
		cairo_arc(cr, x + pad + px * 0.28, margin + h / 2, px * 0.28, 0, 2 * M_PI);
		cairo_fill(cr);
	}
	set_rgb(cr, 0xffffff, 1);
	text_draw(cr, text, &style, x + pad + dot, margin + (h - text_h) / 2);
	return finish(out, cr, &at);
}

/* Page colour outside of a rounded rectangle; inside of its edge the accent. */
static void draw_frame(cairo_t *cr, uint32_t page_rgb, int w, int h, double edge, double radius,
		       double accent)
{
	set_rgb(cr, page_rgb, 1);
	cairo_set_fill_rule(cr, CAIRO_FILL_RULE_EVEN_ODD);
	cairo_rectangle(cr, 0, 0, w, h);
	round_rect(cr, edge, edge, w - 2 * edge, h - 2 * edge, radius);
	cairo_fill(cr);
	if (accent <= 0)
		return;
	set_rgb(cr, ACCENT_RGB, 1);
	round_rect(cr, edge, edge, w - 2 * edge, h - 2 * edge, radius);
	round_rect(cr, edge + accent, edge + accent, w - 2 * (edge + accent),
		   h - 2 * (edge + accent), radius > accent ? radius - accent : 0.1);
	cairo_fill(cr);
}

int overlay_frame(struct sprite *out[OVERLAY_FRAME_SPRITES], uint32_t page_rgb, bool speaking,
		  int tile_w, int tile_h)
{
	double edge = 2, radius = clamp(tile_h * 0.025, 3, 14);
	double accent = speaking ? clamp(tile_h * 0.012, 2, 6) : 0;
	int b = even_up(edge + accent), c = even_up(edge + radius + accent);
	int w = tile_w, h = tile_h, err = 0;
	const struct rect whole = { 0, 0, w, h };
	const struct rect part[OVERLAY_FRAME_SPRITES] = {
		{ 0, 0, c, c },         { w - c, 0, c, c },
		{ 0, h - c, c, c },     { w - c, h - c, c, c },
		{ c, 0, w - 2 * c, b }, { c, h - b, w - 2 * c, b },
		{ 0, c, b, h - 2 * c }, { w - b, c, b, h - 2 * c },
	};
	cairo_t *cr;

	for (int i = 0; i < OVERLAY_FRAME_SPRITES; i++)
		out[i] = NULL;
	if (w < 4 * c || h < 4 * c)
		return 0;
	cr = begin(&whole);
	draw_frame(cr, page_rgb, w, h, edge, radius, accent);
	for (int i = 0; i < OVERLAY_FRAME_SPRITES && !err; i++)
		err = cut(&out[i], cr, &whole, &part[i]);
	cairo_destroy(cr);
	for (int i = 0; err && i < OVERLAY_FRAME_SPRITES; i++)
		sprite_free(&out[i]);
	return err;
}
