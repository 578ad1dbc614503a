#include "tests/bench/sip_uac.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/floor.h"

enum { MESSAGE = 8192, RESEND_NS = 500000000 };

void uac_open(struct uac *u, uint16_t port, const char *user, struct uac_call *call, int calls)
{
	socklen_t len = sizeof u->at;
	int size = 1 << 22;

	*u = (struct uac){ .call = call, .calls = calls };
	u->server = (struct sockaddr_in){ .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	u->at = u->server;
	u->at.sin_port = 0;
	snprintf(u->user, sizeof u->user, "%s", user);
	u->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (u->fd < 0 || bind(u->fd, (struct sockaddr *)&u->at, sizeof u->at) ||
	    getsockname(u->fd, (struct sockaddr *)&u->at, &len))
		die("SIP socket: %s", strerror(errno));
	setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	for (int i = 0; i < calls; i++)
		call[i].no = i;
}

static void send_text(struct uac *u, const char *text, int n)
{
	if (n <= 0 || n >= MESSAGE)
		die("a SIP message that is too long");
	if (sendto(u->fd, text, (size_t)n, 0, (struct sockaddr *)&u->server, sizeof u->server) < 0)
		die("SIP: %s", strerror(errno));
}

/* to: with the tag, if there is one; cseq 1 INVITE and its ACK, 2 BYE. */
static void request(struct uac *u, struct uac_call *c, const char *method, const char *uri,
		    int cseq, const char *body)
{
	int port = ntohs(u->at.sin_port), n;
	char text[MESSAGE], to[300];

	snprintf(to, sizeof to, "<sip:%s@127.0.0.1>", u->user);
	n = snprintf(text, sizeof text,
		     "%s %s SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 127.0.0.1:%d;rport;branch=z9hG4bK%d.%d.%s\r\n"
		     "Max-Forwards: 70\r\n"
		     "From: <sip:phone%d@127.0.0.1>;tag=%d\r\n"
		     "To: %s\r\n"
		     "Call-ID: %d-%d@phones\r\n"
		     "CSeq: %d %s\r\n"
		     "Contact: <sip:phone%d@127.0.0.1:%d>\r\n"
		     "%s"
		     "Content-Length: %zu\r\n\r\n%s",
		     method, uri, port, port, c->no, method, c->no, c->no + 1,
		     c->to[0] ? c->to : to, c->no, port, cseq, method, c->no, port,
		     body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	send_text(u, text, n);
}

void uac_invite(struct uac *u, struct uac_call *c)
{
	char sdp[500], uri[200];

	snprintf(uri, sizeof uri, "sip:%s@127.0.0.1:%d", u->user, ntohs(u->server.sin_port));
	snprintf(sdp, sizeof sdp,
		 "v=0\r\no=- %d 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		 "m=audio %d RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
		 c->no + 1, c->rtp_port);
	c->state = UAC_CALLING;
	c->sent_ns = now_ns();
	request(u, c, "INVITE", uri, 1, sdp);
}

void uac_bye(struct uac *u, struct uac_call *c)
{
	c->state = UAC_LEAVING;
	c->sent_ns = now_ns();
	request(u, c, "BYE", c->contact, 2, "");
}

/* The value of a header field, without the line's end; 0: it is not there. */
static int header(const char *text, const char *name, char *out, size_t size)
{
	const char *p = strcasestr(text, name), *end;

	if (!p)
		return 0;
	p += strlen(name);
	p += strspn(p, " ");
	end = strstr(p, "\r\n");
	if (!end)
		return 0;
	snprintf(out, size, "%.*s", (int)(end - p), p);
	return 1;
}

static struct uac_call *call_of(struct uac *u, const char *text)
{
	char id[100];
	int no, port;

	if (!header(text, "\r\nCall-ID:", id, sizeof id) || sscanf(id, "%d-%d@", &no, &port) != 2 ||
	    no < 0 || no >= u->calls || port != ntohs(u->at.sin_port))
		return NULL;
	return &u->call[no];
}

static void answered(struct uac *u, struct uac_call *c, const char *text)
{
	char contact[300], *end;
	const char *m = strstr(text, "\r\nm=audio "), *at = strstr(text, "\r\nc=IN IP4 ");

	if (!header(text, "\r\nTo:", c->to, sizeof c->to) ||
	    !header(text, "\r\nContact:", contact, sizeof contact) || !m || !at)
		die("an answer without To, Contact, or SDP:\n%s", text);
	end = strchr(contact, '>');
	if (contact[0] != '<' || !end)
		die("an answer with a Contact that is no <URI>:\n%s", text);
	*end = 0;
	snprintf(c->contact, sizeof c->contact, "%s", contact + 1);
	c->media = u->server;
	c->media.sin_port = htons((uint16_t)atoi(m + 10));
	c->state = UAC_TALKING;
}

static void on_answer(struct uac *u, struct uac_call *c, const char *text)
{
	int status = atoi(text + 8);
	char cseq[60];

	if (status < 200 || !header(text, "\r\nCSeq:", cseq, sizeof cseq)) {
		c->sent_ns = INT64_MAX - NS_PER_S; /* the other side says it again if need be */
		return;
	}
	if (strstr(cseq, "BYE")) {
		c->state = UAC_GONE;
		return;
	}
	if (status != 200)
		die("a call was answered with:\n%s", text);
	if (c->state == UAC_CALLING)
		answered(u, c, text);
	request(u, c, "ACK", c->contact, 1, "");
}

/* A request from the server: yes to all of them. */
static void on_request(struct uac *u, struct uac_call *c, const char *text)
{
	static const char *const name[] = { "\r\nVia:", "\r\nFrom:", "\r\nTo:", "\r\nCall-ID:",
					    "\r\nCSeq:" };
	char out[MESSAGE], value[1000];
	int n = snprintf(out, sizeof out, "SIP/2.0 200 OK");

	if (!strncmp(text, "ACK ", 4))
		return;
	for (unsigned i = 0; i < sizeof name / sizeof *name; i++)
		if (header(text, name[i], value, sizeof value))
			n += snprintf(out + n, sizeof out - (size_t)n, "%s %s", name[i], value);
	n += snprintf(out + n, sizeof out - (size_t)n, "\r\nContent-Length: 0\r\n\r\n");
	send_text(u, out, n);
	if (!strncmp(text, "BYE ", 4) && c->state == UAC_TALKING) {
		c->state = UAC_GONE;
		u->hung_up++;
	}
}

static void resend(struct uac *u, int64_t now)
{
	for (int i = 0; i < u->calls; i++) {
		struct uac_call *c = &u->call[i];

		if ((c->state != UAC_CALLING && c->state != UAC_LEAVING) ||
		    now - c->sent_ns < RESEND_NS)
			continue;
		u->retransmitted++;
		if (c->state == UAC_CALLING)
			uac_invite(u, c);
		else
			uac_bye(u, c);
	}
}

void uac_turn(struct uac *u)
{
	char text[MESSAGE];
	ssize_t n;

	while ((n = recv(u->fd, text, sizeof text - 1, 0)) > 0) {
		struct uac_call *c;

		text[n] = 0;
		c = call_of(u, text);
		if (c && !strncmp(text, "SIP/2.0 ", 8))
			on_answer(u, c, text);
		else if (c)
			on_request(u, c, text);
	}
	resend(u, now_ns());
}
