/* Texts and questions of any octets: what becomes of a question is always a valid
 * expression that SQLite takes, it never asks for the keys, and a text is found by
 * itself. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/search_text.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

static sqlite3 *open_index(void)
{
	sqlite3 *db = NULL;

	check(sqlite3_open(":memory:", &db) == SQLITE_OK);
	check(sqlite3_exec(db, "CREATE VIRTUAL TABLE t USING fts5 (people, chat, keys, prefix = '1 2 3', "
			   "tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\")",
			   NULL, NULL, NULL) == SQLITE_OK);
	return db;
}

/* How many rows match. */
static int count(sqlite3 *db, const char *match)
{
	sqlite3_stmt *st = NULL;
	int n = 0, rc;

	check(sqlite3_prepare_v2(db, "SELECT rowid FROM t WHERE t MATCH ?", -1, &st, NULL) ==
	      SQLITE_OK);
	check(sqlite3_bind_text(st, 1, match, -1, SQLITE_STATIC) == SQLITE_OK);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		n++;
	check(rc == SQLITE_DONE);
	sqlite3_finalize(st);
	return n;
}

static void put(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st = NULL;

	check(sqlite3_exec(db, "DELETE FROM t", NULL, NULL, NULL) == SQLITE_OK);
	check(sqlite3_prepare_v2(db, "INSERT INTO t VALUES ('', ?, 'r1 y2026')", -1, &st, NULL) ==
	      SQLITE_OK);
	check(sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC) == SQLITE_OK);
	check(sqlite3_step(st) == SQLITE_DONE);
	sqlite3_finalize(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static sqlite3 *db;
	static struct search_match m;
	struct search_text t = { 0 };
	char *text = malloc(size + 1);

	if (!db)
		db = open_index();
	if (!text || size > SEARCH_QUESTION_MAX) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = 0;
	search_text_add(&t, text);
	put(db, search_text_get(&t));
	m = (struct search_match){ 0 };
	int n = search_match_words(&m, "- keys", text);

	check(n <= SEARCH_TERMS_MAX);
	if (n > 0 && !m.failed) {
		check(count(db, m.text) == 1);
		check(search_match_words(&m, "people", text) == n);
		if (!m.failed)
			check(count(db, m.text) == 0);
	}
	search_text_free(&t);
	free(text);
	return 0;
}
