#include "signaling/sip_limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/clock.h"

enum { WAYS = 4, MAX_SOURCES = 1 << 20 };

struct bucket {
	struct sip_limit_key key;
	int64_t at_ns; /* of the tokens; 0: free */
	double tokens;
};

struct sip_limit {
	double per_s, burst;
	uint64_t seed[2]; /* so that nobody can aim at somebody's slots */
	size_t sets;
	struct bucket buckets[];
};

bool sip_limit_key_of(struct sip_limit_key *out, const struct sockaddr *sa)
{
	unsigned char a[16] = { [10] = 0xff, [11] = 0xff };

	if (sa->sa_family == AF_INET) {
		memcpy(a + 12, (const char *)sa + offsetof(struct sockaddr_in, sin_addr), 4);
	} else if (sa->sa_family == AF_INET6) {
		struct in6_addr in6;

		memcpy(&in6, (const char *)sa + offsetof(struct sockaddr_in6, sin6_addr), sizeof in6);
		memcpy(a, &in6, sizeof a);
		if (!IN6_IS_ADDR_V4MAPPED(&in6) && !IN6_IS_ADDR_LOOPBACK(&in6))
			memset(a + 8, 0, 8);
	} else {
		return false;
	}
	memcpy(out->half, a, sizeof a);
	return true;
}

bool sip_limit_key_text(struct sip_limit_key *out, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		return sip_limit_key_of(out, (struct sockaddr *)&in);
	return inet_pton(AF_INET6, address, &in6.sin6_addr) == 1 &&
	       sip_limit_key_of(out, (struct sockaddr *)&in6);
}

int sip_limit_new(struct sip_limit **out, double per_s, double burst, size_t sources)
{
	struct sip_limit *l;
	size_t sets = 1;

	if (per_s <= 0 || burst < 1 || !sources || sources > MAX_SOURCES)
		return -EINVAL;
	while (sets * WAYS < sources)
		sets *= 2;
	l = calloc(1, sizeof *l + sets * WAYS * sizeof l->buckets[0]);
	if (!l)
		return -ENOMEM;
	l->per_s = per_s;
	l->burst = burst;
	l->sets = sets;
	if (getrandom(l->seed, sizeof l->seed, 0) != (ssize_t)sizeof l->seed) {
		free(l);
		return -EIO;
	}
	*out = l;
	return 0;
}

void sip_limit_free(struct sip_limit **l)
{
	free(*l);
	*l = NULL;
}

static uint64_t scramble(uint64_t x)
{
	x ^= x >> 32;
	x *= 0x9e3779b97f4a7c15u;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

static struct bucket *set_of(struct sip_limit *l, const struct sip_limit_key *key)
{
	uint64_t h = scramble(scramble(key->half[0] ^ l->seed[0]) ^ key->half[1] ^ l->seed[1]);

	return &l->buckets[(h & (l->sets - 1)) * WAYS];
}

static struct bucket *find(struct bucket *set, const struct sip_limit_key *key)
{
	for (int i = 0; i < WAYS; i++)
		if (set[i].at_ns && !memcmp(&set[i].key, key, sizeof *key))
			return &set[i];
	return NULL;
}

static struct bucket *oldest(struct bucket *set)
{
	struct bucket *b = set;

	for (int i = 1; i < WAYS; i++)
		if (set[i].at_ns < b->at_ns)
			b = &set[i];
	return b;
}

static void refill(const struct sip_limit *l, struct bucket *b, int64_t now_ns)
{
	double s = (double)(now_ns - b->at_ns) / (double)NS_PER_S;

	if (s <= 0)
		return;
	b->tokens = s * l->per_s + b->tokens > l->burst ? l->burst : b->tokens + s * l->per_s;
	b->at_ns = now_ns;
}

bool sip_limit_take(struct sip_limit *l, const struct sip_limit_key *key, int64_t now_ns)
{
	struct bucket *set = set_of(l, key), *b = find(set, key);

	if (!b) {
		b = oldest(set);
		*b = (struct bucket){ .key = *key, .at_ns = now_ns, .tokens = l->burst };
	}
	refill(l, b, now_ns);
	if (b->tokens < 1)
		return false;
	b->tokens -= 1;
	return true;
}

bool sip_limit_is_empty(struct sip_limit *l, const struct sip_limit_key *key, int64_t now_ns)
{
	struct bucket *b = find(set_of(l, key), key);

	if (!b)
		return false;
	refill(l, b, now_ns);
	return b->tokens < 1;
}
