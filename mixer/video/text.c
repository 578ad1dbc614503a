#include "mixer/video/text.h"

#include <pthread.h>
#include <string.h>

#include <pango/pangocairo.h>

/* Noto Sans CJK has Latin and Cyrillic of one design with its Hangul, kana and
 * Han; Pango falls back to whatever has the script otherwise. */
static const char FAMILIES[] = "Noto Sans CJK KR, Noto Sans, DejaVu Sans, Sans";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of fonts and all layouts of it */
static PangoFontMap *fonts;

static PangoLayout *layout_new(const char *utf8, const struct text_style *style)
{
	PangoFontDescription *font = pango_font_description_new();
	PangoContext *context;
	PangoLayout *layout;
	char *text = g_utf8_make_valid(utf8, -1);

	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	if (!fonts)
		fonts = pango_cairo_font_map_new();
	context = pango_font_map_create_context(fonts);
	layout = pango_layout_new(context);
	pango_font_description_set_family_static(font, FAMILIES);
	pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD
							    : PANGO_WEIGHT_NORMAL);
	pango_font_description_set_absolute_size(font, style->px * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_layout_set_single_paragraph_mode(layout, TRUE);
	pango_layout_set_text(layout, text, -1);
	if (style->max_width_px > 0) {
		pango_layout_set_width(layout, style->max_width_px * PANGO_SCALE);
		pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
	}
	pango_font_description_free(font);
	g_object_unref(context);
	g_free(text);
	return layout;
}

void text_measure(const char *utf8, const struct text_style *style, int *width, int *height)
{
	PangoRectangle logical;
	PangoLayout *layout;

	pthread_mutex_lock(&lock);
	layout = layout_new(utf8, style);
	pango_layout_get_pixel_extents(layout, NULL, &logical);
	g_object_unref(layout);
	pthread_mutex_unlock(&lock);
	*width = logical.width;
	*height = logical.height;
}

void text_draw(cairo_t *cr, const char *utf8, const struct text_style *style, double x, double y)
{
	PangoLayout *layout;

	pthread_mutex_lock(&lock);
	layout = layout_new(utf8, style);
	cairo_move_to(cr, x, y);
	pango_cairo_show_layout(cr, layout);
	g_object_unref(layout);
	pthread_mutex_unlock(&lock);
}

void text_draw_centered(cairo_t *cr, const char *utf8, const struct text_style *style, double x,
			double y)
{
	PangoRectangle ink;
	PangoLayout *layout;

	pthread_mutex_lock(&lock);
	layout = layout_new(utf8, style);
	pango_layout_get_extents(layout, &ink, NULL);
	cairo_move_to(cr, x - (double)(ink.x + ink.width / 2) / PANGO_SCALE,
		      y - (double)(ink.y + ink.height / 2) / PANGO_SCALE);
	pango_cairo_show_layout(cr, layout);
	g_object_unref(layout);
	pthread_mutex_unlock(&lock);
}

static gboolean is_cjk(gunichar c)
{
	switch (g_unichar_get_script(c)) {
	case G_UNICODE_SCRIPT_HANGUL:
	case G_UNICODE_SCRIPT_HAN:
	case G_UNICODE_SCRIPT_HIRAGANA:
	case G_UNICODE_SCRIPT_KATAKANA:
	case G_UNICODE_SCRIPT_BOPOMOFO:
		return TRUE;
	default:
		return FALSE;
	}
}

/* Picks letters out of composed text; at most two. */
static size_t pick(const char *text, gunichar out[2])
{
	gboolean word_start = TRUE, cjk = FALSE;
	size_t n = 0;

	for (const char *p = text; *p && n < 2; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (!g_unichar_isalnum(c)) {
			if (n && (cjk ? g_unichar_isspace(c) : c == '(' || c == '['))
				break;
			word_start = word_start || g_unichar_isspace(c) ||
				     (c < 0x80 && strchr("-._", (int)c));
			continue;
		}
		if (word_start || cjk) {
			cjk = is_cjk(c);
			out[n++] = g_unichar_toupper(c);
		}
		word_start = FALSE;
	}
	return n;
}

void text_initials(const char *utf8, char *out, size_t size)
{
	char *valid = g_utf8_make_valid(utf8, -1);
	char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_DEFAULT_COMPOSE);
	gunichar letter[2];
	size_t n = composed ? pick(composed, letter) : 0, len = 0;

	for (size_t i = 0; i < n; i++) {
		char one[6];
		size_t k = (size_t)g_unichar_to_utf8(letter[i], one);

		if (len + k >= size)
			break;
		memcpy(out + len, one, k);
		len += k;
	}
	if (size)
		out[len] = '\0';
	g_free(composed);
	g_free(valid);
}
