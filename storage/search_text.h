/* Text as it is kept in the index of recordings, and questions to it (SQLite FTS5).
 *
 * A text becomes words of letters and digits with a space between two (NFKC, case
 * folded). Where a script has no spaces between words, or glues endings to them
 * (Han, kana, Hangul, Thai …), each run becomes its overlapping pairs and its last
 * sign, so that any part of a run can be found: "회의실" is "회의 의실 실". In a
 * question the last word may be the beginning of one. Pure. Any thread. */
#ifndef MCU_STORAGE_SEARCH_TEXT_H
#define MCU_STORAGE_SEARCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SEARCH_TERMS_MAX = 16,
	SEARCH_QUESTION_MAX = 200, /* octets of what a person types */
	SEARCH_MATCH_MAX = 16384,  /* of the expression that becomes of it all */
};

/* A growing text; zeroed is empty. Beyond max octets (0: any) nothing is added. */
struct search_text {
	char *text;
	size_t len, cap, max;
	bool failed; /* out of memory: the text is cut */
};

/* Adds the words of a UTF-8 text. What is not UTF-8 in it separates words. */
void search_text_add(struct search_text *t, const char *text);
/* Adds something that is a word of the index already ("r17"). */
void search_text_key(struct search_text *t, char kind, int64_t number);
const char *search_text_get(const struct search_text *t); /* never NULL */
void search_text_free(struct search_text *t);

/* An FTS5 expression that grows by conditions, all of which must hold. */
struct search_match {
	char text[SEARCH_MATCH_MAX];
	size_t len;
	bool failed; /* it did not fit */
};

/* All words of the question, in these columns ("people", "- keys"). The number of
 * words; 0: it has none, and nothing was added; -E2BIG: more than SEARCH_TERMS_MAX. */
int search_match_words(struct search_match *m, const char *columns, const char *question);
/* Any of the keys that are added until search_match_end(). */
void search_match_begin(struct search_match *m);
void search_match_key(struct search_match *m, char kind, int64_t number);
void search_match_end(struct search_match *m);
/* Began within [from_ms, until_ms) or a little outside: years "y2026" and months
 * "m202611" (UTC). 0: open. */
void search_match_dates(struct search_match *m, int64_t from_ms, int64_t until_ms);
/* The keys of a time, for the index. */
void search_text_date(struct search_text *t, int64_t at_ms);

#endif
