/* JSON bodies of REST requests, read strictly: whoever mistypes a member hears of it
 * instead of wondering why nothing has changed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"

static int wrong(struct errmsg *why, const char *name, const char *what)
{
	return errmsg_set(why, -EINVAL, "bad_json", "The member \"%.64s\" %s.", name, what);
}

static int read_text(const struct rest_field *f, json_t *v, struct errmsg *why)
{
	char what[80];
	size_t n = json_string_length(v);

	if (json_is_null(v))
		return f->required ? wrong(why, f->name, "must be a text") : 0;
	if (!json_is_string(v))
		return wrong(why, f->name, "must be a text");
	snprintf(what, sizeof what, "must have %d to %d octets", (int)f->min, (int)f->max);
	if ((int64_t)n < f->min || (int64_t)n > f->max || strlen(json_string_value(v)) != n)
		return wrong(why, f->name, what);
	*f->text = json_string_value(v);
	return 0;
}

static int read_number(const struct rest_field *f, json_t *v, struct errmsg *why)
{
	char what[80];

	snprintf(what, sizeof what, "must be a whole number from %lld to %lld", (long long)f->min,
		 (long long)f->max);
	if (!json_is_integer(v) || json_integer_value(v) < f->min || json_integer_value(v) > f->max)
		return wrong(why, f->name, what);
	*f->number = json_integer_value(v);
	return 0;
}

static int read_json(const struct rest_field *f, json_t *v, struct errmsg *why)
{
	char what[80];

	if (f->kind == REST_OBJECT && !json_is_object(v))
		return wrong(why, f->name, "must be an object");
	snprintf(what, sizeof what, "must be a list of %d to %d elements", (int)f->min, (int)f->max);
	if (f->kind == REST_ARRAY && (!json_is_array(v) || (int64_t)json_array_size(v) < f->min ||
				      (int64_t)json_array_size(v) > f->max))
		return wrong(why, f->name, what);
	*f->json = v;
	return 0;
}

static int read_field(const struct rest_field *f, json_t *v, struct errmsg *why)
{
	if (f->present)
		*f->present = true;
	if (f->kind == REST_TEXT)
		return read_text(f, v, why);
	if (f->kind == REST_INT)
		return read_number(f, v, why);
	if (f->kind == REST_ARRAY || f->kind == REST_OBJECT)
		return read_json(f, v, why);
	if (!json_is_boolean(v))
		return wrong(why, f->name, "must be true or false");
	*f->flag = json_is_true(v);
	return 0;
}

static bool is_known(const char *name, const struct rest_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return true;
	return false;
}

int rest_parse(json_t **body, const char *text, size_t len, const struct rest_field *fields,
	       size_t n, struct errmsg *why)
{
	const char *name;
	json_t *v;

	*body = len ? json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL) :
		      json_object();
	if (!json_is_object(*body))
		return errmsg_set(why, -EINVAL, "bad_json", "The body must be a JSON object.");
	json_object_foreach(*body, name, v)
		if (!is_known(name, fields, n))
			return wrong(why, name, "is not known here");
	for (size_t i = 0; i < n; i++) {
		int err;

		v = json_object_get(*body, fields[i].name);
		err = v ? read_field(&fields[i], v, why) :
		      fields[i].required ? wrong(why, fields[i].name, "is missing") : 0;
		if (err)
			return err;
	}
	return 0;
}

bool rest_read(struct wait *w, const struct rest_field *fields, size_t n)
{
	struct errmsg why;
	size_t len;
	const char *text = http_req_body(w->req, &len);

	if (!rest_parse(&w->body, text, len, fields, n, &why))
		return true;
	wait_refuse(w, 400, why.code, "%s", why.text);
	return false;
}
