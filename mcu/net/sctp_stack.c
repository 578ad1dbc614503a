#include "mcu/net/sctp_stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <usrsctp.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"
#include "mcu/base/metrics.h"
#include "mcu/net/shard_loop.h"

enum {
	TICK_MS = 20,
	LOOK_TICKS = 50,
	MOST_MS = 200,	   /* that one tick may count */
	MOST_WAITING = 64, /* packets in a mailbox, of one association */
};

METRIC_COUNTER(d_waiting, "mcu_sctp_tx_dropped_total", "SCTP packets dropped between two threads");

struct sctp_shard {
	struct net_timer tick;
	unsigned turn;
	struct sctp_link *links;
	uint8_t scratch[SCTP_SCRATCH_BYTES];
};

struct packet {
	uintptr_t id;
	size_t len;
	uint8_t octets[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sctp_link **table; /* under the lock; by id modulo its size */
static size_t table_size, n_links;
static uintptr_t last_id;

static _Thread_local struct sctp_link *current;
static atomic_flag ticking = ATOMIC_FLAG_INIT;
static int64_t ticked_ns; /* of who has the flag */

/* ---- the table of numbers ---- */

static struct sctp_link *find(uintptr_t id)
{
	struct sctp_link *k = table_size ? table[id % table_size] : NULL;

	return k && k->id == id ? k : NULL;
}

/* Twice the size, with every link where its number says. */
static int grow(void)
{
	size_t size = table_size ? table_size * 2 : 64;
	struct sctp_link **bigger = calloc(size, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	for (size_t i = 0; i < table_size; i++)
		if (table[i])
			bigger[table[i]->id % size] = table[i];
	free(table);
	table = bigger;
	table_size = size;
	return 0;
}

static int enlist(struct sctp_link *k)
{
	int err = 0;

	pthread_mutex_lock(&lock);
	if (n_links * 2 >= table_size)
		err = grow();
	if (!err) {
		do
			last_id++;
		while (last_id == 0 || table[last_id % table_size]);
		k->id = last_id;
		table[k->id % table_size] = k;
		n_links++;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static void delist(struct sctp_link *k)
{
	pthread_mutex_lock(&lock);
	table[k->id % table_size] = NULL;
	if (--n_links == 0) {
		free(table);
		table = NULL;
		table_size = 0;
	}
	pthread_mutex_unlock(&lock);
}

/* ---- packets that leave ---- */

static void send_packet(void *obj, void *arg)
{
	struct packet *p = arg;
	struct sctp_link *k;

	(void)obj;
	role_assert_net();
	pthread_mutex_lock(&lock);
	k = find(p->id);
	if (k)
		k->waiting--;
	pthread_mutex_unlock(&lock);
	if (k) /* only this thread can remove it */
		k->output(k->obj, p->octets, p->len);
	free(p);
}

static void post_packet(uintptr_t id, const void *octets, size_t len)
{
	struct packet *p = malloc(sizeof *p + len);
	struct sctp_link *k;
	bool posted = false;

	if (p) {
		p->id = id;
		p->len = len;
		memcpy(p->octets, octets, len);
	}
	pthread_mutex_lock(&lock);
	k = find(id);
	/* Under the lock: a shard outlives the associations that are in the table. */
	if (p && k && k->waiting < MOST_WAITING)
		posted = !mbox_post(net_shard_mbox(k->shard), send_packet, NULL, p);
	if (posted)
		k->waiting++;
	pthread_mutex_unlock(&lock);
	if (posted)
		return;
	free(p);
	metric_add(&d_waiting, k != NULL);
}

static int on_output(void *addr, void *octets, size_t len, uint8_t tos, uint8_t set_df)
{
	uintptr_t id = (uintptr_t)addr;

	(void)tos;
	(void)set_df;
	if (current && current->id == id)
		current->output(current->obj, octets, len);
	else
		post_packet(id, octets, len);
	return 0;
}

struct sctp_link *sctp_stack_enter(struct sctp_link *k)
{
	struct sctp_link *before = current;

	current = k;
	return before;
}

void sctp_stack_exit(struct sctp_link *before)
{
	current = before;
}

/* ---- the stack and its clock ---- */

/* Never finished: its end cannot be waited for without blocking, and the process
 * uses it until it exits. */
static void start_stack(void)
{
	usrsctp_init_nothreads(0, on_output, NULL);
	usrsctp_sysctl_set_sctp_blackhole(2); /* no ABORT for what is nobody's */
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_sysctl_set_sctp_asconf_enable(0);
	usrsctp_sysctl_set_sctp_auth_enable(0);
	usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(256);
	usrsctp_sysctl_set_sctp_delayed_sack_time_default(TICK_MS);
	/* A path that is gone for half a minute may be saved by an ICE restart, and
	 * then shall not wait for long (the default is up to 60 s). */
	usrsctp_sysctl_set_sctp_rto_max_default(4000);
	usrsctp_sysctl_set_sctp_rto_min_default(400);
	usrsctp_sysctl_set_sctp_rto_initial_default(1000);
	usrsctp_sysctl_set_sctp_init_rto_max_default(3000);
	usrsctp_sysctl_set_sctp_init_rtx_max_default(12);
	usrsctp_sysctl_set_sctp_assoc_rtx_max_default(20);
	usrsctp_sysctl_set_sctp_path_rtx_max_default(20);
}

static void run_timers(int64_t now_ns)
{
	int64_t ms;

	if (atomic_flag_test_and_set(&ticking))
		return; /* another shard is at it */
	ms = (now_ns - ticked_ns) / NS_PER_MS;
	if (ms > MOST_MS) {
		ms = MOST_MS;
		ticked_ns = now_ns - ms * NS_PER_MS;
	}
	if (ms >= TICK_MS / 2) {
		ticked_ns += ms * NS_PER_MS;
		usrsctp_handle_timers((uint32_t)ms);
	}
	atomic_flag_clear(&ticking);
}

static void on_tick(void *obj, int64_t due_ns)
{
	struct sctp_shard *h = obj;
	struct sctp_link *next;

	(void)due_ns;
	role_assert_net();
	run_timers(clock_now_ns(&clock_monotonic));
	if (++h->turn % LOOK_TICKS)
		return;
	for (struct sctp_link *k = h->links; k; k = next) {
		next = k->next;
		k->look(k->obj);
	}
}

static int shard_new(struct net_shard *s) ON_THREAD(ROLE_NET)
{
	struct sctp_shard *h = calloc(1, sizeof *h);
	int64_t period = TICK_MS * NS_PER_MS;
	int err;

	if (!h)
		return -ENOMEM;
	err = timers_add(shard_timers(s), &h->tick, on_tick, h);
	if (err) {
		free(h);
		return err;
	}
	/* on the grid of the legs' timers */
	net_timer_start(&h->tick, (net_shard_now_ns(s) / period + 1) * period, period);
	*shard_sctp(s) = h;
	return 0;
}

int sctp_stack_join(struct sctp_link *k, struct net_shard *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sctp_shard **h = shard_sctp(s);
	int err = *h ? 0 : shard_new(s);

	if (err)
		return err;
	pthread_once(&once, start_stack);
	k->shard = s;
	k->waiting = 0;
	k->next = (*h)->links;
	(*h)->links = k;
	err = enlist(k);
	if (err)
		(*h)->links = k->next;
	return err;
}

/* The shard's part goes with its last association. */
void sctp_stack_leave(struct sctp_link *k)
{
	struct sctp_shard **h = shard_sctp(k->shard);
	struct sctp_link **at = &(*h)->links;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	delist(k);
	if ((*h)->links)
		return;
	timers_remove(&(*h)->tick);
	free(*h);
	*h = NULL;
}

uint8_t *sctp_stack_scratch(struct sctp_link *k)
{
	return (*shard_sctp(k->shard))->scratch;
}
