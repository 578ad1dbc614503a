/* The repair of Matroska files, on any octets: no crash, and what it has completed is whole
 * when it is looked at again. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/mkv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_report first, again;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (!mkv_repair(fd, &first) && !first.complete &&
	    (mkv_repair(fd, &again) || !again.complete || again.duration_ms != first.duration_ms))
		abort();
	close(fd);
	return 0;
}
