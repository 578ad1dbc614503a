#include "mcu/data_relay.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mcu/base/metrics.h"
#include "mcu/rtp/bytes.h"

METRIC_COUNTER(m_relayed, "mcu_data_relayed_total", "Data channel messages passed on to a room");
METRIC_COUNTER(m_refused, "mcu_data_refused_total",
	       "Data channel messages refused: form, size or rate");
METRIC_COUNTER(d_pool, "mcu_data_pool_dry_total", "Data channel messages dropped: no buffer");

struct data_relay {
	struct data_relay_cfg cfg;
	struct data_member *members;
};

/* A token bucket: what may still be said. */
struct bucket {
	double left, full, per_ns;
	int64_t at_ns;
};

struct data_member {
	struct data_relay *relay;
	struct data_member *next;
	uint32_t leg;
	char *name; /* as JSON, with its quotes */
	bool open;
	data_send_fn *send;
	void *obj;
	struct bucket messages, octets;
	int64_t told_ns; /* when it was last told that it says too much; 0: never */
};

/* ---- rates ---- */

static void bucket_init(struct bucket *b, double per_s, double full, int64_t now_ns)
{
	*b = (struct bucket){ .left = full, .full = full, .per_ns = per_s / (double)NS_PER_S,
			      .at_ns = now_ns };
}

static void bucket_fill(struct bucket *b, int64_t now_ns)
{
	if (now_ns > b->at_ns)
		b->left += (double)(now_ns - b->at_ns) * b->per_ns;
	if (b->left > b->full)
		b->left = b->full;
	b->at_ns = now_ns;
}

/* Both or neither. */
static bool may_say(struct data_member *m, size_t len, int64_t now_ns)
{
	bucket_fill(&m->messages, now_ns);
	bucket_fill(&m->octets, now_ns);
	if (m->messages.left < 1 || m->octets.left < (double)len)
		return false;
	m->messages.left -= 1;
	m->octets.left -= (double)len;
	return true;
}

/* ---- messages ---- */

static struct buf *get_buf(struct data_relay *r)
{
	struct buf *b = buf_get(r->cfg.pool);

	if (!b)
		metric_add(&d_pool, 1);
	return b;
}

static void answer(struct data_member *m, const char *code, const char *text)
{
	struct buf *b = get_buf(m->relay);

	metric_add(&m_refused, 1);
	if (!b)
		return;
	b->tag = false;
	b->len = (size_t)snprintf((char *)b->data, b->cap,
				  "{\"error\":{\"code\":\"%s\",\"text\":\"%s\"}}", code, text);
	m->send(m->obj, b);
	buf_unref(&b);
}

static void answer_rate(struct data_member *m, int64_t now_ns)
{
	if (m->told_ns && now_ns - m->told_ns < NS_PER_S) {
		metric_add(&m_refused, 1);
		return; /* once a second is enough */
	}
	m->told_ns = now_ns;
	answer(m, "rate_limited", "These are too many messages, or too large ones. Send fewer.");
}

/* Sending posts to other threads only: nobody leaves meanwhile. */
static void pass_on(struct data_member *from, struct buf *b)
{
	metric_add(&m_relayed, 1);
	for (struct data_member *m = from->relay->members; m; m = m->next)
		if (m != from && m->open)
			m->send(m->obj, b);
}

static bool is_object(const uint8_t *p, size_t len)
{
	json_t *j = json_loadb((const char *)p, len,
			       JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	bool ok = json_is_object(j);

	json_decref(j);
	return ok;
}

/* The object goes on as it was written: nothing of it changes. */
static void relay_text(struct data_member *m, const uint8_t *p, size_t len)
{
	struct buf *b;
	int head;

	if (!is_object(p, len)) {
		answer(m, "bad_json", "A text message must be one JSON object.");
		return;
	}
	b = get_buf(m->relay);
	if (!b)
		return;
	head = snprintf((char *)b->data, b->cap, "{\"from\":%u,\"name\":%s,\"data\":", m->leg,
			m->name);
	if (head > 0 && (size_t)head + len + 1 <= b->cap) {
		memcpy(b->data + head, p, len);
		b->data[(size_t)head + len] = '}';
		b->len = (size_t)head + len + 1;
		b->tag = false;
		pass_on(m, b);
	}
	buf_unref(&b);
}

static void relay_binary(struct data_member *m, const uint8_t *p, size_t len)
{
	struct buf *b = get_buf(m->relay);

	if (!b)
		return;
	assert(b->cap >= DATA_MAX_BINARY + sizeof m->leg);
	put_be32(b->data, m->leg);
	memcpy(b->data + sizeof m->leg, p, len);
	b->len = len + sizeof m->leg;
	b->tag = true;
	pass_on(m, b);
	buf_unref(&b);
}

void data_member_message(struct data_member *m, bool binary, const uint8_t *p, size_t len)
{
	int64_t now = clock_now_ns(m->relay->cfg.clock);

	if (!m->open)
		return;
	if (!may_say(m, len, now))
		answer_rate(m, now);
	else if (!binary && len > DATA_MAX_TEXT)
		answer(m, "too_large", "A text message has at most 16384 octets.");
	else if (binary && len > DATA_MAX_BINARY)
		answer(m, "too_large", "A binary message has at most 65536 octets.");
	else if (binary)
		relay_binary(m, p, len);
	else
		relay_text(m, p, len);
}

/* ---- life ---- */

int data_relay_new(struct data_relay **out, const struct data_relay_cfg *cfg)
{
	struct data_relay *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	*out = r;
	return 0;
}

void data_relay_free(struct data_relay **r)
{
	if (*r)
		assert(!(*r)->members);
	free(*r);
	*r = NULL;
}

static char *quoted(const char *name)
{
	json_t *j = json_string(name);
	char *text = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;

	json_decref(j);
	return text;
}

int data_member_rename(struct data_member *m, const char *name)
{
	char *text = quoted(name);

	if (!text)
		return -ENOMEM;
	free(m->name);
	m->name = text;
	return 0;
}

int data_relay_join(struct data_relay *r, struct data_member **out, uint32_t leg, const char *name,
		    data_send_fn *send, void *obj)
{
	struct data_member *m = calloc(1, sizeof *m);
	int64_t now = clock_now_ns(r->cfg.clock);
	double octets = r->cfg.octets_per_s;

	if (!m)
		return -ENOMEM;
	m->name = quoted(name);
	if (!m->name) {
		free(m);
		return -ENOMEM;
	}
	m->relay = r;
	m->leg = leg;
	m->send = send;
	m->obj = obj;
	bucket_init(&m->messages, r->cfg.messages_per_s, r->cfg.messages_per_s, now);
	bucket_init(&m->octets, octets, octets < DATA_MAX_BINARY ? DATA_MAX_BINARY : octets, now);
	m->next = r->members;
	r->members = m;
	*out = m;
	return 0;
}

void data_relay_leave(struct data_member **m)
{
	struct data_member *d = *m, **at;

	if (!d)
		return;
	at = &d->relay->members;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d->name);
	free(d);
	*m = NULL;
}

void data_member_open(struct data_member *m, bool open)
{
	m->open = open;
}
