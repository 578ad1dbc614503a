#include "storage/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mcu/base/err.h"
#include "mcu/base/log.h"
#include "storage/files.h"

enum { PIECE = 1 << 20, NAME_MAX_LEN = 4096 };

static bool all_zeros(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* to -1: only looks. */
static int copy(int fd, int to, uint64_t from, uint64_t size, bool *zeros)
{
	uint8_t *p = malloc(PIECE);
	int err = p ? 0 : -ENOMEM;

	*zeros = true;
	for (uint64_t at = from; !err && at < size && (to >= 0 || *zeros); at += PIECE) {
		size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;

		err = files_read_at(fd, at, p, n);
		if (!err)
			*zeros &= all_zeros(p, n);
		if (!err && to >= 0)
			err = files_write_at(to, at - from, p, n);
	}
	if (!err && to >= 0 && fsync(to))
		err = -errno;
	free(p);
	return err;
}

/* One of an earlier repair stays: after that there is only what this one left half done. */
static int put(int fd, const char *part, const char *name, uint64_t end, uint64_t size)
{
	bool zeros;
	int to, err;

	if (!access(name, F_OK))
		return 0;
	to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return -errno;
	err = copy(fd, to, end, size, &zeros);
	if (close(to) && !err)
		err = -errno;
	if (!err && rename(part, name))
		err = -errno;
	if (err)
		unlink(part);
	return err;
}

int tail_keep(int fd, const char *path, uint64_t end, uint64_t size)
{
	char part[NAME_MAX_LEN], name[NAME_MAX_LEN];
	bool zeros;
	int err;

	if (size <= end || size - end < TAIL_LEAST_BYTES)
		return 0;
	err = copy(fd, -1, end, size, &zeros);
	if (err || zeros) /* what a file system leaves of a file that was not synced */
		return err;
	if (snprintf(part, sizeof part, "%s.tail.new", path) >= (int)sizeof part)
		return -ENAMETOOLONG;
	snprintf(name, sizeof name, "%s.tail", path);
	err = put(fd, part, name, end, size);
	if (err)
		log_error(NULL, "recording %s: damaged at %llu, and left so: what is behind cannot "
			  "be kept: %s", path, (unsigned long long)end, err_str(err));
	else
		log_error(NULL, "recording %s: damaged at %llu: what is behind is kept as %s", path,
			  (unsigned long long)end, name);
	return err;
}
