/* Errors: functions return 0 or -errno. Where a person will read the reason,
 * the function also fills a struct errmsg: a stable code for programs and a
 * sentence that says what is wrong, where, and what to do. Any thread. */
#ifndef MCU_BASE_ERR_H
#define MCU_BASE_ERR_H

struct errmsg {
	char code[40];  /* stable, lower case with underscores: "room_full" */
	char text[320]; /* one or two sentences, no trailing newline */
};

/* Fills *m (NULL: nothing) and returns err, so that a caller can write
 * return errmsg_set(why, -EINVAL, "bad_sdp", "…", …). */
__attribute__((format(printf, 4, 5)))
int errmsg_set(struct errmsg *m, int err, const char *code, const char *fmt, ...);

/* The text of a 0 / -errno value; never NULL; static or thread-local. */
const char *err_str(int err);

#endif
