/* What an API token may be used for, and what each route needs. A token never gives more
 * than the account has that made it: scopes only take away. Pure. Any thread. */
#ifndef MCU_SCOPES_H
#define MCU_SCOPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"

enum scope {
	SCOPE_UNKNOWN, /* of a route that is not in the table: no token gets there */
	SCOPE_PUBLIC,  /* nobody is asked who asks, or the route asks in a way of its own */
	SCOPE_ANY,     /* any token */
	SCOPE_SIGN_IN, /* none: who asks has to sign in */
	SCOPE_ROOMS_READ,
	SCOPE_ROOMS_WRITE,
	SCOPE_RECORDINGS_READ,
	SCOPE_RECORDINGS_WRITE,
	SCOPE_USERS_READ,
	SCOPE_USERS_WRITE,
	SCOPE_STATS_READ,
	SCOPE_CALLS_READ,
	SCOPE_CALLS_DIAL,
	SCOPE_PLAYBACK,
	SCOPE_BROADCAST,
	SCOPE_SERVER_READ,
	SCOPE_SERVER_WRITE,
	SCOPE_JOIN, /* into rooms, as this user */
	SCOPE_COUNT
};

enum { SCOPES_TEXT_MAX = 256 };

/* "rooms:read"; NULL: no scope that can be given. */
const char *scope_name(enum scope s);
/* Adds to *mask (bit 1 << scope) what a word means: a name, "rooms:*" or "*". False: nothing. */
bool scopes_add(uint32_t *mask, const char *word);
/* The names of a mask, divided by blanks, into SCOPES_TEXT_MAX octets; and back: what is not
 * known (any more) is left out. */
void scopes_write(char out[SCOPES_TEXT_MAX], uint32_t mask);
uint32_t scopes_read(const char *text);

/* What a route needs (method and pattern as of server_route). */
enum scope scope_of_route(const char *method, const char *pattern);

#endif
