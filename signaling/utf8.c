#include "signaling/utf8.h"

#include <glib.h>

bool utf8_next(const char **p, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)*p;
	unsigned n = s[0] < 0x80       ? 1
		     : s[0] >> 5 == 6  ? 2
		     : s[0] >> 4 == 14 ? 3
		     : s[0] >> 3 == 30 ? 4
				       : 0;
	if (!s[0] || !n)
		return false;
	uint32_t v = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return false;
	*p += n;
	*c = v;
	return true;
}

bool utf8_valid(const char *text)
{
	uint32_t c;
	while (*text)
		if (!utf8_next(&text, &c))
			return false;
	return true;
}

size_t utf8_length(const char *text)
{
	size_t n = 0;
	uint32_t c;
	for (; *text; n++)
		if (!utf8_next(&text, &c))
			text++;
	return n;
}

bool utf8_is_letter(uint32_t c)
{
	return g_unichar_isalnum(c) || g_unichar_ismark(c);
}
