/* Routes for administrators: who did what. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "storage/audit.h"

static json_t *audit_json(const struct audit_row *a)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, a->id);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s}", "id", id, "at", (json_int_t)a->at_ms,
			 "action", a->action, "actor", a->actor, "address", a->address, "room", a->room,
			 "detail", a->detail);
}

static void on_audit(void *obj, int err, const struct audit_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, audit_json(&rows[i]));
	wait_reply_page(obj, err, "audit", list, n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list_audit(struct wait *w)
{
	if (audit_list(w->routes->cfg.db, w->id, w->calls.max, on_audit, w))
		wait_reply_busy(w);
}

static void get_audit(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->calls.max = AUDIT_LIST_MAX;
	if (rest_query_page(w, "before", &w->id, &w->calls.max, AUDIT_LIST_MAX))
		wait_for_account(w, USER_ADMIN, list_audit);
}

int routes_admin_new(struct routes *r, struct server *s)
{
	return server_route(s, "GET", "/api/v1/audit", get_audit, r);
}
