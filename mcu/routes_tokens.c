/* Tokens of programs: everybody's own, all for administrators. Only who has signed in deals
 * with them (scopes.h). A token is shown once, when it is made; the registry keeps its hash. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "mcu/scopes.h"
#include "signaling/protocol.h"
#include "storage/api_tokens.h"

enum { MAX_DAYS = 3660, DAY_MS = 24 * 3600 * 1000, MAX_WORDS = 64 };

static json_t *token_json(const struct api_token_row *t)
{
	json_t *scopes = json_array();
	uint32_t mask = scopes_read(t->scopes);
	char id[24];

	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (mask & 1U << i)
			json_array_append_new(scopes, json_string(scope_name(i)));
	snprintf(id, sizeof id, "%" PRId64, t->id);
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "id", id, "name", t->name, "user",
			 t->user, "scopes", scopes, "created_ms", (json_int_t)t->created_ms,
			 "expires_at", t->expires_ms ? json_integer(t->expires_ms) : json_null(),
			 "used_ms", t->used_ms ? json_integer(t->used_ms) : json_null());
}

/* --- make -------------------------------------------------------------------- */

static void on_made(void *obj, int err, const struct api_token_row *row, const struct user_row *who)
{
	struct wait *w = obj;
	struct api_token_row made;
	json_t *body;

	(void)who;
	role_assert_ctl();
	if (err == -EUSERS) {
		wait_refuse(w, 409, "too_many", "You have %d API tokens. Revoke some first.",
			    API_TOKENS_OF_USER);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	made = *row;
	memcpy(made.user, w->who.name, sizeof made.user);
	wait_audit(w, "token_made", NULL, made.name);
	body = token_json(&made);
	json_object_set_new(body, "token", json_string(w->token));
	wait_reply_json(w, 0, 201, body);
}

ON_THREAD(ROLE_CTL) static void make(struct wait *w)
{
	struct api_token_row row = { .id = db_new_id(), .user_id = w->who.id,
				     .created_ms = clock_wall_ns() / NS_PER_MS };

	if (w->seconds)
		row.expires_ms = row.created_ms + w->seconds * DAY_MS;
	snprintf(row.name, sizeof row.name, "%.*s", API_TOKEN_NAME_MAX, w->text);
	scopes_write(row.scopes, w->scopes);
	if (api_token_make(w->token)) {
		wait_reply_json(w, -EIO, 0, NULL);
		return;
	}
	invitation_hash(row.hash, w->token);
	if (api_tokens_make(w->routes->cfg.db, &row, on_made, w))
		wait_reply_busy(w);
}

int routes_token_parse(json_t **body, const char *text, size_t len, struct token_body *out,
		       struct errmsg *why)
{
	const char *name = NULL;
	json_t *words = NULL, *word;
	size_t i;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, true, 1, API_TOKEN_NAME_MAX, .text = &name },
		{ "scopes", REST_ARRAY, true, 1, MAX_WORDS, .json = &words },
		{ "expires_days", REST_INT, false, 1, MAX_DAYS, .number = &out->days },
	};
	int err = rest_parse(body, text, len, fields, 3, why);

	if (err)
		return err;
	if (!protocol_name_valid(name))
		return errmsg_set(why, -EINVAL, "bad_json", "The member \"name\" must be a name of 1 to "
				  "64 characters.");
	snprintf(out->name, sizeof out->name, "%s", name);
	json_array_foreach(words, i, word) {
		const char *s = json_string_value(word);

		if (!s || !scopes_add(&out->scopes, s))
			return errmsg_set(why, -EINVAL, "bad_json", "The member \"scopes\" must be a list "
					  "of scopes like \"rooms:read\", \"rooms:*\" or \"*\"; \"%.32s\" is "
					  "none.", s ? s : "(no text)");
	}
	return 0;
}

static void post_token(void *ctx, struct http_req *req)
{
	struct token_body b = { 0 };
	struct errmsg why;
	struct wait *w;
	const char *text;
	size_t len;

	role_assert_ctl();
	text = http_req_body(req, &len);
	w = wait_new(ctx, req);
	if (!w)
		return;
	if (routes_token_parse(&w->body, text, len, &b, &why)) {
		wait_refuse(w, 400, why.code, "%s", why.text);
		return;
	}
	w->scopes = b.scopes;
	w->seconds = b.days;
	snprintf(w->text, sizeof w->text, "%s", b.name);
	wait_for_account(w, USER_PARTICIPANT, make);
}

/* --- list and revoke ---------------------------------------------------------- */

static void on_list(void *obj, int err, const struct api_token_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, token_json(&rows[i]));
	wait_reply_page(obj, err, "tokens", list, n && n == w->calls.max ? rows[n - 1].id : 0);
}

static int64_t whose(const struct wait *w)
{
	return w->who.role == USER_ADMIN ? 0 : w->who.id;
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	if (api_tokens_list(w->routes->cfg.db, whose(w), w->calls.before, w->calls.max, on_list, w))
		wait_reply_busy(w);
}

static void get_tokens(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->calls.max = API_TOKEN_LIST_MAX;
	if (rest_query_page(w, "after", &w->calls.before, &w->calls.max, API_TOKEN_LIST_MAX))
		wait_for_account(w, USER_PARTICIPANT, list);
}

static void on_revoked(void *obj, int err, const struct api_token_row *row,
		       const struct user_row *who)
{
	struct wait *w = obj;

	(void)who;
	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "not_found", "There is no such API token.");
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "token_revoked", NULL, row->name);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void take_back(struct wait *w)
{
	if (api_tokens_revoke(w->routes->cfg.db, w->id, whose(w), on_revoked, w))
		wait_reply_busy(w);
}

static void delete_token(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	wait_for_account(w, USER_PARTICIPANT, take_back);
}

int routes_tokens_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/tokens", get_tokens, r);

	if (!err)
		err = server_route(s, "POST", "/api/v1/tokens", post_token, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/tokens/:id", delete_token, r);
}
