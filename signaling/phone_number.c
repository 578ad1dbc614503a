#include "signaling/phone_number.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "signaling/utf8.h"

#define DOTS "••••"

enum { SHOWN_FIRST = 4, SHOWN_LAST = 2, HIDDEN_LEAST = 4, SECRET_LEAST = 4 };

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

bool phone_number_in(const char *name, const char *plain)
{
	char want[PHONE_NUMBER_BYTES], have[PHONE_NUMBER_BYTES];
	const char *end = strchr(plain, '@');
	size_t n = 0, m = 0, user = end ? (size_t)(end - plain) : strlen(plain);

	if (!is_number(plain, user)) /* an address: as it is written */
		return user && strstr(name, plain);
	for (size_t i = 0; i < user && n < sizeof want - 1; i++)
		if (digit(plain[i]))
			want[n++] = plain[i];
	for (; *name && m < sizeof have - 1; name++)
		if (digit(*name))
			have[m++] = *name;
	want[n] = have[m] = 0;
	/* An extension is no secret, and a name may well have "2" in it. */
	return n > SECRET_LEAST && strstr(have, want);
}
