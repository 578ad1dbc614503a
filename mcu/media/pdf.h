/* The pages of a PDF as pictures, by Poppler. */
#ifndef MCU_MEDIA_PDF_H
#define MCU_MEDIA_PDF_H

#include <stdint.h>

#include "mcu/media/out.h"

struct media_pdf;

/* fd: taken. 0; -EBADMSG: it is none; -EACCES: it has a password; -ENOMEM. */
int media_pdf_open(struct media_pdf **out, int fd);
void media_pdf_free(struct media_pdf **p);
uint32_t media_pdf_pages(const struct media_pdf *p);
/* Of the first page, in pixels as it would be shown in such a room. */
void media_pdf_size(const struct media_pdf *p, uint32_t max_w, uint32_t max_h, uint32_t *w,
		    uint32_t *h);
/* page: from 0. 0, -EBADMSG, -ENOMEM. */
int media_pdf_show(const struct media_pdf *p, struct media_out *o, uint32_t page, uint32_t max_w,
		   uint32_t max_h);

#endif
