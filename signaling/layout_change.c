#include "signaling/layout_change.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/utf8.h"

static int bad(struct errmsg *why, const char *name, const char *what)
{
	return errmsg_set(why, -EINVAL, "bad_message", "The member \"%s\" %s.", name, what);
}

/* NULL when absent or null. */
static json_t *member(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return json_is_null(v) ? NULL : v;
}

static int get_flag(json_t *o, const char *name, enum tristate *out, struct errmsg *why)
{
	json_t *v = member(o, name);

	if (v && !json_is_boolean(v))
		return bad(why, name, "must be true or false");
	*out = !v ? TRISTATE_UNSET : json_is_true(v) ? TRISTATE_TRUE : TRISTATE_FALSE;
	return 0;
}

static int get_name(json_t *o, const char *name, const char **out, struct errmsg *why)
{
	json_t *v = member(o, name);

	if (v && (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)))
		return bad(why, name, "must be a string");
	*out = json_string_value(v);
	return 0;
}

static int get_count(json_t *o, const char *name, int least, int most, int *out,
		     struct errmsg *why)
{
	json_t *v = member(o, name);
	json_int_t n = json_integer_value(v);

	if (!v)
		return 0;
	if (!json_is_integer(v) || n < least || n > most)
		return errmsg_set(why, -EINVAL, "bad_message",
				  "The member \"%s\" must be a number from %d to %d.", name, least, most);
	*out = (int)n;
	return 0;
}

/* zero: null and 0 may stand for nobody. */
static int get_legs(json_t *list, const char *name, bool zero, uint32_t *out, size_t *n,
		    struct errmsg *why)
{
	json_t *v;
	size_t i;

	if (json_array_size(list) > LAYOUT_CHANGE_LEGS)
		return bad(why, name, "has more than 49 entries");
	json_array_foreach(list, i, v) {
		json_int_t leg = json_integer_value(v);
		bool nobody = json_is_null(v) || (json_is_integer(v) && !leg);

		if (nobody ? !zero : !json_is_integer(v) || leg < 1 || leg > UINT32_MAX)
			return bad(why, name, "must be a list of participants' numbers (`leg`)");
		out[i] = nobody ? 0 : (uint32_t)leg;
	}
	*n = json_array_size(list);
	return 0;
}

static int get_pins(struct layout_change *c, json_t *o, struct errmsg *why)
{
	json_t *v = member(o, "pin");

	if (!v)
		return 0;
	c->has_pin = true;
	if (!json_is_array(v))
		return bad(why, "pin", "must be a list of participants' numbers (`leg`)");
	return get_legs(v, "pin", true, c->pin, &c->n_pins, why);
}

static int get_order(struct layout_change *c, json_t *o, struct errmsg *why)
{
	json_t *v = member(o, "order");
	const char *name = json_string_value(v);

	if (!v)
		return 0;
	if (json_is_array(v)) {
		c->order = ORDER_BY_HAND;
		return get_legs(v, "order", false, c->hand, &c->n_hand, why);
	}
	if (name && !strcmp(name, "join"))
		c->order = ORDER_BY_JOIN;
	else if (name && !strcmp(name, "speech"))
		c->order = ORDER_BY_SPEECH;
	else
		return bad(why, "order", "must be \"join\", \"speech\" or a list of participants' "
					 "numbers (`leg`)");
	return 0;
}

static int get_max_tiles(struct layout_change *c, json_t *o, struct errmsg *why)
{
	json_t *v = member(o, "max_tiles");
	int err;

	if (!v)
		return 0;
	err = get_count(o, "max_tiles", 0, LAYOUT_CHANGE_LEGS, &c->max_tiles, why);
	if (!err && !c->max_tiles)
		c->max_tiles = -1;
	return err;
}

static int get_fit(struct layout_change *c, json_t *o, struct errmsg *why)
{
	const char *fit;
	int err = get_name(o, "fit", &fit, why);

	if (err || !fit)
		return err;
	if (strcmp(fit, "fit") && strcmp(fit, "crop"))
		return bad(why, "fit", "must be \"fit\" or \"crop\"");
	c->crop = !strcmp(fit, "crop") ? TRISTATE_TRUE : TRISTATE_FALSE;
	return 0;
}

static int get_region(json_t *o, struct layout_change_region *r, struct errmsg *why)
{
	const struct {
		const char *name;
		double *to;
	} side[] = { { "x", &r->x }, { "y", &r->y }, { "width", &r->width },
		     { "height", &r->height } };
	const char *show;
	int err;

	if (!json_is_object(o))
		return bad(why, "custom", "must be a list of regions {x, y, width, height}");
	for (size_t i = 0; i < sizeof side / sizeof *side; i++) {
		json_t *v = json_object_get(o, side[i].name);

		if (!json_is_number(v))
			return bad(why, side[i].name, "of a region must be a fraction from 0 to 1");
		*side[i].to = json_number_value(v);
	}
	err = get_count(o, "z", -100, 100, &r->z, why);
	if (!err)
		err = get_name(o, "show", &show, why);
	if (err || !show || !strcmp(show, "next"))
		return err;
	if (strcmp(show, "speaker") && strcmp(show, "content"))
		return bad(why, "show", "must be \"next\", \"speaker\" or \"content\"");
	r->show = !strcmp(show, "speaker") ? SHOW_SPEAKER : SHOW_CONTENT;
	return 0;
}

static int get_regions(struct layout_change *c, json_t *o, struct errmsg *why)
{
	json_t *list = member(o, "custom"), *v;
	int err = 0;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > LAYOUT_CHANGE_LEGS)
		return bad(why, "custom", "must be a list of at most 49 regions");
	c->has_regions = true;
	c->n_regions = json_array_size(list);
	json_array_foreach(list, i, v) {
		err = get_region(v, &c->region[i], why);
		if (err)
			break;
	}
	return err;
}

/* "#rrggbb", "picture", or "" for what the server has. */
static int get_background(struct layout_change *c, json_t *o, struct errmsg *why)
{
	const char *text;
	int err = get_name(o, "background", &text, why);
	size_t digits;

	if (err || !text)
		return err;
	c->has_background = true;
	c->background_picture = !strcmp(text, "picture");
	c->background_default = !text[0];
	if (c->background_picture || c->background_default)
		return 0;
	digits = strspn(text + 1, "0123456789abcdefABCDEF");
	if (text[0] != '#' || digits != 6 || text[7])
		return bad(why, "background", "must be a colour like \"#10203f\", \"picture\", or \"\"");
	c->background_rgb = (uint32_t)strtoul(text + 1, NULL, 16);
	return 0;
}

static int get_banner(struct layout_change *c, json_t *o, struct errmsg *why)
{
	int err = get_name(o, "banner", &c->banner, why);

	if (err || !c->banner)
		return err;
	if (utf8_length(c->banner) > LAYOUT_CHANGE_BANNER)
		return bad(why, "banner", "has more than 200 characters");
	for (const char *p = c->banner; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return bad(why, "banner", "must be one line without control characters");
	return 0;
}

static int get_overlays(struct layout_change *c, json_t *parent, struct errmsg *why)
{
	json_t *o = member(parent, "overlays");
	int err;

	if (!o)
		return 0;
	if (!json_is_object(o))
		return bad(why, "overlays", "must be an object");
	err = get_banner(c, o, why);
	if (!err)
		err = get_flag(o, "clock", &c->clock, why);
	if (!err)
		err = get_flag(o, "recording_time", &c->recording_time, why);
	if (!err)
		err = get_flag(o, "logo", &c->logo, why);
	if (!err)
		err = get_flag(o, "names", &c->names, why);
	if (!err)
		err = get_flag(o, "speaker_border", &c->border, why);
	return err ? err : get_background(c, o, why);
}

int layout_change_parse(struct layout_change *c, json_t *o, struct errmsg *why)
{
	int err;

	*c = (struct layout_change){ 0 };
	err = get_name(o, "view", &c->view, why);
	if (!err)
		err = get_name(o, "layout", &c->layout, why);
	if (!err)
		err = get_fit(c, o, why);
	if (!err)
		err = get_flag(o, "hide_no_video", &c->hide_no_video, why);
	if (!err)
		err = get_flag(o, "speaker_view", &c->speaker_view, why);
	if (!err)
		err = get_order(c, o, why);
	if (!err)
		err = get_pins(c, o, why);
	if (!err)
		err = get_max_tiles(c, o, why);
	if (!err)
		err = get_count(o, "page", 1, 10000, &c->page, why);
	if (!err)
		err = get_overlays(c, o, why);
	return err ? err : get_regions(c, o, why);
}
