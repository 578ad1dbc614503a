#include "mcu/base/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static char root[64];

__attribute__((format(printf, 2, 3)))
static void put(const char *path, const char *fmt, ...)
{
	char full[512];
	va_list ap;
	FILE *f;

	snprintf(full, sizeof full, "%s/%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
}

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/mcu-machine-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", root);
	return system(command);
}

static void without_quotas_it_is_the_processors(void **state)
{
	unsigned all = machine_millicores(root);

	(void)state;
	assert_true(all >= 1000 && all % 1000 == 0);
	assert_true(machine_memory_left(root) == INT64_MAX);
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/cpu.max", "max 100000\n");
	assert_int_equal(machine_millicores(root), all);
}

static void a_quota_of_a_group_or_of_one_above_it_counts(void **state)
{
	(void)state;
	put("proc/self/cgroup", "1:name=systemd:/\n0::/a/b\n");
	put("sys/fs/cgroup/a/cpu.max", "30000 100000\n");
	put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	assert_int_equal(machine_millicores(root), 300);
	put("sys/fs/cgroup/a/b/cpu.max", "25000 100000\n");
	assert_int_equal(machine_millicores(root), 250);
	/* nonsense is no quota */
	put("sys/fs/cgroup/a/b/cpu.max", "25000 0\n");
	put("sys/fs/cgroup/a/cpu.max", "\n");
	assert_true(machine_millicores(root) >= 1000);
}

static void version_1_names_controllers(void **state)
{
	(void)state;
	put("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/elsewhere/c\n0::/\n");
	put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
	put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(machine_millicores(root), 500);
	put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	assert_true(machine_millicores(root) >= 1000);
	put("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:   90 kB\n");
	put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "50000\n");
	put("sys/fs/cgroup/memory/m/memory.usage_in_bytes", "40000\n");
	put("sys/fs/cgroup/memory/m/memory.stat", "cache 5\ntotal_inactive_file 1000\n");
	assert_int_equal(machine_memory_left(root), 11000);
}

static void memory_is_the_least_of_machine_and_group(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/g\n");
	put("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:   90 kB\n");
	put("sys/fs/cgroup/g/memory.max", "max\n");
	put("sys/fs/cgroup/g/memory.current", "500\n");
	assert_int_equal(machine_memory_left(root), 90 * 1024);
	put("sys/fs/cgroup/g/memory.max", "1000\n");
	put("sys/fs/cgroup/g/memory.stat", "anon 1\ninactive_file 100\n");
	assert_int_equal(machine_memory_left(root), 600);
	put("sys/fs/cgroup/g/memory.current", "5000\n");
	assert_int_equal(machine_memory_left(root), 0);
	/* what the machine does not have is no limit */
	put("sys/fs/cgroup/g/memory.max", "%d\n", 100 * 1024 + 1);
	put("sys/fs/cgroup/g/memory.current", "%d\n", 100 * 1024);
	assert_int_equal(machine_memory_left(root), 90 * 1024);
	/* all of it is one */
	put("sys/fs/cgroup/g/memory.max", "%d\n", 100 * 1024);
	assert_int_equal(machine_memory_left(root), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_quotas_it_is_the_processors, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(a_quota_of_a_group_or_of_one_above_it_counts,
						make_root, remove_root),
		cmocka_unit_test_setup_teardown(version_1_names_controllers, make_root, remove_root),
		cmocka_unit_test_setup_teardown(memory_is_the_least_of_machine_and_group, make_root,
						remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
