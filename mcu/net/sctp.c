#include "mcu/net/sctp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <usrsctp.h>

#include "mcu/base/metrics.h"
#include "mcu/net/sctp_stack.h"

enum {
	READS = 64,  /* messages per look: the rest waits for the next packet or tick */
	HEADER = 12, /* the common header, which usrsctp does not count as part of the path's MTU */
};

METRIC_GAUGE(g_assocs, "mcu_sctp_associations", "SCTP associations that exist");
METRIC_COUNTER(m_in, "mcu_sctp_rx_messages_total", "Messages received on data channels");
METRIC_COUNTER(m_out, "mcu_sctp_tx_messages_total", "Messages sent on data channels");
METRIC_COUNTER(d_full, "mcu_sctp_tx_full_total", "Messages dropped: the peer takes them too slowly");
METRIC_COUNTER(d_size, "mcu_sctp_rx_oversize_total", "Messages dropped: larger than announced");
METRIC_COUNTER(m_lost, "mcu_sctp_lost_total", "Associations that ended before their connection");

struct sctp_assoc {
	struct sctp_link link;
	struct socket *so;
	const struct sctp_events *ev;
	void *obj;
	bool up, lost;
	bool skipping; /* the rest of a message that was too long */
};

static void on_output(void *obj, const uint8_t *p, size_t len)
{
	struct sctp_assoc *a = obj;

	a->ev->output(a->obj, p, len);
}

static void set_lost(struct sctp_assoc *a)
{
	if (a->lost)
		return;
	a->lost = true;
	metric_add(&m_lost, 1);
	a->ev->lost(a->obj);
}

/* ---- stream resets ---- */

/* One under way makes the next wait inside usrsctp. */
void sctp_reset(struct sctp_assoc *a, uint16_t stream)
{
	uint64_t room[(sizeof(struct sctp_reset_streams) + sizeof(uint16_t) + 7) / 8] = { 0 };
	struct sctp_reset_streams *r = (struct sctp_reset_streams *)room;
	struct sctp_link *before;

	if (!a->up || a->lost)
		return;
	r->srs_assoc_id = SCTP_ALL_ASSOC;
	r->srs_flags = SCTP_STREAM_RESET_OUTGOING;
	r->srs_number_streams = 1;
	r->srs_stream_list[0] = stream;
	before = sctp_stack_enter(&a->link);
	usrsctp_setsockopt(a->so, IPPROTO_SCTP, SCTP_RESET_STREAMS, r,
			   sizeof *r + sizeof(uint16_t));
	sctp_stack_exit(before);
}

/* ---- what comes in ---- */

static void on_stream_reset(struct sctp_assoc *a, const struct sctp_stream_reset_event *e)
	ON_THREAD(ROLE_NET)
{
	size_t n = (e->strreset_length - sizeof *e) / sizeof(uint16_t);

	if (!(e->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) ||
	    e->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED))
		return;
	/* No list: all of them. */
	for (uint16_t i = 0; n == 0 && i < SCTP_STREAMS && !a->lost; i++)
		a->ev->reset(a->obj, i);
	for (size_t i = 0; i < n && !a->lost; i++) {
		uint16_t stream;

		memcpy(&stream, &e->strreset_stream_list[i], sizeof stream);
		a->ev->reset(a->obj, stream);
	}
}

static void on_notification(struct sctp_assoc *a, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_NET)
{
	const union sctp_notification *n = (const void *)p;

	if (len < sizeof n->sn_header || n->sn_header.sn_length > len)
		return;
	if (n->sn_header.sn_type == SCTP_STREAM_RESET_EVENT &&
	    n->sn_header.sn_length >= sizeof(struct sctp_stream_reset_event)) {
		on_stream_reset(a, &n->sn_strreset_event);
	} else if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE &&
		   len >= sizeof(struct sctp_assoc_change)) {
		if (n->sn_assoc_change.sac_state == SCTP_COMM_UP)
			a->up = true;
		else if (n->sn_assoc_change.sac_state != SCTP_RESTART)
			set_lost(a);
	}
}

static void on_data(struct sctp_assoc *a, const struct sctp_rcvinfo *i, const uint8_t *p,
		    size_t len, bool whole)
{
	if (a->skipping || !whole || len > SCTP_MAX_MESSAGE) {
		if (!a->skipping)
			metric_add(&d_size, 1);
		a->skipping = !whole;
		return;
	}
	metric_add(&m_in, 1);
	a->ev->message(a->obj, i->rcv_sid, ntohl(i->rcv_ppid), p, len);
}

/* Whether something was read. */
static bool read_one(struct sctp_assoc *a) ON_THREAD(ROLE_NET)
{
	uint8_t *p = sctp_stack_scratch(&a->link);
	struct sctp_rcvinfo info = { 0 };
	socklen_t info_len = sizeof info;
	unsigned type = SCTP_RECVV_NOINFO;
	int flags = 0;
	ssize_t n = usrsctp_recvv(a->so, p, SCTP_SCRATCH_BYTES, NULL, NULL, &info, &info_len, &type,
				  &flags);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS ||
		      (errno == ENOTCONN && !a->up)))
		return false;
	if (n <= 0) {
		set_lost(a);
		return false;
	}
	if (flags & MSG_NOTIFICATION)
		on_notification(a, p, (size_t)n);
	else if (type == SCTP_RECVV_RCVINFO)
		on_data(a, &info, p, (size_t)n, flags & MSG_EOR);
	return true;
}

static void look(void *obj)
{
	struct sctp_assoc *a = obj;
	struct sctp_link *before;

	role_assert_net();
	before = sctp_stack_enter(&a->link);
	for (int i = 0; i < READS && !a->lost && read_one(a); i++)
		;
	sctp_stack_exit(before);
}

void sctp_input(struct sctp_assoc *a, const uint8_t *p, size_t len)
{
	struct sctp_link *before;

	if (a->lost)
		return;
	before = sctp_stack_enter(&a->link);
	usrsctp_conninput((void *)a->link.id, p, len, 0);
	sctp_stack_exit(before);
	look(a);
}

/* ---- what goes out ---- */

int sctp_send(struct sctp_assoc *a, uint16_t stream, uint32_t ppid, const uint8_t *p, size_t len)
{
	struct sctp_sndinfo info = { .snd_sid = stream, .snd_ppid = htonl(ppid) };
	struct sctp_link *before;
	ssize_t n;
	int err;

	if (len == 0 || len > SCTP_MAX_SEND)
		return -EMSGSIZE;
	if (!a->up || a->lost)
		return -ENOTCONN;
	before = sctp_stack_enter(&a->link);
	n = usrsctp_sendv(a->so, p, len, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
	err = n < 0 ? errno : 0;
	sctp_stack_exit(before);
	if (!err) {
		metric_add(&m_out, 1);
		return 0;
	}
	if (err != EAGAIN && err != EWOULDBLOCK && err != ENOBUFS)
		return err == EMSGSIZE ? -EMSGSIZE : -ENOTCONN;
	metric_add(&d_full, 1);
	return -EAGAIN;
}

/* ---- life ---- */

static int set(struct socket *so, int level, int name, const void *value, socklen_t len)
{
	return usrsctp_setsockopt(so, level, name, value, len) ? -EIO : 0;
}

static int set_events(struct socket *so)
{
	static const uint16_t types[] = { SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT };
	int err = 0;

	for (size_t i = 0; i < sizeof types / sizeof *types && !err; i++) {
		struct sctp_event e = { .se_assoc_id = SCTP_ALL_ASSOC, .se_type = types[i],
					.se_on = 1 };

		err = set(so, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e);
	}
	return err;
}

static int set_options(struct socket *so)
{
	const struct linger abort_at_close = { .l_onoff = 1 };
	const struct sctp_assoc_value resets = { .assoc_id = SCTP_ALL_ASSOC, .assoc_value = 1 };
	const struct sctp_initmsg init = { .sinit_num_ostreams = SCTP_STREAMS,
					   .sinit_max_instreams = SCTP_STREAMS };
	const struct sctp_paddrparams path = { .spp_pathmtu = SCTP_MTU - HEADER,
					       .spp_flags = SPP_PMTUD_DISABLE };
	const int on = 1, off = 0, sndbuf = SCTP_SEND_BYTES, rcvbuf = SCTP_RECEIVE_BYTES;
	const int whole = SCTP_SCRATCH_BYTES; /* what is longer comes in parts */
	int err = set_events(so);

	err = err ? err : set(so, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof abort_at_close);
	err = err ? err : set(so, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
	err = err ? err : set(so, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
	err = err ? err
		  : set(so, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets);
	err = err ? err : set(so, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
	err = err ? err : set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on);
	err = err ? err : set(so, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &off, sizeof off);
	err = err ? err
		  : set(so, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &whole, sizeof whole);
	err = err ? err : set(so, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init);
	return err ? err : set(so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

static int connect_to(struct sctp_assoc *a, uint16_t peer_port) ON_THREAD(ROLE_NET)
{
	struct sockaddr_conn local = { .sconn_family = AF_CONN,
				       .sconn_port = htons(SCTP_OUR_PORT),
				       .sconn_addr = (void *)a->link.id };
	struct sockaddr_conn peer = local;
	struct sctp_link *before;
	int err;

	peer.sconn_port = htons(peer_port);
	if (usrsctp_bind(a->so, (struct sockaddr *)&local, sizeof local))
		return -EIO;
	before = sctp_stack_enter(&a->link);
	err = usrsctp_connect(a->so, (struct sockaddr *)&peer, sizeof peer);
	err = err && errno != EINPROGRESS ? -EIO : 0;
	sctp_stack_exit(before);
	return err;
}

int sctp_new(struct sctp_assoc **out, struct net_shard *s, uint16_t peer_port,
	     const struct sctp_events *ev, void *obj)
{
	struct sctp_assoc *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->ev = ev;
	a->obj = obj;
	a->link = (struct sctp_link){ .output = on_output, .look = look, .obj = a };
	err = sctp_stack_join(&a->link, s);
	if (err) {
		free(a);
		return err;
	}
	metric_add(&g_assocs, 1);
	usrsctp_register_address((void *)a->link.id);
	a->so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	err = a->so ? usrsctp_set_non_blocking(a->so, 1) ? -EIO : set_options(a->so) : -ENOMEM;
	if (!err)
		err = connect_to(a, peer_port ? peer_port : SCTP_OUR_PORT);
	if (err)
		sctp_free(&a);
	else
		*out = a;
	return err;
}

void sctp_free(struct sctp_assoc **a)
{
	struct sctp_assoc *d = *a;
	struct sctp_link *before;

	if (!d)
		return;
	before = sctp_stack_enter(&d->link);
	if (d->so)
		usrsctp_close(d->so); /* the ABORT leaves now */
	sctp_stack_exit(before);
	usrsctp_deregister_address((void *)d->link.id);
	sctp_stack_leave(&d->link);
	metric_add(&g_assocs, -1);
	free(d);
	*a = NULL;
}
