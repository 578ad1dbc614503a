/* The announcements: sound files by language and name, read at start and constant from
 * then on, so that any thread may hear them. What the operator's folder has takes the
 * place of what was made when the server was built. */
#ifndef MCU_PROMPTS_H
#define MCU_PROMPTS_H

#include <stddef.h>

#include "mixer/audio/prompt.h"

struct prompts;

enum { PROMPTS_NUMBER_PARTS = 4, PROMPTS_NUMBER_MOST = 999 };

/* own: the operator's folder, "" for none; built: where ours are. Both have
 * LANGUAGE/NAME.wav, and NAME.wav for what has no words. A file that cannot be used is
 * logged as an error, and ours is taken; one that is not there is missed when it is
 * asked for. 0 or -ENOMEM. */
int prompts_load(struct prompts **out, const char *own, const char *built);
void prompts_free(struct prompts **p);
/* How many sounds there are. */
size_t prompts_count(const struct prompts *p);

/* In the language, else in English, else without words; NULL: there is none. A name
 * "ko/welcome" says the language itself. */
const struct prompt *prompts_find(const struct prompts *p, const char *language, const char *name);
/* The same of a list: what is not there is left out, unless nothing is. A name "=42" is
 * a number, said in the language. Returns how many of out are filled in; 0: nothing of
 * it is there, *missing is the first. */
size_t prompts_list(const struct prompts *p, const char *language, const char *const *names,
		    size_t n, const struct prompt *out[PROMPT_PARTS], const char **missing);

/* The names of the parts of a number, 0…PROMPTS_NUMBER_MOST; more is that. Returns how
 * many. Pure. */
size_t prompts_number(const char *language, unsigned number,
		      char out[PROMPTS_NUMBER_PARTS][16]);

#endif
