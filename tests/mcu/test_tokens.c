#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mcu/tokens.h"

static const struct token_key key = { { 1, 2, 3 } }, other = { { 1, 2, 4 } };
static const struct token ann = {
	.user_id = 0x1234567890abcd, .expires_ms = 1800000000000, .generation = 0xfffffffe,
	.role = USER_HOST,
};

static void a_sign_in_is_read_back(void **state)
{
	char text[TOKEN_LEN + 1];
	struct token t;

	(void)state;
	token_write(text, &key, &ann);
	assert_int_equal(strlen(text), TOKEN_LEN);
	assert_int_equal(token_read(&t, &key, text, ann.expires_ms - 1), 0);
	assert_int_equal(t.user_id, ann.user_id);
	assert_int_equal(t.expires_ms, ann.expires_ms);
	assert_int_equal(t.generation, ann.generation);
	assert_int_equal(t.role, USER_HOST);
	assert_int_equal(token_read(&t, &key, text, ann.expires_ms), -ETIME);
	assert_int_equal(token_read(&t, &other, text, 0), -EBADMSG);
}

static void every_changed_sign_is_seen(void **state)
{
	char text[TOKEN_LEN + 1], bad[TOKEN_LEN + 8];
	struct token t;

	(void)state;
	token_write(text, &key, &ann);
	for (size_t i = 0; i < TOKEN_LEN; i++)
		for (int c = 1; c < 256; c += 3) {
			memcpy(bad, text, sizeof text);
			if (bad[i] == (char)c)
				continue;
			bad[i] = (char)c;
			assert_int_equal(token_read(&t, &key, bad, 0), -EBADMSG);
		}
	for (size_t n = 0; n < TOKEN_LEN; n++) { /* cut off */
		snprintf(bad, sizeof bad, "%.*s", (int)n, text);
		assert_int_equal(token_read(&t, &key, bad, 0), -EBADMSG);
	}
	snprintf(bad, sizeof bad, "%sA", text);
	assert_int_equal(token_read(&t, &key, bad, 0), -EBADMSG);
}

static void the_role_cannot_be_raised(void **state)
{
	char host[TOKEN_LEN + 1], admin[TOKEN_LEN + 1], mixed[TOKEN_LEN + 1];
	struct token t = ann;

	(void)state;
	token_write(host, &key, &ann);
	t.role = USER_ADMIN;
	token_write(admin, &other, &t);
	/* the payload of one, the signature of the other */
	snprintf(mixed, sizeof mixed, "%.32s%s", admin, host + 32);
	assert_int_equal(token_read(&t, &key, mixed, 0), -EBADMSG);
}

static void invitations_are_random(void **state)
{
	char a[INVITATION_LEN + 1], b[INVITATION_LEN + 1];
	char ha[TOKEN_HASH_LEN + 1], hb[TOKEN_HASH_LEN + 1];

	(void)state;
	assert_int_equal(invitation_make(a), 0);
	assert_int_equal(invitation_make(b), 0);
	assert_string_not_equal(a, b);
	assert_true(invitation_valid(a) && invitation_valid(b));
	invitation_hash(ha, a);
	invitation_hash(hb, b);
	assert_int_equal(strlen(ha), TOKEN_HASH_LEN);
	assert_string_not_equal(ha, hb);
	invitation_hash(hb, a);
	assert_string_equal(ha, hb);
	a[5] = '\'';
	assert_false(invitation_valid(a));
	a[5] = 0;
	assert_false(invitation_valid(a));
	assert_false(invitation_valid(""));
	/* the digest is SHA-256: FIPS 180-2's example */
	invitation_hash(ha, "abc");
	assert_string_equal(ha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_pin_belongs_to_its_room(void **state)
{
	char hash[TOKEN_HASH_LEN + 1], again[TOKEN_HASH_LEN + 1];

	(void)state;
	pin_hash(hash, &key, "room", "1234");
	assert_true(pin_right(hash, &key, "room", "1234"));
	assert_false(pin_right(hash, &key, "room", "1235"));
	assert_false(pin_right(hash, &key, "room2", "1234"));
	assert_false(pin_right(hash, &other, "room", "1234"));
	assert_false(pin_right("", &key, "room", "1234"));
	assert_false(pin_right("", &key, "room", ""));
	/* where the room's name ends and the PIN begins is told */
	pin_hash(again, &key, "room1", "234");
	assert_string_not_equal(hash, again);
}

static void who_comes_back_is_known(void **state)
{
	char secret[RESUME_LEN + 1], second[RESUME_LEN + 1], bad[RESUME_LEN + 8];
	int64_t at;
	bool host;

	(void)state;
	assert_int_equal(resume_make(secret, &key, "room", true, 1800000000123), 0);
	assert_int_equal(strlen(secret), RESUME_LEN);
	assert_true(resume_read(secret, &key, "room", &host, &at));
	assert_true(host);
	assert_int_equal(at, 1800000000123);
	assert_int_equal(resume_make(second, &key, "room", false, 5), 0);
	assert_true(resume_read(second, &key, "room", &host, &at));
	assert_false(host);
	assert_string_not_equal(secret, second);
	assert_false(resume_read(secret, &key, "other", &host, &at));
	assert_false(resume_read(secret, &other, "room", &host, &at));
	for (size_t i = 0; i < RESUME_LEN; i++) {
		memcpy(bad, second, RESUME_LEN + 1);
		bad[i] = bad[i] == 'h' ? 'g' : 'h';
		assert_false(resume_read(bad, &key, "room", &host, &at));
	}
	snprintf(bad, sizeof bad, "%s0", second);
	assert_false(resume_read(bad, &key, "room", &host, &at));
	assert_false(resume_read("", &key, "room", &host, &at));
}

static void the_key_is_kept(void **state)
{
	char dir[] = "/tmp/mcu-tokens-XXXXXX", path[64];
	struct token_key a, b;
	struct errmsg why;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/secret.key", dir);
	umask(0);
	assert_int_equal(token_key_load(&a, path, &why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(token_key_load(&b, path, &why), 0);
	assert_memory_equal(&a, &b, sizeof a);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(token_key_load(&b, path, &why), -EPROTO);
	assert_non_null(strstr(why.text, "is not a key of 32 octets"));
	unlink(path);
	rmdir(dir);
	assert_int_equal(token_key_load(&b, path, &why), -ENOENT);
	assert_non_null(strstr(why.text, path));
}

static void a_room_is_watched_for_some_hours(void **state)
{
	const int64_t hour = 3600 * 1000, now = 490000 * hour + 5;
	char text[WATCH_KEY_LEN + 1], same[WATCH_KEY_LEN + 1], bad[WATCH_KEY_LEN + 1];

	(void)state;
	watch_key_make(text, &key, "room", now, 12);
	watch_key_make(same, &key, "room", now + hour - 10, 12); /* many have the same */
	assert_string_equal(text, same);
	assert_int_equal(strlen(text), WATCH_KEY_LEN);
	assert_true(watch_key_valid(text, &key, "room", now));
	assert_true(watch_key_valid(text, &key, "room", now + 12 * hour));
	assert_false(watch_key_valid(text, &key, "room", now + 13 * hour));
	assert_false(watch_key_valid(text, &key, "room2", now));
	assert_false(watch_key_valid(text, &other, "room", now));
	assert_false(watch_key_valid("", &key, "room", now));
	for (size_t i = 0; i < WATCH_KEY_LEN; i++) {
		strcpy(bad, text);
		bad[i] = bad[i] == '0' ? '1' : '0';
		assert_false(watch_key_valid(bad, &key, "room", now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sign_in_is_read_back),
		cmocka_unit_test(every_changed_sign_is_seen),
		cmocka_unit_test(the_role_cannot_be_raised),
		cmocka_unit_test(invitations_are_random),
		cmocka_unit_test(a_pin_belongs_to_its_room),
		cmocka_unit_test(who_comes_back_is_known),
		cmocka_unit_test(a_room_is_watched_for_some_hours),
		cmocka_unit_test(the_key_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
