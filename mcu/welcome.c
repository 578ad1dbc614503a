#include "mcu/welcome.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

void welcome_network_addresses(int https_port)
{
	struct ifaddrs *list, *i;

	if (getifaddrs(&list))
		return;
	for (i = list; i; i = i->ifa_next) {
		char text[INET_ADDRSTRLEN];
		struct sockaddr_in at;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || i->ifa_flags & IFF_LOOPBACK)
			continue;
		memcpy(&at, i->ifa_addr, sizeof at);
		if (inet_ntop(AF_INET, &at.sin_addr, text, sizeof text))
			printf("  https://%s:%d/\n", text, https_port);
	}
	freeifaddrs(list);
}
