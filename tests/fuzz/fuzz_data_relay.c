/* Messages of a data channel on any octets: the first says whether it is a binary one.
 * What others get of a text is JSON with the sender in front and the message as it
 * was; what the sender gets back is JSON too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mcu/base/buf.h"
#include "mcu/base/role.h"
#include "mcu/data_relay.h"

static struct clock clock;
static struct buf_pool *pool;
static struct data_relay *relay;
static struct data_member *from, *to;
static size_t got, answers;
static const uint8_t *sent;
static size_t sent_len;

static void check(int ok)
{
	if (!ok)
		abort();
}

static void on_other(void *obj, struct buf *b)
{
	(void)obj;
	got++;
	if (b->tag) {
		check(b->len == sent_len + 4 && !memcmp(b->data + 4, sent, sent_len));
		return;
	}
	json_t *j = json_loadb((const char *)b->data, b->len,
			       JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	if (!j && sent_len >= 2 * (JSON_PARSER_MAX_DEPTH - 2))
		return; /* one level too deep for jansson */
	check(json_is_object(j) && json_object_size(j) == 3);
	check(!strcmp(json_string_value(json_object_get(j, "name")), "A \"quoted\" name"));
	check(json_is_object(json_object_get(j, "data")));
	json_decref(j);
}

static void on_own(void *obj, struct buf *b)
{
	(void)obj;
	answers++;
	json_t *j = json_loadb((const char *)b->data, b->len, 0, NULL);
	check(!b->tag && json_is_string(json_object_get(json_object_get(j, "error"), "text")));
	json_decref(j);
}

static void set_up(void)
{
	role_enter(ROLE_ID_CTL);
	role_assert_ctl();
	clock_fake_init(&clock, NS_PER_S);
	check(!buf_pool_new(&pool, "fuzz", DATA_MAX_BINARY + 4, 8, 8));
	struct data_relay_cfg cfg = {
		.pool = pool, .clock = &clock, .messages_per_s = 1000, .octets_per_s = 10000000,
	};
	check(!data_relay_new(&relay, &cfg));
	check(!data_relay_join(relay, &from, 1, "A \"quoted\" name", on_own, NULL));
	check(!data_relay_join(relay, &to, 2, "b", on_other, NULL));
	data_member_open(from, true);
	data_member_open(to, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!relay)
		set_up();
	role_assert_ctl();
	if (!size)
		return 0;
	got = answers = 0;
	sent = data + 1;
	sent_len = size - 1;
	clock_fake_advance(&clock, NS_PER_S);
	data_member_message(from, data[0] & 1, sent, sent_len);
	check(got + answers == 1);
	return 0;
}
