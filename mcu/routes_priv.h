/* The insides of the HTTP routes. CTL.
 *   routes.c              what everybody may ask; life
 *   routes_auth.c         who asks; sign-in and sign-out
 *   routes_users.c        users
 *   routes_tokens.c       tokens of programs
 *   routes_rooms.c        rooms
 *   routes_invitations.c  invitations to them
 *   routes_legs.c         who is in a room, with numbers
 *   routes_calls.c        records of calls
 *   routes_dial.c         calls that a room makes
 *   routes_playbacks.c    what is played into a room
 *   routes_admin.c        audit
 *   routes_recordings.c   recordings: search, change, delete, links
 *   routes_recording_files.c  their files, for whoever has a link
 *   routes_recording_rules.c  how long they stay
 *   routes_record.c       recording a room
 *   routes_captures.c     captures of packets
 *   routes_hls.c          streams over HTTP
 *   routes_pushes.c       servers that a room is sent to
 *   routes_sip.c          users' passwords for telephones
 *   routes_trunks.c       SIP trunks
 *   routes_history.c      sessions, participants, quality
 *   routes_statistics.c   use of rooms, by day and by room
 *   routes_plans.c        templates and schedules of rooms
 *   rest_body.c           reading a JSON body
 *   rest_query.c          reading a query; pages of a list */
#ifndef MCU_ROUTES_PRIV_H
#define MCU_ROUTES_PRIV_H

#include <glib.h>
#include <jansson.h>

#include "mcu/accounts.h"
#include "mcu/routes.h"
#include "signaling/protocol.h"
#include "storage/calls.h"
#include "storage/db.h"
#include "storage/rooms.h"
#include "storage/sip_store.h"
#include "storage/users.h"

struct routes {
	struct routes_cfg cfg;
	GPtrArray *waiting; /* struct wait */
};

/* A request that waits for the registry or for a password's hash. Never two of
 * these at once, so one object does for the whole way. */
struct wait {
	struct routes *routes;
	struct http_req *req; /* NULL: answered already, at the stop */
	/* What is to be done once it is known who asks; ends w, now or later. */
	void (*next)(struct wait *w);
	void (*after)(struct wait *w); /* that, once the room is known too */
	void (*then)(struct wait *w);  /* and that, once it is known which room it is about */
	enum user_role least; /* of who asks */
	struct user_row who;  /* who asks */
	json_t *body;
	int64_t id;
	bool flag; /* of the body, what it is called there */
	bool host; /* of the invitation that is made, as what follows */
	int64_t seconds, uses;
	char token[INVITATION_LEN + 1];
	uint32_t scopes; /* of the token that is made */
	char name[DB_NAME_MAX + 1]; /* of the room or user that it is about */
	struct room_row room;
	struct call_filter calls; /* its texts are name and text */
	char text[CALL_TEXT_MAX + 1];
	struct sip_secret_row *secret; /* that is being kept */
	struct usage_ask *usage;       /* owned, by free() */
	struct plan_ask *plan;	       /* likewise */
	struct recording_ask *rec;     /* routes_recordings.h */
	struct record_wish record;
};

/* NULL: out of memory, answered. */
struct wait *wait_new(struct routes *r, struct http_req *req) ON_THREAD(ROLE_CTL);
void wait_end(struct wait *w) ON_THREAD(ROLE_CTL);
void wait_reply_busy(struct wait *w) ON_THREAD(ROLE_CTL);
/* Takes body (NULL with err 0: out of memory). Ends w. */
void wait_reply_json(struct wait *w, int err, int status, json_t *body) ON_THREAD(ROLE_CTL);
/* 204. Ends w. */
void wait_reply_nothing(struct wait *w) ON_THREAD(ROLE_CTL);
/* Ends w. */
__attribute__((format(printf, 4, 5))) void wait_refuse(struct wait *w, int status,
						       const char *code, const char *fmt, ...)
	ON_THREAD(ROLE_CTL);
/* By what accounts.h says. Ends w. */
void wait_refuse_account(struct wait *w, const struct account_refusal *no) ON_THREAD(ROLE_CTL);

/* Goes on with next(w) when somebody with at least this role asks; otherwise w has
 * been answered and ended. Only administrators may use HTTP Basic. */
void wait_for_account(struct wait *w, enum user_role least, void (*next)(struct wait *w))
	ON_THREAD(ROLE_CTL);
/* The name of a room in the path into w->name. False: answered and ended. */
bool wait_room_name(struct wait *w) ON_THREAD(ROLE_CTL);
/* Goes on with next(w) when who asks owns the room w->name or is an administrator;
 * w->room is its row then, without settings_json. */
void wait_for_own_room(struct wait *w, void (*next)(struct wait *w)) ON_THREAD(ROLE_CTL);
/* The same for a running room, which its hosts may deal with too, registered or not;
 * w->room is not filled in. */
void wait_for_room_host(struct wait *w, void (*next)(struct wait *w)) ON_THREAD(ROLE_CTL);
/* One who does something, for the audit. */
void wait_audit(const struct wait *w, const char *action, const char *room, const char *detail)
	ON_THREAD(ROLE_CTL);

/* Goes on with next(w), for administrators and for who owns w->name; once it is known who
 * asks. */
void wait_for_owner(struct wait *w, void (*next)(struct wait *w)) ON_THREAD(ROLE_CTL);

/* --- queries ----------------------------------------------------------------- */

enum { REST_PAGE_MAX = 1000 };

/* Each leaves its value alone when the query has no such member. False: it is wrong; w has
 * been answered (400 bad_query) and ended. */
/* A time: milliseconds since 1970, or a day, which begins in UTC. */
bool rest_query_time(struct wait *w, const char *name, int64_t *ms) ON_THREAD(ROLE_CTL);
/* A page: the id after which, or before which, it goes on; "limit", 1 to most. */
bool rest_query_page(struct wait *w, const char *cursor, int64_t *id, size_t *max, size_t most)
	ON_THREAD(ROLE_CTL);
/* The same of a list by name: the name goes into w->text, limit into w->calls.max. */
bool rest_query_names(struct wait *w) ON_THREAD(ROLE_CTL);
/* An id of the path; 404 not_found. */
bool rest_path_id(struct wait *w, const char *name, int64_t *id) ON_THREAD(ROLE_CTL);
/* Digits alone, 1 to max. -1: they are not. */
int64_t rest_number(const char *text, int64_t max);
/* Takes rows. next: the id with which the next page is asked for; 0: this was the last. It is
 * told as a text. Ends w. */
void wait_reply_page(struct wait *w, int err, const char *name, json_t *rows, int64_t next)
	ON_THREAD(ROLE_CTL);
/* The same by name; NULL or "": the last. */
void wait_reply_names(struct wait *w, int err, const char *name, json_t *rows, const char *next)
	ON_THREAD(ROLE_CTL);
/* Takes all rows of a list that is short, in the order of this member (w->text: names,
 * ascending; else ids, w->calls.before; down: the largest first), and replies with those that
 * were asked for. Ends w. */
void wait_reply_part(struct wait *w, int err, const char *name, json_t *rows, const char *member,
		     bool down) ON_THREAD(ROLE_CTL);

/* --- bodies ------------------------------------------------------------------ */

enum rest_kind { REST_TEXT = 1, REST_BOOL, REST_INT, REST_ARRAY, REST_OBJECT };

struct rest_field {
	const char *name;
	enum rest_kind kind;
	bool required;
	int64_t min, max; /* octets of a text, value of a number */
	const char **text; /* borrowed of the body; NULL: absent or null */
	bool *present;	   /* may be NULL; true also for null */
	bool *flag;	   /* left alone when absent */
	int64_t *number;   /* likewise */
	json_t **json;	   /* an array of min to max elements, or an object; borrowed; likewise */
};

/* Reads the body of w into w->body and the fields from it. False: it is wrong; w has
 * been answered (400 bad_json, naming the member) and ended. An empty body is {}. */
bool rest_read(struct wait *w, const struct rest_field *fields, size_t n) ON_THREAD(ROLE_CTL);
/* The same without a request: 0 or -EINVAL with *why. */
int rest_parse(json_t **body, const char *text, size_t len, const struct rest_field *fields,
	       size_t n, struct errmsg *why);

/* The body of a token that is to be made, apart for its fuzzer. 0 or -EINVAL with *why;
 * *body is the caller's. */
struct token_body {
	char name[CALL_TEXT_MAX + 1];
	uint32_t scopes;
	int64_t days; /* 0: it never expires */
};
int routes_token_parse(json_t **body, const char *text, size_t len, struct token_body *out,
		       struct errmsg *why);

int routes_auth_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_users_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_tokens_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_rooms_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_invitations_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_legs_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_history_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_statistics_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_plans_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_calls_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_dial_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_playbacks_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_layout_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_sip_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_trunks_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_admin_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_recordings_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_recording_files_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_recording_rules_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_captures_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_hls_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_pushes_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);
int routes_record_new(struct routes *r, struct server *s) ON_THREAD(ROLE_CTL);

#endif
