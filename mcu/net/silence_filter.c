#include "mcu/net/silence_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <sys/socket.h>

#include "mcu/rtp/packet.h"

/* Where a filter of a datagram socket finds things: the UDP header comes first. */
enum { RTP = 8, PAYLOAD = RTP + RTP_HEADER_BYTES, WORD = 4 };
enum { PLAIN_HEADER = 0x8000 /* version 2, no padding, extension, sources or marker */ };
/* Words of a payload that are looked at. Each socket has a program of its own, which is no
 * longer in the processor's cache when its next packet comes: a look at all octets cost as
 * much as it saved. Nothing that lasts 4 ms is between two of them. */
enum { LOOKS = 8, MOST_STEPS = 8 + 3 * LOOKS };

struct program {
	struct sock_filter step[MOST_STEPS];
	unsigned short n;
};

static void add(struct program *p, uint16_t code, uint32_t k)
{
	p->step[p->n++] = (struct sock_filter)BPF_STMT(code, k);
}

/* Goes on if it is so; otherwise the packet passes, as the last step says. */
static void expect(struct program *p, uint16_t code, uint32_t k)
{
	p->step[p->n++] = (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | code), k, 0, 1);
}

static uint32_t four(uint8_t octet)
{
	return octet * 0x01010101u;
}

static void build(struct program *p, const struct transport_silence *s)
{
	uint32_t words = s->payload_len / WORD, looks = words < LOOKS ? words : LOOKS;

	add(p, BPF_LD | BPF_W | BPF_LEN, 0);
	expect(p, BPF_JEQ, PAYLOAD + (uint32_t)s->payload_len);
	add(p, BPF_LD | BPF_W | BPF_ABS, RTP);
	expect(p, BPF_JSET, SILENCE_FILTER_PASSES - 1); /* of the number */
	add(p, BPF_ALU | BPF_AND | BPF_K, 0xffff0000);
	expect(p, BPF_JEQ, (uint32_t)(PLAIN_HEADER | s->pt) << 16);
	for (uint32_t i = 1; i <= looks; i++) { /* the last word is the last of them */
		add(p, BPF_LD | BPF_W | BPF_ABS, PAYLOAD + (words * i / looks - 1) * WORD);
		add(p, BPF_ALU | BPF_AND | BPF_K, four(s->mask));
		expect(p, BPF_JEQ, four(s->code & s->mask));
	}
	add(p, BPF_RET | BPF_K, 0);
	for (unsigned i = 0; i < p->n; i++)
		if (p->step[i].jf)
			p->step[i].jf = (uint8_t)(p->n - i - 1);
	add(p, BPF_RET | BPF_K, UINT32_MAX);
}

static int count_drops(int fd, uint32_t *drops)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return -errno;
	*drops = info[SK_MEMINFO_DROPS];
	return len > SK_MEMINFO_DROPS * sizeof *info ? 0 : -ENOTSUP;
}

int silence_filter_set(int fd, const struct transport_silence *s, uint32_t *drops)
{
	struct program p = { .n = 0 };
	struct sock_fprog f = { .filter = p.step };
	int err;

	if (!s->payload_len || s->payload_len % WORD || s->payload_len > SILENCE_FILTER_MOST)
		return -EINVAL;
	build(&p, s);
	f.len = p.n;
	err = count_drops(fd, drops);
	if (!err && setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &(int){ 1 }, sizeof(int)))
		err = -errno;
	if (!err && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f))
		err = -errno;
	return err;
}

void silence_filter_clear(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int));
}
