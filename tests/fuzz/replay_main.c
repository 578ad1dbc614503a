/* Runs a fuzz target once per file of a folder, and on no input at all: the
 * stand-in for libFuzzer in the ordinary test run. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* A copy of the exact size, so that the sanitizer sees a read past its end. */
static int replay_file(const char *path)
{
	static uint8_t buffer[MAX_BYTES];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	n = fread(buffer, 1, sizeof(buffer), f);
	fclose(f);
	exact = malloc(n ? n : 1);
	if (!exact)
		return -1;
	memcpy(exact, buffer, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **list;
	int n, failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	n = argc == 2 ? scandir(argv[1], &list, is_file, alphasort) : -1;
	if (n < 1) {
		fprintf(stderr, "usage: %s FOLDER (with at least one seed)\n", argv[0]);
		return 2;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", argv[1], list[i]->d_name);
		failed |= replay_file(path);
		free(list[i]);
	}
	free(list);
	printf("ok   %s: %d seeds\n", argv[0], n);
	return failed ? 1 : 0;
}
