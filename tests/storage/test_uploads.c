/* Files that were uploaded, in the registry; and what becomes of their names. */
#include "tests/storage/db_rig.h"

#include <sys/statvfs.h>

#include "storage/files.h"
#include "storage/uploads.h"

static void test_names_are_labels(void **state)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "film.mp4", "film.mp4" }, { "../../etc/passwd", "passwd" },
		{ "C:\\films\\a b.mp4", "a b.mp4" }, { "..", "file" }, { "", "file" }, { "/", "file" },
		{ "a\r\nb\x01.png", "ab.png" }, { "  x  ", "x" }, { "\xff\xfe.pdf", ".pdf" },
		{ "\xec\x88\x98\xec\x97\x85.mp4", "\xec\x88\x98\xec\x97\x85.mp4" },
		{ "a\xe2\x80\xae" "gpm.exe", "agpm.exe" }, /* it would turn the rest around */
	};
	char label[UPLOAD_NAME_MAX + 1], large[2000];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		upload_label(label, rows[i].name);
		assert_string_equal(label, rows[i].label);
	}
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	upload_label(label, large);
	assert_int_equal(strlen(label), 100);
}

/* --- the registry ---------------------------------------------------------------------- */

struct seen {
	struct rig g;
	struct upload_usage usage;
};

static void on_usage(void *obj, int err, const struct upload_usage *usage)
{
	struct seen *s = obj;

	s->g.replies++;
	s->g.err = err;
	if (usage)
		s->usage = *usage;
}

static void on_upload(void *obj, int err, const struct upload_row *row)
{
	struct seen *s = obj;

	(void)row;
	s->g.replies++;
	s->g.err = err;
}

/* Users 1 and 2, the registered room "class". */
static void open_house(struct seen *s, const char *name)
{
	*s = (struct seen){ 0 };
	rig_open(&s->g, name);
	(void)ask(&s->g, "INSERT INTO users (id, name, password_hash, role, created_ms) VALUES"
			 " (1, 'ann', 'x', 'host', 1), (2, 'ben', 'x', 'host', 1) RETURNING 1");
	(void)ask(&s->g, "INSERT INTO rooms (id, name, created_ms, registered) VALUES"
			 " (1, 'class', 1, 1), (2, 'demand', 1, 0) RETURNING 1");
}

static void add(struct seen *s, int64_t id, const char *room, int64_t user, int64_t bytes)
{
	struct upload_row row = { .id = id, .bytes = bytes, .created_ms = 1000 + id, .user_id = user };

	snprintf(row.room, sizeof row.room, "%s", room);
	snprintf(row.name, sizeof row.name, "film.mp4");
	assert_int_equal(uploads_add(s->g.db, &row, on_upload, s), 0);
	wait_replies(&s->g, 1);
	assert_int_equal(s->g.err, 0);
}

static void test_usage_is_of_all_a_room_and_a_user(void **state)
{
	struct seen s;

	(void)state;
	open_house(&s, "usage.db");
	add(&s, 1, "class", 1, 1);
	add(&s, 2, "class", 2, 10);
	add(&s, 3, "demand", 1, 100);
	add(&s, 4, "demand", 0, 1000);
	assert_int_equal(uploads_usage(s.g.db, "class", 1, on_usage, &s), 0);
	wait_replies(&s.g, 1);
	assert_int_equal(s.g.err, 0);
	assert_int_equal(s.usage.all, 1111);
	assert_int_equal(s.usage.of_room, 11);
	assert_int_equal(s.usage.of_user, 101);
	rig_close(&s.g);
}

static void on_rows(void *obj, int err, const struct upload_row *rows, size_t n)
{
	struct seen *s = obj;

	(void)rows;
	s->g.replies++;
	s->g.err = err;
	s->g.n = n;
}

static size_t listed(struct seen *s, const struct upload_view *view)
{
	assert_int_equal(uploads_list(s->g.db, view, 0, on_rows, s), 0);
	wait_replies(&s->g, 1);
	assert_int_equal(s->g.err, 0);
	return s->g.n;
}

static int got(struct seen *s, int64_t id, const struct upload_view *view)
{
	assert_int_equal(uploads_get(s->g.db, id, view, on_upload, s), 0);
	wait_replies(&s->g, 1);
	return s->g.err;
}

static void test_a_name_alone_gives_no_files(void **state)
{
	const struct upload_view ann = { "demand", 1, false }, ben = { "demand", 2, false },
				 nobody = { "demand", 0, false }, admin = { "demand", 0, true },
				 class = { "class", 1, false };
	struct seen s;

	(void)state;
	open_house(&s, "views.db");
	add(&s, 1, "demand", 1, 1);
	add(&s, 2, "demand", 0, 1);
	add(&s, 3, "class", 2, 1);
	assert_int_equal(listed(&s, &ann), 1);
	assert_int_equal(listed(&s, &ben), 0);
	assert_int_equal(listed(&s, &nobody), 0);
	assert_int_equal(listed(&s, &admin), 2);
	assert_int_equal(listed(&s, &class), 1); /* whoever brought it */
	assert_int_equal(got(&s, 1, &ann), 0);
	assert_int_equal(got(&s, 1, &ben), -ENOENT);
	assert_int_equal(got(&s, 1, &class), -ENOENT);
	assert_int_equal(got(&s, 3, &class), 0);
	assert_int_equal(got(&s, 3, &admin), 0);

	/* the room is given up, and somebody else takes its name */
	assert_int_equal(rooms_forget(s.g.db, "class", on_room, &s.g), 0);
	wait_replies(&s.g, 1);
	assert_int_equal(s.g.err, 0);
	(void)ask(&s.g, "UPDATE rooms SET registered = 1 WHERE name = 'class' RETURNING 1");
	assert_int_equal(listed(&s, &class), 0);
	rig_close(&s.g);
}

static void test_a_disk_keeps_some_of_its_room(void **state)
{
	struct statvfs v;
	int64_t spare = files_spare(dir);

	(void)state;
	assert_int_equal(statvfs(dir, &v), 0);
	assert_true(spare >= 0);
	assert_true(!spare || spare + 1500000000 < (int64_t)(v.f_bavail * v.f_frsize));
	assert_int_equal(files_spare("/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_labels),
		cmocka_unit_test(test_usage_is_of_all_a_room_and_a_user),
		cmocka_unit_test(test_a_name_alone_gives_no_files),
		cmocka_unit_test(test_a_disk_keeps_some_of_its_room),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
