#include "storage/repository.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/files.h"
#include "storage/finish.h"

#define ROOT "recordings/"

enum { SLUG_MAX = 32 };

static const char *const endings[] = { [RECORDING_MP4] = ".mp4", [RECORDING_MKV] = ".mkv" };

/* Where the ending of a recording's name begins; NULL: it has none of ours. */
static const char *ending_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(*endings); i++)
		if (!strcmp(dot, endings[i]))
			return dot;
	return NULL;
}

/* Letters and digits of ASCII in lower case, everything between them one dash. */
static void make_slug(char out[SLUG_MAX + 1], const char *name)
{
	size_t n = 0;
	bool gap = false;

	for (; *name && n < SLUG_MAX; name++) {
		unsigned char c = (unsigned char)*name;

		if (c > 0x7f || !isalnum(c)) {
			gap = n > 0;
			continue;
		}
		if (gap && n + 1 < SLUG_MAX)
			out[n++] = '-';
		gap = false;
		out[n++] = (char)tolower(c);
	}
	out[n] = '\0';
	if (n == 0)
		memcpy(out, "room", 5);
}

int repository_path(char out[RECORDING_PATH_MAX + 1], const char *room, int64_t started_ms,
		    int64_t id)
{
	return repository_path_as(out, RECORDING_MP4, room, started_ms, id);
}

int repository_path_as(char out[RECORDING_PATH_MAX + 1], enum recording_format format,
		       const char *room, int64_t started_ms, int64_t id)
{
	char slug[SLUG_MAX + 1], month[16], stamp[32];
	time_t t = (time_t)(started_ms / 1000);
	struct tm tm;

	if (id <= 0 || started_ms <= 0 || !gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900)
		return -EINVAL;
	make_slug(slug, room);
	strftime(month, sizeof(month), "%Y/%m", &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	int n = snprintf(out, RECORDING_PATH_MAX + 1, ROOT "%s/%s-%s-%lld%s", month, slug, stamp,
			 (long long)id, endings[format]);

	return n > RECORDING_PATH_MAX ? -EINVAL : 0;
}

static bool all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)p[i]))
			return false;
	return n > 0;
}

/* The tail "-YYYYMMDDThhmmssZ-<id>.mp4" of a name, or with another ending. */
static bool parse_tail(const char *name, int64_t *started_ms, int64_t *id)
{
	const char *end = ending_of(name);
	size_t n, digits = 0;
	struct tm tm = { 0 };

	if (!end)
		return false;
	n = (size_t)(end - name);
	while (digits < n && digits < 17 && isdigit((unsigned char)name[n - 1 - digits]))
		digits++;
	if (digits < 1 || digits > 16 || n < digits + 1 + 16 + 2)
		return false;
	*id = strtoll(name + n - digits, NULL, 10);
	n -= digits + 1;
	const char *stamp = name + n - 16;

	if (name[n] != '-' || stamp[-1] != '-' || stamp[8] != 'T' || stamp[15] != 'Z' ||
	    !all_digits(stamp, 8) || !all_digits(stamp + 9, 6))
		return false;
	tm.tm_year = (stamp[0] - '0') * 1000 + (stamp[1] - '0') * 100 + (stamp[2] - '0') * 10 +
		     (stamp[3] - '0') - 1900;
	tm.tm_mon = (stamp[4] - '0') * 10 + (stamp[5] - '0') - 1;
	tm.tm_mday = (stamp[6] - '0') * 10 + (stamp[7] - '0');
	tm.tm_hour = (stamp[9] - '0') * 10 + (stamp[10] - '0');
	tm.tm_min = (stamp[11] - '0') * 10 + (stamp[12] - '0');
	tm.tm_sec = (stamp[13] - '0') * 10 + (stamp[14] - '0');
	*started_ms = (int64_t)timegm(&tm) * 1000;
	return *id > 0;
}

bool repository_path_valid(const char *path)
{
	int64_t started_ms, id;
	size_t root = strlen(ROOT), n = strlen(path);

	if (n > RECORDING_PATH_MAX || strncmp(path, ROOT, root) || !files_path_safe(path))
		return false;
	const char *p = path + root;

	if (strlen(p) < 9 || !all_digits(p, 4) || p[4] != '/' || !all_digits(p + 5, 2) ||
	    p[7] != '/' || strchr(p + 8, '/'))
		return false;
	for (const char *c = p + 8; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
			return false;
	return parse_tail(p + 8, &started_ms, &id);
}

bool repository_path_parse(const char *path, int64_t *started_ms, int64_t *id)
{
	const char *name = strrchr(path, '/');

	return repository_path_valid(path) && parse_tail(name + 1, started_ms, id);
}

static const struct {
	enum recording_part part;
	const char *ending;
} parts[] = {
	{ RECORDING_THUMBNAIL, ".jpg" },
	{ RECORDING_SHEET, ".sheet.jpg" },
	{ RECORDING_SCRUB, ".scrub.vtt" },
	{ RECORDING_CHAPTERS, ".chapters.vtt" },
};

int repository_part_path(char out[RECORDING_PATH_MAX + 1], const char *path,
			 enum recording_part part)
{
	const char *end = ending_of(path);

	for (size_t i = 0; end && i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].part == part) {
			int n = snprintf(out, RECORDING_PATH_MAX + 1, "%.*s%s", (int)(end - path),
					 path, parts[i].ending);

			return n > RECORDING_PATH_MAX ? -EINVAL : 0;
		}
	return -EINVAL;
}

const char *repository_media_type(const char *path)
{
	static const char *const types[][2] = {
		{ ".mp4", "video/mp4" },
		{ ".mkv", "video/x-matroska" },
		{ ".jpg", "image/jpeg" },
		{ ".vtt", "text/vtt; charset=utf-8" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

static int unlink_one(const char *data_dir, const char *path)
{
	char full[4096];

	if (snprintf(full, sizeof(full), "%s/%s", data_dir, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return unlink(full) && errno != ENOENT && errno != ENOTDIR ? -errno : 0;
}

int repository_unlink(const char *data_dir, const char *path)
{
	char part[RECORDING_PATH_MAX + 1], tail[RECORDING_PATH_MAX + 8];
	int err = 0;

	if (!repository_path_valid(path))
		return -EINVAL;
	/* What belongs to it first: while the file is there it is found again. */
	err = finish_clear(data_dir, path);
	for (size_t i = 0; !err && i < sizeof(parts) / sizeof(*parts); i++) {
		err = repository_part_path(part, path, parts[i].part);
		if (!err)
			err = unlink_one(data_dir, part);
	}
	if (!err && snprintf(tail, sizeof(tail), "%s.tail", path) < (int)sizeof(tail))
		err = unlink_one(data_dir, tail);
	return err ? err : unlink_one(data_dir, path);
}

static int walk(const char *data_dir, char *path, size_t len, int depth, repository_file_fn *fn,
		void *obj)
{
	char full[4096];
	int err = 0;

	if (snprintf(full, sizeof(full), "%s/%s", data_dir, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	DIR *d = opendir(full);

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (struct dirent *e; !err && (e = readdir(d));) {
		size_t n = strlen(e->d_name);

		if (e->d_name[0] == '.' || len + 1 + n > RECORDING_PATH_MAX)
			continue;
		path[len] = '/';
		memcpy(path + len + 1, e->d_name, n + 1);
		if (depth < 2)
			err = walk(data_dir, path, len + 1 + n, depth + 1, fn, obj);
		else if (repository_path_valid(path))
			err = fn(obj, path);
		path[len] = '\0';
	}
	closedir(d);
	return err;
}

int repository_walk(const char *data_dir, repository_file_fn *fn, void *obj)
{
	char path[RECORDING_PATH_MAX + 1] = "recordings";

	return walk(data_dir, path, strlen(path), 0, fn, obj);
}
