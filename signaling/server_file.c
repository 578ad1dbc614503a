#include "signaling/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/base/metrics.h"
#include "signaling/gzip_file.h"
#include "signaling/http_text.h"
#include "signaling/server_internal.h"

METRIC_COUNTER(m_read_errors, "mcu_http_file_errors_total",
	       "Files that could not be read to their end");

/* A file that is being sent. On CTL, except that the one job under way has fd,
 * path, size, etag, gz, gz_tag and its own block to itself. */
struct file {
	struct server *srv;
	struct http_req *req; /* NULL: the request is gone */
	char *path;
	int fd;
	uint64_t size;
	char etag[GZIP_TAG_BYTES];
	bool may_gzip;		     /* a file of the page, to somebody who takes it compressed */
	GBytes *gz;		     /* what is sent instead, made of the file of gz_tag */
	char gz_tag[GZIP_TAG_BYTES];
	uint64_t at, end; /* what is still to be read */
	struct out_block *first;
	unsigned n_blocks;
	bool job_out, failed;
};

struct job {
	struct reader_job base; /* first */
	struct file *file;
	bool opens;
	struct out_block *block; /* len: how much to read, then how much was read */
	uint64_t at;
	int err;
};

static void file_free(struct file *f)
{
	while (f->first) {
		struct out_block *b = f->first;
		f->first = b->next;
		free(b);
	}
	if (f->fd >= 0)
		close(f->fd);
	if (f->gz)
		g_bytes_unref(f->gz);
	g_free(f->path);
	free(f);
}

void file_drop(struct file **fp)
{
	struct file *f = *fp;
	*fp = NULL;
	if (!f)
		return;
	f->req = NULL;
	if (!f->job_out)
		file_free(f);
}

/* Whether there is something to send, or to fail about. */
bool file_ready(const struct file *f)
{
	return f->first || f->failed;
}

bool file_failed(const struct file *f)
{
	return f->failed;
}

/* --- reader threads --------------------------------------------------------------- */

/* The compressed copy that was kept is of this file, or another one is made. */
static void make_gz(struct file *f)
{
	bool pays = f->may_gzip && gzip_file_pays(http_mime_type(f->path), f->size);

	if (f->gz && pays && !strcmp(f->gz_tag, f->etag))
		return;
	g_clear_pointer(&f->gz, g_bytes_unref);
	if (pays)
		f->gz = gzip_file_read(f->fd, f->size);
}

static int job_open(struct file *f)
{
	struct stat st;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0)
		return -errno;
	if (fstat(f->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	f->size = (uint64_t)st.st_size;
	/* the inode: a file may be replaced within the resolution of the time */
	snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx\"", (unsigned long long)st.st_size,
		 (unsigned long long)st.st_mtim.tv_sec * 1000000000ull +
			 (unsigned long long)st.st_mtim.tv_nsec,
		 (unsigned long long)st.st_ino);
	make_gz(f);
	return 0;
}

static int job_read(struct job *j)
{
	size_t got = 0;
	if (j->file->gz) {
		const uint8_t *bytes = g_bytes_get_data(j->file->gz, NULL);
		memcpy(j->block->bytes + LWS_PRE, bytes + j->at, j->block->len);
		return 0;
	}
	while (got < j->block->len) {
		ssize_t n = pread(j->file->fd, j->block->bytes + LWS_PRE + got, j->block->len - got,
				  (off_t)(j->at + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO; /* it has become shorter */
		got += (size_t)n;
	}
	return 0;
}

static void job_run(struct reader_job *base)
{
	struct job *j = (struct job *)base;
	j->err = j->opens ? job_open(j->file) : job_read(j);
}

/* --- back on CTL -------------------------------------------------------------------- */

static void job_done(struct reader_job *base);

static int job_start(struct file *f, bool opens, size_t len) ON_THREAD(ROLE_CTL)
{
	struct job *j = calloc(1, sizeof(*j));
	if (j && len) {
		j->block = malloc(sizeof(*j->block) + LWS_PRE + len);
		if (!j->block) {
			free(j);
			j = NULL;
		} else {
			*j->block = (struct out_block){ .len = len };
		}
	}
	if (!j)
		return -ENOMEM;
	j->base = (struct reader_job){ .run = job_run, .done = job_done };
	j->file = f;
	j->opens = opens;
	j->at = f->at;
	f->job_out = true;
	int err = readers_push(f->srv->readers, &j->base);
	if (err) {
		f->job_out = false;
		free(j->block);
		free(j);
	}
	return err;
}

static void read_ahead(struct file *f) ON_THREAD(ROLE_CTL)
{
	if (f->job_out || f->failed || f->at == f->end || f->n_blocks >= SERVER_CHUNKS_AHEAD)
		return;
	uint64_t left = f->end - f->at;
	if (job_start(f, false, left < SERVER_CHUNK_BYTES ? (size_t)left : SERVER_CHUNK_BYTES))
		f->failed = true;
}

struct out_block *file_take(struct file *f)
{
	struct out_block *b = f->first;
	if (b) {
		f->first = b->next;
		f->n_blocks--;
	}
	read_ahead(f);
	return b;
}

/* What is sent is the compressed copy, which has a tag of its own (RFC 9110 8.8.3). */
static void use_gz(struct file *f) ON_THREAD(ROLE_CTL)
{
	if (!f->gz)
		return;
	if (strcmp(f->gz_tag, f->etag)) {
		g_strlcpy(f->gz_tag, f->etag, sizeof(f->gz_tag));
		gzip_copies_put(f->srv->gzip_copies, f->path, f->etag, f->gz);
	}
	f->size = g_bytes_get_size(f->gz);
	snprintf(f->etag, sizeof(f->etag), "%.*s-gz\"", (int)(strlen(f->gz_tag) - 1), f->gz_tag);
	http_set_header(f->req, "content-encoding", "gzip");
}

/* 304, 416, 206 or 200, now that size and tag are known. */
static void reply_opened(struct file *f) ON_THREAD(ROLE_CTL)
{
	struct http_req *r = f->req;
	uint64_t first = 0, last = 0;
	char text[128];
	const char *if_range = http_req_header(r, "if-range"), *range = http_req_header(r, "range");

	use_gz(f);
	http_set_header(r, "etag", f->etag);
	http_set_header(r, "accept-ranges", "bytes");
	r->cache_control = "no-cache"; /* kept, but asked for again by its tag */
	if (http_etag_in(http_req_header(r, "if-none-match"), f->etag)) {
		g_clear_pointer(&r->content_type, g_free);
		r->status = 304;
		http_send(r);
		return;
	}
	/* Of all methods only GET knows ranges (RFC 9110 14.2). */
	if ((if_range && strcmp(if_range, f->etag)) || strcmp(r->method, "GET"))
		range = NULL;
	enum http_range what = http_range_parse(range, f->size, &first, &last);
	if (what == HTTP_RANGE_BAD) {
		snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)f->size);
		http_set_header(r, "content-range", text);
		g_clear_pointer(&r->content_type, g_free);
		http_reply_error(r, 416, "bad_range", "The file has %llu octets.",
				 (unsigned long long)f->size);
		return;
	}
	f->end = f->size;
	if (what == HTTP_RANGE_OK) {
		f->at = first;
		f->end = last + 1;
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)first,
			 (unsigned long long)last, (unsigned long long)f->size);
		http_set_header(r, "content-range", text);
	}
	if (r->download_name) {
		char disposition[1024];
		http_disposition(disposition, sizeof(disposition), r->download_name);
		http_set_header(r, "content-disposition", disposition);
	}
	r->status = what == HTTP_RANGE_OK ? 206 : 200;
	r->has_length = true;
	r->length = r->left = f->end - f->at;
	http_send(r);
}

static void file_opened(struct file *f, int err) ON_THREAD(ROLE_CTL)
{
	struct http_req *r = f->req;
	if (!err) {
		reply_opened(f);
		return;
	}
	g_clear_pointer(&r->content_type, g_free);
	file_drop(&r->file);
	http_reply_error(r, 404, "not_found", "There is no such file.");
}

static void job_done(struct reader_job *base)
{
	struct job *j = (struct job *)base;
	struct file *f = j->file;

	role_assert_ctl();
	f->job_out = false;
	if (!f->req) {
		free(j->block);
		free(j);
		file_free(f);
		return;
	}
	if (j->opens) {
		file_opened(f, j->err);
	} else if (j->err) {
		metric_add(&m_read_errors, 1);
		f->failed = true;
		free(j->block);
		http_wake(f->req);
	} else {
		struct out_block **end = &f->first;
		while (*end)
			end = &(*end)->next;
		*end = j->block;
		f->n_blocks++;
		f->at += j->block->len;
		read_ahead(f);
		http_wake(f->req);
	}
	free(j);
}

static void reply_file(struct http_req *r, const char *path, const char *content_type,
		       const char *download_name, bool may_gzip) ON_THREAD(ROLE_CTL)
{
	if (!r->conn) {
		http_req_free(r);
		return;
	}
	struct file *f = calloc(1, sizeof(*f));
	if (!f) {
		http_reply_error(r, 500, "internal", "Out of memory.");
		return;
	}
	f->srv = r->srv;
	f->req = r;
	f->fd = -1;
	f->path = g_strdup(path);
	f->may_gzip = may_gzip;
	if (may_gzip)
		f->gz = gzip_copies_get(f->srv->gzip_copies, path, f->gz_tag);
	r->file = f;
	r->content_type = g_strdup(content_type ? content_type : http_mime_type(path));
	r->download_name = g_strdup(download_name);
	r->state = REQ_OPENING;
	if (job_start(f, true, 0)) {
		file_drop(&r->file);
		g_clear_pointer(&r->content_type, g_free);
		http_reply_error(r, 503, "busy", "Too many files are being read; try again.");
	}
}

void http_reply_file(struct http_req *r, const char *path, const char *content_type,
		     const char *download_name)
{
	reply_file(r, path, content_type, download_name, false);
}

/* "/" and paths without an ending are pages of the client. */
void http_reply_web(struct http_req *r)
{
	const char *last = strrchr(r->path, '/');
	if (!http_path_safe(r->path)) {
		http_reply_error(r, 404, "not_found", "There is nothing at this address.");
		return;
	}
	bool page = last && !strchr(last, '.');
	char *path = page ? g_strconcat(r->srv->web_root, "/", r->srv->index, NULL)
			  : g_strconcat(r->srv->web_root, r->path, NULL);
	http_set_header(r, "vary", "accept-encoding");
	reply_file(r, path, http_mime_type(path), NULL,
		   !http_req_header(r, "range") &&
			   http_accepts_gzip(http_req_header(r, "accept-encoding")));
	g_free(path);
}

void http_reply_page(struct http_req *r, const char *name)
{
	if (!r->srv->web_root) {
		http_reply_error(r, 404, "not_found", "This server has no pages.");
		return;
	}
	g_free(r->path);
	r->path = g_strconcat("/", name, NULL);
	http_reply_web(r);
}
