#include "mcu/uploads.h"

#include "mcu/uploads_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- tickets ------------------------------------------------------------------------------- */

/* What others are bringing in, with what of it is not on the disk yet. */
struct coming {
	int64_t all, of_room, of_user, to_come;
};

static struct coming count_coming(const struct upload *except)
{
	const struct uploads *all = except->owner;
	struct coming c = { 0 };

	for (guint i = 0; i < all->all->len; i++) {
		const struct upload *u = g_ptr_array_index(all->all, i);

		if (u == except || u->state == SAVING)
			continue;
		c.all += u->row.bytes;
		c.to_come += u->row.bytes - u->sent;
		c.of_room += strcmp(u->row.room, except->row.room) ? 0 : u->row.bytes;
		c.of_user += u->row.user_id != except->row.user_id ? 0 : u->row.bytes;
	}
	return c;
}

static int over(struct errmsg *why, int64_t bytes, int most_mb, const char *whose)
{
	return bytes <= (int64_t)most_mb * 1000000 ? 0 :
	       errmsg_set(why, -EDQUOT, "quota", "The files of %s would be larger than %d megabytes together. "
			  "Delete some first.", whose, most_mb);
}

static int check_quotas(const struct upload *u, const struct upload_usage *usage, struct errmsg *why)
{
	const struct config *c = u->owner->cfg.config;
	const struct coming k = count_coming(u);
	int64_t n = u->row.bytes;
	int err = over(why, usage->of_room + k.of_room + n, c->playback.room_mb, "this room");

	if (!err && u->row.user_id)
		err = over(why, usage->of_user + k.of_user + n, c->playback.account_mb, "this account");
	return err ? err : over(why, usage->all + k.all + n, c->playback.total_mb, "all rooms");
}

ON_THREAD(ROLE_CTL) static void answer(struct upload *u, int err, const struct errmsg *why)
{
	upload_ticket_cb *cb = u->cb;

	u->owner->asking--;
	u->cb = NULL;
	cb(u->obj, err, err ? NULL : u->url, why);
	if (err)
		upload_discard(u);
}

static void after_look(struct upload *u)
{
	struct errmsg why = { 0 };

	role_assert_ctl();
	if (u->err)
		errmsg_set(&why, u->err, "internal", "The disk of the server cannot be asked. Try again.");
	else if (u->spare < u->row.bytes + count_coming(u).to_come)
		u->err = errmsg_set(&why, -ENOSPC, "disk_full", "The disk of the server is nearly full. Tell "
				    "its administrator.");
	answer(u, u->err, &why);
}

static void on_usage(void *obj, int err, const struct upload_usage *usage)
{
	struct upload *u = obj;
	struct errmsg why = { 0 };

	role_assert_ctl();
	if (err)
		errmsg_set(&why, err, "internal", "The registry failed. Try again.");
	else
		err = check_quotas(u, usage, &why);
	if (!err) {
		err = upload_look(u, after_look);
		if (!err)
			return;
		errmsg_set(&why, err, "busy", "The disk is too busy. Try again.");
	}
	answer(u, err, &why);
}

static int make_secret(char out[SECRET_CHARS + 1])
{
	uint8_t raw[SECRET_CHARS / 2];

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return -EIO;
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static unsigned count_of(const struct uploads *all, int64_t user_id)
{
	unsigned n = 0;

	for (guint i = 0; i < all->all->len; i++)
		n += ((const struct upload *)g_ptr_array_index(all->all, i))->row.user_id == user_id;
	return n;
}

int uploads_ticket(struct uploads *all, const struct upload_ask *ask, upload_ticket_cb *cb, void *obj,
		   struct errmsg *why)
{
	int most = all->cfg.config->playback.upload_mb;
	struct upload *u;

	if (ask->bytes < 1)
		return errmsg_set(why, -EINVAL, "media_empty", "The file is empty.");
	if (ask->bytes > (int64_t)most * 1000000)
		return errmsg_set(why, -EMSGSIZE, "too_large", "A file may have %d megabytes at most.", most);
	if (all->all->len >= TICKETS || all->stopping)
		return errmsg_set(why, -EUSERS, "busy", "Too many files are being uploaded. Try again in some "
				  "minutes.");
	if (ask->user_id && count_of(all, ask->user_id) >= TICKETS_EACH)
		return errmsg_set(why, -EUSERS, "rate_limited", "You are uploading %d files already. Try again "
				  "when one of them is done.", TICKETS_EACH);
	u = calloc(1, sizeof *u);
	if (!u || make_secret(u->secret)) {
		free(u);
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	}
	*u = (struct upload){ .owner = all, .fd = -1, .cb = cb, .obj = obj,
			      .made_ns = clock_now_ns(all->cfg.engine->clock) };
	make_secret(u->secret);
	u->row.id = db_new_id();
	u->row.bytes = ask->bytes;
	u->row.user_id = ask->user_id;
	u->row.created_ms = clock_wall_ns() / NS_PER_MS;
	snprintf(u->row.room, sizeof u->row.room, "%s", ask->room);
	snprintf(u->row.by, sizeof u->row.by, "%s", ask->by);
	upload_label(u->row.name, ask->name);
	upload_path(u->path, u->row.id);
	snprintf(u->part, sizeof u->part, "%s.part", u->path);
	snprintf(u->url, sizeof u->url, "/api/v1/uploads/%s", u->secret);
	if (uploads_usage(all->cfg.db, ask->room, ask->user_id, on_usage, u)) {
		free(u);
		return errmsg_set(why, -EBUSY, "internal", "The registry is busy. Try again.");
	}
	all->asking++;
	g_ptr_array_add(all->all, u);
	return 0;
}

/* --- deleting ------------------------------------------------------------------------------ */

struct removal {
	struct uploads *owner;
	char room[DB_NAME_MAX + 1], path[1024];
	int64_t id;
	upload_cb *cb;
	void *obj;
};

static void unlink_job(void *obj, void *arg)
{
	(void)arg;
	role_assert_sto();
	(void)unlink(obj);
	free(obj);
}

static void on_removed(void *obj, int err, const struct upload_row *row)
{
	struct removal *r = obj;
	struct volume *v = r->owner->cfg.volume;
	char *path = strdup(r->path);

	role_assert_ctl();
	r->owner->asking--;
	if (err || !path || mbox_post(volume_mbox(v), unlink_job, path, NULL))
		free(path); /* a file without a row is looked for at the next start */
	if (r->cb)
		r->cb(r->obj, err, row);
	free(r);
}

static void on_owned(void *obj, int err, const struct upload_row *row)
{
	struct removal *r = obj;

	role_assert_ctl();
	if (!err && r->room[0] && strcmp(row->room, r->room))
		err = -ENOENT;
	if (!err)
		err = uploads_remove(r->owner->cfg.db, r->id, on_removed, r);
	if (!err)
		return;
	r->owner->asking--;
	if (r->cb)
		r->cb(r->obj, err, row);
	free(r);
}

void uploads_delete(struct uploads *u, const struct upload_view *view, int64_t id, upload_cb *cb, void *obj)
{
	struct removal *r = calloc(1, sizeof *r);
	char path[UPLOAD_PATH_MAX + 1];

	if (!r) {
		cb(obj, -ENOMEM, NULL);
		return;
	}
	*r = (struct removal){ .owner = u, .id = id, .cb = cb, .obj = obj };
	snprintf(r->room, sizeof r->room, "%s", view->room);
	upload_path(path, id);
	snprintf(r->path, sizeof r->path, "%s/%s", volume_root(u->cfg.volume), path);
	u->asking++;
	if (uploads_get(u->cfg.db, id, view, on_owned, r))
		on_owned(r, -EBUSY, NULL);
}

/* --- time ---------------------------------------------------------------------------------- */

static void on_old(void *obj, int err, const struct upload_row *rows, size_t n)
{
	const struct upload_view all = { .room = "", .admin = true };
	struct uploads *u = obj;

	role_assert_ctl();
	u->asking--;
	for (size_t i = 0; !err && i < n; i++)
		uploads_delete(u, &all, rows[i].id, NULL, NULL);
}

ON_THREAD(ROLE_CTL) static void tidy(struct uploads *u)
{
	int days = u->cfg.config->playback.keep_days;
	int64_t before_ms = clock_wall_ns() / NS_PER_MS - (int64_t)days * 24 * 3600 * 1000;

	if (days && !uploads_list(u->cfg.db, NULL, before_ms, on_old, u))
		u->asking++;
}

static gboolean on_timer(gpointer obj)
{
	static unsigned turns;
	struct uploads *all = obj;
	int64_t now = clock_now_ns(all->cfg.engine->clock);

	role_assert_ctl();
	for (guint i = all->all->len; i-- > 0;) {
		struct upload *u = g_ptr_array_index(all->all, i);

		if (u->state == TICKET && !u->cb && now - u->made_ns > TICKET_S * NS_PER_S)
			upload_discard(u);
		else if (u->child && now - u->made_ns > PROBE_S * NS_PER_S)
			playback_child_kill(u->child);
	}
	uploads_probe_next(all); /* should a child not have started */
	if (turns++ % (TIDY_S / 5) == 0)
		tidy(all);
	return G_SOURCE_CONTINUE;
}

/* What was left unfinished; and files without a row, by a crash: those of rows are gone by
 * then. Younger ones stay, as the rows of an older backup may be all there are. */
static void remove_left(const char *root, int keep_days)
{
	int64_t before_s = clock_wall_ns() / NS_PER_S - (int64_t)(keep_days + 1) * 24 * 3600;
	char path[1024];
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(path, sizeof path, "%s/uploads", root);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name), digits = strspn(e->d_name, "0123456789");
		bool part = n > 5 && !strcmp(e->d_name + n - 5, ".part");
		bool old = keep_days && digits == n && !fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
			   st.st_mtime < before_s;

		if (part || old)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

int uploads_new(struct uploads **out, const struct uploads_cfg *cfg)
{
	struct uploads *u = calloc(1, sizeof *u);

	if (!u)
		return -ENOMEM;
	u->cfg = *cfg;
	u->all = g_ptr_array_new();
	remove_left(volume_root(cfg->volume), cfg->config->playback.keep_days);
	u->timer = g_timeout_add_seconds(5, on_timer, u);
	*out = u;
	return 0;
}

int uploads_routes(struct uploads *u, struct server *s)
{
	return server_route_sink(s, "PUT", "/api/v1/uploads/:ticket", &upload_sink, upload_received, u);
}

void uploads_shutdown(struct uploads *all)
{
	all->stopping = true;
	for (guint i = all->all->len; i-- > 0;) {
		struct upload *u = g_ptr_array_index(all->all, i);

		if (u->state == TICKET && !u->cb)
			upload_discard(u);
		else if (u->child)
			playback_child_kill(u->child);
	}
}

bool uploads_is_idle(const struct uploads *u)
{
	if (u->asking)
		return false;
	for (guint i = 0; i < u->all->len; i++)
		if (((const struct upload *)g_ptr_array_index(u->all, i))->state > RECEIVING)
			return false;
	return true;
}

void uploads_free(struct uploads **at)
{
	struct uploads *all = *at;

	if (!all)
		return;
	g_source_remove(all->timer);
	while (all->all->len) { /* the storage thread has ended */
		struct upload *u = g_ptr_array_index(all->all, 0);

		u->in_flight = 0;
		u->child = NULL;
		upload_discard(u);
	}
	g_ptr_array_unref(all->all);
	free(all);
	*at = NULL;
}
