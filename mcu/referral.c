/* Calls that telephones ask for by REFER (signaling/sip_dial.h): who it is and whose room
 * it is are looked up, then it is as if he had asked by `dial`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/conference_priv.h"
#include "storage/audit.h"

struct referral {
	struct conference *conf;
	char user[DB_NAME_MAX + 1], room[257], to[DIAL_TO_MAX + 1];
	bool inside, admin;
	int64_t user_id;
	struct sip_refer_wish wish;
};

ON_THREAD(ROLE_CTL) static void end(struct referral *r, int err, const struct errmsg *why)
{
	const struct sip_refer_wish wish = r->wish;

	free(r);
	wish.done(wish.obj, err, why);
}

ON_THREAD(ROLE_CTL) static void fail(struct referral *r, int err, const char *code,
				     const char *text)
{
	struct errmsg why;

	errmsg_set(&why, err, code, "%s", text);
	end(r, err, &why);
}

ON_THREAD(ROLE_CTL) static void fail_busy(struct referral *r)
{
	fail(r, -EBUSY, "busy", "The server is busy. Try again in a moment.");
}

/* row: of its room; NULL: it is not registered. */
ON_THREAD(ROLE_CTL) static void decide(struct referral *r, const struct room_row *row)
{
	struct conference *c = r->conf;
	bool owner = row && row->registered && row->owner_id == r->user_id;
	struct dial_ask ask = {
		.room = row ? row->name : r->room, .to = r->to, .by = r->user,
		.user_id = r->user_id, .progress = r->wish.progress, .obj = r->wish.obj,
	};
	struct errmsg why = { .code = "" };
	int64_t id;
	int err;

	ask.host = owner || r->admin || conference_hosts(c, ask.room, r->user_id);
	if (c->stopping)
		err = errmsg_set(&why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	else if (!ask.host && !r->inside)
		err = errmsg_set(&why, -EACCES, "not_allowed", "Only a host of this room, or an "
				 "administrator, may do that.");
	else
		err = dials_start(c->dials, &ask, &id, &why);
	if (!err)
		audit_add(c->cfg.db, &(struct audit_entry){ .action = "dialled", .actor = r->user,
							    .room = ask.room, .detail = r->to });
	end(r, err, &why);
}

static void on_number(void *obj, int err, const struct room_row *row)
{
	struct referral *r = obj;

	role_assert_ctl();
	r->conf->pending--;
	if (err && err != -ENOENT)
		fail_busy(r);
	else
		decide(r, err ? NULL : row);
}

static void on_room(void *obj, int err, const struct room_row *row)
{
	struct referral *r = obj;

	role_assert_ctl();
	r->conf->pending--;
	if (err == -ENOENT || (!err && !row->registered)) {
		/* its number may have been said instead */
		if (rooms_find_number(r->conf->cfg.db, r->room, on_number, r))
			decide(r, NULL);
		else
			r->conf->pending++;
	} else if (err) {
		fail_busy(r);
	} else {
		decide(r, row);
	}
}

static void on_user(void *obj, int err, const struct user_row *row)
{
	struct referral *r = obj;

	role_assert_ctl();
	r->conf->pending--;
	if (err == -ENOENT) {
		fail(r, -EACCES, "not_allowed", "You may not have anybody called.");
		return;
	}
	if (!err) {
		r->user_id = row->id;
		r->admin = row->role == USER_ADMIN;
		err = rooms_find(r->conf->cfg.db, r->room, on_room, r);
	}
	if (err)
		fail_busy(r);
	else
		r->conf->pending++;
}

void conference_refer(void *ctx, const struct sip_refer_wish *wish)
{
	struct conference *c = ctx;
	struct referral *r = calloc(1, sizeof *r);
	struct errmsg why;

	role_assert_ctl();
	if (!r) {
		errmsg_set(&why, -ENOMEM, "internal", "The server is out of memory.");
		wish->done(wish->obj, -ENOMEM, &why);
		return;
	}
	r->conf = c;
	r->wish = *wish;
	r->inside = wish->inside;
	if (strlen(wish->user) >= sizeof r->user || strlen(wish->room) >= sizeof r->room ||
	    strlen(wish->to) >= sizeof r->to) {
		fail(r, -EINVAL, "dial_invalid", "That is too long an address.");
		return;
	}
	snprintf(r->user, sizeof r->user, "%s", wish->user);
	snprintf(r->room, sizeof r->room, "%s", wish->room);
	snprintf(r->to, sizeof r->to, "%s", wish->to);
	if (users_find(c->cfg.db, r->user, on_user, r))
		fail_busy(r);
	else
		c->pending++;
}

bool conference_may_call(void *ctx, const char *uri)
{
	const struct conference *c = ctx;

	role_assert_ctl();
	return dials_reaches(c->dials, uri);
}
