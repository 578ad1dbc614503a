/* What a participant sends, of any octets, into a file of its own (storage/track_file.h):
 * the first octet is the codec of the pictures, then come units: an octet of flags, two of
 * length, the unit. What has been finished is whole. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "storage/mkv.h"
#include "storage/track_file.h"

enum { KEY = 1, SOUND = 2, STEP_MS = 20 };

static const char path[] = "track.mkv";
static char root[] = "/tmp/fuzz-track-XXXXXX";

static void check(int ok)
{
	if (!ok)
		abort();
}

static void remove_root(void)
{
	rmdir(root);
}

static void check_whole(const char *at, int64_t duration_ms)
{
	struct mkv_report r;

	check(!mkv_repair_file(at, &r) && r.complete && r.duration_ms == duration_ms);
}

/* Adds the units, one each STEP_MS. */
static void fill(struct track_file *f, const uint8_t *p, size_t len)
{
	int64_t at_ns = 0;

	while (len >= 3) {
		size_t n = (size_t)p[1] << 8 | p[2];
		int err;

		n = n < len - 3 ? n : len - 3;
		err = track_file_add(f, p[0] & SOUND ? TRACK_FILE_SOUND : TRACK_FILE_PICTURE, p + 3, n,
				     at_ns, p[0] & KEY);
		check(!err || err == -EINVAL);
		at_ns += STEP_MS * NS_PER_MS;
		p += 3 + n;
		len -= 3 + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum codec codecs[] = { CODEC_H264, CODEC_AV1, CODEC_VP8 };
	struct track_file_format format[TRACK_FILE_KINDS] = {
		[TRACK_FILE_PICTURE] = { .width = 320, .height = 180 },
		[TRACK_FILE_SOUND] = { .codec = CODEC_OPUS },
	};
	char at[sizeof root + sizeof path + 1];
	static bool made;
	struct track_file *f;
	size_t n;
	int err;

	role_enter(ROLE_ID_NONE);
	if (!made) {
		made = mkdtemp(root) != NULL;
		atexit(remove_root);
	}
	if (size < 4)
		return 0;
	format[TRACK_FILE_PICTURE].codec = codecs[data[0] % 3];
	n = (size_t)data[2] << 8 | data[3];
	n = n < size - 4 ? n : size - 4;
	if (!track_file_begins(format[TRACK_FILE_PICTURE].codec, data + 4, n, true))
		return 0;
	check(!track_file_new(&f, root, path, format, data + 4, n, NULL));
	fill(f, data + 1, size - 1);
	err = track_file_finish(f);
	check(!err || err == -ENODATA);
	snprintf(at, sizeof at, "%s/%s", root, path);
	if (!err)
		check_whole(at, track_file_duration_ms(f));
	track_file_free(&f);
	unlink(at);
	return 0;
}
