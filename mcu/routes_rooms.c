/* Rooms: for hosts their own, for administrators all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/agenda.h"
#include "mcu/routes_priv.h"
#include "signaling/protocol.h"

static json_t *room_json(const struct wait *w, const struct room_row *r) ON_THREAD(ROLE_CTL)
{
	const struct room_rules *u = &r->rules;
	const char *record = u->record[0] ? u->record : w->routes->cfg.config->room.record;

	return json_pack("{s:s, s:s, s:s?, s:I, s:s?, s:b, s:b, s:b, s:b, s:b, s:s, s:b, s:b, s:i, s:i, s:I}",
			 "name", r->name, "title", r->title,
			 "number", r->number[0] ? r->number : NULL, "created_ms", (json_int_t)r->created_ms,
			 "owner", r->owner[0] ? r->owner : NULL, "members_only", u->members_only,
			 "lobby", u->lobby, "locked", u->locked, "unmute", u->unmute,
			 "stereo", u->stereo, "record", record, "guest_pin", u->guest_pin[0] != 0,
			 "host_pin", u->host_pin[0] != 0, "max_participants", u->max_participants,
			 "auto_people", u->auto_people,
			 "people", (json_int_t)conference_people(w->routes->cfg.conference, r->name));
}

bool wait_room_name(struct wait *w)
{
	const char *name = http_req_param(w->req, "room");

	if (protocol_room_name_valid(name)) {
		snprintf(w->name, sizeof w->name, "%s", name);
		return true;
	}
	wait_refuse(w, 400, "room_name_invalid",
		    "A room's name has 1 to 64 letters, digits and . _ - only.");
	return false;
}

static void refuse_unknown(struct wait *w) ON_THREAD(ROLE_CTL)
{
	wait_refuse(w, 404, "room_unknown", "No room called \"%s\" is registered.", w->name);
}

static bool owns(const struct wait *w)
{
	return w->who.role == USER_ADMIN || (w->room.registered && w->room.owner_id == w->who.id);
}

static void on_own_room(void *obj, int err, const struct room_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	if (row) {
		w->room = *row;
		w->room.settings_json = NULL;
	}
	if (err && err != -ENOENT)
		wait_reply_json(w, err, 0, NULL);
	else if (!owns(w))
		wait_refuse(w, 403, "not_allowed", "Only the owner of this room, or an administrator, may "
			    "do that.");
	else if (err || !w->room.registered)
		refuse_unknown(w);
	else
		w->next(w);
}

ON_THREAD(ROLE_CTL) static void find_own_room(struct wait *w)
{
	w->next = w->after;
	if (rooms_find(w->routes->cfg.db, w->name, on_own_room, w))
		wait_reply_busy(w);
}

void wait_for_owner(struct wait *w, void (*next)(struct wait *w))
{
	w->after = next;
	if (w->who.role == USER_ADMIN)
		next(w);
	else
		find_own_room(w);
}

void wait_for_own_room(struct wait *w, void (*next)(struct wait *w))
{
	w->after = next;
	wait_for_account(w, USER_PARTICIPANT, find_own_room);
}

static void on_hosts_room(void *obj, int err, const struct room_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req)
		wait_end(w);
	else if (err && err != -ENOENT)
		wait_reply_json(w, err, 0, NULL);
	else if (row && row->registered && row->owner_id == w->who.id)
		w->next(w);
	else
		wait_refuse(w, 403, "not_allowed", "Only a host of this room, or an administrator, may do "
			    "that.");
}

ON_THREAD(ROLE_CTL) static void find_hosts_room(struct wait *w)
{
	w->next = w->after;
	if (w->who.role == USER_ADMIN ||
	    conference_hosts(w->routes->cfg.conference, w->name, w->who.id))
		w->next(w);
	else if (rooms_find(w->routes->cfg.db, w->name, on_hosts_room, w))
		wait_reply_busy(w);
}

void wait_for_room_host(struct wait *w, void (*next)(struct wait *w))
{
	w->after = next;
	wait_for_account(w, USER_PARTICIPANT, find_hosts_room);
}

/* --- list and show ----------------------------------------------------------- */

static void on_list(void *obj, int err, const struct room_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, room_json(obj, &rows[i]));
	wait_reply_names(obj, err, "rooms", list, n && n == w->calls.max ? rows[n - 1].name : NULL);
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	int64_t owner = w->who.role == USER_ADMIN ? 0 : w->who.id;

	if (rooms_list(w->routes->cfg.db, owner, w->text, w->calls.max, on_list, w))
		wait_reply_busy(w);
}

static void get_rooms(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && rest_query_names(w))
		wait_for_account(w, USER_PARTICIPANT, list);
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	wait_reply_json(w, 0, 200, room_json(w, &w->room));
}

static void get_room(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_own_room(w, show);
}

/* --- register and change ------------------------------------------------------ */

/* What a body may have. */
struct room_body {
	const char *title, *record, *guest_pin, *host_pin, *owner, *number, *template;
	bool has_owner;
	int64_t max, auto_people;
};

static bool read_room(struct wait *w, struct room_rules *u, struct room_body *b)
	ON_THREAD(ROLE_CTL)
{
	const struct rest_field fields[] = {
		{ "title", REST_TEXT, false, 0, DB_NAME_MAX, .text = &b->title },
		{ "members_only", REST_BOOL, .flag = &u->members_only },
		{ "lobby", REST_BOOL, .flag = &u->lobby },
		{ "locked", REST_BOOL, .flag = &u->locked },
		{ "unmute", REST_BOOL, .flag = &u->unmute },
		{ "stereo", REST_BOOL, .flag = &u->stereo },
		{ "max_participants", REST_INT, false, 0, 10000, .number = &b->max },
		{ "record", REST_TEXT, false, 1, 7, .text = &b->record },
		{ "auto_people", REST_INT, false, 0, 1000, .number = &b->auto_people },
		{ "guest_pin", REST_TEXT, false, 0, PROTOCOL_MAX_PIN, .text = &b->guest_pin },
		{ "host_pin", REST_TEXT, false, 0, PROTOCOL_MAX_PIN, .text = &b->host_pin },
		{ "template", REST_TEXT, false, 1, 64, .text = &b->template },
		{ "number", REST_TEXT, false, 0, ROOM_NUMBER_LEN, .text = &b->number },
		{ "owner", REST_TEXT, false, 1, DB_NAME_MAX, .text = &b->owner,
		  .present = &b->has_owner },
	};

	json_decref(w->body);
	w->body = NULL;
	b->max = u->max_participants;
	b->auto_people = u->auto_people;
	if (!rest_read(w, fields, sizeof fields / sizeof *fields))
		return false;
	if (b->record && !record_right_parse(b->record))
		wait_refuse(w, 400, "bad_json", "The member \"record\" must be \"hosts\", \"all\", "
			    "\"nobody\" or \"auto\".");
	else if ((b->guest_pin && *b->guest_pin && !protocol_pin_valid(b->guest_pin)) ||
		 (b->host_pin && *b->host_pin && !protocol_pin_valid(b->host_pin)))
		wait_refuse(w, 400, "bad_json", "A PIN has 4 to 64 letters, digits or signs; \"\" removes "
			    "it.");
	else if (b->number && strspn(b->number, "0123456789") != strlen(b->number))
		wait_refuse(w, 400, "bad_json", "A room's number has 1 to 16 digits; \"\" removes it.");
	else
		return true;
	return false;
}

static void set_pin(const struct wait *w, char to[ROOM_PIN_HASH_LEN + 1], const char *pin)
{
	if (pin && *pin)
		pin_hash(to, w->routes->cfg.key, w->name, pin);
	else if (pin)
		to[0] = 0;
}

static void on_written(void *obj, int err, const struct room_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -EEXIST && w->req) {
		wait_refuse(w, 409, "number_taken", "Another room has the number %s. Choose another "
			    "one.", w->room.number);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "room_changed", w->name, NULL);
	conference_room_changed(w->routes->cfg.conference, row);
	wait_reply_json(w, 0, 200, room_json(w, row));
}

static void write_room(struct wait *w) ON_THREAD(ROLE_CTL)
{
	if (rooms_write(w->routes->cfg.db, &w->room, on_written, w))
		wait_reply_busy(w);
}

static void on_new_owner(void *obj, int err, const struct user_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
	} else if (err == -ENOENT) {
		wait_refuse(w, 400, "user_unknown", "The owner must be the name of a user.");
	} else if (err) {
		wait_reply_json(w, err, 0, NULL);
	} else {
		w->room.owner_id = row->id;
		write_room(w);
	}
}

/* Over what there is: a member that is not in the body stays as it was. */
static void apply(struct wait *w) ON_THREAD(ROLE_CTL)
{
	struct room_rules *u = &w->room.rules;
	struct room_body b = { 0 };

	if (!read_room(w, u, &b))
		return;
	if (b.title)
		snprintf(w->room.title, sizeof w->room.title, "%s", b.title);
	if (b.number)
		snprintf(w->room.number, sizeof w->room.number, "%s", b.number);
	if (b.record)
		snprintf(u->record, sizeof u->record, "%s", b.record);
	u->max_participants = (int)b.max;
	u->auto_people = (int)b.auto_people;
	set_pin(w, u->guest_pin, b.guest_pin);
	set_pin(w, u->host_pin, b.host_pin);
	if (b.has_owner && w->who.role != USER_ADMIN) {
		wait_refuse(w, 403, "not_allowed", "Only an administrator may give a room to somebody.");
		return;
	}
	if (b.has_owner && !b.owner)
		w->room.owner_id = 0;
	if (!b.owner)
		write_room(w);
	else if (users_find(w->routes->cfg.db, b.owner, on_new_owner, w))
		wait_reply_busy(w);
}

/* Its settings come first, then what else the body says. False: answered and ended. */
ON_THREAD(ROLE_CTL) static bool take_template(struct wait *w)
{
	const char *name = json_string_value(json_object_get(w->body, "template"));

	if (!name || agenda_template(w->routes->cfg.agenda, name, &w->room.rules, w->room.title))
		return true;
	wait_refuse(w, 400, "template_unknown", "There is no template called \"%s\".", name);
	return false;
}

static void on_old_room(void *obj, int err, const struct room_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	if (err && err != -ENOENT) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	if (row && row->registered) {
		w->room = *row;
		if (!owns(w)) {
			wait_refuse(w, 403, "not_allowed", "This room belongs to somebody else.");
			return;
		}
	} else if (w->who.role != USER_ADMIN &&
		   conference_people(w->routes->cfg.conference, w->name)) {
		wait_refuse(w, 409, "room_in_use", "People are in this room now. Register it when "
			    "they have left, or ask an administrator.");
		return;
	} else {
		w->room = (struct room_row){ .owner_id = w->who.id, .rules.unmute = true };
		snprintf(w->room.name, sizeof w->room.name, "%s", w->name);
	}
	w->room.settings_json = NULL;
	if (take_template(w))
		apply(w);
}

ON_THREAD(ROLE_CTL) static void find_old_room(struct wait *w)
{
	if (rooms_find(w->routes->cfg.db, w->name, on_old_room, w))
		wait_reply_busy(w);
}

static void put_room(void *ctx, struct http_req *req)
{
	struct wait *w;
	struct room_rules scratch = { 0 };
	struct room_body b = { 0 };

	role_assert_ctl();
	w = wait_new(ctx, req);
	/* The body is looked at first, so that what is wrong is said before anything. */
	if (w && wait_room_name(w) && read_room(w, &scratch, &b))
		wait_for_account(w, USER_HOST, find_old_room);
}

/* --- unregister ---------------------------------------------------------------- */

static void on_forgotten(void *obj, int err, const struct room_row *row)
{
	struct wait *w = obj;
	struct room_row gone;

	role_assert_ctl();
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	gone = *row;
	gone.registered = false;
	wait_audit(w, "room_deleted", w->name, NULL);
	agenda_load(w->routes->cfg.agenda);
	conference_room_changed(w->routes->cfg.conference, &gone);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void forget(struct wait *w)
{
	if (rooms_forget(w->routes->cfg.db, w->name, on_forgotten, w))
		wait_reply_busy(w);
}

static void delete_room(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_own_room(w, forget);
}

int routes_rooms_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms", get_rooms, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room", get_room, r);
	if (!err)
		err = server_route(s, "PUT", "/api/v1/rooms/:room", put_room, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room", delete_room, r);
}
