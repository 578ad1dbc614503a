/* Who asks: sign-in, sign-out, oneself, and the check before everything else. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/http_text.h"
#include "signaling/protocol.h"
#include "storage/audit.h"

/* --- answers ----------------------------------------------------------------- */

static void status_headers(struct http_req *req, int status, int wait_s) ON_THREAD(ROLE_CTL)
{
	char text[16];

	if (status == 401)
		http_set_header(req, "WWW-Authenticate", "Basic realm=\"mcu\", charset=\"UTF-8\"");
	if (wait_s > 0) {
		snprintf(text, sizeof text, "%d", wait_s);
		http_set_header(req, "Retry-After", text);
	}
}

void wait_refuse(struct wait *w, int status, const char *code, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (w->req) {
		status_headers(w->req, status, 0);
		http_reply_error(w->req, status, code, "%s", text);
	}
	wait_end(w);
}

void wait_refuse_account(struct wait *w, const struct account_refusal *no)
{
	int status = !strcmp(no->why.code, "rate_limited") ? 429 :
		     !strcmp(no->why.code, "internal") ? 503 :
		     !strcmp(no->why.code, "scope_missing") ? 403 : 401;

	if (w->req) {
		status_headers(w->req, status, no->wait_s);
		http_reply_error(w->req, status, no->why.code, "%s", no->why.text);
	}
	wait_end(w);
}

void wait_audit(const struct wait *w, const char *action, const char *room, const char *detail)
{
	audit_add(w->routes->cfg.db, &(struct audit_entry){
		.action = action, .actor = w->who.name,
		.address = w->req ? http_req_peer(w->req) : "", .room = room, .detail = detail });
}

/* --- the check --------------------------------------------------------------- */

static void unauthorized(struct wait *w) ON_THREAD(ROLE_CTL)
{
	wait_refuse(w, 401, "unauthorized", "Sign in. The first administrator's password was printed "
		    "at the server's first start.");
}

static void checked(struct wait *w, const struct user_row *who) ON_THREAD(ROLE_CTL)
{
	if (!w->req) {
		wait_end(w);
		return;
	}
	w->who = *who;
	explicit_bzero(w->who.password_hash, sizeof w->who.password_hash);
	if (who->role < w->least)
		wait_refuse(w, 403, "not_allowed", w->least == USER_ADMIN ?
			    "Only an administrator may do that." :
			    "Your account may not do that. Ask an administrator for the role of a host.");
	else
		w->next(w);
}

static void on_token(void *obj, const struct user_row *who, const struct account_refusal *no)
{
	role_assert_ctl();
	if (no)
		wait_refuse_account(obj, no);
	else
		checked(obj, who);
}

/* Names and passwords are for signing in; here only administrators' scripts use them. */
static void on_password(void *obj, const struct user_row *who, const struct account_refusal *no)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (no && !strcmp(no->why.code, "sign_in_wrong"))
		unauthorized(w);
	else if (no)
		wait_refuse_account(w, no);
	else if (who->role != USER_ADMIN)
		unauthorized(w);
	else
		checked(w, who);
}

void wait_for_account(struct wait *w, enum user_role least, void (*next)(struct wait *w))
{
	const char *auth = http_req_header(w->req, "authorization");
	const char *token = http_auth_bearer(auth), *password;
	char name[DB_NAME_MAX + PASSWORD_MAX + 2] = "";

	w->least = least;
	w->next = next;
	if (token)
		accounts_by_token(w->routes->cfg.accounts, token,
				  scope_of_route(http_req_method(w->req), http_req_pattern(w->req)),
				  http_req_peer(w->req), on_token, w);
	/* A browser names the page that asks; it would send a kept password for any. */
	else if (!http_req_header(w->req, "origin") &&
		 http_auth_basic(auth, name, sizeof name, &password))
		accounts_sign_in(w->routes->cfg.accounts, name, password, http_req_peer(w->req),
				 on_password, w);
	else
		unauthorized(w);
	explicit_bzero(name, sizeof name);
}

/* --- signing in and out ------------------------------------------------------ */

static json_t *me_json(const struct user_row *u)
{
	return json_pack("{s:s, s:s, s:s}", "name", u->name, "role", user_role_name(u->role),
			 "display_name", u->display_name[0] ? u->display_name : u->name);
}

static void on_signed_in(void *obj, const struct user_row *who, const struct account_refusal *no)
{
	struct wait *w = obj;
	char token[TOKEN_LEN + 1];
	int64_t expires_ms;
	json_t *body;

	role_assert_ctl();
	if (no) {
		wait_refuse_account(w, no);
		return;
	}
	w->who = *who;
	explicit_bzero(w->who.password_hash, sizeof w->who.password_hash);
	accounts_token(w->routes->cfg.accounts, who, token, &expires_ms);
	wait_audit(w, "sign_in", NULL, NULL);
	body = json_pack("{s:s, s:I, s:o}", "token", token, "expires_at", (json_int_t)expires_ms,
			 "user", me_json(who));
	explicit_bzero(token, sizeof token);
	wait_reply_json(w, 0, 200, body);
}

static void post_login(void *ctx, struct http_req *req)
{
	const char *name = NULL, *password = NULL;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, true, 1, DB_NAME_MAX, .text = &name },
		{ "password", REST_TEXT, true, 1, PASSWORD_MAX, .text = &password },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && rest_read(w, fields, 2))
		accounts_sign_in(w->routes->cfg.accounts, name, password, http_req_peer(req),
				 on_signed_in, w);
}

static void on_signed_out(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;

	(void)row;
	role_assert_ctl();
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "sign_out", NULL, NULL);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void sign_out(struct wait *w)
{
	struct user_change c = { .sign_out = true };

	if (users_change(w->routes->cfg.db, w->who.name, &c, on_signed_out, w))
		wait_reply_busy(w);
}

static void post_logout(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w)
		wait_for_account(w, USER_PARTICIPANT, sign_out);
}

ON_THREAD(ROLE_CTL) static void show_me(struct wait *w)
{
	wait_reply_json(w, 0, 200, me_json(&w->who));
}

static void get_me(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w)
		wait_for_account(w, USER_PARTICIPANT, show_me);
}

/* --- a password of one's own -------------------------------------------------- */

static void on_changed(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;
	char token[TOKEN_LEN + 1];
	int64_t expires_ms;
	json_t *body;

	role_assert_ctl();
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	/* The sign-ins of before are over; this one goes on with a new token. */
	wait_audit(w, "password_changed", NULL, NULL);
	accounts_token(w->routes->cfg.accounts, row, token, &expires_ms);
	body = json_pack("{s:s, s:I, s:o}", "token", token, "expires_at", (json_int_t)expires_ms,
			 "user", me_json(row));
	wait_reply_json(w, 0, 200, body);
}

static void on_hash(void *obj, int err, const char *hash)
{
	struct wait *w = obj;
	struct user_change c = { .hash = hash };

	role_assert_ctl();
	if (err)
		wait_reply_json(w, err, 0, NULL);
	else if (users_change(w->routes->cfg.db, w->who.name, &c, on_changed, w))
		wait_reply_busy(w);
}

static void on_old_password(void *obj, const struct user_row *who,
			    const struct account_refusal *no)
{
	struct wait *w = obj;
	const char *password;

	(void)who;
	role_assert_ctl();
	if (no) {
		wait_refuse_account(w, no);
		return;
	}
	password = json_string_value(json_object_get(w->body, "password"));
	accounts_hash(w->routes->cfg.accounts, password, on_hash, w);
}

ON_THREAD(ROLE_CTL) static void change_password(struct wait *w)
{
	const char *old = json_string_value(json_object_get(w->body, "old_password"));

	accounts_sign_in(w->routes->cfg.accounts, w->who.name, old, http_req_peer(w->req),
			 on_old_password, w);
}

static void put_password(void *ctx, struct http_req *req)
{
	const char *old = NULL, *password = NULL;
	const struct rest_field fields[] = {
		{ "old_password", REST_TEXT, true, 1, PASSWORD_MAX, .text = &old },
		{ "password", REST_TEXT, true, PASSWORD_MIN, PASSWORD_MAX, .text = &password },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && rest_read(w, fields, 2))
		wait_for_account(w, USER_PARTICIPANT, change_password);
}

int routes_auth_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "POST", "/api/v1/login", post_login, r);

	if (!err)
		err = server_route(s, "POST", "/api/v1/logout", post_logout, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/me", get_me, r);
	return err ? err : server_route(s, "PUT", "/api/v1/me/password", put_password, r);
}
