#include "storage/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <libavutil/mem.h>
#include <libavutil/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/files.h"
#include "storage/finish_copy.h"
#include "storage/finish_pictures.h"
#include "storage/repository.h"
#include "storage/webvtt.h"

#define SUFFIX ".new"

enum { NAME_BYTES = 4096, BLOCK_BYTES = 1 << 20, PARTS = 4 };

/* Percent of the whole that are behind when a stage begins. */
enum { AT_COPY = 0, AT_COMPARE = 40, AT_PICTURES = 60, AT_SUM = 85, AT_END = 100 };

static const struct {
	enum recording_part part;
	bool picture;
} kinds[PARTS] = {
	{ RECORDING_THUMBNAIL, true },
	{ RECORDING_SHEET, true },
	{ RECORDING_SCRUB, false },
	{ RECORDING_CHAPTERS, false },
};

struct finish {
	const struct finish_cfg *cfg;
	struct finish_result *out;
	char file[NAME_BYTES], copy[NAME_BYTES];
	struct {
		char name[NAME_BYTES], fresh[NAME_BYTES];
		bool made;
	} part[PARTS];
	const char *best; /* what is to become the recording: file or copy */
	int percent, from, to;
};

static int step(struct finish *f, enum finish_step s)
{
	return f->cfg->step ? f->cfg->step(f->cfg->obj, s) : 0;
}

static void stage(struct finish *f, int from, int to)
{
	f->from = from;
	f->to = to;
}

static int tell(struct finish *f, uint64_t done, uint64_t of)
{
	int percent = f->from + (int)((uint64_t)(f->to - f->from) * (done < of ? done : of) /
				      (of ? of : 1));

	if (!f->cfg->progress || percent <= f->percent)
		return 0;
	f->percent = percent;
	return f->cfg->progress(f->cfg->obj, percent);
}

static int on_copied(void *obj, uint64_t done, uint64_t of)
{
	return tell(obj, done, of);
}

static int on_picture(void *obj, int percent)
{
	return tell(obj, (uint64_t)percent, 100);
}

/* --- names --------------------------------------------------------------------- */

static bool name_in(char out[NAME_BYTES], const char *data_dir, const char *path,
		    const char *suffix)
{
	return snprintf(out, NAME_BYTES, "%s/%s%s", data_dir, path, suffix) < NAME_BYTES;
}

static int find_names(struct finish *f, const char *data_dir, const char *path)
{
	char part[RECORDING_PATH_MAX + 1];

	if (!repository_path_valid(path) || !name_in(f->file, data_dir, path, "") ||
	    !name_in(f->copy, data_dir, path, SUFFIX))
		return -EINVAL;
	for (size_t i = 0; i < PARTS; i++)
		if (repository_part_path(part, path, kinds[i].part) ||
		    !name_in(f->part[i].name, data_dir, part, "") ||
		    !name_in(f->part[i].fresh, data_dir, part, SUFFIX))
			return -EINVAL;
	return 0;
}

static int remove_file(const char *name)
{
	return unlink(name) && errno != ENOENT && errno != ENOTDIR ? -errno : 0;
}

static int remove_fresh(struct finish *f)
{
	int err = remove_file(f->copy);

	for (size_t i = 0; i < PARTS; i++) {
		int e = remove_file(f->part[i].fresh);

		err = err ? err : e;
	}
	return err;
}

/* The entries of the folder that the recording is in are on the disk. */
static int sync_folder(const struct finish *f)
{
	char folder[NAME_BYTES];
	int err = 0, fd;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(f->file, '/') - f->file), f->file);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* --- the copy ------------------------------------------------------------------ */

static bool fits(const struct finish *f, int64_t bytes)
{
	struct statvfs s;

	return statvfs(f->file, &s) == 0 &&
	       (double)s.f_bavail * (double)s.f_frsize >= (double)bytes + (double)f->cfg->spare_bytes;
}

/* By our own writer what is its, by libavformat what is not. */
static int write_copy(struct finish *f, const struct mp4_front_watch *w)
{
	int out = open(f->copy, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	int in = open(f->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int err = out < 0 || in < 0 ? -errno : mp4_front_copy(in, out, w);

	if (err == -ENOTSUP) {
		err = finish_remux(f->file, f->copy, w);
		if (!err && fdatasync(out))
			err = -errno;
	}
	if (out >= 0)
		close(out);
	if (in >= 0)
		close(in);
	return err;
}

/* Whatever is wrong with the copy leaves the original as it is. */
static int make_copy(struct finish *f)
{
	struct mp4_front_watch w = { on_copied, f };
	struct stat st;
	int err = lstat(f->file, &st) ? -errno : 0;

	if (err || !f->cfg->remux)
		return err;
	if (!fits(f, st.st_size)) {
		snprintf(f->out->note, sizeof(f->out->note),
			 "The disk has too little room for a copy with its index in front.");
		return 0;
	}
	stage(f, AT_COPY, AT_COMPARE);
	err = write_copy(f, &w);
	if (!err)
		err = step(f, FINISH_COPIED);
	else if (err == -EALREADY || err == -ENOTSUP)
		return remove_file(f->copy);
	stage(f, AT_COMPARE, AT_PICTURES);
	if (!err)
		err = finish_compare(f->file, f->copy, &w);
	if (err == -EBADMSG) {
		snprintf(f->out->note, sizeof(f->out->note),
			 "The copy with its index in front was not like the original and was "
			 "given up.");
		return remove_file(f->copy);
	}
	if (!err)
		err = step(f, FINISH_COMPARED);
	if (!err)
		f->best = f->copy;
	return err;
}

/* --- what lies beside ---------------------------------------------------------- */

static int write_text(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	int err = fd < 0 ? -errno : files_write_at(fd, 0, text, len);

	if (!err && fdatasync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int write_scrub(struct finish *f, const struct finish_sheet *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	int err = to ? webvtt_scrub(to, s) : -ENOMEM;

	if (to && fclose(to))
		err = -ENOMEM;
	if (!err)
		err = write_text(f->part[2].fresh, text, len);
	free(text);
	return err;
}

static int make_parts(struct finish *f)
{
	struct finish_sheet sheet;
	int err;

	stage(f, AT_PICTURES, AT_SUM);
	err = finish_pictures(f->best, f->part[0].fresh, f->part[1].fresh, &sheet, on_picture, f);
	if (!err && sheet.n)
		err = write_scrub(f, &sheet);
	if (!err)
		f->part[0].made = f->part[1].made = f->part[2].made = true;
	if (err == -EBADMSG)
		snprintf(f->out->note, sizeof(f->out->note),
			 "Its pictures could not be decoded.");
	if (err == -EBADMSG || err == -ENODATA)
		err = 0;
	if (!err && f->cfg->chapters && f->cfg->chapters_len) {
		err = write_text(f->part[3].fresh, f->cfg->chapters, f->cfg->chapters_len);
		f->part[3].made = !err;
	}
	return err ? err : step(f, FINISH_PICTURED);
}

static int take_sum(struct finish *f)
{
	struct AVSHA *sha = av_sha_alloc();
	uint8_t *block = malloc(BLOCK_BYTES), digest[32];
	int fd = open(f->best, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int err = fd < 0 ? -errno : !sha || !block ? -ENOMEM : 0;
	struct stat st = { 0 };
	ssize_t n = 1;

	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err)
		av_sha_init(sha, 256);
	stage(f, AT_SUM, AT_END);
	for (int64_t done = 0; !err && n > 0; done += n) {
		n = read(fd, block, BLOCK_BYTES);
		if (n < 0)
			err = -errno;
		else if (n > 0)
			av_sha_update(sha, block, (size_t)n);
		if (!err)
			err = tell(f, (uint64_t)done, (uint64_t)st.st_size);
	}
	if (!err) {
		av_sha_final(sha, digest);
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(f->out->sha256 + 2 * i, 3, "%02x", digest[i]);
		f->out->bytes = st.st_size;
	}
	if (fd >= 0)
		close(fd);
	free(block);
	av_free(sha);
	return err ? err : step(f, FINISH_SUMMED);
}

/* --- taking their places ------------------------------------------------------- */

static int place_parts(struct finish *f)
{
	int err = 0;

	for (size_t i = 0; i < PARTS && !err; i++) {
		if (!f->part[i].made)
			continue;
		if (rename(f->part[i].fresh, f->part[i].name))
			err = -errno;
		f->out->parts |= kinds[i].part;
	}
	if (!err)
		err = sync_folder(f);
	return err ? err : step(f, FINISH_PLACED);
}

/* Both names are there at every moment. Where the file system cannot exchange them:
 * the copy replaces the original, if that is still there. */
static int swap(struct finish *f)
{
	struct stat st;
	int err = 0;

	if (f->best != f->copy)
		return 0;
	if (renameat2(AT_FDCWD, f->copy, AT_FDCWD, f->file, RENAME_EXCHANGE)) {
		err = -errno;
		if (err == -EINVAL || err == -ENOSYS)
			err = lstat(f->file, &st) || rename(f->copy, f->file) ? -errno : 0;
	}
	if (!err)
		err = sync_folder(f);
	if (!err)
		err = step(f, FINISH_SWAPPED);
	if (!err) {
		f->out->remuxed = true;
		err = remove_file(f->copy);
	}
	return err;
}

/* What was laid beside a recording that is gone. */
static void remove_parts(struct finish *f)
{
	for (size_t i = 0; i < PARTS; i++)
		if (f->part[i].made)
			(void)remove_file(f->part[i].name);
}

static int run(struct finish *f)
{
	struct stat st;
	int err = remove_fresh(f);

	if (!err)
		err = step(f, FINISH_CLEARED);
	if (!err)
		err = make_copy(f);
	if (!err)
		err = make_parts(f);
	if (!err)
		err = take_sum(f);
	if (!err)
		err = place_parts(f);
	if (!err)
		err = swap(f);
	if (!err && lstat(f->file, &st))
		err = -errno;
	return err;
}

int finish_run(const struct finish_cfg *cfg, struct finish_result *out, struct errmsg *why)
{
	struct finish *f = calloc(1, sizeof(*f));
	int err = f ? find_names(f, cfg->data_dir, cfg->path) : -ENOMEM;

	*out = (struct finish_result){ 0 };
	if (!err) {
		f->cfg = cfg;
		f->out = out;
		f->best = f->file;
		err = run(f);
		if (err)
			(void)remove_fresh(f);
		if (err == -ENOENT && access(f->file, F_OK))
			remove_parts(f);
	}
	free(f);
	return err ? errmsg_set(why, err, "finish_failed",
				"%s could not be finished: %s. It plays as it is; the next start of "
				"the server tries again.", cfg->path, err_str(err)) : 0;
}

int finish_clear(const char *data_dir, const char *path)
{
	struct finish *f = calloc(1, sizeof(*f));
	int err = f ? find_names(f, data_dir, path) : -ENOMEM;

	if (!err)
		err = remove_fresh(f);
	free(f);
	return err;
}
