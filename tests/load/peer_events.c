/* The room's events as a participant hears them. */
#include <string.h>

#include "tests/load/peer.h"

static int number(json_t *o, const char *key)
{
	return (int)json_number_value(json_object_get(o, key));
}

static void on_layout(struct peer *p, json_t *m)
{
	json_t *tile;
	size_t i;

	p->layout_version = number(m, "version");
	p->canvas_width = number(m, "width");
	p->canvas_height = number(m, "height");
	p->tiles = 0;
	json_array_foreach(json_object_get(m, "tiles"), i, tile)
	{
		if (p->tiles == PEER_MAX_TILES)
			break;
		p->tile[p->tiles++] = (struct peer_tile){ number(tile, "leg"), number(tile, "x"),
							  number(tile, "y"), number(tile, "width"),
							  number(tile, "height"),
							  json_is_true(json_object_get(tile, "content")) };
	}
}

void peer_fit_uplink(struct peer *p)
{
	const struct peer_uplink *u = &p->uplink;

	if (p->cfg.adapt && p->sender && u->known)
		sender_fit(p->sender, u->width, u->height, u->visible);
}

static void on_uplink(struct peer *p, json_t *m)
{
	json_t *v = json_object_get(m, "video");

	p->uplink = (struct peer_uplink){ number(v, "width"),    number(v, "height"),
					  number(v, "fps"),      number(v, "max_kbps"),
					  json_is_object(v),
					  json_is_true(json_object_get(v, "visible")) };
	peer_fit_uplink(p);
}

void peer_on_event(struct peer *p, const char *type, json_t *m)
{
	struct {
		const char *type;
		uint64_t *count;
	} const events[] = {
		{ "joined", &p->seen.joined },	     { "left", &p->seen.left },
		{ "muted", &p->seen.muted },	     { "speaker", &p->seen.speaker },
		{ "layout", &p->seen.layout },	     { "uplink", &p->seen.uplink },
		{ "recording", &p->seen.recording },
	};

	if (!strcmp(type, "layout"))
		on_layout(p, m);
	else if (!strcmp(type, "uplink"))
		on_uplink(p, m);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (!strcmp(type, events[i].type)) {
			++*events[i].count;
			return;
		}
	}
	p->seen.other++;
}
