/* Pure text helpers of the HTTP server. Any thread. */
#ifndef MCU_SIGNALING_HTTP_TEXT_H
#define MCU_SIGNALING_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "text/html; charset=utf-8" …, by the ending of the name. */
const char *http_mime_type(const char *path);
const char *http_status_text(int status);

/* Whether a decoded path may be joined to a folder: it begins with "/", no
 * segment is empty (but the last), begins with a dot, or has a backslash or
 * control character. */
bool http_path_safe(const char *path);

/* Range: bytes=… (RFC 9110 14.2) of a file of size octets. */
enum http_range { HTTP_RANGE_NONE, HTTP_RANGE_OK, HTTP_RANGE_BAD };
/* NONE: absent, several or not understood: the whole is sent. OK: *first and
 * *last (inclusive) are set. BAD: 416. */
enum http_range http_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last);

/* Whether an If-None-Match list has the tag (or "*"). */
bool http_etag_in(const char *list, const char *etag);

/* Whether an Accept-Encoding (RFC 9110 12.5.3) takes gzip; NULL: it is not there. */
bool http_accepts_gzip(const char *header);

/* attachment with both forms of a file name (RFC 6266); cut at cap. */
void http_disposition(char *out, size_t cap, const char *name);

/* Authorization: Bearer TOKEN; NULL: it is none. Borrowed. header may be NULL. */
const char *http_auth_bearer(const char *header);
/* Authorization: Basic (RFC 7617) into name, with its password borrowed of it. False:
 * it is none, longer than cap, or has a NUL; then name is empty. The caller wipes it. */
bool http_auth_basic(const char *header, char *name, size_t cap, const char **password);

/* "/a/:x/ *" against a decoded path; calls back for every parameter. */
typedef void http_param_fn(void *obj, const char *name, size_t name_len, const char *value,
			   size_t value_len);
bool http_pattern_match(const char *pattern, const char *path, http_param_fn *fn, void *obj);

#endif
