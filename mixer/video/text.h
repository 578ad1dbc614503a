/* Lines of text on Cairo surfaces, in any script, by Pango.
 *
 * Pango's fonts are one set for the process behind a leaf lock, held while a line
 * is measured or drawn: never in the steady state of a mix. Any thread. */
#ifndef MCU_MIXER_VIDEO_TEXT_H
#define MCU_MIXER_VIDEO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <cairo.h>

struct text_style {
	double px;        /* height of the font's em square */
	bool bold;
	int max_width_px; /* cut with an ellipsis; 0: as long as it gets */
};

/* Ink and advance of a line; utf8 is made valid, control characters become
 * spaces. */
void text_measure(const char *utf8, const struct text_style *style, int *width, int *height);
/* Draws it in cr's present colour, logical top left at x, y. */
void text_draw(cairo_t *cr, const char *utf8, const struct text_style *style, double x, double y);
/* Draws it with its ink centred on x, y. */
void text_draw_centered(cairo_t *cr, const char *utf8, const struct text_style *style, double x,
			double y);

/* The first letters of up to two words, upper case; of a name in Hangul, kana or
 * Han the first two characters. "" when there is no letter or digit. */
void text_initials(const char *utf8, char *out, size_t size);

#endif
