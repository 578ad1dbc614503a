/* An address that a room is to be sent to, of any octets: what is taken is one of the
 * protocols that are spoken, and what is shown of it is bounded text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/push_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	struct push_url u;
	struct errmsg why;

	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = 0;
	if (!push_url_parse(&u, text, &why) &&
	    ((strncasecmp(text, "rtmp", 4) && strncasecmp(text, "srt://", 6)) || strchr(u.shown, '?') ||
	     strlen(u.shown) >= sizeof u.shown - 1 || strlen(text) > PUSH_URL_MAX))
		abort();
	free(text);
	return 0;
}
