#include "mcu/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int errmsg_set(struct errmsg *m, int err, const char *code, const char *fmt, ...)
{
	va_list ap;

	if (!m)
		return err;
	snprintf(m->code, sizeof(m->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(m->text, sizeof(m->text), fmt, ap);
	va_end(ap);
	return err;
}

const char *err_str(int err)
{
	static _Thread_local char text[128];

	if (err == 0)
		return "success";
	return strerror_r(err < 0 ? -err : err, text, sizeof(text));
}
