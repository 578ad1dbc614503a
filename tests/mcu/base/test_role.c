#include "mcu/base/role.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef void check_fn(void);

/* The signal that ended a child which entered `id` (-1: none) and ran the check. */
static int signal_of(int id, check_fn *check)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(9);
		if (id >= 0)
			role_enter((enum role_id)id);
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void only_the_right_role_passes(void **state)
{
	static const struct {
		enum role_id id;
		check_fn *check;
	} roles[] = {
		{ ROLE_ID_CTL, role_assert_ctl },   { ROLE_ID_NET, role_assert_net },
		{ ROLE_ID_MIXA, role_assert_mixa }, { ROLE_ID_MIXV, role_assert_mixv },
		{ ROLE_ID_STO, role_assert_sto },
	};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(signal_of((int)roles[i].id, roles[j].check),
					 i == j ? 0 : SIGABRT);
}

static void a_test_may_play_every_role_but_a_stranger_none(void **state)
{
	(void)state;
	assert_int_equal(signal_of(ROLE_ID_NONE, role_assert_net), 0);
	assert_int_equal(signal_of(-1, role_assert_net), SIGABRT);
}

static void *other_thread(void *arg)
{
	role_enter(ROLE_ID_MIXV);
	*(enum role_id *)arg = role_current();
	return NULL;
}

static void the_role_belongs_to_the_thread(void **state)
{
	enum role_id seen = ROLE_ID_NONE;
	pthread_t t;

	(void)state;
	role_enter(ROLE_ID_CTL);
	assert_int_equal(pthread_create(&t, NULL, other_thread, &seen), 0);
	pthread_join(t, NULL);
	assert_int_equal(seen, ROLE_ID_MIXV);
	assert_int_equal(role_current(), ROLE_ID_CTL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_test_may_play_every_role_but_a_stranger_none),
		cmocka_unit_test(only_the_right_role_passes),
		cmocka_unit_test(the_role_belongs_to_the_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
