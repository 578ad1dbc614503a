#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/protocol.h"
#include "signaling/sip_trunk.h"

static int wrong(struct errmsg *why, const char *member, const char *what)
{
	return errmsg_set(why, -EINVAL, "trunk_invalid", "The member \"%s\" %s.", member, what);
}

/* Printable, and nothing that ends a URI or a header. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("<>\"\\,", *text))
			return false;
	return true;
}

static int text_of(char *out, size_t cap, json_t *settings, const char *member, bool required,
		   struct errmsg *why)
{
	json_t *v = json_object_get(settings, member);
	const char *text = json_string_value(v);

	if (v && !json_is_null(v) && (!text || strlen(text) != json_string_length(v)))
		return wrong(why, member, "must be a text");
	if (required && (!text || !*text))
		return wrong(why, member, "is missing");
	if (text && (strlen(text) >= cap || !is_plain(text)))
		return wrong(why, member, "is too long, or has characters that cannot be there");
	snprintf(out, cap, "%s", text ? text : "");
	return 0;
}

static int bool_of(bool *out, json_t *settings, const char *member, struct errmsg *why)
{
	json_t *v = json_object_get(settings, member);

	if (v && !json_is_boolean(v))
		return wrong(why, member, "must be true or false");
	*out = json_is_true(v);
	return 0;
}

/* "sip:host[:port][;parameters]" */
static int check_uri(struct sip_trunk_cfg *c, struct errmsg *why)
{
	const char *p = c->uri, *end;
	size_t n;

	if (!strncasecmp(p, "sips:", 5))
		p += 5;
	else if (!strncasecmp(p, "sip:", 4))
		p += 4;
	else
		return wrong(why, "uri", "must be like \"sip:provider.example\"");
	end = p + strcspn(p, ";?");
	n = (size_t)(end - p);
	if (!n || memchr(p, '@', n))
		return wrong(why, "uri", "must be a host without a user: \"sip:provider.example:5060\"");
	memcpy(c->host, p, n);
	c->host[n] = '\0';
	return 0;
}

static int texts_of(char ***out, size_t *n, json_t *settings, const char *member,
		    struct errmsg *why)
{
	json_t *list = json_object_get(settings, member), *v;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > SIP_TRUNK_LIST_MAX)
		return wrong(why, member, "must be a list of texts");
	*out = calloc(json_array_size(list) + 1, sizeof **out);
	if (!*out)
		return -ENOMEM;
	json_array_foreach(list, i, v) {
		const char *text = json_string_value(v);

		if (!text || strlen(text) > 64 || !is_plain(text))
			return wrong(why, member, "must be a list of texts");
		(*out)[i] = strdup(text);
		if (!(*out)[i])
			return -ENOMEM;
		(*n)++;
	}
	return 0;
}

static int check_addresses(const struct sip_trunk_cfg *c, struct errmsg *why)
{
	unsigned char a[sizeof(struct in6_addr)];

	for (size_t i = 0; i < c->n_addresses; i++)
		if (inet_pton(AF_INET, c->addresses[i], a) != 1 &&
		    inet_pton(AF_INET6, c->addresses[i], a) != 1)
			return wrong(why, "addresses", "must be a list of IP addresses");
	return 0;
}

static int numbers_of(struct sip_trunk_cfg *c, json_t *settings, struct errmsg *why)
{
	json_t *list = json_object_get(settings, "numbers"), *v;
	char digits[64];
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > SIP_TRUNK_LIST_MAX)
		return wrong(why, "numbers", "must be a list of {\"number\", \"room\"}");
	c->numbers = calloc(json_array_size(list) + 1, sizeof *c->numbers);
	if (!c->numbers)
		return -ENOMEM;
	json_array_foreach(list, i, v) {
		const char *number = json_string_value(json_object_get(v, "number"));
		const char *room = json_string_value(json_object_get(v, "room"));

		if (!number || !sip_route_number(number, digits, sizeof digits))
			return wrong(why, "numbers", "needs a \"number\" of digits in each");
		if (room && *room && !protocol_room_name_valid(room))
			return wrong(why, "numbers", "names a \"room\" that cannot be the name of one");
		c->numbers[i].number = strdup(digits);
		c->numbers[i].room = strdup(room ? room : "");
		c->n_numbers++;
		if (!c->numbers[i].number || !c->numbers[i].room)
			return -ENOMEM;
	}
	return 0;
}

static int check_members(json_t *settings, struct errmsg *why)
{
	static const char *const known[] = { "uri", "user", "auth_user", "register", "expires_s",
					     "caller", "numbers", "prefixes", "addresses", "srtp",
					     "srtp_optional" };
	const char *key;
	json_t *v;

	if (!json_is_object(settings))
		return errmsg_set(why, -EINVAL, "trunk_invalid", "A trunk is a JSON object.");
	json_object_foreach(settings, key, v) {
		size_t i = 0;

		while (i < sizeof known / sizeof *known && strcmp(key, known[i]))
			i++;
		if (i == sizeof known / sizeof *known)
			return errmsg_set(why, -EINVAL, "trunk_invalid",
					  "There is no member \"%.64s\" of a trunk.", key);
	}
	return 0;
}

static int expires_of(struct sip_trunk_cfg *c, json_t *settings, struct errmsg *why)
{
	json_t *v = json_object_get(settings, "expires_s");
	json_int_t s = v ? json_integer_value(v) : 600;

	if (v && !json_is_integer(v))
		return wrong(why, "expires_s", "must be a whole number");
	if (s < 60 || s > 86400)
		return wrong(why, "expires_s", "must be from 60 to 86400");
	c->expires_s = (int)s;
	return 0;
}

static int read_all(struct sip_trunk_cfg *c, json_t *settings, struct errmsg *why)
{
	int err = check_members(settings, why);

	if (!err)
		err = text_of(c->uri, sizeof c->uri, settings, "uri", true, why);
	if (!err)
		err = check_uri(c, why);
	if (!err)
		err = text_of(c->user, sizeof c->user, settings, "user", false, why);
	if (!err)
		err = text_of(c->auth_user, sizeof c->auth_user, settings, "auth_user", false, why);
	if (!err)
		err = text_of(c->caller, sizeof c->caller, settings, "caller", false, why);
	if (!err)
		err = bool_of(&c->registers, settings, "register", why);
	if (!err)
		err = bool_of(&c->srtp, settings, "srtp", why);
	if (!err)
		err = bool_of(&c->srtp_optional, settings, "srtp_optional", why);
	if (!err)
		err = expires_of(c, settings, why);
	if (!err)
		err = numbers_of(c, settings, why);
	if (!err)
		err = texts_of(&c->prefixes, &c->n_prefixes, settings, "prefixes", why);
	if (!err)
		err = texts_of(&c->addresses, &c->n_addresses, settings, "addresses", why);
	if (!err)
		err = check_addresses(c, why);
	if (!err && c->registers && !c->user[0])
		err = wrong(why, "user", "is needed to register");
	return err;
}

int sip_trunk_parse(struct sip_trunk_cfg **out, const char *name, json_t *settings,
		    const char *password, struct errmsg *why)
{
	struct sip_trunk_cfg *c = calloc(1, sizeof *c);
	int err;

	if (!c)
		return errmsg_set(why, -ENOMEM, "memory", "out of memory");
	if (!*name || strlen(name) >= sizeof c->name || !is_plain(name) || strpbrk(name, "/:?#"))
		err = wrong(why, "name", "must have 1 to 64 printable characters without / : ? #");
	else if (strlen(password) >= sizeof c->password || strpbrk(password, "\r\n"))
		err = wrong(why, "password", "is too long");
	else
		err = read_all(c, settings, why);
	if (err) {
		if (err == -ENOMEM)
			errmsg_set(why, err, "memory", "out of memory");
		sip_trunk_cfg_free(&c);
		return err;
	}
	strcpy(c->name, name);
	strcpy(c->password, password);
	*out = c;
	return 0;
}

void sip_trunk_cfg_free(struct sip_trunk_cfg **pc)
{
	struct sip_trunk_cfg *c = *pc;

	if (!c)
		return;
	for (size_t i = 0; i < c->n_numbers; i++) {
		free((char *)c->numbers[i].number);
		free((char *)c->numbers[i].room);
	}
	for (size_t i = 0; i < c->n_prefixes; i++)
		free(c->prefixes[i]);
	for (size_t i = 0; i < c->n_addresses; i++)
		free(c->addresses[i]);
	free(c->numbers);
	free(c->prefixes);
	free(c->addresses);
	explicit_bzero(c, sizeof *c);
	free(c);
	*pc = NULL;
}
