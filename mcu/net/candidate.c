#include "mcu/net/candidate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TOKENS = 64, TRANSPORT_MAX = 16, NAME_MAX_OCTETS = 255 };

static const char *const type_names[] = {
	[CANDIDATE_HOST] = "host",
	[CANDIDATE_SRFLX] = "srflx",
	[CANDIDATE_PRFLX] = "prflx",
	[CANDIDATE_RELAY] = "relay",
};

/* Cuts text at its spaces, in place; -EBADMSG for other than printable ASCII. */
static int tokenize(char *text, char *token[MAX_TOKENS])
{
	int n = 0;
	char *save, *t;

	for (const char *p = text; *p; p++)
		if (!isprint((unsigned char)*p))
			return -EBADMSG;
	for (t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		if (n == MAX_TOKENS)
			return -EBADMSG;
		token[n++] = t;
	}
	return n;
}

static bool get_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 10)
		return false;
	*out = strtoul(text, &end, 10);
	return !*end && *out <= max;
}

/* RFC 8445 section 5.1.1.3: 1 to 32 of the ICE characters. */
static bool foundation_ok(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n >= CANDIDATE_FOUNDATION)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '+' && *text != '/' &&
		    *text != '-' && *text != '_')
			return false;
	return true;
}

static bool name_like(const char *text)
{
	if (strlen(text) > NAME_MAX_OCTETS)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.:%", *text))
			return false;
	return true;
}

/* 0, -ENOTSUP: a name, or nobody's address. */
static int get_address(const char *text, char out[CANDIDATE_ADDRESS])
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		uint32_t a = ntohl(v4.s_addr);

		if (a >> 24 == 0 || a >= 0xe0000000U)
			return -ENOTSUP;
		return inet_ntop(AF_INET, &v4, out, CANDIDATE_ADDRESS) ? 0 : -EBADMSG;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		if (IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_MULTICAST(&v6) ||
		    IN6_IS_ADDR_LINKLOCAL(&v6))
			return -ENOTSUP;
		return inet_ntop(AF_INET6, &v6, out, CANDIDATE_ADDRESS) ? 0 : -EBADMSG;
	}
	return name_like(text) ? -ENOTSUP : -EBADMSG;
}

static enum candidate_type get_type(const char *text)
{
	for (int t = CANDIDATE_HOST; t <= CANDIDATE_RELAY; t++)
		if (!strcmp(text, type_names[t]))
			return (enum candidate_type)t;
	return 0;
}

static void get_related(struct candidate *c, char *const token[], int n)
{
	unsigned long port;

	for (int i = 0; i + 1 < n; i += 2) {
		if (!strcmp(token[i], "raddr") && get_address(token[i + 1], c->related_address))
			c->related_address[0] = '\0';
		if (!strcmp(token[i], "rport") && get_number(token[i + 1], UINT16_MAX, &port))
			c->related_port = (uint16_t)port;
	}
}

/* foundation component transport priority address port "typ" type … */
static int parse_tokens(struct candidate *c, char *const token[], int n)
{
	unsigned long component, priority, port;
	int err;

	if (n < 8 || strcmp(token[6], "typ") || !foundation_ok(token[0]) ||
	    !get_number(token[1], 256, &component) || component == 0 ||
	    !get_number(token[3], UINT32_MAX, &priority) ||
	    !get_number(token[5], UINT16_MAX, &port) || strlen(token[2]) > TRANSPORT_MAX)
		return -EBADMSG;
	err = get_address(token[4], c->address);
	if (err)
		return err;
	if (strcasecmp(token[2], "udp") || port == 0)
		return -ENOTSUP;
	c->type = get_type(token[7]);
	if (!c->type)
		return -ENOTSUP;
	strcpy(c->foundation, token[0]);
	c->component = (unsigned)component;
	c->priority = (uint32_t)priority;
	c->port = (uint16_t)port;
	get_related(c, token + 8, n - 8);
	return 0;
}

int candidate_parse(struct candidate *out, const char *text)
{
	char copy[CANDIDATE_BYTES], *token[MAX_TOKENS];
	struct candidate c = { 0 };
	size_t len;
	int n, err;

	if (!strncmp(text, "a=", 2))
		text += 2;
	if (!strncmp(text, "candidate:", 10))
		text += 10;
	len = strnlen(text, sizeof copy);
	if (len == sizeof copy)
		return -EBADMSG;
	memcpy(copy, text, len + 1);
	n = tokenize(copy, token);
	err = n < 0 ? n : parse_tokens(&c, token, n);
	if (!err)
		*out = c;
	return err;
}

/* The next word; NULL: there is none. */
static const char *word(const char **at, size_t *len)
{
	const char *from = *at + strspn(*at, " ");

	*len = strcspn(from, " ");
	*at = from + *len;
	return *len ? from : NULL;
}

const char *candidate_ufrag(const char *text, size_t *len)
{
	const char *at = text, *name, *value;
	size_t n;

	for (int i = 0; i < 8; i++)
		if (!word(&at, &n))
			return NULL;
	while ((name = word(&at, &n)) && (value = word(&at, len)))
		if (n == 5 && !memcmp(name, "ufrag", n))
			return value;
	return NULL;
}

int candidate_write(const struct candidate *c, char *out, size_t cap)
{
	int n = snprintf(out, cap, "candidate:%s %u udp %u %s %u typ %s", c->foundation,
			 c->component, c->priority, c->address, c->port, type_names[c->type]);

	if (n >= 0 && (size_t)n < cap && c->related_address[0])
		n += snprintf(out + n, cap - (size_t)n, " raddr %s rport %u", c->related_address,
			      c->related_port);
	return n >= 0 && (size_t)n < cap ? n : -EMSGSIZE;
}
