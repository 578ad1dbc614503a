/* SDP (RFC 8866) text to a plain struct and back. The attributes are kept as
 * they came, in order; what they mean is the business of negotiate.h.
 *
 * All strings belong to the struct sdp (an arena freed with it). Strict: a line
 * that is not <letter>=<value>, a section out of place, a control character, or
 * anything over the limits below is refused with the number of the line.
 * Any thread; one object belongs to one thread. */
#ifndef MCU_SIGNALING_SDP_H
#define MCU_SIGNALING_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"

enum {
	SDP_MAX_BYTES = 60000,
	SDP_MAX_LINES = 2000,
	SDP_MAX_LINE_BYTES = 2048,
	SDP_MAX_MEDIA = 32,
	SDP_MAX_FORMATS = 64 /* of one m-line */
};

struct sdp_attr {
	const char *name;
	const char *value; /* NULL: a flag, without ":" */
};

struct sdp_attrs {
	struct sdp_attr *v;
	size_t n, cap;
};

/* c= : address NULL when there was none. */
struct sdp_conn {
	const char *address;
	bool ip6;
};

/* b= : 0 when there was none. */
struct sdp_bandwidth {
	uint32_t as_kbps;
	uint32_t tias_bps;
};

struct sdp_media {
	const char *kind; /* "audio", "video", "application" … */
	uint16_t port;
	const char *proto; /* "UDP/TLS/RTP/SAVPF" … */
	const char *format[SDP_MAX_FORMATS];
	size_t n_formats;
	struct sdp_conn conn;
	struct sdp_bandwidth bandwidth;
	struct sdp_attrs attrs;
	unsigned line; /* where its m= line was; 0 when built */
};

struct sdp_arena;

struct sdp {
	const char *origin_user;
	uint64_t session_id, session_version;
	struct sdp_conn origin;
	const char *session_name;
	struct sdp_conn conn;
	struct sdp_bandwidth bandwidth;
	struct sdp_attrs attrs;
	struct sdp_media media[SDP_MAX_MEDIA];
	size_t n_media;
	struct sdp_arena *arena;
};

/* Lines end with CRLF or LF. 0, -EINVAL with why->code "bad_sdp", -ENOMEM.
 * text need not be terminated. */
int sdp_parse(struct sdp **out, const char *text, size_t len, struct errmsg *why);
void sdp_free(struct sdp **s);

/* An empty description: "o=- <id> <version> IN IP4 127.0.0.1", "s=-". */
int sdp_new(struct sdp **out, uint64_t session_id, uint64_t session_version);
/* NULL when there are SDP_MAX_MEDIA already, or without memory. */
struct sdp_media *sdp_add_media(struct sdp *s, const char *kind, uint16_t port, const char *proto);
int sdp_add_format(struct sdp *s, struct sdp_media *m, const char *format);
/* a=name, or a=name:value with a printf format; m NULL: on session level. */
int sdp_add_flag(struct sdp *s, struct sdp_media *m, const char *name);
__attribute__((format(printf, 4, 5))) int sdp_add_attr(struct sdp *s, struct sdp_media *m,
						       const char *name, const char *fmt, ...);
/* A copy of text that lives as long as s; NULL without memory. */
const char *sdp_strdup(struct sdp *s, const char *text);

/* The text, CRLF lines, terminated, to be freed by the caller. */
int sdp_write(const struct sdp *s, char **out);

/* The first attribute of that name, NULL when there is none. */
const struct sdp_attr *sdp_attr_find(const struct sdp_attrs *a, const char *name);
/* Its value, on the media or else the session level; NULL when there is none
 * or it is a flag. */
const char *sdp_value(const struct sdp *s, const struct sdp_media *m, const char *name);
bool sdp_has(const struct sdp *s, const struct sdp_media *m, const char *name);

#endif
