/* Bodies of requests that make tokens, templates, schedules and trunks: what is taken is in
 * its bounds, and what is computed from it comes to an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/agenda.h"
#include "mcu/routes_priv.h"
#include "mcu/scopes.h"
#include "signaling/sip_trunk.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

static void token(const char *text, size_t len)
{
	struct errmsg why = { .code = "" };
	struct token_body b = { 0 };
	json_t *body = NULL;
	char names[SCOPES_TEXT_MAX];

	if (routes_token_parse(&body, text, len, &b, &why)) {
		check(!strcmp(why.code, "bad_json") && why.text[0]);
	} else {
		check(b.name[0] && b.scopes && b.days >= 0 && b.days <= 3660);
		scopes_write(names, b.scopes);
		check(scopes_read(names) == b.scopes);
	}
	json_decref(body);
}

static void template(const char *text, size_t len)
{
	struct room_rules rules = { 0 };
	struct template_row t = { 0 };
	struct errmsg why = { .code = "" };

	if (agenda_read_template(text, len, &t, &why)) {
		check(!strcmp(why.code, "bad_json") && why.text[0]);
		return;
	}
	/* what was taken can be read again */
	check(!agenda_read_settings(t.settings, strlen(t.settings), &rules, NULL, &why));
	check(rules.max_participants >= 0 && rules.max_participants <= 10000);
}

static void schedule(const char *text, size_t len)
{
	struct errmsg why = { .code = "" };
	struct schedule_slot slot;
	struct schedule_row row;
	struct schedule when;
	struct zone *zone;
	int64_t at = 0;

	if (agenda_read_schedule(text, len, &row, &why)) {
		check(!strcmp(why.code, "bad_json") && why.text[0]);
		return;
	}
	check(agenda_compile(&when, &zone, &row));
	for (int i = 0; i < 20 && schedule_next(&when, at, &slot); i++) {
		check(slot.from_ms > at && slot.until_ms == slot.from_ms + row.minutes * 60000);
		at = slot.from_ms;
		check(schedule_at(&when, at, &slot));
	}
	zone_free(&zone);
}

/* Its texts go into headers and addresses of SIP. */
static void trunk(const char *text, size_t len)
{
	json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct sip_trunk_cfg *c = NULL;
	struct errmsg why = { .code = "" };

	if (json_is_object(body) && sip_trunk_parse(&c, "t", body, "secret", &why)) {
		check(!strcmp(why.code, "trunk_invalid") && why.text[0] && !c);
	} else if (c) {
		check(*c->host && !strpbrk(c->uri, "<>\" \r\n") && !strpbrk(c->user, "<>\" \r\n"));
		check(c->expires_s >= 60 && c->expires_s <= 86400);
		check(c->n_numbers <= SIP_TRUNK_LIST_MAX && c->n_prefixes <= SIP_TRUNK_LIST_MAX &&
		      c->n_addresses <= SIP_TRUNK_LIST_MAX);
	}
	sip_trunk_cfg_free(&c);
	json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	token(text, size);
	template(text, size);
	schedule(text, size);
	trunk(text, size);
	return 0;
}
