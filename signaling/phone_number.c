#include "signaling/phone_number.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "signaling/utf8.h"

#define DOTS "••••"

enum {
	SHOWN_FIRST = 4,
	SHOWN_LAST = 2,
	HIDDEN_LEAST = 4,
	SECRET_LEAST = 4,
	TELLING = 7,	  /* digits at its end that tell a number */
	NAME_DIGITS = 64, /* of a name or a number that are looked at */
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += digit(*s);
	return n;
}

/* A number in any grouping, and nothing else. */
static bool is_number(const char *s, size_t len)
{
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (digit(s[i]))
			digits++;
		else if (!strchr("+-. ()/*#", s[i]))
			return false;
	}
	return digits > 0;
}

/* No more than fits, and no half character. */
static void copy_cut(char out[PHONE_NUMBER_BYTES], const char *s, size_t len)
{
	if (len >= PHONE_NUMBER_BYTES)
		for (len = PHONE_NUMBER_BYTES - 1; len && ((unsigned char)s[len] & 0xc0) == 0x80;
		     len--)
			;
	memmove(out, s, len);
	out[len] = 0;
}

void phone_number_plain(char out[PHONE_NUMBER_BYTES], const char *uri)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:" };
	size_t len, user;

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (!strncasecmp(uri, schemes[i], strlen(schemes[i]))) {
			uri += strlen(schemes[i]);
			break;
		}
	len = strcspn(uri, ";?>");
	user = strcspn(uri, "@;?>");
	copy_cut(out, uri, user < len && is_number(uri, user) ? user : len);
}

/* The nth digit's place; n counts from 0. */
static size_t place_of(const char *s, size_t n)
{
	size_t i = 0;

	for (; s[i]; i++)
		if (digit(s[i]) && n-- == 0)
			break;
	return i;
}

static void mask_number(char out[PHONE_NUMBER_BYTES], const char *s)
{
	size_t n = count_digits(s), first, last;

	if (n < SHOWN_LAST + HIDDEN_LEAST / 2) {
		snprintf(out, PHONE_NUMBER_BYTES, DOTS);
		return;
	}
	first = n >= SHOWN_FIRST + HIDDEN_LEAST + SHOWN_LAST ? place_of(s, SHOWN_FIRST) : 0;
	last = place_of(s, n - SHOWN_LAST);
	snprintf(out, PHONE_NUMBER_BYTES, "%.*s" DOTS "%s", (int)first, s, s + last);
}

void phone_number_mask(char out[PHONE_NUMBER_BYTES], const char *plain)
{
	const char *at = strchr(plain, '@'), *p = plain;
	uint32_t c;

	if (is_number(plain, strlen(plain))) {
		mask_number(out, plain);
		return;
	}
	if (!at || !utf8_next(&p, &c) || p > at) {
		snprintf(out, PHONE_NUMBER_BYTES, DOTS);
		return;
	}
	snprintf(out, PHONE_NUMBER_BYTES, "%.*s" DOTS "%s", (int)(p - plain), plain, at);
}

/* The digits of any script, as ASCII: the last ones that fit. only: there is nothing
 * but digits and what stands between them. */
static size_t read_digits(char out[NAME_DIGITS + 1], const char *s, size_t len, bool *only)
{
	const char *end = s + len;
	size_t n = 0;
	uint32_t c;
	int value;

	*only = true;
	while (s < end) {
		if (!utf8_next(&s, &c)) {
			s++;
			continue;
		}
		value = g_unichar_digit_value(c);
		if (value < 0) {
			*only = *only && !g_unichar_isalpha(c);
			continue;
		}
		if (n == NAME_DIGITS)
			memmove(out, out + 1, --n);
		out[n++] = (char)('0' + value);
	}
	out[n] = 0;
	return n;
}

static bool has_text(const char *in, const char *text)
{
	size_t len = strlen(text);

	for (; *in; in++)
		if (!strncasecmp(in, text, len))
			return true;
	return false;
}

bool phone_number_in(const char *name, const char *plain)
{
	char want[NAME_DIGITS + 1], have[NAME_DIGITS + 1];
	const char *at = strchr(plain, '@');
	bool only, unused;
	size_t n = read_digits(want, plain, at ? (size_t)(at - plain) : strlen(plain), &unused);

	/* An extension is no secret, and a name may well have "2" in it. */
	if (read_digits(have, name, strlen(name), &only) > SECRET_LEAST && only)
		return true;
	if (at && has_text(name, plain))
		return true;
	/* Its beginning depends on who writes it: +49 30 …, 0049 30 …, 030 …, or none. */
	return n > SECRET_LEAST && strstr(have, want + (n > TELLING ? n - TELLING : 0));
}
