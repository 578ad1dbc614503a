#include "mcu/sip_registry.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "storage/sip_store.h"

_Static_assert((int)SIP_BINDINGS_PER_USER <= (int)SIP_PHONES_MAX, "all of a user's are kept");

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

static void keep_bindings(void *obj, const char *user, const struct sip_binding *all, size_t n)
{
	struct sip_phone_row rows[SIP_BINDINGS_PER_USER];

	memset(rows, 0, sizeof rows);
	for (size_t i = 0; i < n; i++) {
		COPY(rows[i].uri, all[i].uri);
		COPY(rows[i].route, all[i].route);
		COPY(rows[i].path, all[i].path);
		COPY(rows[i].call_id, all[i].call_id);
		COPY(rows[i].instance, all[i].instance);
		COPY(rows[i].agent, all[i].agent);
		rows[i].cseq = all[i].cseq;
		rows[i].expires_ms = all[i].expires_ms;
	}
	if (sip_phones_put(obj, user, rows, n))
		log_warn(NULL, "where the telephones of %s are could not be kept", user);
}

struct sip_store sip_registry_store(struct db *db)
{
	return (struct sip_store){ .ctx = db, .bindings = keep_bindings };
}

/* Collected on the database's thread while CTL waits, then told on CTL. */
struct loading {
	GArray *secrets, *phones, *trunks; /* rows */
};

static void on_secret(void *obj, const struct sip_secret_row *row)
{
	g_array_append_vals(((struct loading *)obj)->secrets, row, 1);
}

static void on_phone(void *obj, const struct sip_phone_row *row)
{
	g_array_append_vals(((struct loading *)obj)->phones, row, 1);
}

static void on_trunk(void *obj, const struct sip_trunk_row *row)
{
	g_array_append_vals(((struct loading *)obj)->trunks, row, 1);
}

ON_THREAD(ROLE_CTL) static void tell_secrets(struct sip *sip, const GArray *rows)
{
	size_t others = 0;

	for (size_t i = 0; i < rows->len; i++) {
		const struct sip_secret_row *row = &g_array_index(rows, struct sip_secret_row, i);

		if (!strcmp(row->realm, sip_realm(sip)))
			sip_set_user(sip, row->user, row->ha1_md5, row->ha1_sha256);
		else
			others++;
	}
	if (others)
		log_warn(NULL, "SIP: %zu users have a password of another realm than \"%s\" and cannot "
			 "register: give them a new one, or set sip.realm back", others, sip_realm(sip));
}

ON_THREAD(ROLE_CTL) static void tell_phones(struct sip *sip, const GArray *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		const struct sip_phone_row *row = &g_array_index(rows, struct sip_phone_row, i);
		struct sip_binding b = { .cseq = row->cseq, .expires_ms = row->expires_ms };

		COPY(b.uri, row->uri);
		COPY(b.route, row->route);
		COPY(b.path, row->path);
		COPY(b.call_id, row->call_id);
		COPY(b.instance, row->instance);
		COPY(b.agent, row->agent);
		sip_restore_phone(sip, row->user, &b);
	}
}

ON_THREAD(ROLE_CTL) static void tell_trunks(struct sip *sip, const GArray *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		const struct sip_trunk_row *row = &g_array_index(rows, struct sip_trunk_row, i);
		json_t *settings = json_loads(row->settings, 0, NULL);
		struct errmsg why = { .text = "not JSON" };

		if (!settings || sip_put_trunk(sip, row->name, settings, row->password, &why))
			log_warn(NULL, "SIP: trunk %s cannot be used: %s", row->name, why.text);
		json_decref(settings);
	}
}

int sip_registry_load_rtsp(struct db *db, struct rtsp *rtsp, struct errmsg *why)
{
	struct loading l = { .secrets = g_array_new(FALSE, FALSE, sizeof(struct sip_secret_row)) };
	struct sip_load load = { .obj = &l, .now_ms = clock_wall_ns() / NS_PER_MS,
				 .secret = on_secret };
	int err = sip_load(db, &load);

	if (err)
		errmsg_set(why, err, "sip_registry", "The passwords for players cannot be read: %s.",
			   err_str(err));
	for (size_t i = 0; !err && i < l.secrets->len; i++) {
		const struct sip_secret_row *row = &g_array_index(l.secrets, struct sip_secret_row, i);

		if (!strcmp(row->realm, rtsp_realm(rtsp)))
			rtsp_set_user(rtsp, row->user, row->ha1_md5, row->ha1_sha256);
	}
	g_array_unref(l.secrets);
	return err;
}

int sip_registry_load(struct db *db, struct sip *sip, struct errmsg *why)
{
	struct loading l = {
		.secrets = g_array_new(FALSE, FALSE, sizeof(struct sip_secret_row)),
		.phones = g_array_new(FALSE, FALSE, sizeof(struct sip_phone_row)),
		.trunks = g_array_new(FALSE, FALSE, sizeof(struct sip_trunk_row)),
	};
	struct sip_load load = { .obj = &l, .now_ms = clock_wall_ns() / NS_PER_MS,
				 .secret = on_secret, .phone = on_phone, .trunk = on_trunk };
	int err = sip_load(db, &load);

	if (err) {
		errmsg_set(why, err, "sip_registry", "What SIP keeps in the database cannot be read: %s.",
			   err_str(err));
	} else {
		tell_secrets(sip, l.secrets);
		tell_phones(sip, l.phones);
		tell_trunks(sip, l.trunks);
	}
	g_array_unref(l.secrets);
	g_array_unref(l.phones);
	g_array_unref(l.trunks);
	return err;
}
