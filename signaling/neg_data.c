/* The m-line of data channels: SCTP over DTLS (RFC 8841), and as it was written
 * before that RFC, with the port as the format and a=sctpmap. */
#include <stdio.h>
#include <string.h>

#include "signaling/neg_internal.h"
#include "signaling/sdp_text.h"

enum {
	DEFAULT_MAX_MESSAGE = 65536, /* RFC 8841 6.1 */
	LEGACY_STREAMS = 1024
};

static bool is_legacy(const char *proto)
{
	return !strcmp(proto, "DTLS/SCTP");
}

static bool is_sctp(const char *proto)
{
	return !strcmp(proto, "UDP/DTLS/SCTP") || !strcmp(proto, "TCP/DTLS/SCTP");
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
	return text && sdp_u64(text, max, out);
}

static const char *value(const struct sdp_media *m, const char *name)
{
	const struct sdp_attr *a = sdp_attr_find(&m->attrs, name);
	return a ? a->value : NULL;
}

/* "<port> webrtc-datachannel [streams]" of the m-line's port */
static bool sctpmap_fits(const struct sdp_media *m)
{
	const char *v = value(m, "sctpmap");
	char port[8], app[32];
	return v && sdp_copy_word(&v, port, sizeof(port)) && !strcmp(port, m->format[0]) &&
	       sdp_copy_word(&v, app, sizeof(app)) && !strcmp(app, "webrtc-datachannel");
}

bool neg_data_read(struct neg_media *out, const struct sdp_media *m)
{
	uint64_t port, max;

	if (!m->n_formats)
		return false;
	if (is_legacy(m->proto)) {
		if (!sctpmap_fits(m) || !number(m->format[0], UINT16_MAX, &port))
			return false;
	} else if (!is_sctp(m->proto) || strcmp(m->format[0], "webrtc-datachannel") ||
		   !number(value(m, "sctp-port"), UINT16_MAX, &port)) {
		return false;
	}
	out->sctp_port = (uint16_t)port;
	out->max_message = DEFAULT_MAX_MESSAGE;
	if (number(value(m, "max-message-size"), UINT64_MAX, &max))
		out->max_message = max > UINT32_MAX ? UINT32_MAX : (uint32_t)max;
	return port != 0;
}

int neg_data_write(struct sdp *s, struct sdp_media *m, const struct neg_media_policy *mp)
{
	char port[8];
	int err;

	snprintf(port, sizeof(port), "%u", mp->sctp_port);
	if (is_legacy(m->proto)) {
		err = sdp_add_format(s, m, port);
		if (!err)
			err = sdp_add_attr(s, m, "sctpmap", "%s webrtc-datachannel %d", port,
					   LEGACY_STREAMS);
	} else {
		err = sdp_add_format(s, m, "webrtc-datachannel");
		if (!err)
			err = sdp_add_attr(s, m, "sctp-port", "%s", port);
	}
	if (!err)
		err = sdp_add_attr(s, m, "max-message-size", "%u", mp->max_message);
	return err;
}
