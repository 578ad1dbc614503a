/* Users, rules of rooms, invitations, audit and chat in the registry. */
#include "tests/storage/db_rig.h"

#include "storage/audit.h"
#include "storage/chat.h"
#include "storage/invitations.h"

static const char hash[] = "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$x";
static const char *const odd[] = { "o'neil", "Robert'); DROP TABLE users;--", "회의실", "%s%n_%", "?1" };
enum { N_ODD = sizeof(odd) / sizeof(*odd) };

static struct {
	struct user_row user[16];
	struct room_row room[16];
	struct invitation_row inv[16], one;
	struct audit_row audit[16];
	size_t n;
} got;

static void on_users(void *obj, int err, const struct user_row *rows, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	got.n = n;
	for (size_t i = 0; i < n; i++)
		got.user[i] = rows[i];
}

static void on_rooms(void *obj, int err, const struct room_row *rows, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	got.n = n;
	for (size_t i = 0; i < n; i++)
		got.room[i] = rows[i];
}

static void on_invitation(void *obj, int err, const struct invitation_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (row)
		got.one = *row;
}

static void on_invitations(void *obj, int err, const struct invitation_row *rows, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	got.n = n;
	for (size_t i = 0; i < n; i++)
		got.inv[i] = rows[i];
}

static void on_audit(void *obj, int err, const struct audit_row *rows, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	got.n = n;
	for (size_t i = 0; i < n && i < 16; i++)
		got.audit[i] = rows[i];
}

static int64_t make_user(struct rig *g, const char *name, enum user_role role)
{
	assert_int_equal(users_create(g->db, name, hash, role, on_user, g), 0);
	wait_replies(g, 1);
	assert_int_equal(g->err, 0);
	return g->user.id;
}

static int change(struct rig *g, const char *name, struct user_change c)
{
	assert_int_equal(users_change(g->db, name, &c, on_user, g), 0);
	wait_replies(g, 1);
	return g->err;
}

static void users_change_and_go(void **state)
{
	struct rig g;
	int64_t id;

	(void)state;
	rig_open(&g, "u.db");
	id = make_user(&g, "root", USER_ADMIN);
	for (int i = 0; i < N_ODD; i++)
		make_user(&g, odd[i], USER_HOST);
	assert_int_equal(users_list(g.db, "", 100, on_users, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, N_ODD + 1);
	for (size_t i = 0; i < got.n; i++)
		assert_string_equal(got.user[i].password_hash, "");
	assert_int_equal(users_get(g.db, id, on_user, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(g.user.name, "root");
	assert_int_equal(g.user.generation, 1);
	/* What ends sign-ins, and what does not. */
	assert_int_equal(change(&g, odd[1], (struct user_change){ .display_name = "';--" }), 0);
	assert_int_equal(g.user.generation, 1);
	assert_string_equal(g.user.display_name, "';--");
	assert_int_equal(change(&g, odd[1], (struct user_change){ .role = USER_HOST }), 0);
	assert_int_equal(g.user.generation, 1);
	assert_int_equal(change(&g, odd[1], (struct user_change){ .role = USER_PARTICIPANT }), 0);
	assert_int_equal(g.user.generation, 2);
	assert_int_equal(change(&g, odd[1], (struct user_change){ .hash = hash }), 0);
	assert_int_equal(g.user.generation, 3);
	assert_int_equal(change(&g, odd[1], (struct user_change){ .sign_out = true }), 0);
	assert_int_equal(g.user.generation, 4);
	assert_string_equal(g.user.display_name, "';--");
	assert_int_equal(g.user.role, USER_PARTICIPANT);
	/* The last administrator stays one. */
	assert_int_equal(change(&g, "root", (struct user_change){ .role = USER_HOST }), -EPERM);
	assert_int_equal(users_delete(g.db, "root", on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EPERM);
	assert_int_equal(ask(&g, "SELECT count(*) FROM users WHERE role = 'admin'"), 1);
	assert_int_equal(change(&g, odd[0], (struct user_change){ .role = USER_ADMIN }), 0);
	assert_int_equal(change(&g, "root", (struct user_change){ .role = USER_HOST }), 0);
	assert_int_equal(users_delete(g.db, "root", on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(change(&g, "root", (struct user_change){ .sign_out = true }), -ENOENT);
	assert_int_equal(users_change(g.db, "x", &(struct user_change){ .hash = "plain" }, on_user, &g),
			 -EINVAL);
	rig_close(&g);
}

static void write_room(struct rig *g, struct room_row *row)
{
	assert_int_equal(rooms_write(g->db, row, on_room, g), 0);
	wait_replies(g, 1);
	assert_int_equal(g->err, 0);
}

static void rooms_have_rules(void **state)
{
	struct room_row row = { .title = "T", .rules = { .members_only = true, .lobby = true,
		.locked = true, .stereo = true, .max_participants = 5, .record = "all" } };
	struct rig g;
	int64_t ann;

	(void)state;
	rig_open(&g, "r.db");
	make_user(&g, "root", USER_ADMIN);
	ann = make_user(&g, "ann", USER_HOST);
	memset(row.rules.guest_pin, 'a', ROOM_PIN_HASH_LEN);
	row.owner_id = ann;
	for (int i = 0; i < N_ODD; i++) {
		strcpy(row.name, odd[i]);
		write_room(&g, &row);
		assert_string_equal(g.room.name, odd[i]);
		assert_true(g.room.registered);
		assert_string_equal(g.room.owner, "ann");
		assert_memory_equal(&g.room.rules, &row.rules, sizeof(row.rules));
	}
	row.rules = (struct room_rules){ .unmute = true };
	row.owner_id = 0;
	write_room(&g, &row);
	assert_memory_equal(&g.room.rules, &row.rules, sizeof(row.rules));
	assert_string_equal(g.room.owner, "");
	/* A room that was made on demand is none of those. */
	assert_int_equal(sessions_begin(g.db, db_new_id(), "adhoc", 1, on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(rooms_find(g.db, "adhoc", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_false(g.room.registered);
	assert_true(g.room.rules.unmute);
	assert_int_equal(rooms_list(g.db, 0, "", 100, on_rooms, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, N_ODD);
	assert_int_equal(rooms_list(g.db, ann, "", 100, on_rooms, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, N_ODD - 1);
	/* Forgotten ones keep their row. */
	assert_int_equal(rooms_forget(g.db, odd[0], on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(rooms_forget(g.db, odd[0], on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(rooms_find(g.db, odd[0], on_room, &g), 0);
	wait_replies(&g, 1);
	assert_false(g.room.registered || g.room.rules.locked || g.room.owner_id);
	/* The owner's end is not the room's. */
	assert_int_equal(users_delete(g.db, "ann", on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(rooms_list(g.db, 0, "", 100, on_rooms, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, N_ODD - 1);
	assert_int_equal(got.room[0].owner_id, 0);
	rig_close(&g);
}

static void rooms_have_numbers(void **state)
{
	struct room_row a = { .name = "a", .number = "4711" }, b = { .name = "b", .number = "4711" };
	struct rig g;

	(void)state;
	rig_open(&g, "n.db");
	write_room(&g, &a);
	assert_string_equal(g.room.number, "4711");
	assert_int_equal(rooms_find_number(g.db, "4711", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.room.name, "a");
	assert_int_equal(rooms_write(g.db, &b, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	b.number[0] = 0;
	write_room(&g, &b); /* any number of rooms have none */
	strcpy(a.number, "99");
	write_room(&g, &a);
	assert_int_equal(rooms_find_number(g.db, "4711", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	strcpy(b.number, "4711");
	write_room(&g, &b);
	/* Who is forgotten is not called any more. */
	assert_int_equal(rooms_forget(g.db, "a", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(rooms_find_number(g.db, "99", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

static int use(struct rig *g, const struct invitation_row *i, const char *room, int64_t now_ms)
{
	assert_int_equal(invitations_use(g->db, i->hash, room, now_ms, on_invitation, g), 0);
	wait_replies(g, 1);
	return g->err;
}

static int make_invitation(struct rig *g, struct invitation_row *i)
{
	static int n;

	i->id = db_new_id();
	snprintf(i->hash, sizeof(i->hash), "%064d", ++n);
	assert_int_equal(invitations_make(g->db, i, on_invitation, g), 0);
	wait_replies(g, 1);
	return g->err;
}

static void invitations_are_used(void **state)
{
	struct invitation_row i = { .host = true, .created_ms = 1000, .expires_ms = 2000,
				    .uses_left = 2 };
	struct room_row row = { .rules.unmute = true };
	struct rig g;

	(void)state;
	rig_open(&g, "i.db");
	i.made_by = make_user(&g, "root", USER_ADMIN);
	strcpy(row.name, odd[1]);
	write_room(&g, &row);
	strcpy(row.name, "other");
	write_room(&g, &row);
	strcpy(i.room, "nowhere");
	assert_int_equal(make_invitation(&g, &i), -ENOENT);
	strcpy(i.room, odd[1]);
	assert_int_equal(make_invitation(&g, &i), 0);
	assert_int_equal(use(&g, &i, odd[1], 1999), 0);
	assert_true(got.one.host);
	assert_int_equal(use(&g, &i, "other", 1999), -ENOENT);
	assert_int_equal(use(&g, &i, odd[1], 2000), -ETIME);
	assert_int_equal(use(&g, &i, odd[1], 1999), 0);
	assert_int_equal(use(&g, &i, odd[1], 1999), -ENOENT); /* used up */
	assert_int_equal(invitations_give_back(g.db, i.id), 0);
	assert_int_equal(use(&g, &i, odd[1], 1999), 0);
	assert_int_equal(invitations_list(g.db, odd[1], on_invitations, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.inv[0].uses_left, 0);
	assert_string_equal(got.inv[0].maker, "root");
	i.uses_left = -1;
	assert_int_equal(make_invitation(&g, &i), 0);
	for (int k = 0; k < 5; k++)
		assert_int_equal(use(&g, &i, odd[1], 1999), 0);
	invitations_give_back(g.db, i.id);
	assert_int_equal(use(&g, &i, odd[1], 1999), 0);
	assert_int_equal(got.one.uses_left, -1);
	assert_int_equal(invitations_delete(g.db, "other", i.id, on_invitation, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(invitations_delete(g.db, odd[1], i.id, on_invitation, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(use(&g, &i, odd[1], 1999), -ENOENT);
	/* Old ones are swept out when another is made; they go with their room. */
	i.created_ms = 2000 + 8 * 24 * 3600 * 1000LL;
	i.expires_ms = i.created_ms + 1;
	assert_int_equal(make_invitation(&g, &i), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM invitations"), 1);
	assert_int_equal(rooms_forget(g.db, odd[1], on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM invitations"), 0);
	rig_close(&g);
}

static void the_audit_and_the_chat_are_kept(void **state)
{
	char longer[600] = "";
	struct audit_entry e = { .action = "removed", .actor = "'; DROP TABLE audit;--",
				 .address = "2001:db8::1", .room = "회의실" };
	struct chat_row c = { .at_ms = 5, .leg = 3, .name = "'", .text = "hi'); --" };
	struct rig g;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(longer, "한a");
	rig_open(&g, "a.db");
	assert_int_equal(audit_add(g.db, &e), 0);
	e.detail = longer; /* 400 octets: cut between two characters */
	assert_int_equal(audit_add(g.db, &e), 0);
	assert_int_equal(audit_list(g.db, 0, 10, on_audit, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.audit[0].actor, e.actor);
	assert_int_equal(strlen(got.audit[0].detail), 256);
	assert_memory_equal(got.audit[0].detail, longer, 256);
	assert_string_equal(got.audit[1].detail, "");
	assert_true(got.audit[0].id > got.audit[1].id);
	assert_int_equal(audit_list(g.db, got.audit[0].id, 10, on_audit, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, 1);
	assert_int_equal(audit_list(g.db, 0, 1, on_audit, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(got.n, 1);
	c.session_id = db_new_id();
	assert_int_equal(sessions_begin(g.db, c.session_id, "r", 1, on_session, &g), 0);
	wait_replies(&g, 1);
	c.id = db_new_id();
	assert_int_equal(chat_add(g.db, &c), 0);
	c.id = db_new_id();
	c.to_leg = 4;
	assert_int_equal(chat_add(g.db, &c), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM chat WHERE text = 'hi''); --' AND leg = 3"), 2);
	assert_int_equal(ask(&g, "SELECT count(*) FROM chat WHERE to_leg IS NULL"), 1);
	rig_close(&g);
}

/* A file of the version before: what looked registered is, the rest is not. */
static void old_files_are_brought_up(void **state)
{
	static const char *const made[] = {
		"INSERT INTO rooms (id, name, title, created_ms) VALUES (1, 'titled', 'T', 1)",
		"INSERT INTO rooms (id, name, created_ms) VALUES (2, 'fresh', 1)",
		"INSERT INTO rooms (id, name, created_ms) VALUES (3, 'adhoc', 1)",
		"INSERT INTO sessions (id, room_id, started_ms) VALUES (1, 1, 1), (2, 3, 1)",
		"INSERT INTO users (id, name, password_hash, role, created_ms) "
		"VALUES (1, 'ann', '$argon2id$', 'host', 1)",
	};
	struct errmsg why;
	sqlite3 *conn;
	struct rig g;

	(void)state;
	assert_int_equal(sqlite3_open(file_path("old.db"), &conn), SQLITE_OK);
	assert_int_equal(migrations_apply(conn, "old.db", migrations, 1, &why), 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		assert_int_equal(sqlite3_exec(conn, made[i], NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(conn);
	rig_open(&g, "old.db");
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms WHERE registered = 1"), 2);
	assert_int_equal(ask(&g, "SELECT registered FROM rooms WHERE name = 'adhoc'"), 0);
	assert_int_equal(ask(&g, "SELECT min(unmute) FROM rooms"), 1);
	assert_int_equal(ask(&g, "SELECT generation FROM users WHERE name = 'ann'"), 1);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_change_and_go),
		cmocka_unit_test(rooms_have_rules),
		cmocka_unit_test(rooms_have_numbers),
		cmocka_unit_test(invitations_are_used),
		cmocka_unit_test(the_audit_and_the_chat_are_kept),
		cmocka_unit_test(old_files_are_brought_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
