#include "mcu/dial.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/config.h"
#include "mcu/rate_limit.h"
#include "signaling/phone_number.h"
#include "signaling/protocol.h"
#include "signaling/sip_route.h"

enum { DIALLERS = 1000 /* people who are remembered for the rate */ };

struct dial_call {
	struct dials *dials;
	struct dial_info i; /* its texts are these: */
	char room[257], name[257], number[PHONE_NUMBER_BYTES], text[256];
	sip_dial_cb *progress; /* of who asked, and wants to know; NULL: nobody */
	void *obj;
};

struct dials {
	const struct config *config;
	const struct clock *clock;
	const struct sip_dialler *dialler;
	struct rate_limit *rate;
	dial_changed_fn *changed;
	void *obj;
	GPtrArray *calls; /* struct dial_call, the oldest first */
};

int dials_new(struct dials **out, const struct config *config, const struct clock *clock,
	      dial_changed_fn *changed, void *obj)
{
	unsigned most = (unsigned)config->sip.dial_per_minute;
	struct dials *d = calloc(1, sizeof *d);

	if (!d)
		return -ENOMEM;
	if (rate_limit_new(&d->rate, most < RATE_LIMIT_MAX ? most : RATE_LIMIT_MAX, 60 * NS_PER_S,
			   DIALLERS)) {
		free(d);
		return -ENOMEM;
	}
	d->config = config;
	d->clock = clock;
	d->changed = changed;
	d->obj = obj;
	d->calls = g_ptr_array_new_with_free_func(free);
	*out = d;
	return 0;
}

void dials_free(struct dials **d)
{
	if (!*d)
		return;
	rate_limit_free(&(*d)->rate);
	g_ptr_array_unref((*d)->calls);
	free(*d);
	*d = NULL;
}

void dials_use(struct dials *d, const struct sip_dialler *dialler)
{
	d->dialler = dialler;
}

bool dials_ready(const struct dials *d)
{
	return d->dialler;
}

/* --- destinations ------------------------------------------------------------ */

/* What people write between digits goes; letters do not belong there. */
static int parse_number(char *out, const char *to)
{
	size_t n = 0;

	if (*to == '+')
		out[n++] = *to++;
	for (; *to; to++) {
		if ((*to >= '0' && *to <= '9') || *to == '*' || *to == '#')
			out[n++] = *to;
		else if (!strchr(" -()/.", *to))
			return -EINVAL;
	}
	out[n] = 0;
	return n > (out[0] == '+') ? 0 : -EINVAL;
}

/* Nothing that would end the address in a header field, bring fields of its own, or lead
 * elsewhere than to its host, which sip.dial_to is asked about. */
static bool address_valid(const char *to)
{
	if (!sip_route_is_plain(to))
		return false;
	for (; *to; to++)
		if (*to <= ' ' || *to > '~' || strchr("<>\"\\?,", *to))
			return false;
	return true;
}

/* The name of a user: with a letter, which no number has, and nothing of an address. */
static bool user_valid(const char *to)
{
	bool letter = false;

	for (const char *p = to; *p; p++) {
		letter = letter || g_ascii_isalpha(*p);
		if (!g_ascii_isalnum(*p) && !strchr("._-", *p))
			return false;
	}
	return letter;
}

int dial_parse(char out[DIAL_TO_MAX + 1], const char *to)
{
	bool tel = !g_ascii_strncasecmp(to, "tel:", 4);
	const char *scheme = "";
	size_t len = strlen(to);

	if (len > DIAL_TO_MAX - 4)
		return -EINVAL;
	if (!tel && user_valid(to)) {
		snprintf(out, DIAL_TO_MAX + 1, "%s", to);
		return 0;
	}
	if (tel || !strchr(to, '@'))
		return parse_number(out, to + (tel ? 4 : 0));
	if (!g_ascii_strncasecmp(to, "sip:", 4))
		to += 4, scheme = "sip:";
	else if (!g_ascii_strncasecmp(to, "sips:", 5))
		to += 5, scheme = "sips:";
	if (!address_valid(to))
		return -EINVAL;
	snprintf(out, DIAL_TO_MAX + 1, "%s%s", *scheme ? scheme : "sip:", to);
	return 0;
}

/* The host of an address, without port and parameters. */
static bool host_is(const char *address, const char *host)
{
	const char *at = strchr(address, '@') + 1;
	size_t len = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":;");

	return strlen(host) == len && !g_ascii_strncasecmp(at, host, len);
}

static bool destination_allowed(const struct dials *d, const char *to)
{
	const struct config_strings *list = &d->config->sip.dial_to;
	bool address = strchr(to, '@');

	if (!address && user_valid(to)) /* telephones that are registered here */
		return true;
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->items[i];

		if (address ? *item == '@' && host_is(to, item + 1) :
			      *item != '@' && !strncmp(to, item, strlen(item)))
			return true;
	}
	return !list->n;
}

bool dials_reaches(const struct dials *d, const char *address)
{
	char to[DIAL_TO_MAX + 1];

	return !dial_parse(to, address) && strchr(to, '@') && destination_allowed(d, to);
}

static bool digits_valid(const char *digits)
{
	return strlen(digits) <= DIAL_DIGITS_MAX &&
	       strspn(digits, "0123456789*#ABCD,") == strlen(digits);
}

/* --- calls ------------------------------------------------------------------- */

bool dials_allowed(const struct dials *d, int64_t user_id, bool host)
{
	const char *right = d->config->sip.dial;

	if (!user_id || !strcmp(right, "nobody"))
		return false;
	return host || !strcmp(right, "users");
}

static size_t count(const struct dials *d, const char *room)
{
	size_t n = 0;

	for (size_t i = 0; i < d->calls->len; i++) {
		const struct dial_call *c = g_ptr_array_index(d->calls, i);

		n += !sip_dial_is_over(c->i.state) && !strcmp(c->room, room);
	}
	return n;
}

static struct dial_call *find(const struct dials *d, const char *room, int64_t id)
{
	for (size_t i = 0; i < d->calls->len; i++) {
		struct dial_call *c = g_ptr_array_index(d->calls, i);

		if (c->i.id == id && !strcmp(c->room, room))
			return c;
	}
	return NULL;
}

/* The oldest that are over go. */
static void forget_old(struct dials *d)
{
	size_t over = 0;

	for (size_t i = d->calls->len; i-- > 0;) {
		const struct dial_call *c = g_ptr_array_index(d->calls, i);

		if (sip_dial_is_over(c->i.state) && ++over > DIAL_KEPT)
			g_ptr_array_remove_index(d->calls, (guint)i);
	}
}

static void on_event(void *obj, const struct sip_dial_event *ev)
{
	struct dial_call *c = obj;
	struct dials *d = c->dials;

	role_assert_ctl();
	c->i.state = ev->state;
	c->i.status = ev->status;
	c->i.leg = ev->leg;
	snprintf(c->text, sizeof c->text, "%s", ev->text ? ev->text : "");
	d->changed(d->obj, &c->i);
	if (c->progress)
		c->progress(c->obj, ev);
	if (sip_dial_is_over(ev->state))
		forget_old(d);
}

ON_THREAD(ROLE_CTL) static int check(struct dials *d, const struct dial_ask *ask, char *to,
				     struct errmsg *why)
{
	if (!d->dialler)
		return errmsg_set(why, -ENOTSUP, "dial_off", "This server does not make calls: SIP is "
				  "switched off.");
	if (!dials_allowed(d, ask->user_id, ask->host))
		return dials_allowed(d, 1, ask->host) ?
		       errmsg_set(why, -EACCES, "dial_sign_in", "Only people with an account may have "
				  "somebody called. Sign in, and join again.") :
		       errmsg_set(why, -EACCES, "not_allowed", "You may not have anybody called.");
	if (dial_parse(to, ask->to))
		return errmsg_set(why, -EINVAL, "dial_invalid", "That is no telephone number and no SIP "
				  "address. Enter one like +49 89 123456 or sip:room@example.org, without "
				  "parameters other than transport and user=phone.");
	if (ask->digits && !digits_valid(ask->digits))
		return errmsg_set(why, -EINVAL, "dial_invalid", "Only 0-9, *, #, A-D and \",\" (a pause) "
				  "can be sent after the answer, at most %d.", DIAL_DIGITS_MAX);
	if (ask->name && !protocol_name_valid(ask->name))
		return errmsg_set(why, -EINVAL, "name_invalid", "A name has 1 to 64 characters, no "
				  "control characters and no blank at its ends.");
	if (!destination_allowed(d, to))
		return errmsg_set(why, -EACCES, "dial_forbidden", "This server does not call there. Ask "
				  "its administrator for sip.dial_to.");
	if (count(d, ask->room) >= (size_t)d->config->sip.dial_per_room)
		return errmsg_set(why, -EBUSY, "too_many_calls", "The room has %d calls already. Hang one "
				  "up first.", d->config->sip.dial_per_room);
	return 0;
}

ON_THREAD(ROLE_CTL) static struct dial_call *call_new(struct dials *d, const struct dial_ask *ask,
						      const char *to)
{
	struct dial_call *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->dials = d;
	c->progress = ask->progress;
	c->obj = ask->obj;
	snprintf(c->room, sizeof c->room, "%s", ask->room);
	phone_number_plain(c->number, to);
	snprintf(c->name, sizeof c->name, "%s", ask->name ? ask->name : "");
	c->i = (struct dial_info){ .room = c->room, .name = c->name, .number = c->number,
				   .text = c->text, .state = SIP_DIAL_CALLING };
	return c;
}

int dials_start(struct dials *d, const struct dial_ask *ask, int64_t *id, struct errmsg *why)
{
	char to[DIAL_TO_MAX + 1] = "", key[32];
	struct sip_dial_req req = { .room = ask->room, .to = to, .name = ask->name,
				    .trunk = ask->trunk, .digits = ask->digits, .by = ask->by };
	struct dial_call *c;
	int err = check(d, ask, to, why);

	if (err)
		return err;
	snprintf(key, sizeof key, "%lld", (long long)ask->user_id);
	if (rate_limit_take(d->rate, key, clock_now_ns(d->clock)))
		return errmsg_set(why, -EBUSY, "rate_limited", "You have had %d people called within a "
				  "minute. Wait a little.", d->config->sip.dial_per_minute);
	c = call_new(d, ask, to);
	if (!c)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	err = d->dialler->dial(d->dialler->ctx, &req, on_event, c, &c->i.id, why);
	if (err) {
		free(c);
		return err;
	}
	*id = c->i.id;
	g_ptr_array_add(d->calls, c);
	d->changed(d->obj, &c->i);
	return 0;
}

int dials_hangup(struct dials *d, const char *room, int64_t id)
{
	struct dial_call *c = find(d, room, id);

	if (!c)
		return -ENOENT;
	if (!sip_dial_is_over(c->i.state))
		d->dialler->hangup(d->dialler->ctx, id);
	return 0;
}

int dials_get(const struct dials *d, const char *room, int64_t id, struct dial_info *out)
{
	const struct dial_call *c = find(d, room, id);

	if (!c)
		return -ENOENT;
	*out = c->i;
	return 0;
}

void dials_each(const struct dials *d, const char *room, dial_changed_fn *fn, void *obj)
{
	for (size_t i = 0; i < d->calls->len; i++) {
		const struct dial_call *c = g_ptr_array_index(d->calls, i);

		if (!sip_dial_is_over(c->i.state) && !strcmp(c->room, room))
			fn(obj, &c->i);
	}
}
