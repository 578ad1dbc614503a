#include "storage/push_url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int invalid(struct errmsg *why)
{
	return errmsg_set(why, -EINVAL, "push_invalid", "That is not an address that a room can be "
			  "sent to. Enter one like rtmp://live.example.org/app/KEY or "
			  "srt://live.example.org:9000?streamid=KEY.");
}

/* Name or address with an optional port: what comes before the first slash or
 * question mark. 0: there is none. */
static size_t host_length(const char *p)
{
	size_t n = strcspn(p, "/?#");

	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%", p[i]))
			return 0;
	return p[0] == ':' ? 0 : n;
}

/* As libavformat finds it: before the first colon, or in brackets. */
static bool find_host(struct push_url *out, const char *p, size_t n)
{
	const char *end = *p == '[' ? memchr(p, ']', n) : memchr(p, ':', n);
	size_t len;

	if (*p == '[') {
		if (!end || (end[1] && !strchr(":/?#", end[1])))
			return false;
		p++;
		n--;
	}
	len = end ? (size_t)(end - p) : n;
	if (!len || len >= sizeof(out->host))
		return false;
	memcpy(out->host, p, len);
	out->host[len] = 0;
	return true;
}

/* What follows the host of SRT. */
static bool query_known(const char *p)
{
	static const char *const known[] = { "streamid", "passphrase", "pbkeylen", "latency" };

	if (*p && *p != '?')
		return false;
	while (*p) {
		size_t n = strcspn(++p, "=&#?");
		bool found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found = found || (n == strlen(known[i]) && !strncmp(p, known[i], n));
		if (!found || p[n] != '=')
			return false;
		p += strcspn(p, "&");
	}
	return true;
}

int push_url_parse(struct push_url *out, const char *text, struct errmsg *why)
{
	static const struct {
		const char *scheme;
		enum push_kind kind;
	} known[] = { { "rtmp://", PUSH_RTMP }, { "rtmps://", PUSH_RTMP }, { "srt://", PUSH_SRT } };
	const char *host = NULL, *rest;
	size_t n, app;

	if (strlen(text) > PUSH_URL_MAX)
		return invalid(why);
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return invalid(why);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncasecmp(text, known[i].scheme, strlen(known[i].scheme))) {
			host = text + strlen(known[i].scheme);
			out->kind = known[i].kind;
		}
	n = host ? host_length(host) : 0;
	if (!n || n > 100 || !find_host(out, host, n))
		return invalid(why);
	rest = host + n;
	/* SRT needs a port and has no path; RTMP an application, and mostly a key. */
	if (out->kind == PUSH_SRT && (!memchr(host, ':', n) || !query_known(rest)))
		return invalid(why);
	if (out->kind == PUSH_RTMP && (*rest != '/' || !rest[1]))
		return invalid(why);
	/* The application is shown, if there is a key behind it. */
	app = out->kind == PUSH_RTMP ? 1 + strcspn(rest + 1, "/?#") : 0;
	if (app > 40 || rest[app] != '/')
		app = 0;
	snprintf(out->shown, sizeof(out->shown), "%.*s%.*s%s", (int)(rest - text), text, (int)app, rest,
		 *rest ? "/…" : "");
	return 0;
}
