#include "config.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/sandbox/probe.h"

const char capture_name[] = "a packet on its way";

/* What the acts try to reach must have a way, or nothing would be sent. */
static int
route_add(int fd, const char *ip)
{
	struct rtentry r = {.rt_flags = RTF_UP | RTF_HOST, .rt_dev =
	    (char[]){"lo"}};
	struct sockaddr_in *dst = (struct sockaddr_in *)&r.rt_dst;

	dst->sin_family = AF_INET;
	inet_pton(AF_INET, ip, &dst->sin_addr);
	return ioctl(fd, SIOCADDRT, &r);
}

int
capture_open(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP |
	    IFF_RUNNING};
	int fd, bad;

	if (unshare(CLONE_NEWNET) == -1 ||
	    (fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
		return -1;
	bad = ioctl(fd, SIOCSIFFLAGS, &ifr) == -1 ||
	    route_add(fd, PROBE_METADATA) == -1 ||
	    route_add(fd, PROBE_HOST) == -1;
	close(fd);
	if (bad)
		return -1;
	return socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK,
	    htons(ETH_P_ALL));
}

/* TCP's SYN, or anything that is not TCP; what ends a connection is not. */
static int
is_start(const uint8_t *p, size_t len)
{
	size_t head;

	if (len >= sizeof(struct ip) && p[0] >> 4 == 4) {
		head = (size_t)(p[0] & 15) * 4;
		if (p[9] != IPPROTO_TCP)
			return 1;
	} else if (len >= sizeof(struct ip6_hdr) && p[0] >> 4 == 6) {
		head = sizeof(struct ip6_hdr);
		if (p[6] != IPPROTO_TCP)
			return 1;
	} else
		return 1;
	return len < head + 14 || (p[head + 13] & (TH_SYN | TH_ACK)) == TH_SYN;
}

int
capture_drain(int fd)
{
	struct sockaddr_ll from;
	socklen_t len;
	uint8_t buf[128];
	ssize_t n;
	int found = 0;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
		    &len);
		if (n < 0)
			return found;
		if (from.sll_pkttype == PACKET_OUTGOING)
			found += is_start(buf, (size_t)n);
	}
}
