#include "mcu/base/role.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct thread_role ROLE_CTL, ROLE_NET, ROLE_MIXA, ROLE_MIXV, ROLE_STO;

/* A thread of a library that never declared itself fails every check. */
static _Thread_local enum role_id current;
static _Thread_local bool declared;

void role_enter(enum role_id id)
{
	current = id;
	declared = true;
}

enum role_id role_current(void)
{
	return current;
}

static const char *role_name(enum role_id id)
{
	static const char *const names[] = { "NONE", "CTL", "NET", "MIXA", "MIXV", "STO" };

	return (size_t)id < sizeof(names) / sizeof(*names) ? names[id] : "?";
}

static void check(enum role_id want)
{
	if (declared && (current == ROLE_ID_NONE || current == want))
		return;
	fprintf(stderr, "thread role: ROLE_%s is needed here, this thread is %s\n", role_name(want),
		declared ? role_name(current) : "undeclared (role_enter was never called)");
	abort();
}

void role_assert_ctl(void)
{
	check(ROLE_ID_CTL);
}

void role_assert_net(void)
{
	check(ROLE_ID_NET);
}

void role_assert_mixa(void)
{
	check(ROLE_ID_MIXA);
}

void role_assert_mixv(void)
{
	check(ROLE_ID_MIXV);
}

void role_assert_sto(void)
{
	check(ROLE_ID_STO);
}
