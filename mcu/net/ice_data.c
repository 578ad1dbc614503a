/* Data channels of a transport: SCTP over its DTLS association. */
#include "mcu/net/ice_transport.h"

#include <errno.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"

METRIC_COUNTER(m_opened, "mcu_data_channels_opened_total", "Data channels opened by peers");
METRIC_COUNTER(m_refused, "mcu_data_channels_refused_total", "Data channels refused");
METRIC_COUNTER(d_bad, "mcu_data_messages_bad_total", "Data channel messages against the rules");

static void on_output(void *obj, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (!ice_gone(t))
		dtls_send(t->dtls, p, len); /* lost: SCTP sends again */
}

static void on_record(void *obj, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (ice_gone(t))
		return;
	t->heard_ns = clock_now_ns(&clock_monotonic);
	if (t->sctp)
		sctp_input(t->sctp, p, len);
}

static void refuse(struct ice_transport *t, uint16_t stream) ON_THREAD(ROLE_NET)
{
	metric_add(&m_refused, 1);
	datachannels_closed(&t->channels, stream);
	sctp_reset(t->sctp, stream);
}

static void on_opened(struct ice_transport *t, uint16_t stream, const struct datachannel_open *o)
	ON_THREAD(ROLE_NET)
{
	const struct transport_channel c = {
		.id = stream,
		.ordered = o->ordered,
		.reliable = o->reliable,
		.label = o->label,
		.label_len = o->label_len,
	};
	uint8_t ack[DATACHANNEL_ACK_BYTES];

	metric_add(&m_opened, 1);
	sctp_send(t->sctp, stream, PPID_DCEP, ack, datachannel_write_ack(ack));
	if ((!t->ev->data_open || !t->ev->data_open(t->obj, &c)) && !ice_gone(t))
		refuse(t, stream);
}

static void on_message(void *obj, uint16_t stream, uint32_t ppid, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;
	struct datachannel_open open;
	enum datachannel_event e;

	role_assert_net();
	if (ice_gone(t))
		return;
	e = datachannels_input(&t->channels, stream, ppid, p, &len, &open);
	switch (e) {
	case DATACHANNEL_NOTHING: break;
	case DATACHANNEL_BAD: metric_add(&d_bad, 1); break;
	case DATACHANNEL_REFUSE: refuse(t, stream); break;
	case DATACHANNEL_OPENED: on_opened(t, stream, &open); break;
	case DATACHANNEL_TEXT:
	case DATACHANNEL_BINARY:
		if (t->ev->data)
			t->ev->data(t->obj, stream, e == DATACHANNEL_BINARY, p, len);
	}
}

static void on_reset(void *obj, uint16_t stream)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (!datachannels_closed(&t->channels, stream) || ice_gone(t))
		return; /* we were the first */
	sctp_reset(t->sctp, stream);
	if (t->ev->data_closed)
		t->ev->data_closed(t->obj, stream);
}

static void on_lost(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	while (t->channels.n && !ice_gone(t))
		on_reset(t, t->channels.stream[0]);
}

static const struct sctp_events sctp_events = {
	.output = on_output,
	.message = on_message,
	.reset = on_reset,
	.lost = on_lost,
};

int ice_data_follow(struct ice_transport *t)
{
	if (!t->wants_data || t->sctp || t->state != ICE_CONNECTED)
		return 0;
	dtls_on_data(t->dtls, on_record);
	return sctp_new(&t->sctp, t->shard, t->sctp_port, &sctp_events, t);
}

int ice_start_data(struct transport *base, uint16_t peer_port, uint32_t max_message)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	if (ice_gone(t))
		return 0;
	t->max_message = max_message;
	if (!t->wants_data)
		t->sctp_port = peer_port;
	t->wants_data = true;
	return ice_data_follow(t);
}

int ice_send_data(struct transport *base, uint16_t channel, bool binary, const uint8_t *p,
		  size_t len)
{
	struct ice_transport *t = ice_self(base);
	static const uint8_t nothing;
	uint32_t ppid;

	role_assert_net();
	if (ice_gone(t) || !t->sctp || !datachannels_is_open(&t->channels, channel))
		return -ENOTCONN;
	if (len > TRANSPORT_MAX_SEND || (t->max_message && len > t->max_message))
		return -EMSGSIZE;
	if (len == 0)
		p = &nothing;
	ppid = datachannel_ppid(binary, &len);
	return sctp_send(t->sctp, channel, ppid, p, len);
}

void ice_close_data(struct transport *base, uint16_t channel)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	if (!ice_gone(t) && t->sctp && datachannels_closed(&t->channels, channel))
		sctp_reset(t->sctp, channel);
}
