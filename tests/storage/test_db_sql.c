/* Statements that are kept: they are reset, not mixed up, and not used twice at once. */
#include "tests/storage/db_rig.h"

static sqlite3 *conn;

static int open_memory(void **state)
{
	(void)state;
	if (sqlite3_open(":memory:", &conn))
		return -1;
	db_keep_statements(conn);
	return sqlite3_exec(conn, "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'),"
				  "(3, 'z')", NULL, NULL, NULL);
}

static int close_memory(void **state)
{
	(void)state;
	db_keep_statements(NULL);
	return sqlite3_close(conn); /* BUSY where a statement was forgotten */
}

static void a_kept_one_is_used_again(void **state)
{
	static const char sql[] = "SELECT a FROM t WHERE b = ?";
	sqlite3_stmt *first, *again;
	int64_t v = 0;

	(void)state;
	assert_int_equal(db_take(conn, &first, sql, "t", "y"), 0);
	assert_int_equal(sqlite3_step(first), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(first, 0), 2);
	db_give_back(first);
	assert_int_equal(db_take(conn, &again, sql, "t", "z"), 0);
	assert_ptr_equal(first, again);
	assert_int_equal(sqlite3_step(again), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(again, 0), 3);
	db_give_back(again);
	/* nothing of the last time is left in it */
	assert_int_equal(db_query_int(conn, &v, sql, ""), -ENOENT);
	/* and it does not hold the database */
	assert_int_equal(db_run(conn, "CREATE TABLE later (c)", ""), 0);
	assert_int_equal(db_query_int(conn, &v, sql, "t", "x"), 0);
	assert_int_equal(v, 1);
}

static void one_in_use_is_left_alone(void **state)
{
	static const char sql[] = "SELECT a FROM t ORDER BY a";
	sqlite3_stmt *outer, *inner;

	(void)state;
	assert_int_equal(db_take(conn, &outer, sql, ""), 0);
	assert_int_equal(sqlite3_step(outer), SQLITE_ROW);
	assert_int_equal(db_take(conn, &inner, sql, ""), 0);
	assert_ptr_not_equal(outer, inner);
	assert_int_equal(sqlite3_step(inner), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(inner, 0), 1);
	db_give_back(inner);
	assert_int_equal(sqlite3_step(outer), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(outer, 0), 2);
	db_give_back(outer);
}

/* A text that is not constant, against the contract, is not taken for the one before it. */
static void another_text_in_the_same_place(void **state)
{
	char sql[64] = "SELECT max(a) FROM t";
	int64_t v = 0;

	(void)state;
	assert_int_equal(db_query_int(conn, &v, sql, ""), 0);
	assert_int_equal(v, 3);
	strcpy(sql, "SELECT min(a) FROM t");
	assert_int_equal(db_query_int(conn, &v, sql, ""), 0);
	assert_int_equal(v, 1);
}

static void wrong_ones_and_many(void **state)
{
	static char many[1000][32];
	int64_t v = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(db_run(conn, "SELECT nothing FROM nowhere", ""), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++) {
			snprintf(many[i], sizeof many[i], "SELECT %d", i);
			assert_int_equal(db_query_int(conn, &v, many[i], ""), 0);
			assert_int_equal(v, i);
		}
	db_give_back(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_kept_one_is_used_again, open_memory, close_memory),
		cmocka_unit_test_setup_teardown(one_in_use_is_left_alone, open_memory, close_memory),
		cmocka_unit_test_setup_teardown(another_text_in_the_same_place, open_memory, close_memory),
		cmocka_unit_test_setup_teardown(wrong_ones_and_many, open_memory, close_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
