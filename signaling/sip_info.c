#include "signaling/sip_info.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char sip_info_picture[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
	"<media_control><vc_primitive><to_encoder><picture_fast_update/>"
	"</to_encoder></vc_primitive></media_control>\r\n";

static bool is_type(const char *type, const char *wanted)
{
	size_t n = strlen(wanted);

	return !strncasecmp(type, wanted, n) && (!type[n] || strchr("; \t", type[n]));
}

/* A digit, or its number of RFC 4733 ("10" is *, "11" is #). */
static char digit_of(const char *p, const char *end)
{
	const char *stop = p;

	while (stop < end && !isspace((unsigned char)*stop) && *stop != ';')
		stop++;
	if (stop - p == 2 && p[0] == '1' && p[1] >= '0' && p[1] <= '5')
		return "*#ABCD"[p[1] - '0'];
	if (stop - p != 1 || !*p || !strchr("0123456789*#ABCDabcd", *p))
		return 0;
	return (char)toupper((unsigned char)*p);
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

/* "Signal=5" on one of the lines. */
static char relay_digit(const char *body, const char *end)
{
	while (body < end) {
		const char *p = skip_blanks(body, end);
		if (end - p > 6 && !strncasecmp(p, "signal", 6)) {
			p = skip_blanks(p + 6, end);
			if (p < end && *p == '=')
				return digit_of(skip_blanks(p + 1, end), end);
		}
		while (body < end && *body != '\n')
			body++;
		body += body < end;
	}
	return 0;
}

char sip_info_digit(const char *type, const char *body, size_t len)
{
	const char *end = body + len;

	if (is_type(type, "application/dtmf-relay"))
		return relay_digit(body, end);
	if (is_type(type, "application/dtmf")) {
		char d = relay_digit(body, end);
		return d ? d : digit_of(skip_blanks(body, end), end);
	}
	return 0;
}

bool sip_info_wants_picture(const char *type, const char *body, size_t len)
{
	return is_type(type, SIP_INFO_PICTURE_TYPE) &&
	       memmem(body, len, "picture_fast_update", 19) != NULL;
}
