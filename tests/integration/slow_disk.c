/* A disk that can be made to hang: preloaded into the server, it lets the writing of
 * recordings wait while the file $SLOW_DISK exists. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void wait_for_disk(int fd)
{
	const char *mark = getenv("SLOW_DISK");
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (!mark || n < 0)
		return;
	path[n] = 0;
	if (!strstr(path, "/recordings/"))
		return;
	while (access(mark, F_OK) == 0)
		usleep(20000);
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	static ssize_t (*real)(int, const struct iovec *, int, off_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pwritev");
	wait_for_disk(fd);
	return real(fd, v, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at)
{
	return pwritev(fd, v, n, at);
}

int fdatasync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	wait_for_disk(fd);
	return real(fd);
}
