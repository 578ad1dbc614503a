#include "storage/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IP_BYTES = 20, UDP_BYTES = 8, LINKTYPE_RAW = 101, NS_PER_SECOND = 1000000000 };

struct pcap_writer {
	FILE *file;
	uint64_t size;
	uint16_t ip_id;
};

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static int put(struct pcap_writer *w, const void *p, size_t len)
{
	if (fwrite(p, 1, len, w->file) != len)
		return errno ? -errno : -EIO;
	w->size += len;
	return 0;
}

int pcap_open(struct pcap_writer **out, const char *path)
{
	/* In the byte order of this machine, as the magic says. */
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		int32_t zone;
		uint32_t accuracy, snap_length, link_type;
	} head = { 0xa1b23c4d, 2, 4, 0, 0, 65535, LINKTYPE_RAW };
	struct pcap_writer *w = calloc(1, sizeof *w);
	int fd, err;

	if (!w)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = -errno;
		free(w);
		return err;
	}
	w->file = fdopen(fd, "wb");
	if (!w->file) {
		err = -errno;
		close(fd);
		free(w);
		return err;
	}
	err = put(w, &head, sizeof head);
	if (err) {
		pcap_close(&w);
		return err;
	}
	*out = w;
	return 0;
}

static void checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < IP_BYTES; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, (uint16_t)~sum);
}

/* RFC 791 and RFC 768; a UDP checksum of 0 means none. */
static void make_headers(struct pcap_writer *w, bool from_server, size_t len, uint8_t *h)
{
	static const uint8_t server[4] = { 192, 0, 2, 1 }, peer[4] = { 192, 0, 2, 2 };

	memset(h, 0, IP_BYTES + UDP_BYTES);
	h[0] = 0x45;
	put16(h + 2, (uint16_t)(len + IP_BYTES + UDP_BYTES));
	put16(h + 4, w->ip_id++);
	h[8] = 64;
	h[9] = 17;
	memcpy(h + 12, from_server ? server : peer, 4);
	memcpy(h + 16, from_server ? peer : server, 4);
	checksum(h);
	put16(h + IP_BYTES, PCAP_PORT);
	put16(h + IP_BYTES + 2, PCAP_PORT);
	put16(h + IP_BYTES + 4, (uint16_t)(len + UDP_BYTES));
}

int pcap_write(struct pcap_writer *w, bool from_server, int64_t wall_ns, const uint8_t *octets,
	       size_t have, size_t len)
{
	uint8_t headers[IP_BYTES + UDP_BYTES];
	const uint32_t record[4] = {
		(uint32_t)(wall_ns / NS_PER_SECOND), (uint32_t)(wall_ns % NS_PER_SECOND),
		(uint32_t)(have + sizeof headers), (uint32_t)(len + sizeof headers),
	};
	int err;

	if (have > len || have > PCAP_MAX_PACKET || len > 60000)
		return -EINVAL;
	make_headers(w, from_server, len, headers);
	err = put(w, record, sizeof record);
	if (!err)
		err = put(w, headers, sizeof headers);
	if (!err)
		err = put(w, octets, have);
	return err;
}

uint64_t pcap_size(const struct pcap_writer *w)
{
	return w->size;
}

int pcap_close(struct pcap_writer **w)
{
	int err = 0;

	if (!*w)
		return 0;
	if (fclose((*w)->file))
		err = -errno;
	free(*w);
	*w = NULL;
	return err;
}
