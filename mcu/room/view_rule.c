#include "mcu/room/view_rule.h"

#include <string.h>

static const char *const names[] = {
	[VIEW_NO_RULE] = "",
	[VIEW_EVERYBODY] = "everybody",
	[VIEW_HOSTS] = "hosts",
	[VIEW_PARTICIPANTS] = "participants",
	[VIEW_SPEAKER] = "speaker",
	[VIEW_REQUEST] = "request",
};

const char *view_rule_name(enum view_rule rule)
{
	return names[rule];
}

enum view_rule view_rule_parse(const char *name)
{
	for (enum view_rule r = VIEW_EVERYBODY; r <= VIEW_REQUEST; r++)
		if (!strcmp(name, names[r]))
			return r;
	return VIEW_NO_RULE;
}

bool view_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n && n < VIEW_NAME_BYTES && !name[n];
}

/* 0: it does not get it without asking. */
static int fits(enum view_rule rule, const struct view_seeker *who)
{
	switch (rule) {
	case VIEW_SPEAKER: return who->speaks ? 3 : 0;
	case VIEW_HOSTS: return who->host ? 2 : 0;
	case VIEW_PARTICIPANTS: return who->host ? 0 : 2;
	case VIEW_EVERYBODY: return 1;
	default: return 0;
	}
}

bool view_allowed(enum view_rule rule, const struct view_seeker *who)
{
	return who->host || rule == VIEW_REQUEST || fits(rule, who);
}

size_t view_pick(const struct view_offer *offer, size_t n, const struct view_seeker *who)
{
	size_t best = 0;
	int most = 0;

	for (size_t i = 0; i < n; i++) {
		int fit = fits(offer[i].rule, who);

		if (who->asked[0] && !strcmp(offer[i].name, who->asked) &&
		    (!i || view_allowed(offer[i].rule, who)))
			return i;
		if (fit && fit >= most) {
			most = fit;
			best = i;
		}
	}
	return best;
}
