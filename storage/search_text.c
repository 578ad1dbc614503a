#include "storage/search_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

enum { FIRST_YEAR = 2000, LAST_YEAR = 2100 };

enum sign_kind { SIGN_NONE, SIGN_WORD, SIGN_RUN };

/* Scripts whose words are found by pairs of signs. */
static bool is_run(gunichar c)
{
	static const gunichar ranges[][2] = {
		{ 0x0e00, 0x0eff },   /* Thai, Lao */
		{ 0x1000, 0x109f },   /* Myanmar */
		{ 0x1100, 0x11ff },   /* Hangul jamo */
		{ 0x1780, 0x17ff },   /* Khmer */
		{ 0x3005, 0x3007 },   /* iteration marks */
		{ 0x3040, 0x318f },   /* kana, bopomofo, Hangul compatibility jamo */
		{ 0x31a0, 0x31bf },   { 0x31f0, 0x31ff }, { 0x3400, 0x4dbf },
		{ 0x4e00, 0x9fff },   { 0xa960, 0xa97f }, { 0xac00, 0xd7ff },
		{ 0xf900, 0xfaff },   { 0xff66, 0xffdc }, { 0x1b000, 0x1b16f },
		{ 0x20000, 0x3ffff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

static enum sign_kind kind_of(gunichar c)
{
	GUnicodeType t = g_unichar_type(c);

	/* the categories of the index's tokenizer (migrations.c) */
	switch (t) {
	case G_UNICODE_LOWERCASE_LETTER:
	case G_UNICODE_MODIFIER_LETTER:
	case G_UNICODE_OTHER_LETTER:
	case G_UNICODE_TITLECASE_LETTER:
	case G_UNICODE_UPPERCASE_LETTER:
	case G_UNICODE_DECIMAL_NUMBER:
	case G_UNICODE_LETTER_NUMBER:
	case G_UNICODE_OTHER_NUMBER:
	case G_UNICODE_NON_SPACING_MARK:
	case G_UNICODE_SPACING_MARK:
		return is_run(c) ? SIGN_RUN : SIGN_WORD;
	default:
		return SIGN_NONE;
	}
}

static bool reserve(struct search_text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 256;

	if (t->failed || (t->max && t->len + more > t->max))
		return false;
	while (cap < t->len + more + 1)
		cap *= 2;
	if (cap > t->cap) {
		char *p = realloc(t->text, cap);

		if (!p) {
			t->failed = true;
			return false;
		}
		t->text = p;
		t->cap = cap;
	}
	return true;
}

static void put(struct search_text *t, const char *bytes, size_t n)
{
	if (!reserve(t, n))
		return;
	memcpy(t->text + t->len, bytes, n);
	t->len += n;
	t->text[t->len] = '\0';
}

static void put_space(struct search_text *t)
{
	if (t->len && t->text[t->len - 1] != ' ')
		put(t, " ", 1);
}

/* A run of n signs from p: its pairs, and its last sign if that is wanted. */
static void put_run(struct search_text *t, const char *p, const char *end, bool last_too)
{
	while (p < end) {
		const char *next = g_utf8_next_char(p);
		const char *after = next < end ? g_utf8_next_char(next) : next;

		if (next == end && !last_too)
			return;
		put(t, p, (size_t)(after - p));
		put_space(t);
		p = next;
	}
}

/* Words of a normalised text. question: the last sign of a run that ends the text is
 * left out, unless it is all of the run. */
static void put_words(struct search_text *t, const char *p, bool question)
{
	put_space(t);
	while (*p) {
		enum sign_kind kind = kind_of(g_utf8_get_char(p));
		const char *end = p;

		while (*end && kind_of(g_utf8_get_char(end)) == kind)
			end = g_utf8_next_char(end);
		if (kind == SIGN_WORD)
			put(t, p, (size_t)(end - p));
		else if (kind == SIGN_RUN)
			put_run(t, p, end, !question || *end || g_utf8_next_char(p) == end);
		put_space(t);
		p = end;
	}
	while (t->len && t->text[t->len - 1] == ' ')
		t->text[--t->len] = '\0';
}

/* NFKC and case folding; to be freed with g_free. */
static char *normalise(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);
	char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL_COMPOSE);
	char *folded = g_utf8_casefold(composed, -1);
	char *out = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL_COMPOSE);

	g_free(folded);
	g_free(composed);
	g_free(valid);
	return out;
}

void search_text_add(struct search_text *t, const char *text)
{
	char *p = normalise(text);

	put_words(t, p, false);
	g_free(p);
}

void search_text_key(struct search_text *t, char kind, int64_t number)
{
	char key[32];
	int n = snprintf(key, sizeof(key), "%c%" PRId64, kind, number);

	put_space(t);
	put(t, key, (size_t)n);
}

const char *search_text_get(const struct search_text *t)
{
	return t->text ? t->text : "";
}

void search_text_free(struct search_text *t)
{
	free(t->text);
	*t = (struct search_text){ 0 };
}

/* --- questions ---------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void add(struct search_match *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, fmt, ap);

	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(m->text) - m->len) {
		m->text[m->len] = '\0';
		m->failed = true;
		return;
	}
	m->len += (size_t)n;
}

/* One word as a person sees it is one phrase: "v2.1" is "v2 1"*. */
static int add_term(struct search_match *m, char *word, int already, const char *columns)
{
	struct search_text phrase = { 0 };
	int added = 0;

	put_words(&phrase, word, true);
	if (phrase.failed)
		m->failed = true;
	if (phrase.len) {
		if (already)
			add(m, " AND ");
		else
			add(m, "%s(%s : (", m->len ? " AND " : "", columns);
		add(m, "\"%s\"*", phrase.text);
		added = 1;
	}
	search_text_free(&phrase);
	return added;
}

int search_match_words(struct search_match *m, const char *columns, const char *question)
{
	char *folded = normalise(question), **words = g_strsplit_set(folded, " \t\r\n\v\f", -1);
	int n = 0;

	for (char **w = words; *w && n <= SEARCH_TERMS_MAX; w++)
		n += add_term(m, *w, n, columns);
	if (n)
		add(m, "))");
	g_strfreev(words);
	g_free(folded);
	return n > SEARCH_TERMS_MAX ? -E2BIG : n;
}

void search_match_begin(struct search_match *m)
{
	add(m, "%s(keys : (", m->len ? " AND " : "");
}

void search_match_key(struct search_match *m, char kind, int64_t number)
{
	bool first = m->len && m->text[m->len - 1] == '(';

	add(m, "%s\"%c%" PRId64 "\"", first ? "" : " OR ", kind, number);
}

void search_match_end(struct search_match *m)
{
	add(m, "))");
}

/* Months since the year 0, within what is ever asked for. */
static int month_of(int64_t at_ms)
{
	time_t s = (time_t)(at_ms / 1000);
	struct tm tm;
	int year;

	if (!gmtime_r(&s, &tm))
		return LAST_YEAR * 12 + 11;
	year = tm.tm_year + 1900;
	if (year < FIRST_YEAR)
		return FIRST_YEAR * 12;
	return year > LAST_YEAR ? LAST_YEAR * 12 + 11 : year * 12 + tm.tm_mon;
}

void search_match_dates(struct search_match *m, int64_t from_ms, int64_t until_ms)
{
	int at = from_ms ? month_of(from_ms) : FIRST_YEAR * 12;
	int last = until_ms ? month_of(until_ms) : LAST_YEAR * 12 + 11;

	search_match_begin(m);
	search_match_key(m, 'm', 0); /* a range without any month has no hit */
	while (at <= last) {
		bool year = at % 12 == 0 && at + 11 <= last;

		if (year)
			search_match_key(m, 'y', at / 12);
		else
			search_match_key(m, 'm', at / 12 * 100 + at % 12 + 1);
		at += year ? 12 : 1;
	}
	search_match_end(m);
}

void search_text_date(struct search_text *t, int64_t at_ms)
{
	int month = month_of(at_ms);

	search_text_key(t, 'y', month / 12);
	search_text_key(t, 'm', month / 12 * 100 + month % 12 + 1);
}
