/* Names of files that are uploaded: what is left of them is a label. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/utf8.h"
#include "storage/uploads.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char label[UPLOAD_NAME_MAX + 1], again[UPLOAD_NAME_MAX + 1];
	char *name = malloc(size + 1);

	if (!name)
		return 0;
	memcpy(name, data, size);
	name[size] = 0;
	upload_label(label, name);
	check(*label && strlen(label) <= UPLOAD_NAME_MAX && utf8_valid(label));
	check(!strpbrk(label, "/\\\r\n\t") && strcmp(label, ".") && strcmp(label, ".."));
	upload_label(again, label);
	check(!strcmp(again, label));
	free(name);
	return 0;
}
