#include "mcu/media/pdf.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <libavutil/frame.h>
#include <poppler.h>

struct media_pdf {
	PopplerDocument *doc;
};

int media_pdf_open(struct media_pdf **out, int fd)
{
	struct media_pdf *p = calloc(1, sizeof *p);
	GError *why = NULL;
	int err = -EBADMSG;

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->doc = poppler_document_new_from_fd(fd, NULL, &why);
	if (g_error_matches(why, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
		err = -EACCES;
	g_clear_error(&why);
	if (!p->doc || poppler_document_get_n_pages(p->doc) < 1 ||
	    poppler_document_get_n_pages(p->doc) > MEDIA_MAX_PAGES) {
		media_pdf_free(&p);
		return err;
	}
	*out = p;
	return 0;
}

void media_pdf_free(struct media_pdf **p)
{
	if ((*p)->doc)
		g_object_unref((*p)->doc);
	free(*p);
	*p = NULL;
}

uint32_t media_pdf_pages(const struct media_pdf *p)
{
	return (uint32_t)poppler_document_get_n_pages(p->doc);
}

/* As large as it fits; a page without an area is none. */
static double scale_of(PopplerPage *page, uint32_t max_w, uint32_t max_h, uint32_t *w, uint32_t *h)
{
	double pw, ph, scale;

	poppler_page_get_size(page, &pw, &ph);
	if (!(pw >= 1 && ph >= 1 && pw < 1e6 && ph < 1e6))
		return 0;
	scale = max_w / pw < max_h / ph ? max_w / pw : max_h / ph;
	*w = (uint32_t)(pw * scale) & ~1u;
	*h = (uint32_t)(ph * scale) & ~1u;
	return *w >= 2 && *h >= 2 ? scale : 0;
}

void media_pdf_size(const struct media_pdf *p, uint32_t max_w, uint32_t max_h, uint32_t *w,
		    uint32_t *h)
{
	PopplerPage *page = poppler_document_get_page(p->doc, 0);

	*w = *h = 0;
	if (!page)
		return;
	if (!(scale_of(page, max_w, max_h, w, h) > 0))
		*w = *h = 0;
	g_object_unref(page);
}

static int put(struct media_out *o, cairo_surface_t *s, uint32_t w, uint32_t h)
{
	AVFrame *f = av_frame_alloc();
	int err;

	if (!f)
		return -ENOMEM;
	cairo_surface_flush(s);
	f->width = (int)w;
	f->height = (int)h;
	f->format = AV_PIX_FMT_BGRA; /* as Cairo's ARGB32 lies in memory; opaque by then */
	f->data[0] = cairo_image_surface_get_data(s);
	f->linesize[0] = cairo_image_surface_get_stride(s);
	err = media_out_picture(o, f, 0, 0);
	f->data[0] = NULL;
	av_frame_free(&f);
	return err;
}

int media_pdf_show(const struct media_pdf *p, struct media_out *o, uint32_t at, uint32_t max_w,
		   uint32_t max_h)
{
	PopplerPage *page = poppler_document_get_page(p->doc, (int)at);
	uint32_t w = 0, h = 0;
	double scale = page ? scale_of(page, max_w, max_h, &w, &h) : 0;
	cairo_surface_t *s;
	cairo_t *cr;
	int err = -EBADMSG;

	if (scale > 0) {
		s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)w, (int)h);
		cr = cairo_create(s);
		cairo_set_source_rgb(cr, 1, 1, 1);
		cairo_paint(cr);
		cairo_scale(cr, scale, scale);
		poppler_page_render(page, cr);
		err = cairo_status(cr) ? -ENOMEM : put(o, s, w, h);
		cairo_destroy(cr);
		cairo_surface_destroy(s);
	}
	if (page)
		g_object_unref(page);
	return err;
}
