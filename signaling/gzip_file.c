#include "signaling/gzip_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib's word for: with gzip's frame */, GZIP_MEMORY = 8 };

struct copy {
	char tag[GZIP_TAG_BYTES];
	GBytes *bytes;
};

struct gzip_copies {
	GHashTable *by_path; /* char * → struct copy * */
};

bool gzip_file_pays(const char *mime_type, uint64_t size)
{
	if (size < GZIP_MIN_BYTES || size > GZIP_MAX_BYTES)
		return false;
	return g_str_has_prefix(mime_type, "text/") || strstr(mime_type, "json") ||
	       strstr(mime_type, "svg");
}

static bool read_all(int fd, uint8_t *out, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, out + got, size - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static GBytes *compress_whole(uint8_t *in, size_t size)
{
	z_stream z = { .next_in = in, .avail_in = (uInt)size };
	uint8_t *out;
	size_t cap;
	int end;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	cap = deflateBound(&z, (uLong)size);
	out = g_try_malloc(cap);
	if (!out) {
		deflateEnd(&z);
		return NULL;
	}
	z.next_out = out;
	z.avail_out = (uInt)cap;
	end = deflate(&z, Z_FINISH);
	cap = z.total_out;
	deflateEnd(&z);
	if (end != Z_STREAM_END) {
		g_free(out);
		return NULL;
	}
	return g_bytes_new_take(g_realloc(out, cap), cap);
}

GBytes *gzip_file_read(int fd, uint64_t size)
{
	uint8_t *in = size <= GZIP_MAX_BYTES ? g_try_malloc(size) : NULL;
	GBytes *out = NULL;

	if (in && read_all(fd, in, (size_t)size))
		out = compress_whole(in, (size_t)size);
	g_free(in);
	return out;
}

static void copy_free(gpointer p)
{
	struct copy *c = p;

	g_bytes_unref(c->bytes);
	g_free(c);
}

struct gzip_copies *gzip_copies_new(void)
{
	struct gzip_copies *c = g_new0(struct gzip_copies, 1);

	c->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, copy_free);
	return c;
}

void gzip_copies_free(struct gzip_copies **c)
{
	if (!*c)
		return;
	g_hash_table_destroy((*c)->by_path);
	g_free(*c);
	*c = NULL;
}

GBytes *gzip_copies_get(struct gzip_copies *c, const char *path, char tag[GZIP_TAG_BYTES])
{
	const struct copy *k = g_hash_table_lookup(c->by_path, path);

	if (!k)
		return NULL;
	g_strlcpy(tag, k->tag, GZIP_TAG_BYTES);
	return g_bytes_ref(k->bytes);
}

void gzip_copies_put(struct gzip_copies *c, const char *path, const char *tag, GBytes *bytes)
{
	struct copy *k = g_new0(struct copy, 1);

	if (g_hash_table_size(c->by_path) >= GZIP_MAX_COPIES)
		g_hash_table_remove_all(c->by_path);
	g_strlcpy(k->tag, tag, sizeof(k->tag));
	k->bytes = g_bytes_ref(bytes);
	g_hash_table_replace(c->by_path, g_strdup(path), k);
}
