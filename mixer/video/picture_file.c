#include "mixer/video/picture_file.h"

#include <errno.h>

#include <cairo.h>
#include <libyuv/convert.h>

static int load(cairo_surface_t **out, const char *path, struct errmsg *why)
{
	cairo_surface_t *s = cairo_image_surface_create_from_png(path);
	cairo_status_t st = cairo_surface_status(s);

	*out = s;
	if (!st && cairo_image_surface_get_width(s) > 0 && cairo_image_surface_get_height(s) > 0)
		return 0;
	cairo_surface_destroy(s);
	return errmsg_set(why, -EINVAL, "picture_invalid",
			  "%s cannot be used as a picture: %s. Give the path of a PNG file.", path,
			  st ? cairo_status_to_string(st) : "it is empty");
}

/* A drawing of w x h with the picture scaled, its upper left corner at x, y. */
static cairo_surface_t *draw(cairo_surface_t *picture, cairo_format_t format, int w, int h,
			     double scale, double x, double y)
{
	cairo_surface_t *s = cairo_image_surface_create(format, w, h);
	cairo_t *cr = cairo_create(s);

	cairo_translate(cr, x, y);
	cairo_scale(cr, scale, scale);
	cairo_set_source_surface(cr, picture, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BEST);
	/* no faded edges */
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_paint(cr);
	cairo_destroy(cr);
	cairo_surface_flush(s);
	return s;
}

static int even_up(double v)
{
	return ((int)v + 2) & ~1;
}

int picture_file_logo(struct sprite **out, const char *path, int canvas_w, int canvas_h,
		      struct errmsg *why)
{
	cairo_surface_t *picture, *drawn;
	double scale = 1, w, h;
	int margin = canvas_h / 40, err;
	struct rect at;

	*out = NULL;
	err = load(&picture, path, why);
	if (err)
		return err;
	w = cairo_image_surface_get_width(picture);
	h = cairo_image_surface_get_height(picture);
	if (w > canvas_w / 6.0)
		scale = canvas_w / 6.0 / w;
	if (h * scale > canvas_h / 8.0)
		scale = canvas_h / 8.0 / h;
	at.w = even_up(w * scale);
	at.h = even_up(h * scale);
	at.x = (canvas_w - margin - at.w) & ~1;
	at.y = (canvas_h - margin - at.h) & ~1;
	drawn = draw(picture, CAIRO_FORMAT_ARGB32, at.w, at.h, scale, 0, 0);
	err = cairo_surface_status(drawn) ? -ENOMEM :
	      sprite_new(out, cairo_image_surface_get_data(drawn),
			 cairo_image_surface_get_stride(drawn), &at, at.x, at.y);
	cairo_surface_destroy(drawn);
	cairo_surface_destroy(picture);
	return err ? errmsg_set(why, err, "picture_invalid", "%s cannot be used: %s.", path,
				err_str(err)) : 0;
}

int picture_file_background(struct vframe **out, const char *path, int canvas_w, int canvas_h,
			    struct errmsg *why)
{
	cairo_surface_t *picture, *drawn;
	double scale, w, h;
	int err;

	*out = NULL;
	err = load(&picture, path, why);
	if (err)
		return err;
	w = cairo_image_surface_get_width(picture);
	h = cairo_image_surface_get_height(picture);
	scale = canvas_w / w > canvas_h / h ? canvas_w / w : canvas_h / h;
	drawn = draw(picture, CAIRO_FORMAT_RGB24, canvas_w, canvas_h, scale,
		     (canvas_w - w * scale) / 2, (canvas_h - h * scale) / 2);
	err = cairo_surface_status(drawn) ? -ENOMEM : vframe_new_canvas(out, canvas_w, canvas_h);
	if (!err) {
		AVFrame *av = (*out)->av;

		ARGBToI420(cairo_image_surface_get_data(drawn), cairo_image_surface_get_stride(drawn),
			   av->data[0], av->linesize[0], av->data[1], av->linesize[1], av->data[2],
			   av->linesize[2], canvas_w, canvas_h);
	}
	cairo_surface_destroy(drawn);
	cairo_surface_destroy(picture);
	return err ? errmsg_set(why, err, "picture_invalid", "%s cannot be used: %s.", path,
				err_str(err)) : 0;
}
