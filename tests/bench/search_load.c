/* How long a search over many recordings takes: fills a registry with recordings,
 * who took part and what was written, and asks as people do, through the same
 * functions as the server. Prints one JSON object.
 *
 *   search_load FOLDER [RECORDINGS] */
#include <math.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "storage/db_request.h"
#include "storage/recording_search.h"
#include "storage/repository.h"

enum {
	ROOMS = 2000, USERS = 1000, WORDS = 20000, PEOPLE = 6, LINES = 5, LINE_WORDS = 7,
	ASKED = 25, /* times per kind of question */
	ONE_DAY_MS = 86400000,
};

#define FIRST_MS 1700000000000LL

static uint64_t seed = 1;

static unsigned any(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

/* Few words are in most texts, most words in few. */
static unsigned any_word(void)
{
	return (unsigned)(WORDS * pow((double)any(1 << 20) / (1 << 20), 4));
}

/* A word of letters, every fourth one of Hangul. */
static void word(char *out, size_t cap, unsigned i)
{
	static const char *const parts[] = { "ka", "lo", "mi", "ter", "san", "vu", "ne", "plo", "gri",
					     "da", "ex", "fo", "hu", "jo", "wi", "zy" };
	size_t len = 0;
	unsigned h = i * 2654435761u;

	for (unsigned k = 0; k < 2 + i % 3 && len + 8 < cap; k++, h = h >> 5 | h << 27) {
		unsigned c = 0xac00 + h % 2350;

		if (i % 4)
			len += (size_t)snprintf(out + len, cap - len, "%s", parts[h % 16]);
		else
			len += (size_t)snprintf(out + len, cap - len, "%c%c%c", (int)(0xe0 | c >> 12),
						(int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
	}
}

static void words(char *out, size_t cap, int n)
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		char w[48];

		word(w, sizeof(w), any_word());
		len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? " " : "", w);
		if (len + 64 > cap)
			return;
	}
}

static void name(char *out, size_t cap, unsigned i)
{
	char a[48], b[48];

	word(a, sizeof(a), i % 300);
	word(b, sizeof(b), 300 + i / 300);
	snprintf(out, cap, "%s %s", a, b);
}

struct fill {
	int64_t n;
};

static int fill_one(sqlite3 *conn, int64_t i, int64_t n)
{
	int64_t at = FIRST_MS + i * (1000LL * ONE_DAY_MS / n), id = 1000 + i;
	char text[600], path[RECORDING_PATH_MAX + 1], token[RECORDING_TOKEN_LEN + 1];
	int err = db_run(conn, "INSERT INTO sessions (id, room_id, started_ms, ended_ms) "
			 "VALUES (?, ?, ?, ?)", "iiii", id, (int64_t)(1 + any(ROOMS)), at,
			 at + 3600000);

	for (int k = 0; !err && k < PEOPLE; k++) {
		unsigned who = any(USERS);

		name(text, sizeof(text), who);
		err = db_run(conn, "INSERT INTO participants (session_id, leg, name, joined_ms, left_ms, "
			     "user_id, host) VALUES (?, ?, ?, ?, ?, ?, ?)", "iitiiii", id, (int64_t)k,
			     text, at, at + 3500000, (int64_t)(who + 1), (int64_t)(k == 0));
	}
	for (int k = 0; !err && k < LINES; k++) {
		words(text, sizeof(text), LINE_WORDS);
		err = db_run(conn, "INSERT INTO chat (session_id, at_ms, leg, name, text) "
			     "VALUES (?, ?, 1, 'x', ?)", "iit", id, at + 1000 * k, text);
	}
	words(text, sizeof(text), 4);
	if (!err)
		err = repository_path(path, "bench", at, id);
	if (!err)
		err = recording_token(token);
	return err ? err : db_run(conn, "INSERT INTO recordings (id, session_id, room_id, path, state, "
				  "started_ms, ended_ms, bytes, token, title, tags) SELECT ?, ?, room_id, ?, "
				  "'ready', ?, ?, 1, ?, ?, ? FROM sessions WHERE id = ?", "iitiittti", id, id,
				  path, at, at + 3600000, token, text, any(10) ? "" : "exam", id);
}

static int fill(sqlite3 *conn, void *obj)
{
	const struct fill *f = obj;
	char text[128];
	int err = db_run(conn, "PRAGMA synchronous = OFF", "");

	if (!err)
		err = db_begin(conn);
	for (unsigned i = 0; !err && i < USERS; i++) {
		snprintf(text, sizeof(text), "user%u", i);
		err = db_run(conn, "INSERT INTO users (id, name, password_hash, role, created_ms) "
			     "VALUES (?, ?, '', 'host', 0)", "it", (int64_t)(i + 1), text);
	}
	for (unsigned i = 0; !err && i < ROOMS; i++) {
		snprintf(text, sizeof(text), "room%u", i);
		err = db_run(conn, "INSERT INTO rooms (id, name, created_ms, owner_id, registered) "
			     "VALUES (?, ?, 0, ?, 1)", "iti", (int64_t)(i + 1), text,
			     (int64_t)(1 + i % USERS));
	}
	for (int64_t i = 0; !err && i < f->n; i++)
		err = fill_one(conn, i, f->n);
	return db_end(conn, err);
}

/* --- asking --------------------------------------------------------------------- */

struct asker {
	struct mbox *mbox;
	struct db *db;
	bool answered, done;
	int err;
	size_t hits;
};

static void on_index(void *obj, int err, bool done)
{
	struct asker *a = obj;

	a->answered = true;
	a->err = err;
	a->done = done;
}

static void on_hits(void *obj, int err, const struct recording_hit *hits, size_t n)
{
	struct asker *a = obj;

	(void)hits;
	a->answered = true;
	a->err = err;
	a->hits = n;
}

static void wait_answer(struct asker *a)
{
	struct pollfd p = { .fd = mbox_fd(a->mbox), .events = POLLIN };

	while (!a->answered) {
		poll(&p, 1, -1);
		mbox_run(a->mbox);
	}
	a->answered = false;
	if (a->err) {
		fprintf(stderr, "search_load: %s\n", strerror(-a->err));
		exit(EXIT_FAILURE);
	}
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What the last question took of the processors. */
static double work_ms;

static double ask(struct asker *a, const struct recording_query *q)
{
	int64_t began = clock_now_ns(&clock_monotonic);
	double before = cpu_ms();

	a->err = recording_search(a->db, q, on_hits, a);
	a->answered = a->err != 0;
	wait_answer(a);
	work_ms = cpu_ms() - before;
	return (double)(clock_now_ns(&clock_monotonic) - began) / 1e6;
}

enum question {
	Q_NEWEST, Q_COMMON_WORD, Q_TWO_WORDS, Q_RARE_WORD, Q_ONE_LETTER, Q_BEGINNING, Q_ONE_SYLLABLE,
	Q_PART_OF_WORD, Q_NO_HIT, Q_PERSON, Q_PERSON_AND_WORD, Q_ROOM, Q_ROOM_AND_WORD, Q_MONTH_AND_WORD,
	Q_OLD_YEARS_AND_WORD, Q_TAG, Q_TAG_AND_ROOM, Q_OWNER, Q_OWNER_AND_WORD, Q_DEEP_PAGE, QUESTIONS
};
static const char *const names[QUESTIONS] = {
	"newest", "common word", "two words", "rare word", "one letter", "beginning", "one syllable",
	"part of a word", "no hit", "person", "person and word", "room", "room and word",
	"month and word", "old time and word", "tag", "tag and room", "user", "user and word",
	"deep page",
};

static double ask_one(struct asker *a, enum question kind, int64_t n)
{
	struct recording_query q = { .limit = 50, .viewer.everything = true };
	char text[200] = "", person[100], room[32], w[48];
	int64_t at = FIRST_MS + any(1000) * (int64_t)ONE_DAY_MS;

	word(w, sizeof(w), 1 + 4 * any(8)); /* one that is nearly everywhere */
	name(person, sizeof(person), any(USERS));
	snprintf(room, sizeof(room), "room%u", any(ROOMS));
	snprintf(text, sizeof(text), "%s", w);
	if (kind == Q_TWO_WORDS) {
		char v[48];

		word(v, sizeof(v), any(400));
		snprintf(text, sizeof(text), "%s %s", w, v);
	} else if (kind == Q_RARE_WORD) {
		word(text, sizeof(text), WORDS / 2 + any(WORDS / 2));
	} else if (kind == Q_ONE_LETTER) {
		text[1] = '\0';
	} else if (kind == Q_BEGINNING) {
		text[3] = '\0';
	} else if (kind == Q_ONE_SYLLABLE || kind == Q_PART_OF_WORD) {
		word(text, sizeof(text), 4 * any(50));
		memmove(text, text + (kind == Q_PART_OF_WORD ? 0 : 3), 7);
		text[kind == Q_PART_OF_WORD ? 6 : 3] = '\0';
	} else if (kind == Q_NO_HIT) {
		snprintf(text, sizeof(text), "%s qqqq", w);
	}
	if (kind != Q_NEWEST && kind != Q_PERSON && kind != Q_ROOM && kind != Q_TAG && kind != Q_TAG_AND_ROOM &&
	    kind != Q_OWNER)
		q.text = text;
	if (kind == Q_PERSON || kind == Q_PERSON_AND_WORD)
		q.person = person;
	if (kind == Q_ROOM || kind == Q_ROOM_AND_WORD || kind == Q_TAG_AND_ROOM)
		q.room = room;
	if (kind == Q_MONTH_AND_WORD || kind == Q_OLD_YEARS_AND_WORD) {
		q.from_ms = kind == Q_MONTH_AND_WORD ? at : 0;
		q.until_ms = kind == Q_MONTH_AND_WORD ? at + 30LL * ONE_DAY_MS : FIRST_MS + 100LL * ONE_DAY_MS;
	}
	if (kind == Q_TAG || kind == Q_TAG_AND_ROOM)
		q.tag = "exam";
	if (kind == Q_OWNER || kind == Q_OWNER_AND_WORD)
		q.viewer = (struct recording_viewer){ .user_id = 1 + any(USERS), .participants = any(2) };
	if (kind == Q_DEEP_PAGE)
		q.before = 1000 + n / 50;
	return ask(a, &q);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(struct asker *a, int64_t n)
{
	static double all[QUESTIONS * ASKED], work[QUESTIONS * ASKED];
	double slowest = 0;
	int slowest_kind = 0;

	for (int k = 0; k < QUESTIONS; k++) {
		double *of = all + k * ASKED;

		for (int i = 0; i < ASKED; i++) {
			of[i] = ask_one(a, (enum question)k, n);
			work[k * ASKED + i] = work_ms;
		}
		qsort(of, ASKED, sizeof(*of), compare);
		fprintf(stderr, "%-18s median %7.2f ms, most %7.2f ms, %zu hits\n", names[k], of[ASKED / 2],
			of[ASKED - 1], a->hits);
		if (of[ASKED - 1] > slowest) {
			slowest = of[ASKED - 1];
			slowest_kind = k;
		}
	}
	qsort(all, QUESTIONS * ASKED, sizeof(*all), compare);
	qsort(work, QUESTIONS * ASKED, sizeof(*work), compare);
	printf("{\"p95_ms\": %.3f, \"cpu_p95_ms\": %.3f, \"p50_ms\": %.3f, \"max_ms\": %.3f, \"slowest\": \"%s\", "
	       "\"questions\": %d, \"recordings\": %lld}\n", all[QUESTIONS * ASKED * 95 / 100],
	       work[QUESTIONS * ASKED * 95 / 100],
	       all[QUESTIONS * ASKED / 2], slowest, names[slowest_kind], QUESTIONS * ASKED, (long long)n);
}

int main(int argc, char **argv)
{
	struct fill f = { .n = argc > 2 ? atoll(argv[2]) : 100000 };
	struct asker a = { 0 };
	struct errmsg why = { 0 };
	char path[1024];
	int err;

	role_enter(ROLE_ID_NONE);
	if (argc < 2 || f.n < 1000) {
		fprintf(stderr, "usage: search_load FOLDER [RECORDINGS]\n");
		return EXIT_FAILURE;
	}
	snprintf(path, sizeof(path), "%s/mcu.db", argv[1]);
	err = mbox_new(&a.mbox, 64);
	if (!err)
		err = db_open(&a.db, path, a.mbox, &why);
	if (!err)
		err = db_call(a.db, fill, &f);
	if (err) {
		fprintf(stderr, "search_load: %s %s\n", strerror(-err), why.text);
		return EXIT_FAILURE;
	}
	while (!a.done) {
		recording_index(a.db, 1000, on_index, &a);
		wait_answer(&a);
	}
	measure(&a, f.n);
	db_close(&a.db);
	mbox_free(&a.mbox);
	return EXIT_SUCCESS;
}
