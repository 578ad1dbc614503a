#include "signaling/sip_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, FILE_MAX_BYTES = 1 << 20 };

/* Certificates of those who vouch for others, where Debian keeps them. */
static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

bool sip_sockets_name(char out[64], int *port, const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof in);
		*port = ntohs(in.sin_port);
		return inet_ntop(AF_INET, &in.sin_addr, out, 64);
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&in6, sa, sizeof in6);
	*port = ntohs(in6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], out, 64);
	return inet_ntop(AF_INET6, &in6.sin6_addr, out, 64);
}

bool sip_sockets_local(char out[64], const struct sockaddr *to)
{
	socklen_t len = to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
						    sizeof(struct sockaddr_in);
	struct sockaddr_storage at;
	socklen_t at_len = sizeof at;
	int port, fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	/* Sends nothing: it only asks the routing table. */
	ok = !connect(fd, to, len) && !getsockname(fd, (struct sockaddr *)&at, &at_len) &&
	     sip_sockets_name(out, &port, (struct sockaddr *)&at);
	close(fd);
	return ok;
}

static socklen_t fill(struct sockaddr_storage *at, const char *address, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (strchr(address, ':') && inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
		memcpy(at, &in6, sizeof in6);
		return sizeof in6;
	}
	if (*address && inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return 0;
	memcpy(at, &in, sizeof in);
	return sizeof in;
}

bool sip_sockets_local_text(char out[64], const char *host)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	bool v6 = *host == '[';
	char plain[64];
	size_t n = v6 ? strcspn(++host, "]") : strcspn(host, ":");

	if (!v6 && strchr(host, ':') != strrchr(host, ':'))
		n = strlen(host); /* IPv6 without brackets */
	snprintf(plain, sizeof plain, "%.*s", (int)(n < 63 ? n : 63), host);
	if (inet_pton(AF_INET6, plain, &in6.sin6_addr) == 1)
		return sip_sockets_local(out, (struct sockaddr *)&in6);
	if (inet_pton(AF_INET, plain, &in.sin_addr) == 1)
		return sip_sockets_local(out, (struct sockaddr *)&in);
	/* Documentation addresses are nobody's: their way is the default one. */
	if (inet_pton(AF_INET, "198.51.100.1", &in.sin_addr) == 1 &&
	    sip_sockets_local(out, (struct sockaddr *)&in))
		return true;
	return inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr) == 1 &&
	       sip_sockets_local(out, (struct sockaddr *)&in6);
}

/* The port, or -errno. 0: any. */
static int try_port(const char *address, int type, int port)
{
	struct sockaddr_storage at;
	socklen_t len = fill(&at, address, port), at_len = sizeof at;
	char name[64];
	int fd, err = 0;

	if (!len)
		return -EADDRNOTAVAIL;
	fd = socket(at.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, len) || (type == SOCK_STREAM && listen(fd, 1)) ||
	    getsockname(fd, (struct sockaddr *)&at, &at_len))
		err = -errno;
	else if (!sip_sockets_name(name, &port, (struct sockaddr *)&at))
		err = -EADDRNOTAVAIL;
	close(fd);
	return err ? err : port;
}

int sip_sockets_free_port(const char *address, bool udp)
{
	for (int i = 0; i < 100; i++) {
		int port = try_port(address, SOCK_STREAM, 0);

		if (port < 0 || !udp || try_port(address, SOCK_DGRAM, port) == port)
			return port;
	}
	return -EADDRINUSE;
}

static int append_file(FILE *to, const char *path)
{
	FILE *from = fopen(path, "re");
	char block[4096];
	size_t n, total = 0;

	if (!from)
		return -errno;
	while ((n = fread(block, 1, sizeof block, from)) && (total += n) < FILE_MAX_BYTES)
		fwrite(block, 1, n, to);
	fclose(from);
	fputc('\n', to);
	return 0;
}

/* Whole or not at all, and for us alone. */
static int write_joined(const char *folder, const char *name, const char *a, const char *b)
{
	char path[PATH_BYTES], fresh[PATH_BYTES + 8];
	int fd, err = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = append_file(f, a);
	if (!err && b)
		err = append_file(f, b);
	if (fclose(f) && !err)
		err = -errno;
	if (!err && rename(fresh, path))
		err = -errno;
	return err;
}

int sip_sockets_lay_out(const char *folder, const char *cert_file, const char *key_file,
			struct errmsg *why)
{
	int err = mkdir(folder, 0700) && errno != EEXIST ? -errno : 0;

	if (!err)
		err = write_joined(folder, "agent.pem", cert_file, key_file);
	if (!err)
		err = write_joined(folder, "cafile.pem",
				   access(system_authorities, R_OK) ? cert_file : system_authorities, NULL);
	return err ? errmsg_set(why, err, "sip_certificate",
				"The certificate for SIP over TLS cannot be laid out in %s: %s.", folder,
				err_str(err)) : 0;
}
