/* A file on its way in: written as it comes, looked into by a media child, kept. */
#include "mcu/uploads_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/tokens.h"
#include "storage/files.h"

METRIC_COUNTER(m_bytes, "mcu_upload_bytes_total", "Octets of files that were uploaded.");
METRIC_COUNTER(m_refused, "mcu_uploads_refused_total",
	       "Uploads that were not kept: unreadable, broken off, or the disk was full.");

/* --- life of one ----------------------------------------------------------------------- */

struct disk_job {
	struct volume_event ev;
	struct upload *u;
	uint8_t *data;
	size_t len;
	int err;
	int (*run)(struct upload *u, const struct disk_job *j);
	void (*then)(struct upload *u);
};

static void disk_done(void *obj, void *arg)
{
	struct disk_job *j = obj;
	struct upload *u = j->u;
	void (*then)(struct upload *u) = j->then;

	(void)arg;
	role_assert_ctl();
	u->err = u->err ? u->err : j->err;
	free(j->data);
	free(j);
	u->in_flight--;
	then(u);
}

static void disk_drop(void *obj, void *arg)
{
	struct disk_job *j = obj;

	(void)arg;
	free(j->data);
	free(j);
}

static void disk_run(void *obj, void *arg)
{
	struct volume *v = obj;
	struct disk_job *j = arg;

	role_assert_sto();
	j->err = j->run(j->u, j);
	volume_deliver(v, &j->ev);
}

/* Takes data. */
ON_THREAD(ROLE_CTL) static int disk(struct upload *u, int (*run)(struct upload *, const struct disk_job *),
				    uint8_t *data, size_t len, void (*then)(struct upload *))
{
	const struct uploads_cfg *c = &u->owner->cfg;
	struct disk_job *j = u->owner->stopping ? NULL : calloc(1, sizeof *j);

	if (!j) { /* what is left behind goes at the next start */
		free(data);
		return -ENOMEM;
	}
	*j = (struct disk_job){
		.ev = { .to = c->engine->ctl, .fn = disk_done, .drop = disk_drop, .obj = j },
		.u = u, .data = data, .len = len, .run = run, .then = then,
	};
	if (mbox_post(volume_mbox(c->volume), disk_run, c->volume, j)) {
		free(data);
		free(j);
		return -EAGAIN;
	}
	u->in_flight++;
	return 0;
}

static void full_path(const struct upload *u, const char *path, char out[1024])
{
	snprintf(out, 1024, "%s/%s", volume_root(u->owner->cfg.volume), path);
}

static int job_create(struct upload *u, const struct disk_job *j)
{
	(void)j;
	u->fd = files_create(volume_root(u->owner->cfg.volume), u->part);
	return u->fd < 0 ? u->fd : 0;
}

static int job_look(struct upload *u, const struct disk_job *j)
{
	(void)j;
	u->spare = files_spare(volume_root(u->owner->cfg.volume));
	return u->spare < 0 ? (int)u->spare : 0;
}

int upload_look(struct upload *u, void (*then)(struct upload *u))
{
	return disk(u, job_look, NULL, 0, then);
}

/* Onto the disk, and out of the memory that others want; what recordings need is left. */
static int let_go(struct upload *u)
{
	int64_t spare = files_spare(volume_root(u->owner->cfg.volume));

	if (spare <= 0)
		return spare ? (int)spare : -ENOSPC;
	if (fdatasync(u->fd))
		return -errno;
	(void)posix_fadvise(u->fd, 0, u->written, POSIX_FADV_DONTNEED);
	u->synced = u->written;
	return 0;
}

static int job_write(struct upload *u, const struct disk_job *j)
{
	for (size_t at = 0; at < j->len;) {
		ssize_t n = write(u->fd, j->data + at, j->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += (size_t)n;
	}
	u->written += (int64_t)j->len;
	return u->written - u->synced < SYNC_BYTES ? 0 : let_go(u);
}

static int job_sync(struct upload *u, const struct disk_job *j)
{
	(void)j;
	return fdatasync(u->fd) ? -errno : 0;
}

static int job_keep(struct upload *u, const struct disk_job *j)
{
	char from[1024], to[1024];

	(void)j;
	full_path(u, u->part, from);
	full_path(u, u->path, to);
	return rename(from, to) ? -errno : 0;
}

/* err does not keep it from being removed: see remove_file. */
static int job_remove(struct upload *u, const struct disk_job *j)
{
	char path[1024];

	(void)j;
	full_path(u, u->part, path);
	(void)unlink(path);
	return 0;
}

void upload_discard(struct upload *u)
{
	if (u->in_flight || u->child)
		return;
	if (u->fd >= 0)
		close(u->fd);
	free(u->chunk);
	g_ptr_array_remove_fast(u->owner->all, u);
	explicit_bzero(u->secret, sizeof u->secret);
	free(u);
}

static void after_remove(struct upload *u)
{
	role_assert_ctl();
	upload_discard(u);
}

/* It is not kept: the sender is told, if he waits, and the file goes. */
ON_THREAD(ROLE_CTL) static void reject(struct upload *u, int status, const char *code, const char *text)
{
	if (u->req)
		http_reply_error(u->req, status, code, "%s", text);
	u->req = NULL;
	u->gone = true;
	metric_add(&m_refused, 1);
	if (u->child)
		playback_child_kill(u->child);
	u->err = u->in_flight ? u->err : 0;
	if (u->state != TICKET && !u->in_flight && !disk(u, job_remove, NULL, 0, after_remove))
		return;
	upload_discard(u);
}

ON_THREAD(ROLE_CTL) static void reject_disk(struct upload *u)
{
	bool full = u->err == -ENOSPC || u->err == -EDQUOT;

	reject(u, full ? 507 : 500, full ? "disk_full" : "disk", full ?
	       "The disk of the server is nearly full. Tell its administrator." :
	       "The file could not be written. Tell the administrator of the server.");
}

/* --- what is in it --------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void reply_row(struct upload *u)
{
	const struct upload_row *r = &u->row;
	char id[24], *text;
	json_t *o;

	snprintf(id, sizeof id, "%" PRId64, r->id);
	o = json_pack("{s:s, s:s, s:I, s:I, s:i, s:b, s:b}", "upload", id, "name", r->name, "bytes",
		      (json_int_t)r->bytes, "duration_ms", (json_int_t)r->duration_ms, "pages", r->pages,
		      "audio", r->audio, "video", r->video);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (u->req && text)
		http_reply(u->req, 201, "application/json", text, strlen(text));
	else if (u->req)
		http_reply_error(u->req, 503, "internal", "The server is out of memory.");
	u->req = NULL;
	free(text);
	json_decref(o);
}

static void on_saved(void *obj, int err, const struct upload_row *row)
{
	struct upload *u = obj;

	(void)row;
	role_assert_ctl();
	u->owner->asking--;
	if (err) {
		memcpy(u->part, u->path, sizeof u->path);
		reject(u, 503, "internal", "The registry failed. Try again.");
		return;
	}
	log_info(NULL, "upload %" PRId64 " of %s: %" PRId64 " bytes", u->row.id, u->row.room, u->row.bytes);
	reply_row(u);
	upload_discard(u);
}

static void after_keep(struct upload *u)
{
	role_assert_ctl();
	if (u->err) {
		reject_disk(u);
		return;
	}
	u->state = SAVING;
	if (uploads_add(u->owner->cfg.db, &u->row, on_saved, u)) {
		memcpy(u->part, u->path, sizeof u->path);
		reject(u, 503, "internal", "The registry is busy. Try again.");
		return;
	}
	u->owner->asking++;
}

static void on_note(void *obj, const struct media_note *n)
{
	struct upload *u = obj;

	role_assert_ctl();
	if (n->type == MEDIA_FAILED)
		errmsg_set(&u->why, 0, n->code, "%s", n->text);
	if (n->type != MEDIA_FACTS)
		return;
	u->known = true;
	u->row.duration_ms = n->duration_ns / NS_PER_MS;
	u->row.width = (int)n->width;
	u->row.height = (int)n->height;
	u->row.pages = (int)n->pages;
	u->row.audio = n->audio;
	u->row.video = n->video;
}

static void on_gone(void *obj)
{
	struct upload *u = obj;
	struct uploads *all = u->owner;

	role_assert_ctl();
	u->child = NULL;
	if (u->gone)
		upload_discard(u);
	else if (!u->known)
		reject(u, 422, u->why.text[0] ? u->why.code : "media_unreadable", u->why.text[0] ? u->why.text :
		       "It is damaged, or of a kind that cannot be played.");
	else if (disk(u, job_keep, NULL, 0, after_keep))
		reject(u, 503, "busy", "The disk is too busy. Try again.");
	uploads_probe_next(all);
}

static const struct playback_child_events child_events = { .note = on_note, .gone = on_gone };

ON_THREAD(ROLE_CTL) static void probe(struct upload *u)
{
	struct playback_child_cfg cfg = { .kind = MEDIA_FILE, .probe = true, .file = u->fd,
					  .max_w = 640, .max_h = 360 };
	struct media_shm *shm;
	struct errmsg why;
	int err;

	u->state = PROBING;
	u->made_ns = clock_now_ns(u->owner->cfg.engine->clock);
	cfg.shm = playback_child_memory(cfg.max_w, cfg.max_h, &shm);
	if (cfg.shm < 0) {
		reject(u, 503, "internal", "The server is out of memory.");
		return;
	}
	playback_child_unmap(&shm, cfg.max_w, cfg.max_h);
	err = playback_child_start(&u->child, &cfg, &child_events, u, &why);
	close(cfg.shm);
	if (err)
		reject(u, 503, "internal", why.text);
}

/* Who came first; each child may take much memory and a processor. */
void uploads_probe_next(struct uploads *all)
{
	struct upload *first = NULL;
	unsigned run = 0;

	for (guint i = 0; i < all->all->len; i++) {
		struct upload *u = g_ptr_array_index(all->all, i);

		run += u->child != NULL;
		if (u->queued && !u->gone && (!first || u->made_ns < first->made_ns))
			first = u;
	}
	if (!first || run >= PROBES)
		return;
	first->queued = false;
	if (!all->stopping) {
		probe(first);
		return;
	}
	reject(first, 503, "internal", "The server stops.");
	uploads_probe_next(all);
}

ON_THREAD(ROLE_CTL) static void queue(struct upload *u)
{
	u->queued = true;
	u->made_ns = clock_now_ns(u->owner->cfg.engine->clock);
	uploads_probe_next(u->owner);
}

/* --- receiving --------------------------------------------------------------------------- */

static void after_write(struct upload *u)
{
	role_assert_ctl();
	if (u->gone) {
		if (!u->in_flight)
			reject(u, 0, "", "");
		return;
	}
	if (u->err && u->state == FLUSHING) {
		if (!u->in_flight)
			reject_disk(u);
		return;
	}
	if (u->held && u->in_flight < CHUNKS_AHEAD / 2) {
		u->held = false;
		http_body_go_on(u->req);
	}
}

static void after_sync(struct upload *u)
{
	role_assert_ctl();
	if (u->gone)
		reject(u, 0, "", "");
	else if (u->err)
		reject_disk(u);
	else if (u->written != u->row.bytes)
		reject(u, 500, "internal", "Not all of the file has arrived. Try again.");
	else
		queue(u);
}

/* False: it cannot be written now. */
ON_THREAD(ROLE_CTL) static bool flush(struct upload *u)
{
	uint8_t *data = u->chunk;
	size_t len = u->filled;

	u->chunk = NULL;
	u->filled = 0;
	if (!len) {
		free(data);
		return true;
	}
	if (u->err) { /* it is not kept: the sender is told at the end */
		free(data);
		return false;
	}
	if (disk(u, job_write, data, len, after_write)) {
		u->err = -EAGAIN;
		return false;
	}
	u->sent += (int64_t)len;
	return true;
}

static bool sink_data(void *obj, const void *p, size_t len)
{
	struct upload *u = obj;
	const uint8_t *from = p;

	role_assert_ctl();
	metric_add(&m_bytes, (int64_t)len);
	while (len) {
		size_t n = CHUNK_BYTES - u->filled;

		if (!u->chunk && !(u->chunk = malloc(CHUNK_BYTES))) {
			u->err = u->err ? u->err : -ENOMEM;
			return true;
		}
		n = n < len ? n : len;
		memcpy(u->chunk + u->filled, from, n);
		u->filled += n;
		from += n;
		len -= n;
		if (u->filled == CHUNK_BYTES)
			flush(u);
	}
	u->held = u->in_flight >= CHUNKS_AHEAD;
	return !u->held;
}

static void sink_gone(void *obj)
{
	struct upload *u = obj;

	role_assert_ctl();
	u->req = NULL;
	u->gone = true;
	u->held = false;
	if (!u->in_flight)
		reject(u, 0, "", "");
}

static void after_create(struct upload *u)
{
	after_write(u);
}

static int sink_begin(void *ctx, struct http_req *r, uint64_t len, void **obj, struct errmsg *why)
{
	struct uploads *all = ctx;
	struct upload *u = NULL;
	const char *secret;

	role_assert_ctl();
	secret = http_req_param(r, "ticket");
	for (guint i = 0; i < all->all->len && !u; i++) {
		struct upload *o = g_ptr_array_index(all->all, i);

		if (o->state == TICKET && !o->cb && strlen(secret) == SECRET_CHARS &&
		    secret_equal(o->secret, secret))
			u = o;
	}
	if (!u || all->stopping)
		return errmsg_set(why, -ENOENT, "not_found", "This address is used up, or too old. Ask for "
				  "another.");
	if (len != (uint64_t)u->row.bytes)
		return errmsg_set(why, -EINVAL, "too_large", "The file has another size than was said.");
	u->fd = -1;
	if (disk(u, job_create, NULL, 0, after_create))
		return errmsg_set(why, -EBUSY, "busy", "The disk is too busy. Try again.");
	u->state = RECEIVING;
	u->req = r;
	*obj = u;
	return 0;
}

const struct http_sink upload_sink = { .begin = sink_begin, .data = sink_data, .gone = sink_gone };

void upload_received(void *ctx, struct http_req *req)
{
	struct upload *u;

	(void)ctx;
	role_assert_ctl();
	u = http_req_sunk(req);
	if (!u) {
		http_reply_error(req, 400, "bad_message", "The file is empty.");
		return;
	}
	u->state = FLUSHING;
	if (!flush(u) || disk(u, job_sync, NULL, 0, after_sync))
		u->err = u->err ? u->err : -EAGAIN;
	if (u->err && !u->in_flight)
		reject_disk(u);
}
