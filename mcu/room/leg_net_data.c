/* The leg's one data channel, labelled "metadata": its messages go to CTL and come
 * from there, by mailbox, in buffers of a pool that all legs share. */
#include "mcu/room/leg_net_priv.h"

#include <stdatomic.h>
#include <string.h>

#include "mcu/base/metrics.h"

enum {
	MOST_UP = 16,	/* messages of one leg on their way to CTL */
	MOST_DOWN = 64, /* and from there */
};

METRIC_COUNTER(d_up, "mcu_data_rx_dropped_total",
	       "Data channel messages dropped: the server has too many");
METRIC_COUNTER(d_down, "mcu_data_tx_dropped_total",
	       "Data channel messages dropped: too many for one leg, or it takes them too slowly");

static const char metadata[] = "metadata";

static void ctl_open(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->data_open(l->cfg.obj, arg != NULL);
}

static void ctl_data(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	atomic_fetch_sub(&l->data_up, 1);
	l->cfg.ev->data(l->cfg.obj, arg);
}

bool leg_net_data_open(void *obj, const struct transport_channel *c)
{
	struct leg_net *l = obj;

	role_assert_net();
	if (l->closing || l->has_channel || !c->ordered || !c->reliable ||
	    c->label_len != strlen(metadata) || memcmp(c->label, metadata, c->label_len)) {
		log_debug(&l->log, "a data channel was refused");
		return false;
	}
	l->has_channel = true;
	l->channel = c->id;
	engine_post(l->cfg.engine->ctl, ctl_open, l, l);
	return true;
}

void leg_net_data_closed(void *obj, uint16_t channel)
{
	struct leg_net *l = obj;

	role_assert_net();
	if (l->closing || !l->has_channel || channel != l->channel)
		return;
	l->has_channel = false;
	engine_post(l->cfg.engine->ctl, ctl_open, l, NULL);
}

/* In a buffer of CTL's, if there is one and not too much waits there already. */
static bool pass_on(struct leg_net *l, bool binary, const uint8_t *p, size_t len)
{
	struct buf *b = NULL;

	if (atomic_load(&l->data_up) < MOST_UP)
		b = buf_get(l->cfg.engine->data_pool);
	if (!b)
		return false;
	memcpy(b->data, p, len);
	b->len = len;
	b->tag = binary;
	atomic_fetch_add(&l->data_up, 1);
	if (!mbox_post(l->cfg.engine->ctl, ctl_data, l, b))
		return true;
	atomic_fetch_sub(&l->data_up, 1);
	buf_unref(&b);
	return false;
}

void leg_net_data_in(void *obj, uint16_t channel, bool binary, const uint8_t *p, size_t len)
{
	static const char busy[] =
		"{\"error\":{\"code\":\"rate_limited\",\"text\":\"The server has too many messages. "
		"Send fewer.\"}}";
	struct leg_net *l = obj;

	role_assert_net();
	if (l->closing || !l->has_channel || channel != l->channel)
		return;
	if (pass_on(l, binary, p, len))
		return;
	metric_add(&d_up, 1);
	transport_send_data(l->transport, channel, false, (const uint8_t *)busy, sizeof busy - 1);
}

static void send_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	struct buf *b = arg;

	role_assert_net();
	atomic_fetch_sub(&l->data_down, 1);
	if (!l->closing && l->has_channel &&
	    transport_send_data(l->transport, l->channel, b->tag, b->data, b->len))
		metric_add(&d_down, 1);
	buf_unref(&b);
}

void leg_net_send_data(struct leg_net *l, struct buf *b)
{
	if (atomic_load(&l->data_down) >= MOST_DOWN) {
		metric_add(&d_down, 1);
		return;
	}
	atomic_fetch_add(&l->data_down, 1);
	engine_post(net_shard_mbox(l->shard), send_job, l, buf_ref(b));
}
