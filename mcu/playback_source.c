/* Where a playback comes from: the registry says which file, the storage thread opens it. */
#include "mcu/playback_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "storage/repository.h"
#include "storage/uploads.h"
#include "storage/volume.h"

/* --- opening ----------------------------------------------------------------------- */

struct opening {
	struct volume_event ev;
	struct playback *p;
	char path[1024];
	int fd;
};

static void on_opened(void *obj, void *arg)
{
	struct opening *o = obj;
	struct playback *p = o->p;
	int fd = o->fd;

	(void)arg;
	role_assert_ctl();
	free(o);
	p->asking = false;
	if (fd >= 0)
		p->file = fd;
	if (p->ended)
		playback_reap(p);
	else if (fd < 0)
		playback_finish(p, "Its file is missing.");
	else
		playback_open(p);
}

static void drop_opened(void *obj, void *arg)
{
	struct opening *o = obj;

	(void)arg;
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

static void open_job(void *obj, void *arg)
{
	struct volume *v = obj;
	struct opening *o = arg;

	role_assert_sto();
	o->fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	volume_deliver(v, &o->ev);
}

/* path: relative to the data folder, and ours. */
ON_THREAD(ROLE_CTL) static void open_file(struct playback *p, const char *path)
{
	struct conference *c = p->owner->conf;
	struct opening *o = calloc(1, sizeof *o);

	if (!o) {
		playback_finish(p, "The server is out of memory.");
		return;
	}
	o->ev = (struct volume_event){ .to = c->cfg.engine->ctl, .fn = on_opened, .drop = drop_opened,
				       .obj = o };
	o->p = p;
	snprintf(o->path, sizeof o->path, "%s/%s", volume_root(c->cfg.volume), path);
	p->asking = true;
	if (!mbox_post(volume_mbox(c->cfg.volume), open_job, c->cfg.volume, o))
		return;
	p->asking = false;
	free(o);
	playback_finish(p, "The disk is too busy. Try again.");
}

/* --- recordings --------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void name_it(struct playback *p, const char *title, const char *otherwise)
{
	if (p->titled)
		return;
	snprintf(p->title, sizeof p->title, "%s", protocol_name_valid(title) ? title : otherwise);
}

static bool plays(const struct recording_row *row)
{
	return row->state == RECORDING_READY || row->state == RECORDING_INTERRUPTED ||
	       (row->state == RECORDING_FAILED && row->bytes);
}

static void on_recording(void *obj, int err, const struct recording_row *row)
{
	struct playback *p = obj;

	role_assert_ctl();
	p->asking = false;
	if (p->ended)
		playback_reap(p);
	else if (err || row->deleted_ms || !repository_path_valid(row->path) ||
		 (strcmp(row->room, p->room) && !p->admin && !p->token[0]))
		playback_finish(p, "There is no such recording of this room.");
	else if (!plays(row))
		playback_finish(p, "This recording is not finished yet.");
	else {
		name_it(p, row->title, "Recording");
		open_file(p, row->path);
	}
}

/* --- uploads ----------------------------------------------------------------------- */

static void on_upload(void *obj, int err, const struct upload_row *row)
{
	struct playback *p = obj;
	char path[UPLOAD_PATH_MAX + 1], title[4 * PROTOCOL_MAX_NAME + 1];

	role_assert_ctl();
	p->asking = false;
	if (p->ended) {
		playback_reap(p);
	} else if (err) {
		playback_finish(p, "There is no such file of this room.");
	} else {
		snprintf(title, sizeof title, "%s", row->name);
		name_it(p, title, "File");
		upload_path(path, row->id);
		open_file(p, path);
	}
}

/* --- cameras -------------------------------------------------------------------------- */

static void open_camera(void *obj, void *arg)
{
	struct playback *p = obj;

	(void)arg;
	role_assert_ctl();
	p->asking = false;
	if (p->ended)
		playback_reap(p);
	else
		playback_open(p);
}

/* The host of an rtsp address; false: it is none. */
static bool camera_host(const char *url, char *out, size_t cap)
{
	const char *p = !strncasecmp(url, "rtsp://", 7) ? url + 7 :
			!strncasecmp(url, "rtsps://", 8) ? url + 8 : NULL;
	const char *end, *at;
	size_t n;

	if (!p || strpbrk(url, " \t\r\n\"\\"))
		return false;
	end = p + strcspn(p, "/?#");
	for (at = p; at < end; at++) /* a name and password come before the last one */
		p = *at == '@' ? at + 1 : p;
	n = *p == '[' ? strcspn(++p, "]/?#") : strcspn(p, ":/?#");
	if (!n || n >= cap)
		return false;
	memcpy(out, p, n);
	out[n] = 0;
	return true;
}

/* libavformat takes these out of an address, and goes by UDP, or listens, to whom it
 * pleases. */
static bool has_options(const char *url)
{
	static const char *const options[] = { "udp", "multicast", "filter_src", "listen" };

	for (const char *p = strchr(url, '?'); p; p = strpbrk(p, "?&")) {
		size_t n = strcspn(++p, "?&=");

		for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
			if (n == strlen(options[i]) && !strncmp(p, options[i], n))
				return true;
	}
	return false;
}

static int may_open_camera(const struct playback *p, struct errmsg *why)
{
	const struct config *c = p->owner->conf->cfg.config;
	const char *who = c->playback.cameras;
	char host[256];
	bool listed = !c->playback.camera_hosts.n;

	if (!strcmp(who, "nobody") || (!p->admin && strcmp(who, "hosts")))
		return errmsg_set(why, -EACCES, "not_allowed", "You may not open cameras on this server. Its "
				  "administrator may, or may set playback.cameras.");
	if (!camera_host(p->url, host, sizeof host) || has_options(p->url))
		return errmsg_set(why, -EINVAL, "bad_message", "The address of a camera is like "
				  "\"rtsp://192.0.2.7/stream\".");
	for (size_t i = 0; i < c->playback.camera_hosts.n; i++)
		listed = listed || !strcasecmp(c->playback.camera_hosts.items[i], host);
	return listed ? 0 : errmsg_set(why, -EACCES, "not_allowed", "This camera is not among those that the "
				       "administrator allows (playback.camera_hosts).");
}

int playback_find(struct playback *p, struct errmsg *why)
{
	struct conference *c = p->owner->conf;
	int err = p->source == PLAYBACK_CAMERA ? may_open_camera(p, why) : 0;

	if (err)
		return err;

	p->asking = true;
	if (p->source == PLAYBACK_CAMERA) {
		name_it(p, "", "Camera");
		engine_post(c->cfg.engine->ctl, open_camera, p, NULL);
		return 0;
	}
	if (p->source == PLAYBACK_UPLOAD)
		err = uploads_get(c->cfg.db, p->source_id, &(struct upload_view){
			.room = p->room, .user_id = p->user_id, .admin = p->admin }, on_upload, p);
	else
		err = recordings_get(c->cfg.db, p->source_id, p->token[0] ? p->token : NULL,
				     on_recording, p);
	if (err)
		return errmsg_set(why, -EBUSY, "internal", "The registry is busy. Try again.");
	return 0;
}
