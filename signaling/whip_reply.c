#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/whip_internal.h"

/* A page of any origin may use it: nothing is done by cookies, and what a request may
 * do its token says. */
ON_THREAD(ROLE_CTL) static void allow_all(struct http_req *req)
{
	http_set_header(req, "Access-Control-Allow-Origin", "*");
	http_set_header(req, "Access-Control-Expose-Headers",
			"Location, ETag, Link, Accept-Patch, Retry-After");
}

void whip_reply_refusal(struct http_req *req, int status, const struct errmsg *why)
{
	allow_all(req);
	if (status == 401)
		http_set_header(req, "WWW-Authenticate", "Bearer");
	if (status == 429 || status == 503)
		http_set_header(req, "Retry-After", "5");
	http_reply_error(req, status, why->code, "%s", why->text);
}

void whip_reply_nothing(struct http_req *req, int status)
{
	allow_all(req);
	http_reply(req, status, NULL, NULL, 0);
}

void whip_reply_options(struct http_req *req, bool session)
{
	allow_all(req);
	http_set_header(req, "Access-Control-Allow-Methods",
			session ? "PATCH, DELETE, OPTIONS" : "POST, OPTIONS");
	http_set_header(req, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
	http_set_header(req, "Access-Control-Max-Age", "86400");
	if (session)
		http_set_header(req, "Accept-Patch", WHIP_SDPFRAG);
	else
		http_set_header(req, "Accept-Post", WHIP_SDP);
	http_reply(req, 200, NULL, NULL, 0);
}

void whip_reply_created(struct whip_session *s, const char *sdp)
{
	struct http_req *req = s->req;
	char location[64];

	s->req = NULL;
	snprintf(location, sizeof(location), "/%s/session/%s", s->viewer ? "whep" : "whip", s->id);
	allow_all(req);
	http_set_header(req, "Location", location);
	http_set_header(req, "ETag", s->etag);
	http_set_header(req, "Accept-Patch", WHIP_SDPFRAG);
	if (s->link)
		http_set_header(req, "Link", s->link);
	http_reply(req, 201, WHIP_SDP, sdp, strlen(sdp));
}

void whip_reply_restarted(struct whip_session *s, const char *frag)
{
	struct http_req *req = s->req;

	s->req = NULL;
	allow_all(req);
	http_set_header(req, "ETag", s->etag);
	http_reply(req, 200, WHIP_SDPFRAG, frag, strlen(frag));
}

/* A parameter of a link in quotes (RFC 8288); nothing of it can end them. */
static void put_quoted(FILE *to, const char *name, const char *value)
{
	fprintf(to, "; %s=\"", name);
	for (; *value; value++)
		if ((unsigned char)*value >= 0x20 && *value != 0x7f) {
			if (*value == '"' || *value == '\\')
				fputc('\\', to);
			fputc(*value, to);
		}
	fputc('"', to);
}

char *whip_link(const struct welcome_info *w)
{
	char *text = NULL;
	size_t len;
	FILE *to = w->n_ice_servers ? open_memstream(&text, &len) : NULL;

	if (!to)
		return NULL;
	for (size_t i = 0; i < w->n_ice_servers; i++) {
		const struct ice_server_info *s = &w->ice_servers[i];
		fprintf(to, "%s<%s>; rel=\"ice-server\"", i ? ", " : "", s->url);
		if (!s->username)
			continue;
		put_quoted(to, "username", s->username);
		put_quoted(to, "credential", s->credential ? s->credential : "");
		fputs("; credential-type=\"password\"", to);
	}
	fclose(to);
	return text;
}
