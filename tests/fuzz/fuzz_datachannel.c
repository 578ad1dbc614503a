/* Messages of a peer on its data channels, as many as fit: stream (2 octets), PPID
 * (1), length (1), octets. What was said to be open must be, and what is written
 * from a parsed DATA_CHANNEL_OPEN reads the same. */
#include "mcu/net/datachannel.h"

#include <stdlib.h>
#include <string.h>

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_open(const struct datachannel_open *o)
{
	uint8_t text[DATACHANNEL_OPEN_BYTES];
	struct datachannel_open again;
	int n = datachannel_write_open(o, text, sizeof text);

	check(n > 0);
	check(!datachannel_parse_open(&again, text, (size_t)n));
	check(again.ordered == o->ordered && again.reliable == o->reliable &&
	      again.priority == o->priority && again.reliability == o->reliability &&
	      again.label_len == o->label_len && again.protocol_len == o->protocol_len);
	check(!memcmp(again.label, o->label, o->label_len));
	check(!memcmp(again.protocol, o->protocol, o->protocol_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	struct datachannels d = { .n = 0 };

	while (size >= 4) {
		uint16_t stream = (uint16_t)(p[0] << 8 | p[1]);
		size_t len = p[3] <= size - 4 ? p[3] : size - 4, had = len;
		bool was_open = datachannels_is_open(&d, stream);
		struct datachannel_open o;
		uint8_t *exact = malloc(len ? len : 1); /* so that reading too far is seen */

		memcpy(exact, p + 4, len);
		switch (datachannels_input(&d, stream, p[2], exact, &len, &o)) {
		case DATACHANNEL_OPENED:
			check(!was_open && datachannels_is_open(&d, stream));
			check_open(&o);
			break;
		case DATACHANNEL_TEXT:
		case DATACHANNEL_BINARY: check(was_open && (len == had || len == 0)); break;
		case DATACHANNEL_REFUSE:
			check(d.n == DATACHANNEL_MAX);
			check(datachannels_closed(&d, d.stream[p[0] % DATACHANNEL_MAX]));
			break;
		default: check(datachannels_is_open(&d, stream) == was_open);
		}
		free(exact);
		check(d.n <= DATACHANNEL_MAX);
		p += 4 + had;
		size -= 4 + had;
	}
	return 0;
}
