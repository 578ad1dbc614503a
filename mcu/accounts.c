#include "mcu/accounts.h"

#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/rate_limit.h"
#include "mcu/room/engine.h"
#include "storage/api_tokens.h"
#include "storage/audit.h"
#include "storage/invitations.h"

METRIC_COUNTER(m_wrong, "mcu_guesses_wrong_total", "Passwords, tokens and PINs that were wrong.");
METRIC_COUNTER(m_blocked, "mcu_guesses_blocked_total",
	       "Passwords, tokens and PINs that were not looked at, after too many wrong ones.");

enum { LIMIT_KEYS = 8192 };

struct accounts {
	struct accounts_cfg cfg;
	GThreadPool *hashing; /* NULL: stopping */
	GPtrArray *tasks;     /* struct task */
	struct rate_limit *by_address, *by_user, *tokens, *pins, *pin_rooms;
};

/* A question that is under way. */
struct task {
	struct accounts *a;
	account_cb *cb;
	account_hash_cb *hash_cb;
	account_identity_cb *identity_cb;
	void *obj;
	char name[DB_NAME_MAX + 1], address[64], room[DB_NAME_MAX + 1];
	char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_MAX];
	struct user_row user;
	struct token token;
	enum scope scope; /* that a program's token must have */
	bool known; /* the user exists */
	/* Orders the hand-over to the hashing thread, also for those who cannot see
	 * GLib's own (the thread sanitizer). */
	_Atomic bool handed;
	int verdict;
};

static int64_t now_ns(const struct accounts *a)
{
	return clock_now_ns(a->cfg.clock);
}

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

/* --- tasks ------------------------------------------------------------------- */

static struct task *task_new(struct accounts *a, const char *address, void *obj)
{
	struct task *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->a = a;
	t->obj = obj;
	rate_limit_address(t->address, address);
	g_ptr_array_add(a->tasks, t);
	return t;
}

static void task_end(struct task *t)
{
	g_ptr_array_remove_fast(t->a->tasks, t);
	explicit_bzero(t, sizeof *t);
	free(t);
}

static void answer(struct task *t, const struct user_row *who, const struct account_refusal *no)
{
	account_cb *cb = t->cb;
	account_identity_cb *identity_cb = t->identity_cb;
	void *obj = t->obj;
	struct user_row row = { 0 };
	struct account_identity id = { 0 };

	if (who) {
		row = *who;
		id.who.user = who->role;
		id.who.user_id = who->id;
	}
	task_end(t);
	if (cb)
		cb(obj, no ? NULL : &row, no);
	else
		identity_cb(obj, no ? NULL : &id, no);
	explicit_bzero(&row, sizeof row);
}

static void refuse(struct task *t, const char *code, const char *text, int64_t wait_ns)
{
	struct account_refusal no = { .wait_s = (int)((wait_ns + NS_PER_S - 1) / NS_PER_S) };

	errmsg_set(&no.why, -EACCES, code, "%s", text);
	answer(t, NULL, &no);
}

static void refuse_busy(struct task *t)
{
	refuse(t, "internal", "The registry cannot be asked now. Try again.", 0);
}

static void refuse_limited(struct task *t, int64_t wait_ns)
{
	metric_add(&m_blocked, 1);
	refuse(t, "rate_limited", "Too many wrong attempts. Wait a minute, then try again.", wait_ns);
}

static void note(const struct task *t, const char *action)
{
	audit_add(t->a->cfg.db, &(struct audit_entry){ .action = action, .actor = t->name,
						       .address = t->address, .room = t->room });
}

/* --- passwords --------------------------------------------------------------- */

static void on_hashed(void *obj, void *arg)
{
	struct task *t = obj;

	(void)arg;
	role_assert_ctl();
	explicit_bzero(t->password, sizeof t->password);
	if (t->hash_cb) {
		account_hash_cb *cb = t->hash_cb;
		char hash[PASSWORD_HASH_MAX];
		void *cb_obj = t->obj;
		int err = t->verdict;

		memcpy(hash, t->hash, sizeof hash);
		task_end(t);
		cb(cb_obj, err, err ? NULL : hash);
		return;
	}
	if (!t->verdict && t->known) {
		rate_limit_undo(t->a->by_address, t->address);
		rate_limit_undo(t->a->by_user, t->name);
		answer(t, &t->user, NULL);
		return;
	}
	metric_add(&m_wrong, 1);
	note(t, "sign_in_failed");
	refuse(t, "sign_in_wrong", "Name or password is wrong.", 0);
}

/* On a thread of its own: Argon2 takes a tenth of a second. */
static void hash_job(gpointer data, gpointer user)
{
	struct task *t = data;
	struct accounts *a = user;

	(void)atomic_load_explicit(&t->handed, memory_order_acquire);
	t->verdict = t->hash_cb ? password_hash(t->hash, t->password) :
				  password_check(t->hash, t->password);
	engine_post(a->cfg.ctl, on_hashed, t, NULL);
}

static void hand_over(struct task *t)
{
	if (!t->a->hashing)
		return; /* it goes with accounts_free */
	atomic_store_explicit(&t->handed, true, memory_order_release);
	g_thread_pool_push(t->a->hashing, t, NULL);
}

static void on_user(void *obj, int err, const struct user_row *row)
{
	/* An unknown user takes as long as a wrong password. */
	static const char nobody[] = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5bm9ib2R5$"
				     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct task *t = obj;

	role_assert_ctl();
	if (err && err != -ENOENT) {
		refuse_busy(t);
		return;
	}
	t->known = !err;
	if (row)
		t->user = *row;
	snprintf(t->hash, sizeof t->hash, "%s", row ? row->password_hash : nobody);
	hand_over(t);
}

void accounts_sign_in(struct accounts *a, const char *name, const char *password,
		      const char *address, account_cb *cb, void *obj)
{
	struct account_refusal no = { 0 };
	struct task *t = task_new(a, address, obj);
	int64_t left, of_user;

	if (!t) {
		errmsg_set(&no.why, -ENOMEM, "internal", "The server is out of memory.");
		cb(obj, NULL, &no);
		return;
	}
	t->cb = cb;
	if (strlen(name) > DB_NAME_MAX || !*name || strlen(password) > PASSWORD_MAX) {
		refuse(t, "sign_in_wrong", "Name or password is wrong.", 0);
		return;
	}
	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->password, sizeof t->password, "%s", password);
	left = rate_limit_left(a->by_address, t->address, now_ns(a));
	of_user = rate_limit_left(a->by_user, t->name, now_ns(a));
	if (left || of_user) {
		refuse_limited(t, left > of_user ? left : of_user);
		return;
	}
	if (!a->hashing || g_thread_pool_unprocessed(a->hashing) >= GUESS_QUEUE) {
		refuse_limited(t, NS_PER_S);
		return;
	}
	/* Until it is known to be right, so that many at once are not more guesses. */
	rate_limit_count(a->by_address, t->address, now_ns(a));
	rate_limit_count(a->by_user, t->name, now_ns(a));
	if (users_find(a->cfg.db, t->name, on_user, t))
		refuse_busy(t);
}

void accounts_hash(struct accounts *a, const char *password, account_hash_cb *cb, void *obj)
{
	struct task *t;

	if (!*password || strlen(password) > PASSWORD_MAX) {
		cb(obj, -EINVAL, NULL);
		return;
	}
	t = a->hashing ? task_new(a, "", obj) : NULL;
	if (!t) {
		cb(obj, -ENOMEM, NULL);
		return;
	}
	t->hash_cb = cb;
	snprintf(t->password, sizeof t->password, "%s", password);
	hand_over(t);
}

/* --- tokens ------------------------------------------------------------------ */

static void wrong_token(struct task *t, int err)
{
	metric_add(&m_wrong, 1);
	rate_limit_count(t->a->tokens, t->address, now_ns(t->a));
	if (t->scope && err == -ETIME)
		refuse(t, "token_expired", "This API token has expired. Make another one.", 0);
	else if (t->scope)
		refuse(t, "token_invalid", "There is no such API token, or it was revoked.", 0);
	else if (err == -ETIME)
		refuse(t, "token_expired", t->token.user_id ? "Your sign-in has expired. Sign in again." :
		       "This invitation has expired. Ask for another one.", 0);
	else if (t->hash[0])
		refuse(t, "token_invalid", "This invitation is not valid here, or was used up. Ask for "
		       "another one.", 0);
	else
		refuse(t, "token_invalid", "You are not signed in any more. Sign in again.", 0);
}

static void on_token_user(void *obj, int err, const struct user_row *row)
{
	struct task *t = obj;

	role_assert_ctl();
	if (err && err != -ENOENT)
		refuse_busy(t);
	else if (err || row->generation != t->token.generation)
		wrong_token(t, -EACCES);
	else
		answer(t, row, NULL);
}

static void refuse_scope(struct task *t)
{
	const char *name = scope_name(t->scope);
	char text[160];

	if (name)
		snprintf(text, sizeof text, "This API token has not the scope \"%s\". Make one that has "
			 "it.", name);
	else
		snprintf(text, sizeof text, "No API token is enough for this. Sign in with name and "
			 "password.");
	refuse(t, "scope_missing", text, 0);
}

static void on_api_token(void *obj, int err, const struct api_token_row *row,
			 const struct user_row *who)
{
	struct task *t = obj;

	role_assert_ctl();
	if (err == -ENOENT || err == -ETIME)
		wrong_token(t, err);
	else if (err)
		refuse_busy(t);
	else if (t->scope != SCOPE_ANY && !(scopes_read(row->scopes) & 1U << t->scope))
		refuse_scope(t);
	else
		answer(t, who, NULL);
}

/* Nothing in it shows that it is right: the guesses of others count. */
static void look_up_api_token(struct task *t, const char *token, enum scope scope)
{
	int64_t left = rate_limit_left(t->a->tokens, t->address, now_ns(t->a));

	t->scope = scope ? scope : SCOPE_SIGN_IN;
	if (left) {
		refuse_limited(t, left);
		return;
	}
	invitation_hash(t->hash, token);
	if (api_tokens_use(t->a->cfg.db, t->hash, now_ms(), on_api_token, t))
		refuse_busy(t);
}

static void look_up(struct task *t, const char *token, enum scope scope)
{
	int64_t left = rate_limit_left(t->a->tokens, t->address, now_ns(t->a));
	int err;

	if (api_token_valid(token)) {
		look_up_api_token(t, token, scope);
		return;
	}
	err = token_read(&t->token, t->a->cfg.key, token, now_ms());
	/* What is signed is nobody's guess: the guesses of others do not block it. */
	if (err && left)
		refuse_limited(t, left);
	else if (err)
		wrong_token(t, err);
	else if (users_get(t->a->cfg.db, t->token.user_id, on_token_user, t))
		refuse_busy(t);
}

void accounts_by_token(struct accounts *a, const char *token, enum scope scope,
		       const char *address, account_cb *cb, void *obj)
{
	struct account_refusal no = { 0 };
	struct task *t = task_new(a, address, obj);

	if (!t) {
		errmsg_set(&no.why, -ENOMEM, "internal", "The server is out of memory.");
		cb(obj, NULL, &no);
		return;
	}
	t->cb = cb;
	look_up(t, token, scope);
}

void accounts_token(const struct accounts *a, const struct user_row *user,
		    char out[TOKEN_LEN + 1], int64_t *expires_ms)
{
	struct token t = {
		.user_id = user->id, .role = user->role, .generation = user->generation,
		.expires_ms = now_ms() + a->cfg.sign_in_hours * 3600000LL,
	};

	token_write(out, a->cfg.key, &t);
	*expires_ms = t.expires_ms;
}

/* --- who joins --------------------------------------------------------------- */

static void on_invitation(void *obj, int err, const struct invitation_row *row)
{
	struct account_identity id = { 0 };
	struct task *t = obj;
	account_identity_cb *cb = t->identity_cb;
	void *cb_obj = t->obj;

	role_assert_ctl();
	if (err == -ENOENT || err == -ETIME) {
		wrong_token(t, err);
		return;
	}
	if (err) {
		refuse_busy(t);
		return;
	}
	id.who.invited = row->host ? INVITED_HOST : INVITED_PARTICIPANT;
	id.invitation_id = row->id;
	task_end(t);
	cb(cb_obj, &id, NULL);
}

void accounts_identify(struct accounts *a, const char *token, const char *room,
		       const char *address, account_identity_cb *cb, void *obj)
{
	struct account_refusal no = { 0 };
	struct task *t = task_new(a, address, obj);
	int64_t left;

	if (!t) {
		errmsg_set(&no.why, -ENOMEM, "internal", "The server is out of memory.");
		cb(obj, NULL, &no);
		return;
	}
	t->identity_cb = cb;
	snprintf(t->room, sizeof t->room, "%s", room);
	if (!invitation_valid(token)) {
		look_up(t, token, SCOPE_JOIN);
		return;
	}
	left = rate_limit_left(a->tokens, t->address, now_ns(a));
	if (left) {
		refuse_limited(t, left);
		return;
	}
	invitation_hash(t->hash, token);
	if (invitations_use(a->cfg.db, t->hash, t->room, now_ms(), on_invitation, t))
		refuse_busy(t);
}

void accounts_give_back(struct accounts *a, int64_t invitation_id)
{
	if (invitation_id)
		invitations_give_back(a->cfg.db, invitation_id);
}

/* --- PINs -------------------------------------------------------------------- */

static void pin_key(char out[RATE_KEY_MAX], const char *room, const char *address)
{
	char network[64];

	rate_limit_address(network, address);
	snprintf(out, RATE_KEY_MAX, "%s %s", network, room);
}

bool accounts_pin_blocked(struct accounts *a, const char *room, const char *address)
{
	char key[RATE_KEY_MAX];

	pin_key(key, room, address);
	if (!rate_limit_left(a->pins, key, now_ns(a)) &&
	    !rate_limit_left(a->pin_rooms, room, now_ns(a)))
		return false;
	metric_add(&m_blocked, 1);
	return true;
}

void accounts_pin_wrong(struct accounts *a, const char *room, const char *address)
{
	char key[RATE_KEY_MAX];

	metric_add(&m_wrong, 1);
	pin_key(key, room, address);
	rate_limit_count(a->pins, key, now_ns(a));
	rate_limit_count(a->pin_rooms, room, now_ns(a));
}

/* --- life -------------------------------------------------------------------- */

static int make_limits(struct accounts *a)
{
	static const int64_t window = GUESS_WINDOW_S * NS_PER_S;
	int err = rate_limit_new(&a->by_address, GUESS_PASSWORDS_ADDRESS, window, LIMIT_KEYS);

	if (!err)
		err = rate_limit_new(&a->by_user, GUESS_PASSWORDS_USER, window, LIMIT_KEYS);
	if (!err)
		err = rate_limit_new(&a->tokens, GUESS_TOKENS_ADDRESS, window, LIMIT_KEYS);
	if (!err)
		err = rate_limit_new(&a->pins, GUESS_PINS_ADDRESS, window, LIMIT_KEYS);
	return err ? err : rate_limit_new(&a->pin_rooms, GUESS_PINS_ROOM, window, LIMIT_KEYS);
}

int accounts_new(struct accounts **out, const struct accounts_cfg *cfg)
{
	struct accounts *a = calloc(1, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->cfg = *cfg;
	a->tasks = g_ptr_array_new();
	a->hashing = g_thread_pool_new(hash_job, a, 1, FALSE, NULL);
	if (make_limits(a)) {
		accounts_stop(a);
		accounts_free(&a);
		return -ENOMEM;
	}
	*out = a;
	return 0;
}

void accounts_stop(struct accounts *a)
{
	GThreadPool *p = a->hashing;

	a->hashing = NULL;
	if (p)
		g_thread_pool_free(p, FALSE, TRUE);
}

void accounts_free(struct accounts **pa)
{
	struct accounts *a = *pa;

	if (!a)
		return;
	for (size_t i = 0; i < a->tasks->len; i++) {
		struct task *t = g_ptr_array_index(a->tasks, i);

		explicit_bzero(t, sizeof *t);
		free(t);
	}
	g_ptr_array_unref(a->tasks);
	rate_limit_free(&a->by_address);
	rate_limit_free(&a->by_user);
	rate_limit_free(&a->tokens);
	rate_limit_free(&a->pins);
	rate_limit_free(&a->pin_rooms);
	free(a);
	*pa = NULL;
}
