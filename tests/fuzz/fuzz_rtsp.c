/* What an RTSP client says: frames, requests, addresses, headers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/rtsp_text.h"

static void headers(const struct rtsp_request *r)
{
	struct rtsp_transport t;
	struct rtsp_range range;
	struct rtsp_uri *u = malloc(sizeof *u);
	const char *params[8];
	int scale;

	if (!rtsp_uri_read(u, r->uri))
		assert(strlen(u->authority) || u->place == RTSP_PLACE_SERVER);
	free(u);
	if (r->transport && !rtsp_transport_read(&t, r->transport))
		assert(t.tcp || t.port);
	if (r->range && !rtsp_range_read(&range, r->range))
		assert(range.from_ms >= 0 && range.to_ms >= -1);
	if (r->scale && !rtsp_scale_read(&scale, r->scale))
		assert(scale && scale <= 16 && scale >= -16);
	if (r->authorization) {
		char *copy = strdup(r->authorization);

		rtsp_digest_params(copy, params, 8);
		free(copy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtsp_frame f;

	while (!rtsp_frame_read(&f, data, size) && f.kind != RTSP_NOTHING) {
		assert(f.total && f.total <= size && f.at + f.len + f.body <= f.total);
		if (f.kind == RTSP_REQUEST) {
			char *head = malloc(f.len + 1);
			struct rtsp_request r;

			memcpy(head, data + f.at, f.len);
			head[f.len] = '\0';
			if (!rtsp_request_read(&r, head, f.len))
				headers(&r);
			free(head);
		}
		data += f.total;
		size -= f.total;
	}
	return 0;
}
