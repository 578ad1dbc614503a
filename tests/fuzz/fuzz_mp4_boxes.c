/* The scan that repairs recordings, on any octets: no crash, and what it calls
 * whole lies inside the file. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/mp4_scan.h"

struct mem {
	const uint8_t *p;
	size_t len;
};

static int read_mem(void *obj, uint64_t off, void *to, size_t len)
{
	const struct mem *m = obj;

	if (off > m->len || len > m->len - off)
		return -EIO;
	memcpy(to, m->p + off, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem m = { data, size };
	struct mp4_source src = { read_mem, &m, size };
	struct mp4_scan s;

	if (mp4_scan(&s, &src) == 0) {
		if (s.end > size)
			abort();
		if (s.kind == MP4_FRAGMENTED && s.completable) {
			struct mp4_out o = { 0 };

			mp4_put_final_moov(&o, &s.movie, &s.index);
			for (int t = 0; t < MP4_TRACKS; t++) {
				const struct mp4_index_track *x = &s.index.track[t];
				uint64_t samples = 0;

				for (size_t i = 2; i < x->chunks.n; i += 3)
					samples += x->chunks.v[i];
				if (samples != x->sizes.n || x->next_offset > s.end)
					abort();
			}
			mp4_out_free(&o);
		}
	}
	mp4_scan_free(&s);
	return 0;
}
