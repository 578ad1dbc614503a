/* Telephones that call a room of the server under test, some of them talking, until
 * SIGTERM; then they hang up, and one line of JSON says how it was. "ready" on stderr
 * when all are in the room and hear something.
 *
 *   phones_load --port SIP [--room room] [--phones 100] [--talkers 20] [--rate 20]
 *
 * --rate: calls a second that are begun. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/bench/floor.h"
#include "tests/bench/phones.h"
#include "tests/bench/sip_uac.h"

enum { MAX_PHONES = 2000, LEAVE_NS = 3000000, QUIET_TURNS = 50 };

static struct {
	int port, phones, talkers, rate;
	const char *room;
} opt = { 0, 100, 20, 20, "room" };

static volatile sig_atomic_t stop;
static struct phone *phone;
static struct uac_call *call;
static struct uac uac;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void options(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "port", 1, NULL, 'p' }, { "room", 1, NULL, 'r' }, { "phones", 1, NULL, 'n' },
		{ "talkers", 1, NULL, 't' }, { "rate", 1, NULL, 'a' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 'p': opt.port = atoi(optarg); break;
		case 'r': opt.room = optarg; break;
		case 'n': opt.phones = atoi(optarg); break;
		case 't': opt.talkers = atoi(optarg); break;
		case 'a': opt.rate = atoi(optarg); break;
		default: die("see the comment on top of phones_load.c");
		}
	if (opt.port < 1 || opt.phones < 1 || opt.phones > MAX_PHONES || opt.rate < 1)
		die("--port is that of SIP, --phones 1..%d, --rate at least 1", MAX_PHONES);
}

static void setup(void)
{
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	phone = calloc((size_t)opt.phones, sizeof *phone);
	call = calloc((size_t)opt.phones, sizeof *call);
	if (!phone || !call)
		die("out of memory");
	for (int i = 0; i < opt.phones; i++) {
		phone_open(&phone[i], i, i < opt.talkers);
		call[i].rtp_port = phone[i].port;
	}
	uac_open(&uac, (uint16_t)opt.port, opt.room, call, opt.phones);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
}

/* Whether all are in and have heard something. */
static int all_hear(void)
{
	for (int i = 0; i < opt.phones; i++)
		if (call[i].state != UAC_TALKING || !phone[i].received)
			return 0;
	return 1;
}

/* busy: there is something to be signalled. */
static void turn(int64_t start, int64_t n, int busy)
{
	sleep_until(start + n * PHONE_TURN_NS);
	if (busy || n % QUIET_TURNS == 0)
		uac_turn(&uac);
	for (int i = 0; i < opt.phones; i++)
		if (call[i].state == UAC_TALKING && !phone[i].to.sin_port)
			phone[i].to = call[i].media;
		else if (call[i].state != UAC_TALKING)
			phone[i].to.sin_port = 0;
	phones_turn(phone, opt.phones, n);
}

int main(int argc, char **argv)
{
	int64_t start = now_ns(), n = 0;
	long sent = 0, received = 0, lost = 0;
	int called = 0, ready = 0, left = 0;

	options(argc, argv);
	setup();
	for (; !stop; n++) {
		if (called < opt.phones && called <= (now_ns() - start) * opt.rate / NS_PER_S)
			uac_invite(&uac, &call[called++]);
		turn(start, n, !ready);
		if (!ready && called == opt.phones && all_hear()) {
			ready = 1;
			fprintf(stderr, "ready\n");
			for (int i = 0; i < opt.phones; i++)
				phone[i].lost = 0;
		}
	}
	for (int i = 0; i < opt.phones; i++) {
		sent += phone[i].sent;
		received += phone[i].received;
		lost += phone[i].lost;
		if (call[i].state == UAC_TALKING)
			uac_bye(&uac, &call[i]);
	}
	for (int64_t end = n + LEAVE_NS / (PHONE_TURN_NS / 1000); n < end && left < opt.phones; n++) {
		turn(start, n, 1);
		left = 0;
		for (int i = 0; i < opt.phones; i++)
			left += call[i].state == UAC_GONE;
	}
	printf("{\"ok\":%s,\"failures\":[%s],\"sent\":%ld,\"received\":%ld,\"lost\":%ld,"
	       "\"hung_up\":%ld,\"retransmitted\":%ld,\"left\":%d}\n",
	       ready && !uac.hung_up ? "true" : "false",
	       !ready ? "\"not all were in the room\"" : uac.hung_up ? "\"the server hung up\"" : "",
	       sent, received, lost, uac.hung_up, uac.retransmitted, left);
	return 0;
}
