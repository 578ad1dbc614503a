/* The text of RTSP 1.0 (RFC 2326): where a message on a connection ends, requests, and
 * the headers Transport, Range and Scale. Nothing that comes is believed: every length is
 * bounded. Pure. Any thread. */
#ifndef MCU_SIGNALING_RTSP_TEXT_H
#define MCU_SIGNALING_RTSP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTSP_HEAD_MAX = 8192, /* request line and headers */
	RTSP_BODY_MAX = 4096,
	RTSP_DATA_MAX = 4096, /* of interleaved packets; clients send reports only */
	RTSP_URI_MAX = 2048,
	RTSP_SESSION_MAX = 64,
};

/* --- what is next on a connection ------------------------------------------------------ */

enum rtsp_kind {
	RTSP_NOTHING,  /* more octets are needed */
	RTSP_DATA,     /* RFC 2326 10.12: '$', channel, length, packet */
	RTSP_REQUEST,
	RTSP_RESPONSE, /* to a request that we never sent */
};

struct rtsp_frame {
	enum rtsp_kind kind;
	size_t total;	 /* octets of it, those in front of it included */
	size_t at, len;	 /* DATA: the packet; else: from the first letter to the end of the head */
	size_t body;	 /* octets behind the head */
	uint8_t channel; /* of DATA */
};

/* p: len octets. 0; -EMSGSIZE: it is longer than any may be; -EBADMSG: not RTSP. */
int rtsp_frame_read(struct rtsp_frame *out, const uint8_t *p, size_t len);

/* --- requests ---------------------------------------------------------------------------- */

enum rtsp_method {
	RTSP_UNKNOWN, /* none of RFC 2326: 501 */
	RTSP_OPTIONS,
	RTSP_DESCRIBE,
	RTSP_SETUP,
	RTSP_PLAY,
	RTSP_PAUSE,
	RTSP_TEARDOWN,
	RTSP_GET_PARAMETER,
	RTSP_SET_PARAMETER,
	RTSP_OTHERS, /* ANNOUNCE, RECORD, REDIRECT: 405 */
};

struct rtsp_request {
	enum rtsp_method method;
	const char *name, *uri;
	int major, minor;
	bool has_cseq;
	uint32_t cseq;
	/* NULL what is absent. Session without its parameters. */
	const char *session, *transport, *range, *scale, *authorization, *accept, *require;
};

/* head: len octets with a NUL behind them, which are written to; *out borrows of it.
 * -EBADMSG: no request, or a header twice that may be there once. */
int rtsp_request_read(struct rtsp_request *out, char *head, size_t len);

/* What the URI names: rtsp://host[:port]/rooms/NAME[/TRACK][?query] and …/recordings/ID. */
enum rtsp_place { RTSP_PLACE_NONE, RTSP_PLACE_SERVER, RTSP_PLACE_ROOM, RTSP_PLACE_RECORDING };
enum rtsp_track { RTSP_AGGREGATE, RTSP_AUDIO, RTSP_VIDEO, RTSP_TRACKS };

struct rtsp_uri {
	enum rtsp_place place;
	enum rtsp_track track;
	char authority[260]; /* host and port, without user and password */
	char name[129];	     /* of the room, decoded; of a recording: its digits */
	char query[1100];    /* as it came, without '?' */
	char token[1025], pin[65], display[129]; /* of the query, decoded: token=, pin=, name= */
};
/* 0; -EINVAL: no URI of ours at all. place NONE: there is nothing of that path. */
int rtsp_uri_read(struct rtsp_uri *out, const char *uri);
/* "audio" and "video". */
const char *rtsp_track_name(enum rtsp_track t);

/* --- headers ------------------------------------------------------------------------------- */

struct rtsp_transport {
	bool tcp;
	uint16_t port, rtcp_port;      /* UDP: the client's */
	int channel, rtcp_channel;     /* TCP; -1: the server chooses */
};
/* The first of the list that we have: RTP/AVP over UDP to one host, or interleaved.
 * -ENOTSUP: none (461); -EINVAL. */
int rtsp_transport_read(struct rtsp_transport *out, const char *value);

struct rtsp_range {
	bool now;	 /* npt=now-, or no start */
	int64_t from_ms; /* without `now` */
	int64_t to_ms;	 /* -1: the end */
};
/* -EINVAL: no range of npt, or a wrong one (457). */
int rtsp_range_read(struct rtsp_range *out, const char *value);

/* The nearest that we do: 1, 2, 4, 8, 16 and their negatives. -EINVAL: no number. */
int rtsp_scale_read(int *out, const char *value);

/* The list of parameters of a Digest header, in place: at most max - 1, then NULL.
 * False: another scheme, or too many. */
bool rtsp_digest_params(char *value, const char **params, size_t max);

#endif
