/* Who somebody is: passwords, sign-in tokens and invitations, and how often each may
 * be guessed. Passwords are hashed on a thread of its own, one at a time (64 MiB
 * each); the rest asks the registry. CTL.
 *
 * Callbacks come once, from inside the call or later; none comes after
 * accounts_free(). Texts are for people, codes are those of PROTOCOL.md. */
#ifndef MCU_ACCOUNTS_H
#define MCU_ACCOUNTS_H

#include "mcu/access.h"
#include "mcu/base/clock.h"
#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/scopes.h"
#include "mcu/tokens.h"
#include "storage/users.h"

struct accounts;

struct accounts_cfg {
	struct db *db;
	struct mbox *ctl;
	const struct clock *clock;
	const struct token_key *key;
	int sign_in_hours;
};

enum {
	GUESS_WINDOW_S = 60,
	GUESS_PASSWORDS_ADDRESS = 10, /* wrong ones, per address within the window */
	GUESS_PASSWORDS_USER = 20,
	GUESS_TOKENS_ADDRESS = 20,
	GUESS_PINS_ADDRESS = 10, /* and room */
	GUESS_PINS_ROOM = 120,
	GUESS_QUEUE = 16, /* passwords that wait to be hashed */
};

/* cfg's pointers are borrowed for its life. */
int accounts_new(struct accounts **out, const struct accounts_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Waits for the hashing thread; whoever waits for a password is told nothing. */
void accounts_stop(struct accounts *a) ON_THREAD(ROLE_CTL);
/* When the control mailbox does not run any more. */
void accounts_free(struct accounts **a) ON_THREAD(ROLE_CTL);

/* Why not: wait_s > 0 with rate_limited (Retry-After). */
struct account_refusal {
	struct errmsg why;
	int wait_s;
};

/* no NULL: refused. Borrowed. */
typedef void account_cb(void *obj, const struct user_row *who, const struct account_refusal *no);
/* Codes: sign_in_wrong, rate_limited, internal. */
void accounts_sign_in(struct accounts *a, const char *name, const char *password,
		      const char *address, account_cb *cb, void *obj) ON_THREAD(ROLE_CTL);
/* A sign-in, or a program's token, which must have this scope. Codes: token_invalid,
 * token_expired, scope_missing, rate_limited, internal. */
void accounts_by_token(struct accounts *a, const char *token, enum scope scope,
		       const char *address, account_cb *cb, void *obj) ON_THREAD(ROLE_CTL);

/* A token for this user; its end in *expires_ms. */
void accounts_token(const struct accounts *a, const struct user_row *user,
		    char out[TOKEN_LEN + 1], int64_t *expires_ms) ON_THREAD(ROLE_CTL);

/* hash NULL: err says why. */
typedef void account_hash_cb(void *obj, int err, const char *hash);
void accounts_hash(struct accounts *a, const char *password, account_hash_cb *cb, void *obj)
	ON_THREAD(ROLE_CTL);

/* Who joins with a token: fills user, user_id and invited of *who. */
struct account_identity {
	struct access_who who;
	int64_t invitation_id; /* used once by this; 0: none */
};
typedef void account_identity_cb(void *obj, const struct account_identity *who,
				 const struct account_refusal *no);
/* Codes as of accounts_by_token. */
void accounts_identify(struct accounts *a, const char *token, const char *room,
		       const char *address, account_identity_cb *cb, void *obj)
	ON_THREAD(ROLE_CTL);
/* Whoever it was for did not come in. */
void accounts_give_back(struct accounts *a, int64_t invitation_id) ON_THREAD(ROLE_CTL);

/* PINs: whether no more may be tried, and that one was wrong. */
bool accounts_pin_blocked(struct accounts *a, const char *room, const char *address)
	ON_THREAD(ROLE_CTL);
void accounts_pin_wrong(struct accounts *a, const char *room, const char *address)
	ON_THREAD(ROLE_CTL);

#endif
