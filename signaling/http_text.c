#include "signaling/http_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <glib.h>

const char *http_mime_type(const char *path)
{
	static const char *const types[][2] = {
		{ "html", "text/html; charset=utf-8" },
		{ "js", "text/javascript; charset=utf-8" },
		{ "mjs", "text/javascript; charset=utf-8" },
		{ "css", "text/css; charset=utf-8" },
		{ "json", "application/json" },
		{ "yaml", "application/yaml" },
		{ "map", "application/json" },
		{ "webmanifest", "application/manifest+json" },
		{ "txt", "text/plain; charset=utf-8" },
		{ "md", "text/markdown; charset=utf-8" },
		{ "svg", "image/svg+xml" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
		{ "webp", "image/webp" },
		{ "ico", "image/x-icon" },
		{ "woff2", "font/woff2" },
		{ "wasm", "application/wasm" },
		{ "pdf", "application/pdf" },
		{ "mp4", "video/mp4" },
		{ "m4s", "video/mp4" },
		{ "webm", "video/webm" },
		{ "m3u8", "application/vnd.apple.mpegurl" },
		{ "wav", "audio/wav" },
		{ "mp3", "audio/mpeg" },
		{ "ogg", "audio/ogg" },
	};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot + 1, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].text;
	return "Status";
}

bool http_path_safe(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
			return false;
		if (*p == '/' && (p[1] == '.' || p[1] == '/'))
			return false;
	}
	return true;
}

/* One beyond what fits is as good as the largest: files are smaller. */
static bool number(const char **p, uint64_t *out)
{
	const char *s = *p;
	uint64_t v = 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v > (UINT64_MAX - 9) / 10 ? UINT64_MAX : v * 10 + (uint64_t)(*s - '0');
	}
	if (s == *p)
		return false;
	*p = s;
	*out = v;
	return true;
}

enum http_range http_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last)
{
	uint64_t a, b;
	if (!value || strncasecmp(value, "bytes=", 6))
		return HTTP_RANGE_NONE;
	const char *p = value + 6 + strspn(value + 6, " ");
	if (*p == '-') { /* the last n octets */
		p++;
		if (!number(&p, &a) || p[strspn(p, " ")])
			return HTTP_RANGE_NONE;
		if (!a || !size)
			return HTTP_RANGE_BAD;
		*first = a < size ? size - a : 0;
		*last = size - 1;
		return HTTP_RANGE_OK;
	}
	if (!number(&p, &a) || *p++ != '-')
		return HTTP_RANGE_NONE;
	bool open_end = !number(&p, &b);
	if (p[strspn(p, " ")] || (!open_end && b < a))
		return HTTP_RANGE_NONE;
	if (a >= size)
		return HTTP_RANGE_BAD;
	*first = a;
	*last = open_end || b >= size ? size - 1 : b;
	return HTTP_RANGE_OK;
}

bool http_etag_in(const char *list, const char *etag)
{
	size_t n = strlen(etag);
	for (const char *p = list; p && *p;) {
		p += strspn(p, ", \t");
		if (*p == '*')
			return true;
		if (!strncmp(p, "W/", 2))
			p += 2;
		if (!strncmp(p, etag, n) && (!p[n] || strchr(", \t", p[n])))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

/* "gzip", "gzip;q=0.5", "*" and not "gzip;q=0.0"; what names it goes before "*". */
bool http_accepts_gzip(const char *header)
{
	bool any = false;
	for (const char *p = header; p && *p;) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ",; \t"), item = strcspn(p, ",");
		bool gzip = n == 4 && !strncasecmp(p, "gzip", 4), star = n == 1 && *p == '*';
		const char *q = p + n;
		q += strspn(q, "; \t");
		bool taken = true;
		if (q < p + item && !strncasecmp(q, "q=0", 3)) {
			q += 3;
			q += strspn(q, ".0");
			taken = *q >= '1' && *q <= '9';
		}
		if (gzip)
			return taken;
		any |= star && taken;
		p += item;
	}
	return any;
}

void http_disposition(char *out, size_t cap, const char *name)
{
	size_t n = (size_t)snprintf(out, cap, "attachment; filename=\"");
	for (const char *p = name; *p && n + 16 < cap; p++) {
		unsigned char c = (unsigned char)*p;
		out[n++] = (char)(c < 0x20 || c >= 0x7f || strchr("\"\\/;%", c) ? '_' : c);
	}
	n += (size_t)snprintf(out + n, cap - n, "\"; filename*=UTF-8''");
	for (const char *p = name; *p && n + 4 < cap; p++) {
		unsigned char c = (unsigned char)*p;
		if (isalnum(c) || strchr("-._~", c)) {
			out[n++] = (char)c;
			out[n] = 0;
		} else {
			n += (size_t)snprintf(out + n, cap - n, "%%%02X", c);
		}
	}
}

/* What follows the scheme and its spaces. */
static const char *credentials(const char *header, const char *scheme)
{
	size_t n = strlen(scheme);
	if (!header || strncasecmp(header, scheme, n) || header[n] != ' ')
		return NULL;
	return header + n + strspn(header + n, " ");
}

const char *http_auth_bearer(const char *header)
{
	return credentials(header, "Bearer");
}

bool http_auth_basic(const char *header, char *name, size_t cap, const char **password)
{
	const char *base64 = credentials(header, "Basic");
	gsize len;
	*name = 0;
	if (!base64)
		return false;
	guchar *raw = g_base64_decode(base64, &len);
	char *colon = len < cap ? memchr(raw, ':', len) : NULL;
	if (colon && !memchr(raw, 0, len)) {
		memcpy(name, raw, len);
		name[len] = 0;
		name[colon - (char *)raw] = 0;
		*password = name + (colon - (char *)raw) + 1;
	} else {
		colon = NULL;
	}
	explicit_bzero(raw, len);
	g_free(raw);
	return colon;
}

bool http_pattern_match(const char *pattern, const char *path, http_param_fn *fn, void *obj)
{
	while (*pattern) {
		if (*pattern == '*' && !pattern[1]) {
			fn(obj, "*", 1, path, strlen(path));
			return true;
		}
		if (*pattern == ':') {
			size_t n = strcspn(pattern + 1, "/"), v = strcspn(path, "/");
			if (!v)
				return false;
			fn(obj, pattern + 1, n, path, v);
			pattern += n + 1;
			path += v;
			continue;
		}
		if (*pattern++ != *path++)
			return false;
	}
	return !*path;
}
