#include "signaling/whip_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "signaling/http_text.h"
#include "signaling/protocol.h"
#include "signaling/sdp.h"
#include "signaling/whip_sdpfrag.h"

__attribute__((format(printf, 4, 5))) static int refuse(struct errmsg *why, int status,
							const char *code, const char *fmt, ...)
{
	char text[sizeof(why->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errmsg_set(why, 0, code, "%s", text);
	return status;
}

/* "application/sdp; charset=utf-8", also as a member of a list */
static bool type_is(const char *value, const char *type)
{
	size_t n = strlen(type);
	if (!value)
		return false;
	value += strspn(value, " \t");
	return !strncasecmp(value, type, n) && (!value[n] || strchr(";, \t", value[n]));
}

/* Whether Accept (RFC 9110 12.5.1) has a place for it. Weights are not looked at. */
static bool accepts(const char *list, const char *type)
{
	if (!list || !*list)
		return true;
	for (; *list; list += strcspn(list, ",")) {
		list += strspn(list, " \t,");
		if (type_is(list, type) || type_is(list, "application/*") || type_is(list, "*/*"))
			return true;
	}
	return false;
}

static bool visible(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

/* "Bearer TOKEN" */
static int read_token(const char *authorization, const char **token, struct errmsg *why)
{
	*token = NULL;
	if (!authorization)
		return 0;
	if (strncasecmp(authorization, "Bearer ", 7))
		return refuse(why, 401, "token_invalid",
			      "Send \"Authorization: Bearer TOKEN\", with the token of an invitation "
			      "or of a sign-in.");
	const char *t = authorization + 7 + strspn(authorization + 7, " ");
	if (!*t || strlen(t) > WHIP_TOKEN_MAX || !visible(t))
		return refuse(why, 401, "token_invalid",
			      "The bearer token is empty, too long or has a blank in it. Copy it "
			      "again.");
	*token = t;
	return 0;
}

static int check_body(const struct whip_request *r, const char *type, size_t max,
		      struct errmsg *why)
{
	if (!type_is(r->content_type, type))
		return refuse(why, 415, "unsupported_type",
			      "Send the body as \"Content-Type: %s\".", type);
	if (!r->body_len)
		return refuse(why, 400, "bad_sdp", "The body is empty; send %s in it.", type);
	if (r->body_len > max)
		return refuse(why, 413, "too_large", "The body has more than %zu octets.", max);
	return 0;
}

int whip_check_post(const struct whip_request *r, const char *otherwise, const char **token,
		    const char **name, struct errmsg *why)
{
	int status = check_body(r, WHIP_SDP, SDP_MAX_BYTES, why);

	if (status)
		return status;
	if (!accepts(r->accept, WHIP_SDP))
		return refuse(why, 406, "not_acceptable",
			      "The answer is " WHIP_SDP "; name it in \"Accept\" or leave that out.");
	status = read_token(r->authorization, token, why);
	if (status)
		return status;
	if (!r->room || !protocol_room_name_valid(r->room))
		return refuse(why, 404, "room_name_invalid",
			      "A room's name has 1 to 64 letters, digits, dots, hyphens or "
			      "underscores.");
	*name = r->name && *r->name ? r->name : otherwise;
	if (!protocol_name_valid(*name))
		return refuse(why, 400, "name_invalid",
			      "A name has 1 to 64 characters, no control characters and no blank at "
			      "its ends.");
	if (r->pin && (strlen(r->pin) > 64 || !visible(r->pin)))
		return refuse(why, 400, "pin_wrong", "The PIN is too long or not visible ASCII.");
	return 0;
}

int whip_check_patch(const struct whip_request *r, const char *etag, bool *any, struct errmsg *why)
{
	int status = check_body(r, WHIP_SDPFRAG, SDPFRAG_MAX_BYTES, why);

	if (status)
		return status;
	if (!r->if_match)
		return refuse(why, 428, "precondition_required",
			      "Send \"If-Match\" with the ETag of the last answer, or \"*\" to restart "
			      "ICE.");
	*any = !strcmp(r->if_match, "*");
	if (!*any && !http_etag_in(r->if_match, etag))
		return refuse(why, 412, "precondition_failed",
			      "ICE was restarted since: \"If-Match\" is not the present ETag.");
	return 0;
}

int whip_status(const char *code, bool had_token)
{
	static const struct {
		const char *code;
		int status;
	} known[] = {
		{ "token_invalid", 401 }, { "token_expired", 401 }, { "pin_required", 401 },
		{ "pin_wrong", 403 },	  { "room_locked", 403 },   { "refused", 403 },
		{ "not_allowed", 403 },	  { "kicked", 403 },	    { "lobby", 403 },
		{ "room_unknown", 404 },  { "room_name_invalid", 404 }, { "name_invalid", 400 },
		{ "bad_sdp", 400 },	  { "bad_sdpfrag", 400 },   { "bad_state", 409 },
		{ "no_common_codec", 422 }, { "not_acceptable", 422 }, { "rate_limited", 429 },
		{ "room_full", 503 },	  { "server_full", 503 },   { "shutting_down", 503 },
		{ "overloaded", 503 },	  { "room_not_open", 403 },
	};

	if (!strcmp(code, "members_only"))
		return had_token ? 403 : 401;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(code, known[i].code))
			return known[i].status;
	return 500;
}
