/* Tokens, invitations and resume secrets of any octets: nothing that we did not sign
 * is taken for ours, whatever is asked in its name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/tokens.h"

static const struct token_key key = { { 1, 2, 3, 4 } };

static void check(int ok)
{
	if (!ok)
		abort();
}

/* One that we signed, with some octets changed: still ours only when nothing was. */
static void changed(const uint8_t *data, size_t size)
{
	struct token t = { .user_id = 7, .expires_ms = 1000, .generation = 3, .role = USER_HOST }, got;
	char text[TOKEN_LEN + 1], before[TOKEN_LEN + 1];

	token_write(text, &key, &t);
	memcpy(before, text, sizeof text);
	for (size_t i = 0; i + 1 < size; i += 2)
		text[data[i] % TOKEN_LEN] = data[i + 1] ? (char)data[i + 1] : 'A';
	check((token_read(&got, &key, text, 0) == 0) == !strcmp(text, before));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), hash[TOKEN_HASH_LEN + 1];
	struct token t;
	int64_t at;
	bool host;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	check(token_read(&t, &key, text, 0) != 0);
	check(!resume_read(text, &key, "room", &host, &at));
	if (invitation_valid(text))
		check(strlen(text) == INVITATION_LEN);
	invitation_hash(hash, text);
	check(strlen(hash) == TOKEN_HASH_LEN);
	check(!pin_right("", &key, "room", text));
	free(text);
	changed(data, size);
	return 0;
}
