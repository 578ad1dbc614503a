#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/pcap.h"

static size_t slurp(const char *path, uint8_t *out, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, cap, f);
	fclose(f);
	return n;
}

static uint32_t host32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint32_t ones_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_what_is_in_the_file(void **state)
{
	char dir[] = "/tmp/mcu-pcap-XXXXXX", path[64];
	const uint8_t a[3] = { 0x80, 1, 2 }, b[2] = { 0x81, 200 };
	uint8_t file[512];
	struct pcap_writer *w;
	struct stat st;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/x.pcap", dir);
	assert_int_equal(pcap_open(&w, path), 0);
	assert_int_equal(pcap_write(w, true, 5000000007LL, a, sizeof a, sizeof a), 0);
	assert_int_equal(pcap_write(w, false, 6000000000LL, b, sizeof b, 1600), 0);
	assert_int_equal(pcap_write(w, false, 0, a, 3, 2), -EINVAL);
	assert_int_equal(pcap_size(w), 24 + 2 * (16 + 28) + 3 + 2);
	assert_int_equal(pcap_close(&w), 0);
	assert_null(w);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	n = slurp(path, file, sizeof file);
	assert_int_equal(n, 24 + 2 * (16 + 28) + 3 + 2);
	assert_int_equal(host32(file), 0xa1b23c4d);
	assert_int_equal(host32(file + 20), 101);
	/* first record */
	assert_int_equal(host32(file + 24), 5);
	assert_int_equal(host32(file + 28), 7);
	assert_int_equal(host32(file + 32), 31);
	assert_int_equal(host32(file + 36), 31);
	assert_int_equal(file[40], 0x45);
	assert_int_equal(ones_sum(file + 40, 20), 0xffff);
	assert_int_equal(file[40 + 15], 1); /* from the server */
	assert_int_equal(file[40 + 19], 2);
	assert_int_equal(file[60 + 5], 11); /* UDP length */
	assert_memory_equal(file + 68, a, sizeof a);
	/* second record: less is here than was on the wire */
	assert_int_equal(host32(file + 71 + 8), 30);
	assert_int_equal(host32(file + 71 + 12), 1628);
	assert_int_equal(file[71 + 16 + 15], 2);
	/* An existing file is never written over. */
	assert_int_equal(pcap_open(&w, path), -EEXIST);
	unlink(path);
	rmdir(dir);
	assert_int_equal(pcap_open(&w, path), -ENOENT);
}

/* O_EXCL: whoever plants a link in the folder does not make us follow it. */
static void test_a_link_is_not_followed(void **state)
{
	char dir[] = "/tmp/mcu-pcap-XXXXXX", path[64];
	struct pcap_writer *w;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/x.pcap", dir);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(pcap_open(&w, path), -EEXIST);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_in_the_file),
		cmocka_unit_test(test_a_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
