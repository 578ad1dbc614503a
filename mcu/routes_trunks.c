/* SIP trunks, for administrators. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/sip.h"

static struct sip *sip_of(const struct wait *w)
{
	return w->routes->cfg.sip ? *w->routes->cfg.sip : NULL;
}

/* False: answered and ended. */
static bool check(struct wait *w) ON_THREAD(ROLE_CTL)
{
	if (sip_of(w))
		return true;
	wait_refuse(w, 409, "sip_off", "This server has no SIP: set sip.port in mcu.yaml.");
	return false;
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	if (check(w))
		wait_reply_json(w, 0, 200, json_pack("{s:o}", "trunks", sip_trunk_list(sip_of(w), NULL)));
}

static void get_trunks(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w)
		wait_for_account(w, USER_ADMIN, list);
}

/* --- set ---------------------------------------------------------------------------- */

static void on_kept(void *obj, int err)
{
	struct wait *w = obj;
	json_t *all, *one;

	role_assert_ctl();
	if (err || !sip_of(w)) {
		wait_reply_json(w, err ? err : -ESHUTDOWN, 0, NULL);
		return;
	}
	wait_audit(w, "trunk_set", NULL, w->name);
	all = sip_trunk_list(sip_of(w), w->name);
	one = json_incref(json_array_get(all, 0));
	json_decref(all);
	wait_reply_json(w, 0, 200, one);
}

/* In force at once; kept for the next start. */
static void set_trunk(struct wait *w) ON_THREAD(ROLE_CTL)
{
	const char *password = json_string_value(json_object_get(w->body, "password"));
	struct sip_trunk_row *row;
	struct errmsg why;
	char *text;
	int err;

	if (!check(w))
		return;
	row = calloc(1, sizeof *row);
	if (!row) {
		wait_reply_json(w, -ENOMEM, 0, NULL);
		return;
	}
	if (!password) /* what is not said stays */
		password = sip_trunk_password(sip_of(w), w->name);
	snprintf(row->password, sizeof row->password, "%s", password ? password : "");
	snprintf(row->name, sizeof row->name, "%.*s", SIP_TRUNK_NAME_MAX, w->name);
	json_object_del(w->body, "password");
	text = json_dumps(w->body, JSON_COMPACT);
	if (strlen(w->name) > SIP_TRUNK_NAME_MAX || !text || strlen(text) > SIP_TRUNK_SETTINGS_MAX) {
		wait_refuse(w, 400, "trunk_invalid", "The trunk's name or its lists are too long.");
	} else {
		strcpy(row->settings, text);
		err = sip_put_trunk(sip_of(w), row->name, w->body, row->password, &why);
		if (err)
			wait_refuse(w, 400, "trunk_invalid", "%s", why.text);
		else if (sip_trunk_put(w->routes->cfg.db, row, on_kept, w))
			wait_reply_busy(w);
	}
	free(text);
	explicit_bzero(row, sizeof *row);
	free(row);
}

static void put_trunk(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *text;
	size_t len;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	text = http_req_body(req, &len);
	w->body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(w->body)) {
		wait_refuse(w, 400, "bad_json", "The body must be a JSON object.");
		return;
	}
	snprintf(w->name, sizeof w->name, "%s", http_req_param(req, "name"));
	wait_for_account(w, USER_ADMIN, set_trunk);
}

/* --- delete -------------------------------------------------------------------------- */

static void on_deleted(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "trunk_unknown", "There is no trunk called \"%s\".", w->name);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "trunk_deleted", NULL, w->name);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop(struct wait *w)
{
	if (!check(w))
		return;
	(void)sip_remove_trunk(sip_of(w), w->name);
	if (sip_trunk_delete(w->routes->cfg.db, w->name, on_deleted, w))
		wait_reply_busy(w);
}

static void delete_trunk(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	snprintf(w->name, sizeof w->name, "%s", http_req_param(req, "name"));
	wait_for_account(w, USER_ADMIN, drop);
}

int routes_trunks_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/trunks", get_trunks, r);

	if (!err)
		err = server_route(s, "PUT", "/api/v1/trunks/:name", put_trunk, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/trunks/:name", delete_trunk, r);
}
