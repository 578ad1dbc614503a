/* Passwords with which users' telephones register; for themselves, and for
 * administrators. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/rtsp.h"
#include "signaling/sip.h"
#include "signaling/sip_digest.h"

enum { MADE_PASSWORD_LEN = 16, SIP_PASSWORD_MAX = 64 };

static struct sip *sip_of(const struct wait *w)
{
	return w->routes->cfg.sip ? *w->routes->cfg.sip : NULL;
}

static struct rtsp *rtsp_of(const struct wait *w)
{
	return w->routes->cfg.rtsp ? *w->routes->cfg.rtsp : NULL;
}

/* The same of both. */
static const char *realm_of(const struct wait *w) ON_THREAD(ROLE_CTL)
{
	return sip_of(w) ? sip_realm(sip_of(w)) : rtsp_realm(rtsp_of(w));
}

/* False: answered and ended. */
static bool check(struct wait *w) ON_THREAD(ROLE_CTL)
{
	if (w->who.role != USER_ADMIN && strcmp(w->who.name, w->name))
		wait_refuse(w, 403, "not_allowed", "Only administrators may do this for others.");
	else if (!sip_of(w) && !rtsp_of(w))
		wait_refuse(w, 409, "sip_off", "This server has neither SIP nor RTSP: set "
			    "sip.port or rtsp.port in mcu.yaml.");
	else
		return true;
	return false;
}

static void refuse_user(struct wait *w, int err) ON_THREAD(ROLE_CTL)
{
	if (err == -ENOENT)
		wait_refuse(w, 404, "user_unknown", "There is no user called \"%s\".", w->name);
	else
		wait_reply_json(w, err, 0, NULL);
}

/* --- show -------------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	const struct sip_binding *phones = NULL;
	bool enabled;
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	json_t *list = json_array();
	size_t n = 0;

	if (!check(w)) {
		json_decref(list);
		return;
	}
	if (sip_of(w))
		n = sip_phones(sip_of(w), w->name, &phones);
	enabled = sip_of(w) ? sip_has_user(sip_of(w), w->name) : rtsp_has_user(rtsp_of(w), w->name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I}", "contact", phones[i].uri,
						      "address", phones[i].route, "agent",
						      phones[i].agent, "expires_s",
						      (json_int_t)(phones[i].expires_ms - now_ms) / 1000));
	wait_reply_json(w, 0, 200, json_pack("{s:s, s:s, s:b, s:o}", "user", w->name, "realm",
					     realm_of(w), "enabled",
					     enabled, "phones", list));
}

/* --- set ---------------------------------------------------------------------------- */

static void on_kept(void *obj, int err)
{
	struct wait *w = obj;
	const struct sip_secret_row *s = w->secret;
	struct sip *sip = sip_of(w);
	json_t *body;

	role_assert_ctl();
	if (err) {
		refuse_user(w, err);
		return;
	}
	/* Whoever knew the old password is not registered any more. */
	if (sip) {
		sip_forget_user(sip, s->user);
		sip_set_user(sip, s->user, s->ha1_md5, s->ha1_sha256);
	}
	if (rtsp_of(w))
		rtsp_set_user(rtsp_of(w), s->user, s->ha1_md5, s->ha1_sha256);
	wait_audit(w, "sip_password_set", NULL, w->name);
	body = json_pack("{s:s, s:s}", "user", w->name, "realm", s->realm);
	if (w->token[0])
		json_object_set_new(body, "password", json_string(w->token));
	wait_reply_json(w, 0, 200, body);
}

static void set_user(struct wait *w) ON_THREAD(ROLE_CTL)
{
	const char *password = json_string_value(json_object_get(w->body, "password"));
	struct sip_secret_row *s;
	char ha1[SIP_HASH_MAX + 1];

	if (!check(w))
		return;
	if (!password) {
		if (password_random(w->token, MADE_PASSWORD_LEN)) {
			wait_reply_json(w, -EIO, 0, NULL);
			return;
		}
		password = w->token;
	}
	s = w->secret = calloc(1, sizeof *s);
	if (!s) {
		wait_reply_json(w, -ENOMEM, 0, NULL);
		return;
	}
	snprintf(s->user, sizeof s->user, "%s", w->name);
	snprintf(s->realm, sizeof s->realm, "%s", realm_of(w));
	sip_digest_ha1(ha1, SIP_DIGEST_MD5, w->name, s->realm, password);
	snprintf(s->ha1_md5, sizeof s->ha1_md5, "%.32s", ha1);
	sip_digest_ha1(ha1, SIP_DIGEST_SHA256, w->name, s->realm, password);
	snprintf(s->ha1_sha256, sizeof s->ha1_sha256, "%s", ha1);
	explicit_bzero(ha1, sizeof ha1);
	if (sip_secret_put(w->routes->cfg.db, s, on_kept, w))
		wait_reply_busy(w);
}

/* --- drop ---------------------------------------------------------------------------- */

static void on_dropped(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err) {
		refuse_user(w, err);
		return;
	}
	if (sip_of(w))
		sip_forget_user(sip_of(w), w->name);
	if (rtsp_of(w))
		rtsp_forget_user(rtsp_of(w), w->name);
	wait_audit(w, "sip_password_dropped", NULL, w->name);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop(struct wait *w)
{
	if (check(w) && sip_secret_delete(w->routes->cfg.db, w->name, on_dropped, w))
		wait_reply_busy(w);
}

/* --- routes --------------------------------------------------------------------------- */

static struct wait *begin(void *ctx, struct http_req *req) ON_THREAD(ROLE_CTL)
{
	struct wait *w = wait_new(ctx, req);

	if (w)
		snprintf(w->name, sizeof w->name, "%s", http_req_param(req, "name"));
	return w;
}

static void get_user_sip(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = begin(ctx, req);
	if (w)
		wait_for_account(w, USER_PARTICIPANT, show);
}

static void put_user_sip(void *ctx, struct http_req *req)
{
	const char *password = NULL;
	const struct rest_field fields[] = {
		{ "password", REST_TEXT, false, PASSWORD_MIN, SIP_PASSWORD_MAX, .text = &password },
	};
	struct wait *w;

	role_assert_ctl();
	w = begin(ctx, req);
	if (w && rest_read(w, fields, 1))
		wait_for_account(w, USER_PARTICIPANT, set_user);
}

static void delete_user_sip(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = begin(ctx, req);
	if (w)
		wait_for_account(w, USER_PARTICIPANT, drop);
}

int routes_sip_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/users/:name/sip", get_user_sip, r);

	if (!err)
		err = server_route(s, "PUT", "/api/v1/users/:name/sip", put_user_sip, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/users/:name/sip", delete_user_sip, r);
}
