#include "signaling/sdp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sdp_text.h"

/* Strings of one description: blocks that are freed together. */
struct sdp_arena {
	struct sdp_arena *next;
	size_t used, cap;
	char bytes[];
};

enum { ARENA_BLOCK = 4096 };

static char *arena_take(struct sdp *s, size_t n)
{
	struct sdp_arena *a = s->arena;
	if (!a || a->cap - a->used < n) {
		size_t cap = n > ARENA_BLOCK ? n : ARENA_BLOCK;
		a = malloc(sizeof(*a) + cap);
		if (!a)
			return NULL;
		*a = (struct sdp_arena){ .next = s->arena, .cap = cap };
		s->arena = a;
	}
	char *p = a->bytes + a->used;
	a->used += n;
	return p;
}

static char *arena_copy(struct sdp *s, const char *p, size_t n)
{
	char *c = arena_take(s, n + 1);
	if (c) {
		memcpy(c, p, n);
		c[n] = 0;
	}
	return c;
}

const char *sdp_strdup(struct sdp *s, const char *text)
{
	return arena_copy(s, text, strlen(text));
}

static int attrs_add(struct sdp_attrs *a, const char *name, const char *value)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 16;
		struct sdp_attr *v = realloc(a->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		a->v = v;
		a->cap = cap;
	}
	a->v[a->n++] = (struct sdp_attr){ .name = name, .value = value };
	return 0;
}

int sdp_new(struct sdp **out, uint64_t session_id, uint64_t session_version)
{
	struct sdp *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->origin_user = "-";
	s->session_id = session_id;
	s->session_version = session_version;
	s->origin.address = "127.0.0.1";
	s->session_name = "-";
	*out = s;
	return 0;
}

void sdp_free(struct sdp **s)
{
	if (!*s)
		return;
	for (size_t i = 0; i < (*s)->n_media; i++)
		free((*s)->media[i].attrs.v);
	free((*s)->attrs.v);
	for (struct sdp_arena *a = (*s)->arena, *next; a; a = next) {
		next = a->next;
		free(a);
	}
	free(*s);
	*s = NULL;
}

/* --- building and looking up ----------------------------------------------- */

static bool is_clean(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

struct sdp_media *sdp_add_media(struct sdp *s, const char *kind, uint16_t port, const char *proto)
{
	if (s->n_media == SDP_MAX_MEDIA || !is_clean(kind) || !is_clean(proto))
		return NULL;
	const char *k = sdp_strdup(s, kind), *p = sdp_strdup(s, proto);
	if (!k || !p)
		return NULL;
	struct sdp_media *m = &s->media[s->n_media++];
	*m = (struct sdp_media){ .kind = k, .port = port, .proto = p };
	return m;
}

int sdp_add_format(struct sdp *s, struct sdp_media *m, const char *format)
{
	if (m->n_formats == SDP_MAX_FORMATS || !*format || !is_clean(format))
		return -EINVAL;
	const char *f = sdp_strdup(s, format);
	if (!f)
		return -ENOMEM;
	m->format[m->n_formats++] = f;
	return 0;
}

int sdp_add_flag(struct sdp *s, struct sdp_media *m, const char *name)
{
	const char *n = is_clean(name) ? sdp_strdup(s, name) : NULL;
	return n ? attrs_add(m ? &m->attrs : &s->attrs, n, NULL) : -ENOMEM;
}

int sdp_add_attr(struct sdp *s, struct sdp_media *m, const char *name, const char *fmt, ...)
{
	char text[SDP_MAX_LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + strlen(name) + 4 > sizeof(text) || !is_clean(text))
		return -EINVAL;
	const char *k = sdp_strdup(s, name), *v = sdp_strdup(s, text);
	return k && v ? attrs_add(m ? &m->attrs : &s->attrs, k, v) : -ENOMEM;
}

const struct sdp_attr *sdp_attr_find(const struct sdp_attrs *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->v[i].name, name))
			return &a->v[i];
	return NULL;
}

const char *sdp_value(const struct sdp *s, const struct sdp_media *m, const char *name)
{
	const struct sdp_attr *a = m ? sdp_attr_find(&m->attrs, name) : NULL;
	if (!a)
		a = sdp_attr_find(&s->attrs, name);
	return a ? a->value : NULL;
}

bool sdp_has(const struct sdp *s, const struct sdp_media *m, const char *name)
{
	return (m && sdp_attr_find(&m->attrs, name)) || sdp_attr_find(&s->attrs, name);
}

/* --- reading ---------------------------------------------------------------- */

struct parser {
	struct sdp *s;
	struct sdp_media *m; /* NULL: still in the session part */
	unsigned line;
	unsigned seen; /* bits of the session lines v, o, s, t */
	struct errmsg *why;
};

enum { SEEN_V = 1, SEEN_O = 2, SEEN_S = 4, SEEN_T = 8, SEEN_ALL = 15 };

static int bad(const struct parser *p, const char *what)
{
	return errmsg_set(p->why, -EINVAL, "bad_sdp",
			  "The session description is wrong in line %u: %s.", p->line, what);
}

/* "IN IP4 <address>[/ttl]" */
static int parse_conn(const struct parser *p, struct sdp_conn *c, char *v)
{
	char *net = sdp_next_word(&v), *fam = sdp_next_word(&v), *addr = sdp_next_word(&v);
	if (!net || !fam || !addr || strcmp(net, "IN") ||
	    (strcmp(fam, "IP4") && strcmp(fam, "IP6")))
		return bad(p, "expected IN IP4 or IN IP6 and an address");
	addr[strcspn(addr, "/")] = 0;
	if (!*addr || strlen(addr) > 255)
		return bad(p, "the address is empty or too long");
	c->address = addr;
	c->ip6 = fam[2] == '6';
	return 0;
}

/* "<user> <id> <version> IN IP4 <address>" */
static int parse_origin(struct parser *p, char *v)
{
	char *user = sdp_next_word(&v), *id = sdp_next_word(&v), *version = sdp_next_word(&v);
	if (!user || !id || !version || !sdp_u64(id, UINT64_MAX, &p->s->session_id) ||
	    !sdp_u64(version, UINT64_MAX, &p->s->session_version))
		return bad(p, "expected o=<user> <number> <number> IN IP4 <address>");
	p->s->origin_user = user;
	return parse_conn(p, &p->s->origin, v);
}

static int parse_bandwidth(const struct parser *p, struct sdp_bandwidth *b, const char *v)
{
	const char *colon = strchr(v, ':');
	uint64_t n;
	if (!colon || !sdp_u64(colon + 1, UINT64_MAX, &n))
		return bad(p, "expected b=<type>:<number>");
	uint32_t value = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	size_t len = (size_t)(colon - v);
	if (len == 2 && !memcmp(v, "AS", 2))
		b->as_kbps = value;
	else if (len == 4 && !memcmp(v, "TIAS", 4))
		b->tias_bps = value;
	return 0;
}

static int parse_attr(const struct parser *p, struct sdp_attrs *a, char *v)
{
	char *colon = strchr(v, ':');
	if (colon)
		*colon = 0;
	if (!*v || strpbrk(v, " \t"))
		return bad(p, "expected a=<name> or a=<name>:<value>");
	return attrs_add(a, v, colon ? colon + 1 : NULL);
}

/* "<kind> <port>[/<n>] <proto> <format> …" */
static int parse_media(struct parser *p, char *v)
{
	if (p->s->n_media == SDP_MAX_MEDIA)
		return bad(p, "there are more than 32 m= lines");
	char *kind = sdp_next_word(&v), *port = sdp_next_word(&v), *proto = sdp_next_word(&v);
	uint64_t n;
	if (!kind || !port || !proto || strlen(kind) > 15 || strlen(proto) > 31)
		return bad(p, "expected m=<kind> <port> <protocol> <format>");
	char *slash = strchr(port, '/');
	if (slash)
		*slash = 0;
	if (!sdp_u64(port, 65535, &n))
		return bad(p, "the port is not a number up to 65535");

	struct sdp_media *m = &p->s->media[p->s->n_media++];
	*m = (struct sdp_media){
		.kind = kind, .port = (uint16_t)n, .proto = proto, .line = p->line
	};
	p->m = m;
	for (char *f; (f = sdp_next_word(&v));) {
		if (m->n_formats == SDP_MAX_FORMATS)
			return bad(p, "there are more than 64 formats");
		m->format[m->n_formats++] = f;
	}
	return m->n_formats ? 0 : bad(p, "there is no format");
}

static int parse_session_line(struct parser *p, char type, char *v)
{
	switch (type) {
	case 'v': p->seen |= SEEN_V; return strcmp(v, "0") ? bad(p, "the version is not 0") : 0;
	case 'o': p->seen |= SEEN_O; return parse_origin(p, v);
	case 's':
		p->seen |= SEEN_S;
		p->s->session_name = v;
		return 0;
	case 't': p->seen |= SEEN_T; return 0;
	default: return 0; /* i u e p r z k and the unknown: of no use here */
	}
}

static int parse_line(struct parser *p, char type, char *v)
{
	struct sdp_media *m = p->m;
	if (!(p->seen & SEEN_V) && type != 'v')
		return bad(p, "the first line is not v=0");
	switch (type) {
	case 'm':
		if (p->seen != SEEN_ALL)
			return bad(p, "one of v= o= s= t= is missing before the first m=");
		return parse_media(p, v);
	case 'c': return parse_conn(p, m ? &m->conn : &p->s->conn, v);
	case 'b': return parse_bandwidth(p, m ? &m->bandwidth : &p->s->bandwidth, v);
	case 'a': return parse_attr(p, m ? &m->attrs : &p->s->attrs, v);
	case 'v':
	case 'o':
	case 's':
	case 't':
		if (m)
			return bad(p, "a session line after the first m=");
		break;
	default: break;
	}
	return m ? 0 : parse_session_line(p, type, v);
}

static int parse_lines(struct parser *p, char *text)
{
	bool ended = false;
	for (char *next; *text; text = next) {
		size_t len = strcspn(text, "\n");
		next = text + len + (text[len] == '\n');
		text[len] = 0;
		if (len && text[len - 1] == '\r')
			text[--len] = 0;
		if (++p->line > SDP_MAX_LINES)
			return bad(p, "there are more than 2000 lines");
		if (!len) {
			ended = true;
			continue;
		}
		if (ended)
			return bad(p, "the line before is empty");
		if (len > SDP_MAX_LINE_BYTES)
			return bad(p, "it is longer than 2048 octets");
		if (!is_clean(text))
			return bad(p, "it has a control character");
		if (text[0] < 'a' || text[0] > 'z' || text[1] != '=')
			return bad(p, "expected <letter>=<value>");
		int err = parse_line(p, text[0], text + 2);
		if (err)
			return err == -ENOMEM
				       ? errmsg_set(p->why, err, "internal", "Out of memory.")
				       : err;
	}
	return p->seen == SEEN_ALL ? 0 : bad(p, "one of v= o= s= t= is missing");
}

int sdp_parse(struct sdp **out, const char *text, size_t len, struct errmsg *why)
{
	struct parser p = { .why = why };
	if (len > SDP_MAX_BYTES)
		return errmsg_set(why, -EINVAL, "bad_sdp",
				  "The session description is longer than %d octets.",
				  SDP_MAX_BYTES);
	if (memchr(text, 0, len)) {
		p.line = 1;
		return bad(&p, "the text has a zero octet");
	}
	int err = sdp_new(&p.s, 0, 0);
	if (err)
		return errmsg_set(why, err, "internal", "Out of memory.");
	char *copy = arena_copy(p.s, text, len);
	err = copy ? parse_lines(&p, copy) : errmsg_set(why, -ENOMEM, "internal", "Out of memory.");
	if (err)
		sdp_free(&p.s);
	else
		*out = p.s;
	return err;
}

/* --- writing ---------------------------------------------------------------- */

static void write_conn(FILE *f, const struct sdp_conn *c)
{
	if (c->address)
		fprintf(f, "c=IN IP%c %s\r\n", c->ip6 ? '6' : '4', c->address);
}

static void write_common(FILE *f, const struct sdp_bandwidth *b)
{
	if (b->as_kbps)
		fprintf(f, "b=AS:%u\r\n", b->as_kbps);
	if (b->tias_bps)
		fprintf(f, "b=TIAS:%u\r\n", b->tias_bps);
}

static void write_attrs(FILE *f, const struct sdp_attrs *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].value)
			fprintf(f, "a=%s:%s\r\n", a->v[i].name, a->v[i].value);
		else
			fprintf(f, "a=%s\r\n", a->v[i].name);
}

static void write_media(FILE *f, const struct sdp_media *m)
{
	fprintf(f, "m=%s %u %s", m->kind, m->port, m->proto);
	for (size_t i = 0; i < m->n_formats; i++)
		fprintf(f, " %s", m->format[i]);
	fputs("\r\n", f);
	write_conn(f, &m->conn);
	write_common(f, &m->bandwidth);
	write_attrs(f, &m->attrs);
}

int sdp_write(const struct sdp *s, char **out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;
	fprintf(f, "v=0\r\no=%s %llu %llu IN IP%c %s\r\ns=%s\r\n", s->origin_user,
		(unsigned long long)s->session_id, (unsigned long long)s->session_version,
		s->origin.ip6 ? '6' : '4', s->origin.address, s->session_name);
	write_conn(f, &s->conn);
	write_common(f, &s->bandwidth);
	fputs("t=0 0\r\n", f);
	write_attrs(f, &s->attrs);
	for (size_t i = 0; i < s->n_media; i++)
		write_media(f, &s->media[i]);
	bool failed = ferror(f);
	if (fclose(f) || failed) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}
