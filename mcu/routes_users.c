/* Users, for administrators. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/protocol.h"
#include "signaling/rtsp.h"
#include "signaling/sip.h"

static json_t *user_json(const struct user_row *u)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "name", u->name, "role", user_role_name(u->role),
			 "display_name", u->display_name[0] ? u->display_name : u->name,
			 "created_ms", (json_int_t)u->created_ms);
}

static void refuse_change(struct wait *w, int err) ON_THREAD(ROLE_CTL)
{
	switch (err) {
	case -EEXIST:
		wait_refuse(w, 409, "user_exists", "There is a user called \"%s\" already.", w->name);
		break;
	case -ENOENT:
		wait_refuse(w, 404, "user_unknown", "There is no user called \"%s\".", w->name);
		break;
	case -EPERM:
		wait_refuse(w, 409, "last_admin", "\"%s\" is the last administrator. Make another one "
			    "first.", w->name);
		break;
	default: wait_reply_json(w, err, 0, NULL);
	}
}

/* --- list -------------------------------------------------------------------- */

static void on_list(void *obj, int err, const struct user_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, user_json(&rows[i]));
	wait_reply_names(obj, err, "users", list, n && n == w->calls.max ? rows[n - 1].name : NULL);
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	if (users_list(w->routes->cfg.db, w->text, w->calls.max, on_list, w))
		wait_reply_busy(w);
}

static void get_users(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && rest_query_names(w))
		wait_for_account(w, USER_ADMIN, list);
}

/* --- make -------------------------------------------------------------------- */

static const char *text_of(const struct wait *w, const char *member)
{
	return json_string_value(json_object_get(w->body, member));
}

static void on_named(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err)
		refuse_change(w, err);
	else
		wait_reply_json(w, 0, 201, user_json(row));
}

static void on_made(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;
	struct user_change c = { .display_name = text_of(w, "display_name") };

	role_assert_ctl();
	if (err) {
		refuse_change(w, err);
		return;
	}
	wait_audit(w, "user_made", NULL, row->name);
	if (users_change(w->routes->cfg.db, w->name, &c, on_named, w))
		wait_reply_busy(w);
}

static void on_hash(void *obj, int err, const char *hash)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err)
		wait_reply_json(w, err, 0, NULL);
	else if (users_create(w->routes->cfg.db, w->name, hash, user_role_parse(text_of(w, "role")),
			      on_made, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static void make(struct wait *w)
{
	accounts_hash(w->routes->cfg.accounts, text_of(w, "password"), on_hash, w);
}

/* False: answered and ended. */
static bool check_texts(struct wait *w, const char *role, const char *display) ON_THREAD(ROLE_CTL)
{
	if (role && user_role_parse(role) == USER_NONE)
		wait_refuse(w, 400, "bad_json", "The member \"role\" must be \"admin\", \"host\" or "
			    "\"participant\".");
	else if (display && *display && !protocol_name_valid(display))
		wait_refuse(w, 400, "bad_json", "The member \"display_name\" must be a name of 1 to 64 "
			    "characters.");
	else
		return true;
	return false;
}

static void post_user(void *ctx, struct http_req *req)
{
	const char *name = NULL, *password = NULL, *role = NULL, *display = NULL;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, true, 1, DB_NAME_MAX, .text = &name },
		{ "password", REST_TEXT, true, PASSWORD_MIN, PASSWORD_MAX, .text = &password },
		{ "role", REST_TEXT, true, 1, 16, .text = &role },
		{ "display_name", REST_TEXT, false, 0, DB_NAME_MAX, .text = &display },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !rest_read(w, fields, 4) || !check_texts(w, role, display))
		return;
	/* A colon would end it in HTTP Basic, and the others in a path. */
	if (!protocol_name_valid(name) || strpbrk(name, ":/?#") || !strcmp(name, ".") ||
	    !strcmp(name, "..")) {
		wait_refuse(w, 400, "name_invalid", "A user's name has 1 to 64 characters, no blank at "
			    "either end and none of : / ? #");
		return;
	}
	snprintf(w->name, sizeof w->name, "%s", name);
	wait_for_account(w, USER_ADMIN, make);
}

/* --- change ------------------------------------------------------------------ */

static void on_changed(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;
	char detail[512];

	role_assert_ctl();
	if (err) {
		refuse_change(w, err);
		return;
	}
	snprintf(detail, sizeof detail, "%s:%s%s%s", w->name,
		 text_of(w, "password") ? " password" : "",
		 text_of(w, "role") ? " role=" : "", text_of(w, "role") ? text_of(w, "role") : "");
	wait_audit(w, "user_changed", NULL, detail);
	wait_reply_json(w, 0, 200, user_json(row));
}

static void change_with(struct wait *w, const char *hash) ON_THREAD(ROLE_CTL)
{
	const char *role = text_of(w, "role");
	struct user_change c = {
		.hash = hash, .display_name = text_of(w, "display_name"),
		.role = role ? user_role_parse(role) : USER_NONE,
	};

	if (users_change(w->routes->cfg.db, w->name, &c, on_changed, w))
		wait_reply_busy(w);
}

static void on_new_hash(void *obj, int err, const char *hash)
{
	role_assert_ctl();
	if (err)
		wait_reply_json(obj, err, 0, NULL);
	else
		change_with(obj, hash);
}

ON_THREAD(ROLE_CTL) static void change(struct wait *w)
{
	const char *password = text_of(w, "password");

	if (password)
		accounts_hash(w->routes->cfg.accounts, password, on_new_hash, w);
	else
		change_with(w, NULL);
}

static void put_user(void *ctx, struct http_req *req)
{
	const char *password = NULL, *role = NULL, *display = NULL;
	const struct rest_field fields[] = {
		{ "password", REST_TEXT, false, PASSWORD_MIN, PASSWORD_MAX, .text = &password },
		{ "role", REST_TEXT, false, 1, 16, .text = &role },
		{ "display_name", REST_TEXT, false, 0, DB_NAME_MAX, .text = &display },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !rest_read(w, fields, 3) || !check_texts(w, role, display))
		return;
	snprintf(w->name, sizeof w->name, "%s", http_req_param(req, "name"));
	wait_for_account(w, USER_ADMIN, change);
}

/* --- delete ------------------------------------------------------------------ */

static void on_deleted(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;

	(void)row;
	role_assert_ctl();
	if (err) {
		refuse_change(w, err);
		return;
	}
	if (w->routes->cfg.sip && *w->routes->cfg.sip)
		sip_forget_user(*w->routes->cfg.sip, w->name);
	if (w->routes->cfg.rtsp && *w->routes->cfg.rtsp)
		rtsp_forget_user(*w->routes->cfg.rtsp, w->name);
	wait_audit(w, "user_deleted", NULL, w->name);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop(struct wait *w)
{
	if (!w->name[0])
		refuse_change(w, -ENOENT);
	else if (users_delete(w->routes->cfg.db, w->name, on_deleted, w))
		wait_reply_busy(w);
}

static void delete_user(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	snprintf(w->name, sizeof w->name, "%s", http_req_param(req, "name"));
	wait_for_account(w, USER_ADMIN, drop);
}

int routes_users_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/users", get_users, r);

	if (!err)
		err = server_route(s, "POST", "/api/v1/users", post_user, r);
	if (!err)
		err = server_route(s, "PUT", "/api/v1/users/:name", put_user, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/users/:name", delete_user, r);
}
