#include "storage/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PART_MAX = 255 };

static const int64_t SPARE_BYTES = 2000000000;

bool files_path_safe(const char *path)
{
	const char *part = path;

	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || n > PART_MAX || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)part[i] < ' ' || part[i] == 0x7f)
				return false;
		if (!part[n])
			return true;
		part += n + 1;
	}
}

/* Opens the folder of this name in dir, makes it when there is none. */
static int enter(int dir, const char *name)
{
	int made = mkdirat(dir, name, 0750) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	if (made && fsync(dir))
		return -errno;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int files_create(const char *root, const char *path)
{
	char name[PART_MAX + 1];
	int fd = -1, dir, err = 0;

	if (!files_path_safe(path))
		return -EINVAL;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	for (;;) {
		size_t n = strcspn(path, "/");

		memcpy(name, path, n);
		name[n] = '\0';
		if (!path[n])
			break;
		path += n + 1;
		int sub = enter(dir, name);

		close(dir);
		if (sub < 0)
			return sub;
		dir = sub;
	}
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		err = -errno;
	else if (fsync(dir))
		err = -errno;
	if (err && fd >= 0)
		close(fd);
	close(dir);
	return err ? err : fd;
}

int files_write_all(int fd, struct iovec *v, int n, uint64_t at)
{
	while (n > 0) {
		if (v->iov_len == 0) {
			v++;
			n--;
			continue;
		}
		ssize_t got = pwritev(fd, v, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		at += (uint64_t)got;
		for (size_t left = (size_t)got; left > 0;) {
			size_t k = left < v->iov_len ? left : v->iov_len;

			v->iov_base = (uint8_t *)v->iov_base + k;
			v->iov_len -= k;
			left -= k;
			if (v->iov_len == 0 && left > 0) {
				v++;
				n--;
			}
		}
	}
	return 0;
}

int files_read_at(int fd, uint64_t at, void *to, size_t len)
{
	uint8_t *p = to;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

int files_write_at(int fd, uint64_t at, const void *from, size_t len)
{
	struct iovec v = { (void *)(uintptr_t)from, len };

	return files_write_all(fd, &v, 1, at);
}

int64_t files_spare(const char *root)
{
	struct statvfs s;
	int64_t all, available, spare;

	if (statvfs(root, &s))
		return -errno;
	all = (int64_t)(s.f_blocks * s.f_frsize);
	available = (int64_t)(s.f_bavail * s.f_frsize);
	spare = all / 20 > SPARE_BYTES ? all / 20 : SPARE_BYTES;
	return available > spare ? available - spare : 0;
}
