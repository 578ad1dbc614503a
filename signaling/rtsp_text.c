#include "signaling/rtsp_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- frames ------------------------------------------------------------------------------ */

/* Octets up to and with the empty line; 0: it is not there. */
static size_t head_length(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (p[i] != '\n')
			continue;
		if (p[i + 1] == '\n')
			return i + 2;
		if (p[i + 1] == '\r' && i + 2 < len && p[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* Content-Length of a head; 0 without one, -EBADMSG, -EMSGSIZE. */
static int body_length(const uint8_t *p, size_t len, size_t *out)
{
	static const char name[] = "content-length:";
	bool have = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		size_t at = i + sizeof name - 1;

		if ((i && p[i - 1] != '\n') || at > len ||
		    strncasecmp((const char *)p + i, name, sizeof name - 1))
			continue;
		while (at < len && is_space((char)p[at]))
			at++;
		if (have || at == len || !is_digit((char)p[at]))
			return -EBADMSG;
		for (; at < len && is_digit((char)p[at]); at++) {
			n = n * 10 + (size_t)(p[at] - '0');
			if (n > RTSP_BODY_MAX)
				return -EMSGSIZE;
		}
		if (at < len && p[at] != '\r' && p[at] != '\n' && !is_space((char)p[at]))
			return -EBADMSG;
		have = true;
	}
	*out = n;
	return 0;
}

static int read_data(struct rtsp_frame *out, const uint8_t *p, size_t len, size_t skip)
{
	size_t n;

	if (len < skip + 4)
		return 0;
	n = (size_t)p[skip + 2] << 8 | p[skip + 3];
	if (n > RTSP_DATA_MAX)
		return -EMSGSIZE;
	if (len < skip + 4 + n)
		return 0;
	*out = (struct rtsp_frame){ .kind = RTSP_DATA, .total = skip + 4 + n, .at = skip + 4, .len = n,
				    .channel = p[skip + 1] };
	return 0;
}

int rtsp_frame_read(struct rtsp_frame *out, const uint8_t *p, size_t len)
{
	size_t skip = 0, head;
	int err;

	*out = (struct rtsp_frame){ .kind = RTSP_NOTHING };
	while (skip < len && (p[skip] == '\r' || p[skip] == '\n'))
		skip++;
	if (skip > RTSP_HEAD_MAX)
		return -EBADMSG;
	if (skip == len)
		return 0;
	if (p[skip] == '$')
		return read_data(out, p, len, skip);
	if (!((p[skip] >= 'A' && p[skip] <= 'Z') || (p[skip] >= 'a' && p[skip] <= 'z')))
		return -EBADMSG;
	head = head_length(p + skip, len - skip);
	if (!head)
		return len - skip > RTSP_HEAD_MAX ? -EMSGSIZE : 0;
	if (head > RTSP_HEAD_MAX)
		return -EMSGSIZE;
	err = body_length(p + skip, head, &out->body);
	if (err || len - skip - head < out->body)
		return err;
	out->kind = head > 5 && !memcmp(p + skip, "RTSP/", 5) ? RTSP_RESPONSE : RTSP_REQUEST;
	out->at = skip;
	out->len = head;
	out->total = skip + head + out->body;
	return 0;
}

/* --- requests ------------------------------------------------------------------------------ */

static enum rtsp_method method_of(const char *name)
{
	static const char *const names[] = {
		[RTSP_OPTIONS] = "OPTIONS", [RTSP_DESCRIBE] = "DESCRIBE", [RTSP_SETUP] = "SETUP",
		[RTSP_PLAY] = "PLAY", [RTSP_PAUSE] = "PAUSE", [RTSP_TEARDOWN] = "TEARDOWN",
		[RTSP_GET_PARAMETER] = "GET_PARAMETER", [RTSP_SET_PARAMETER] = "SET_PARAMETER",
	};
	static const char *const others[] = { "ANNOUNCE", "RECORD", "REDIRECT" };

	for (size_t i = 1; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return (enum rtsp_method)i;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (!strcmp(name, others[i]))
			return RTSP_OTHERS;
	return RTSP_UNKNOWN;
}

/* "RTSP/1.0" */
static bool read_version(struct rtsp_request *r, const char *v)
{
	if (strncmp(v, "RTSP/", 5) || !is_digit(v[5]) || v[6] != '.' || !is_digit(v[7]) || v[8])
		return false;
	r->major = v[5] - '0';
	r->minor = v[7] - '0';
	return true;
}

static bool read_line(struct rtsp_request *r, char *line)
{
	char *uri = strchr(line, ' '), *version;

	if (!uri || uri == line)
		return false;
	*uri++ = '\0';
	version = strchr(uri, ' ');
	if (!version || version == uri || (size_t)(version - uri) > RTSP_URI_MAX)
		return false;
	*version++ = '\0';
	r->name = line;
	r->uri = uri;
	r->method = method_of(line);
	return read_version(r, version);
}

static bool read_number(const char *text, uint32_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; is_digit(text[i]); i++) {
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return i && !text[i];
}

static bool read_header(struct rtsp_request *r, const char *name, char *value)
{
	const struct {
		const char *name;
		const char **to;
		bool many; /* the first holds */
	} known[] = {
		{ "session", &r->session, false }, { "transport", &r->transport, false },
		{ "range", &r->range, false }, { "scale", &r->scale, false },
		{ "authorization", &r->authorization, false }, { "accept", &r->accept, true },
		{ "require", &r->require, true },
	};

	if (!strcasecmp(name, "cseq")) {
		if (r->has_cseq || !read_number(value, &r->cseq))
			return false;
		r->has_cseq = true;
		return true;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcasecmp(name, known[i].name))
			continue;
		if (*known[i].to && !known[i].many)
			return false;
		if (!*known[i].to)
			*known[i].to = value;
	}
	return true;
}

/* The next line, without its end; NULL: that was the empty one. */
static char *take_line(char **p)
{
	char *line = *p, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*p = end + 1;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return *line ? line : NULL;
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && is_space(s[n - 1]))
		s[--n] = '\0';
}

int rtsp_request_read(struct rtsp_request *out, char *head, size_t len)
{
	char *line, *p = head;

	*out = (struct rtsp_request){ .method = RTSP_UNKNOWN };
	if (strlen(head) != len)
		return -EBADMSG;
	line = take_line(&p);
	if (!line || !read_line(out, line))
		return -EBADMSG;
	while ((line = take_line(&p))) {
		char *colon = strchr(line, ':');

		if (!colon || colon == line)
			return -EBADMSG;
		*colon++ = '\0';
		while (is_space(*colon))
			colon++;
		trim(line);
		trim(colon);
		if (!read_header(out, line, colon))
			return -EBADMSG;
	}
	if (out->session) {
		char *s = head + (out->session - head);

		s[strcspn(s, "; \t")] = '\0';
		if (!*s || strlen(s) > RTSP_SESSION_MAX)
			return -EBADMSG;
	}
	return 0;
}

/* --- addresses -------------------------------------------------------------------------------- */

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* len octets of text, %XX decoded. False: too long, a NUL, or half an escape. */
static bool decode(char *out, size_t cap, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return false;
			c = hex(text[i + 1]) << 4 | hex(text[i + 2]);
			i += 2;
		}
		if (!c || n + 1 >= cap)
			return false;
		out[n] = (char)c;
	}
	out[n] = '\0';
	return true;
}

const char *rtsp_track_name(enum rtsp_track t)
{
	return t == RTSP_AUDIO ? "audio" : t == RTSP_VIDEO ? "video" : "";
}

static bool read_query(struct rtsp_uri *u)
{
	const struct {
		const char *name;
		char *to;
		size_t cap;
	} known[] = {
		{ "token=", u->token, sizeof u->token }, { "pin=", u->pin, sizeof u->pin },
		{ "name=", u->display, sizeof u->display },
	};

	for (const char *p = u->query; *p; p += strcspn(p, "&"), p += *p == '&')
		for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
			size_t n = strlen(known[i].name);

			if (!strncmp(p, known[i].name, n) &&
			    !decode(known[i].to, known[i].cap, p + n, strcspn(p + n, "&")))
				return false;
		}
	return true;
}

/* A name and perhaps a track behind the place's folder. */
static bool read_name(struct rtsp_uri *u, const char *p, size_t len)
{
	size_t n = 0, rest;

	while (n < len && p[n] != '/')
		n++;
	if (!n || !decode(u->name, sizeof u->name, p, n))
		return false;
	rest = len - n;
	while (rest && p[n] == '/')
		n++, rest--;
	while (rest && p[n + rest - 1] == '/')
		rest--;
	if (!rest)
		return true;
	for (enum rtsp_track t = RTSP_AUDIO; t < RTSP_TRACKS; t++)
		if (rest == strlen(rtsp_track_name(t)) && !memcmp(p + n, rtsp_track_name(t), rest)) {
			u->track = t;
			return true;
		}
	return false;
}

static void read_path(struct rtsp_uri *u, const char *path, size_t len)
{
	static const struct {
		const char *folder;
		enum rtsp_place place;
	} places[] = { { "/rooms/", RTSP_PLACE_ROOM }, { "/recordings/", RTSP_PLACE_RECORDING } };

	if (!len || (len == 1 && *path == '/')) {
		u->place = RTSP_PLACE_SERVER;
		return;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t n = strlen(places[i].folder);

		if (len > n && !memcmp(path, places[i].folder, n) && read_name(u, path + n, len - n))
			u->place = places[i].place;
	}
	if (u->place == RTSP_PLACE_RECORDING &&
	    (strlen(u->name) > 19 || strspn(u->name, "0123456789") != strlen(u->name)))
		u->place = RTSP_PLACE_NONE;
}

int rtsp_uri_read(struct rtsp_uri *out, const char *uri)
{
	const char *host, *at, *path, *query;
	size_t n;

	memset(out, 0, sizeof *out);
	if (!strcmp(uri, "*")) {
		out->place = RTSP_PLACE_SERVER;
		return 0;
	}
	if (strncasecmp(uri, "rtsp://", 7))
		return -EINVAL;
	host = uri + 7;
	n = strcspn(host, "/?");
	at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (!n || n >= sizeof out->authority)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!strchr("[]:.-_", host[i]) && !is_digit(host[i]) &&
		    !((host[i] | 0x20) >= 'a' && (host[i] | 0x20) <= 'z'))
			return -EINVAL;
	memcpy(out->authority, host, n);
	path = host + n;
	query = strchr(path, '?');
	if (query) {
		if (strlen(query + 1) >= sizeof out->query)
			return -EINVAL;
		strcpy(out->query, query + 1);
	}
	read_path(out, path, query ? (size_t)(query - path) : strlen(path));
	for (const char *c = uri; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '"' || *c == 0x7f)
			return -EINVAL;
	return read_query(out) ? 0 : -EINVAL;
}
