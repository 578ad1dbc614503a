#include "mcu/base/machine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 512, TEXT_BYTES = 8192 };

/* The file's first TEXT_BYTES - 1; "" when there is none. */
static const char *read_text(char *text, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, TEXT_BYTES - 1) : 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The number after a word at the start of a line. */
static bool number_after(const char *text, const char *word, int64_t *out)
{
	size_t n = strlen(word);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, word, n))
			return sscanf(at + n, "%" SCNd64, out) == 1;
	}
	return false;
}

/* One quota: its group's folder, and what it leaves at most; whole: what the machine has. */
typedef void group_fn(const char *dir, int64_t whole, int64_t *most);

static void cpu_of_v2(const char *dir, int64_t whole, int64_t *most)
{
	char path[PATH_BYTES + 32], text[TEXT_BYTES];
	int64_t quota, period;

	(void)whole;
	snprintf(path, sizeof path, "%s/cpu.max", dir);
	if (sscanf(read_text(text, path), "%" SCNd64 " %" SCNd64, &quota, &period) == 2 &&
	    quota > 0 && period > 0 && quota * 1000 / period < *most)
		*most = quota * 1000 / period;
}

static void cpu_of_v1(const char *dir, int64_t whole, int64_t *most)
{
	char path[PATH_BYTES + 32], text[TEXT_BYTES];
	int64_t quota, period;

	(void)whole;
	snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", dir);
	if (sscanf(read_text(text, path), "%" SCNd64, &quota) != 1 || quota <= 0)
		return;
	snprintf(path, sizeof path, "%s/cpu.cfs_period_us", dir);
	if (sscanf(read_text(text, path), "%" SCNd64, &period) == 1 && period > 0 &&
	    quota * 1000 / period < *most)
		*most = quota * 1000 / period;
}

/* A limit above the whole is none: what would tell how much of it is used is not read, for
 * the kernel adds that up over all processors. */
static void memory_of(const char *dir, const char *limit, const char *used, const char *cache,
		      int64_t whole, int64_t *most)
{
	char path[PATH_BYTES + 32], text[TEXT_BYTES];
	int64_t max, now, droppable = 0;

	snprintf(path, sizeof path, "%s/%s", dir, limit);
	if (sscanf(read_text(text, path), "%" SCNd64, &max) != 1 || max > whole)
		return;
	snprintf(path, sizeof path, "%s/%s", dir, used);
	if (sscanf(read_text(text, path), "%" SCNd64, &now) != 1 || max - now >= *most)
		return;
	snprintf(path, sizeof path, "%s/memory.stat", dir);
	number_after(read_text(text, path), cache, &droppable);
	if (max - now + droppable < *most)
		*most = max - now + droppable;
}

static void memory_of_v2(const char *dir, int64_t whole, int64_t *most)
{
	memory_of(dir, "memory.max", "memory.current", "inactive_file ", whole, most);
}

static void memory_of_v1(const char *dir, int64_t whole, int64_t *most)
{
	memory_of(dir, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ",
		  whole, most);
}

/* Whether a list "cpu,cpuacct" has the word. */
static bool lists(const char *list, const char *word)
{
	char text[128], *rest = text;

	snprintf(text, sizeof text, "%s", list);
	for (char *one; (one = strsep(&rest, ","));)
		if (!strcmp(one, word))
			return true;
	return false;
}

/* The group and all above it up to the mount. A path that is not below the mount
 * (another name space's) leads to folders that do not exist, and ends at the
 * mount, which then is our group. */
static void walk(const char *mount, const char *group, group_fn *fn, int64_t whole, int64_t *most)
{
	char dir[PATH_BYTES];
	size_t top = strlen(mount);
	int n = snprintf(dir, sizeof dir, "%s%s", mount, strcmp(group, "/") ? group : "");

	if (n < 0 || (size_t)n >= sizeof dir)
		return;
	for (;;) {
		char *slash;

		fn(dir, whole, most);
		slash = strrchr(dir, '/');
		if (!slash || slash < dir + top)
			return;
		*slash = '\0';
	}
}

/* Every group we are in: lines of "number:controllers:path" (cgroups(7)); version
 * 2 is number 0 and lists none. */
static void for_groups(const char *root, const char *controller, group_fn *v2, group_fn *v1,
		       int64_t whole, int64_t *most)
{
	char path[PATH_BYTES], text[TEXT_BYTES], mount[PATH_BYTES], *rest = text;

	snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
	read_text(text, path);
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *number = strsep(&line, ":"), *list = strsep(&line, ":");

		if (!line || !list)
			continue;
		if (!strcmp(number, "0") && !*list) {
			snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
			walk(mount, line, v2, whole, most);
		} else if (lists(list, controller)) {
			snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/%s", root, controller);
			walk(mount, line, v1, whole, most);
		}
	}
}

static int64_t processors(void)
{
	cpu_set_t set;
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) > 0)
		return CPU_COUNT(&set);
	return n > 0 ? n : 1;
}

unsigned machine_millicores(const char *root)
{
	int64_t most = processors() * 1000;

	for_groups(root, "cpu", cpu_of_v2, cpu_of_v1, most, &most);
	return most > 1 ? (unsigned)most : 1;
}

size_t machine_cores(void)
{
	return (machine_millicores("") + 999) / 1000;
}

int64_t machine_memory_left(const char *root)
{
	char path[PATH_BYTES], text[TEXT_BYTES];
	int64_t most = INT64_MAX, whole = INT64_MAX, kib;

	snprintf(path, sizeof path, "%s/proc/meminfo", root);
	read_text(text, path);
	if (number_after(text, "MemTotal:", &kib))
		whole = kib * 1024;
	if (number_after(text, "MemAvailable:", &kib))
		most = kib * 1024;
	for_groups(root, "memory", memory_of_v2, memory_of_v1, whole, &most);
	return most > 0 ? most : 0;
}
