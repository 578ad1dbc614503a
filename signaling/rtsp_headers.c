/* Headers of RTSP: Transport, Range, Scale, Authorization. */
#include "signaling/rtsp_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
}

/* --- Transport ------------------------------------------------------------------------------- */

/* "5000-5001" or "5000", which means the next as well. */
static bool read_pair(const char *v, size_t len, unsigned most, unsigned *a, unsigned *b)
{
	unsigned n[2] = { 0, 0 };
	int which = 0;
	size_t digits[2] = { 0, 0 };

	for (size_t i = 0; i < len; i++) {
		if (v[i] == '-' && !which) {
			which = 1;
			continue;
		}
		if (!is_digit(v[i]) || digits[which]++ > 5)
			return false;
		n[which] = n[which] * 10 + (unsigned)(v[i] - '0');
	}
	*a = n[0];
	*b = which ? n[1] : n[0] + 1;
	return digits[0] && (!which || digits[1]) && *a <= most && *b <= most && *a != *b;
}

static bool is_param(const char *p, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(p, name, len);
}

/* One parameter. False: this transport cannot be had. */
static bool read_param(struct rtsp_transport *t, const char *p, size_t len, bool *bad)
{
	static const char ports[] = "client_port=", channels[] = "interleaved=";
	unsigned a, b;

	if (is_param(p, len, "multicast"))
		return false;
	if (len > sizeof ports - 1 && !strncasecmp(p, ports, sizeof ports - 1)) {
		if (!read_pair(p + sizeof ports - 1, len - sizeof ports + 1, 65535, &a, &b) || !a) {
			*bad = true;
			return false;
		}
		t->port = (uint16_t)a;
		t->rtcp_port = (uint16_t)b;
	}
	if (len > sizeof channels - 1 && !strncasecmp(p, channels, sizeof channels - 1)) {
		if (!read_pair(p + sizeof channels - 1, len - sizeof channels + 1, 255, &a, &b)) {
			*bad = true;
			return false;
		}
		t->channel = (int)a;
		t->rtcp_channel = (int)b;
	}
	if (len > 5 && !strncasecmp(p, "mode=", 5)) {
		size_t quoted = p[5] == '"';

		return len >= 9 + quoted && !strncasecmp(p + 5 + quoted, "play", 4);
	}
	return true;
}

/* One of the list. 0, -ENOTSUP or -EINVAL. */
static int read_one(struct rtsp_transport *t, const char *p, size_t len)
{
	size_t n = 0;
	bool bad = false, ours;

	*t = (struct rtsp_transport){ .channel = -1, .rtcp_channel = -1 };
	while (n < len && p[n] != ';')
		n++;
	t->tcp = is_param(p, n, "RTP/AVP/TCP");
	ours = t->tcp || is_param(p, n, "RTP/AVP") || is_param(p, n, "RTP/AVP/UDP");
	if (!ours)
		return -ENOTSUP;
	while (n < len) {
		size_t from = ++n;

		while (n < len && p[n] != ';')
			n++;
		if (!read_param(t, p + from, n - from, &bad))
			return bad ? -EINVAL : -ENOTSUP;
	}
	return t->tcp || t->port ? 0 : -ENOTSUP;
}

int rtsp_transport_read(struct rtsp_transport *out, const char *value)
{
	int err = -ENOTSUP;

	for (const char *p = value; *p;) {
		size_t len;

		p += strspn(p, ", \t");
		len = strcspn(p, ", \t");
		if (!len)
			break;
		err = read_one(out, p, len);
		if (err != -ENOTSUP)
			return err;
		p += len;
	}
	return err;
}

/* --- Range and Scale ----------------------------------------------------------------------------- */

enum { MOST_S = 100 * 24 * 3600 };

/* Digits, at most so many. */
static bool take_digits(const char **p, int64_t *out, size_t most)
{
	size_t n = 0;

	*out = 0;
	for (; is_digit(**p); (*p)++) {
		if (++n > most)
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return n;
}

/* Seconds or hours:minutes:seconds, with a fraction. */
static bool take_npt(const char **p, int64_t *ms)
{
	int64_t a, b, c, unit = 100;

	if (!take_digits(p, &a, 9))
		return false;
	if (**p == ':') {
		(*p)++;
		if (!take_digits(p, &b, 2) || *(*p)++ != ':' || !take_digits(p, &c, 2) || b > 59 || c > 59)
			return false;
		a = a * 3600 + b * 60 + c;
	}
	if (a > MOST_S)
		return false;
	*ms = a * 1000;
	if (**p != '.')
		return true;
	for ((*p)++; is_digit(**p); (*p)++, unit /= 10)
		*ms += (**p - '0') * unit;
	return true;
}

int rtsp_range_read(struct rtsp_range *out, const char *value)
{
	const char *p = value;

	*out = (struct rtsp_range){ .to_ms = -1 };
	if (strncasecmp(p, "npt", 3))
		return -EINVAL;
	p += 3;
	p += strspn(p, " \t");
	if (*p++ != '=')
		return -EINVAL;
	p += strspn(p, " \t");
	if (!strncasecmp(p, "now", 3)) {
		out->now = true;
		p += 3;
	} else if (*p == '-') {
		out->now = true;
	} else if (!take_npt(&p, &out->from_ms)) {
		return -EINVAL;
	}
	if (*p++ != '-')
		return -EINVAL;
	if (is_digit(*p) && !take_npt(&p, &out->to_ms))
		return -EINVAL;
	p += strspn(p, " \t");
	return !*p || *p == ';' ? 0 : -EINVAL;
}

int rtsp_scale_read(int *out, const char *value)
{
	char *end;
	double v = strtod(value, &end), size;
	int n = 1;

	if (end == value || *end || !isfinite(v) || v == 0)
		return -EINVAL;
	size = fabs(v);
	while (n < 16 && size > n * 1.5)
		n *= 2;
	*out = v < 0 ? -n : n;
	return 0;
}

/* --- Authorization ---------------------------------------------------------------------------------- */

bool rtsp_digest_params(char *value, const char **params, size_t max)
{
	size_t n = 0;
	char *p = value + 7;

	if (strncasecmp(value, "Digest ", 7))
		return false;
	while (*p) {
		bool quoted = false;

		p += strspn(p, ", \t");
		if (!*p)
			break;
		if (n + 1 >= max)
			return false;
		params[n++] = p;
		for (; *p && (quoted || *p != ','); p++) {
			if (quoted && *p == '\\' && p[1])
				p++;
			else if (*p == '"')
				quoted = !quoted;
		}
		if (*p)
			*p++ = '\0';
		trim(value + (params[n - 1] - value));
	}
	params[n] = NULL;
	return true;
}
