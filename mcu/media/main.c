/* The program that opens what strangers made: uploads, recordings, PDFs and cameras. The
 * server starts one for each (mcu/playback_child.c) and takes nothing from it but numbers,
 * short texts, samples and pictures (wire.h). It ends with the server. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "mcu/media/film.h"
#include "mcu/media/out.h"
#include "mcu/media/pdf.h"
#include "mcu/media/sandbox.h"

enum { IDLE_MS = 8, CPU_PROBE_S = 30, CPU_PLAY_S = 24 * 3600, STEPS = 16 };

struct child {
	struct media_order open;
	struct media_out *out;
	struct film *film;
	struct media_pdf *pdf;
	uint32_t serial;
	int64_t pos; /* of the last seek */
	bool told_ready, told_end;
};

static void tell(const struct media_note *n)
{
	if (send(MEDIA_FD_SOCKET, n, sizeof *n, MSG_NOSIGNAL) < 0)
		exit(0); /* the server is gone, or wants nothing more */
}

__attribute__((noreturn)) static void fail(int err)
{
	static const struct {
		int err;
		const char *code, *text;
	} reasons[] = {
		{ -EFBIG, "media_too_large", "Its pictures are too large. Make them smaller than 50 "
					     "million pixels." },
		{ -ENOMEM, "media_too_large", "It needs more memory than one file may take." },
		{ -ENOSYS, "media_codec", "There is no decoder here for what is in it. Convert it to MP4 "
					  "with H.264 and AAC." },
		{ -EACCES, "media_locked", "It is protected by a password. Save it without one." },
		{ -ECONNREFUSED, "camera_unreachable", "The camera does not answer. Check its address, its "
						 "name and password." },
		{ -EIO, "camera_lost", "The connection to the camera was lost." },
		{ -EBADMSG, "media_unreadable", "It is damaged, or of a kind that cannot be played." },
	};
	struct media_note n = { .type = MEDIA_FAILED };
	size_t i = 0;

	while (reasons[i].err != err && i + 1 < sizeof reasons / sizeof *reasons)
		i++;
	snprintf(n.code, sizeof n.code, "%s", reasons[i].code);
	snprintf(n.text, sizeof n.text, "%s", reasons[i].text);
	tell(&n);
	exit(1);
}

/* --- orders ------------------------------------------------------------------------ */

static bool next_order(struct media_order *o, int wait_ms)
{
	struct pollfd p = { .fd = MEDIA_FD_SOCKET, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	n = recv(MEDIA_FD_SOCKET, o, sizeof *o, MSG_DONTWAIT);
	if (n <= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR)))
		exit(0);
	return n > 0 && !media_order_read(o, o, (size_t)n);
}

static void show_page(struct child *c)
{
	struct media_note n = { .type = MEDIA_READY, .serial = c->serial, .pos_ns = c->pos };
	int err = media_pdf_show(c->pdf, c->out, (uint32_t)c->pos, c->open.max_w, c->open.max_h);

	if (err)
		fail(err);
	tell(&n);
}

static void seek(struct child *c, const struct media_order *o)
{
	int64_t pos = o->pos < 0 ? 0 : o->pos;
	bool first = !c->serial;

	c->serial = o->serial;
	if (c->pdf) {
		c->pos = pos < media_pdf_pages(c->pdf) ? pos : media_pdf_pages(c->pdf) - 1;
		media_out_begin(c->out, c->serial);
		show_page(c);
		return;
	}
	c->pos = pos;
	/* what cannot be sought, as a camera, is where it begins */
	if (film_seek(c->film, c->pos) == 0 || first)
		media_out_begin(c->out, c->serial);
	else
		fail(-EBADMSG);
	c->told_ready = c->told_end = false;
}

static void obey(struct child *c, const struct media_order *o)
{
	if (o->type == MEDIA_SEEK)
		seek(c, o);
	else if (o->type == MEDIA_WANTED && c->film)
		film_want_pictures(c->film, o->flag);
}

/* --- opening ------------------------------------------------------------------------ */

static struct media_shm *map(const struct media_order *o)
{
	size_t bytes = media_shm_bytes(o->max_w, o->max_h);
	struct stat st;
	void *p;

	if (o->max_w > MEDIA_MAX_SIDE || o->max_h > MEDIA_MAX_SIDE || fstat(MEDIA_FD_SHM, &st) ||
	    (size_t)st.st_size < bytes)
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, MEDIA_FD_SHM, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* Whether something of it can be decoded at all. */
static void try_it(struct child *c)
{
	enum film_step step = FILM_BUSY;

	media_out_begin(c->out, 1);
	while (step == FILM_BUSY && !film_ready(c->film))
		step = film_step(c->film);
	if (!media_out_pictures(c->out) && !media_out_blocks(c->out))
		fail(-EBADMSG);
}

static void open_it(struct child *c)
{
	const struct media_order *o = &c->open;
	struct media_note facts = { .type = MEDIA_FACTS };
	int err;

	if (o->kind == MEDIA_PDF) {
		err = media_pdf_open(&c->pdf, MEDIA_FD_FILE);
		if (err)
			fail(err);
		facts.pages = media_pdf_pages(c->pdf);
		facts.video = facts.still = true;
		err = o->probe ? media_pdf_show(c->pdf, c->out, 0, o->max_w, o->max_h) : 0;
		if (err)
			fail(err);
		media_pdf_size(c->pdf, o->max_w, o->max_h, &facts.width, &facts.height);
	} else {
		err = film_open(&c->film, o->kind == MEDIA_FILE ? MEDIA_FD_FILE : -1, o->url, c->out);
		if (err)
			fail(err);
		film_facts(c->film, &facts);
		if (o->probe)
			try_it(c);
	}
	tell(&facts);
}

/* "%PDF-" is within the first 1,024 octets. */
static bool is_pdf(void)
{
	char head[1024 + 1];
	ssize_t n = pread(MEDIA_FD_FILE, head, sizeof head - 1, 0);

	return n > 0 && memmem(head, (size_t)n, "%PDF-", 5);
}

static void begin(struct child *c)
{
	struct sandbox_cfg box = { .cpu_s = CPU_PLAY_S };
	struct media_shm *shm;

	if (sandbox_limits())
		exit(2);
	while (!next_order(&c->open, -1) || c->open.type != MEDIA_OPEN)
		;
	if (c->open.kind == MEDIA_FILE && is_pdf())
		c->open.kind = MEDIA_PDF;
	box.fonts = c->open.kind == MEDIA_PDF;
	box.network = c->open.kind == MEDIA_CAMERA;
	if (c->open.probe)
		box.cpu_s = CPU_PROBE_S;
	shm = map(&c->open);
	if (!shm || media_out_new(&c->out, shm, c->open.max_w, c->open.max_h) || sandbox_enter(&box))
		exit(2);
	av_log_set_level(AV_LOG_QUIET);
	open_it(c);
}

/* --- running ------------------------------------------------------------------------ */

static void report(struct child *c, enum film_step step)
{
	struct media_note n = { .serial = c->serial };

	if (!c->told_ready && (step == FILM_END || film_ready(c->film))) {
		n.type = MEDIA_READY;
		n.pos_ns = c->pos;
		c->told_ready = true;
		tell(&n);
	}
	if (step == FILM_END && !c->told_end) {
		if (!c->pos && !media_out_pictures(c->out) && !media_out_blocks(c->out) &&
		    !film_end_ns(c->film))
			fail(-EBADMSG);
		n.type = MEDIA_END;
		n.pos_ns = film_end_ns(c->film);
		n.pos_ns = n.pos_ns > MEDIA_MAX_NS ? MEDIA_MAX_NS : n.pos_ns;
		c->told_end = true;
		tell(&n);
	}
}

int main(void)
{
	struct child c = { .serial = 0 };
	struct media_order o;

	begin(&c);
	if (c.open.probe)
		return 0;
	for (;;) {
		enum film_step step = FILM_END;

		for (int i = 0; c.film && c.serial && i < STEPS; i++) {
			step = film_step(c.film);
			if (step == FILM_BROKEN)
				fail(-EIO);
			report(&c, step);
			if (step != FILM_BUSY)
				break;
		}
		if (c.film && step == FILM_BUSY)
			while (next_order(&o, 0))
				obey(&c, &o);
		else if (next_order(&o, c.film && c.serial && step == FILM_WAITS ? IDLE_MS : -1))
			obey(&c, &o);
	}
}
