#include "mcu/finisher.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "storage/recording_events.h"
#include "storage/recordings.h"
#include "storage/webvtt.h"

METRIC_GAUGE(waiting, "mcu_finish_waiting",
	     "Recordings that wait for being finished (index in front, pictures, checksum), at "
	     "most 50 of them counted.");
METRIC_GAUGE(running, "mcu_finish_running", "Recordings that are being finished now: 0 or 1.");
METRIC_GAUGE(percent_done, "mcu_finish_percent", "How much of that is behind, in percent.");
METRIC_COUNTER(finished_total, "mcu_finished_total", "Recordings that were finished.");
METRIC_COUNTER(failures_total, "mcu_finish_failures_total",
	       "Times that a recording could not be finished; it plays all the same.");

enum {
	LOOK_ROWS = 50,
	TRIES = 3,
	AGAIN_S = 60,          /* after a failure */
	SILENCE_S = 1800,      /* a process that says nothing for so long hangs */
	LINE_BYTES = 512,
	LAST_READS = 1024,     /* of what a process that has ended left in the pipe */
	STOP_LOOKS = 200, STOP_LOOK_US = 5000,
};

struct finisher {
	struct finisher_cfg cfg;
	bool asking, stopping; /* asking: the registry, or telling it */
	bool more;             /* something was queued while it was asked */
	guint again, silence, source, reaper;
	struct recording_row row; /* being finished */
	struct log_ctx log;
	pid_t pid; /* 0: none */
	int out;   /* its standard output */
	int64_t began_ns;
	char line[LINE_BYTES];
	size_t fill;
	/* what it said */
	bool done;
	int error;
	struct recording_change change;
	char sha256[RECORDING_SHA256_LEN + 1];
	int remuxed;
};

extern char **environ;

static void set(struct metric *m, int64_t v)
{
	__atomic_store_n((int64_t *)&m->value, v, __ATOMIC_RELAXED);
}

int finisher_new(struct finisher **out, const struct finisher_cfg *cfg)
{
	struct finisher *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->cfg = *cfg;
	f->out = -1;
	f->log.room = f->row.room;
	*out = f;
	return 0;
}

bool finisher_is_idle(const struct finisher *f)
{
	return !f->asking && !f->pid && !f->again;
}

static void drop_source(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

static gboolean on_again(gpointer obj)
{
	struct finisher *f = obj;

	role_assert_ctl();
	f->again = 0;
	finisher_look(f);
	return G_SOURCE_REMOVE;
}

ON_THREAD(ROLE_CTL) static void again_later(struct finisher *f)
{
	if (!f->stopping && !f->again)
		f->again = g_timeout_add_seconds(AGAIN_S, on_again, f);
}

/* --- its end ------------------------------------------------------------------- */

static void on_saved(void *obj, int err, const struct recording_row *row)
{
	struct finisher *f = obj;

	(void)row;
	role_assert_ctl();
	f->asking = false;
	/* -ENOENT: it was deleted meanwhile */
	if ((err && err != -ENOENT) || f->error)
		again_later(f);
	else
		finisher_look(f);
}

ON_THREAD(ROLE_CTL) static void save(struct finisher *f)
{
	bool last = f->error == -ENOENT || f->row.finish_tries + 1 >= TRIES;

	if (f->error) {
		f->change = (struct recording_change){ .tried = true };
		if (last)
			f->change.finish = RECORDING_FINISH_FAILED;
	}
	f->asking = true;
	if (recordings_update(f->cfg.db, f->row.id, &f->change, on_saved, f))
		on_saved(f, -EAGAIN, NULL);
}

/* The process has ended. */
ON_THREAD(ROLE_CTL) static void finish_ended(struct finisher *f)
{
	double s = (double)(clock_now_ns(&clock_monotonic) - f->began_ns) / (double)NS_PER_S;

	if (!f->done && !f->error)
		f->error = -ECHILD;
	if (f->error) {
		metric_add(&failures_total, 1);
		if (f->error == -ECHILD)
			log_warn(&f->log, "finishing recording %" PRId64 " was ended from outside",
				 f->row.id);
	} else {
		metric_add(&finished_total, 1);
		log_info(&f->log, "recording %" PRId64 " is finished after %.1f s: %" PRId64
			 " bytes%s%s", f->row.id, s, f->change.bytes,
			 f->remuxed ? ", its index in front" : "",
			 f->change.parts & RECORDING_THUMBNAIL ? ", with pictures" : "");
	}
	set(&running, 0);
	if (!f->stopping)
		save(f);
}

/* --- what it says -------------------------------------------------------------- */

static gboolean on_silence(gpointer obj)
{
	struct finisher *f = obj;

	role_assert_ctl();
	f->silence = 0;
	log_error(&f->log, "finishing recording %" PRId64 " has hung for %d s and is ended",
		  f->row.id, SILENCE_S);
	kill(f->pid, SIGKILL);
	return G_SOURCE_REMOVE;
}

static void take_line(struct finisher *f, char *line)
{
	int64_t bytes;
	unsigned parts;
	int n = 0, at = 0;

	if (sscanf(line, "progress %d", &n) == 1) {
		set(&percent_done, n);
	} else if (!strncmp(line, "note ", 5)) {
		log_warn(&f->log, "recording %" PRId64 ": %s", f->row.id, line + 5);
	} else if (sscanf(line, "failed %d %n", &n, &at) == 1) {
		f->error = n > 0 ? -n : -EIO;
		log_warn(&f->log, "recording %" PRId64 ": %s", f->row.id, line + at);
	} else if (sscanf(line, "done %" SCNd64 " %64s %u %d", &bytes, f->sha256, &parts,
			  &f->remuxed) == 4) {
		f->done = true;
		f->change = (struct recording_change){
			.bytes = bytes, .sha256 = f->sha256, .parts = parts,
			.finish = RECORDING_FINISH_DONE,
		};
	}
}

static void take_lines(struct finisher *f)
{
	char *end;

	while ((end = memchr(f->line, '\n', f->fill))) {
		size_t n = (size_t)(end - f->line) + 1;

		*end = '\0';
		take_line(f, f->line);
		f->fill -= n;
		memmove(f->line, f->line + n, f->fill);
	}
	if (f->fill == sizeof f->line)
		f->fill = 0;
}

/* False: there is no more. */
static bool read_some(struct finisher *f)
{
	ssize_t n = read(f->out, f->line + f->fill, sizeof f->line - f->fill);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	f->fill += (size_t)n;
	take_lines(f);
	return n > 0;
}

static gboolean on_output(gint fd, GIOCondition cond, gpointer obj)
{
	struct finisher *f = obj;

	(void)fd;
	(void)cond;
	role_assert_ctl();
	if (read_some(f)) {
		drop_source(&f->silence);
		f->silence = g_timeout_add_seconds(SILENCE_S, on_silence, f);
		return G_SOURCE_CONTINUE;
	}
	f->source = 0; /* it ends; on a disk that hangs that may take long, and nobody waits for it */
	return G_SOURCE_REMOVE;
}

static void on_exit_of(GPid pid, gint status, gpointer obj)
{
	struct finisher *f = obj;

	(void)pid;
	(void)status;
	role_assert_ctl();
	f->reaper = 0;
	f->pid = 0;
	for (int i = 0; i < LAST_READS && f->source && read_some(f); i++)
		;
	drop_source(&f->source);
	drop_source(&f->silence);
	close(f->out);
	f->out = -1;
	finish_ended(f);
}

/* --- its beginning ------------------------------------------------------------- */

/* in: a file of memory with the chapters, or -1. */
static int spawn(struct finisher *f, int in, int out)
{
	char *argv[] = { "mcu", "--finish", (char *)(uintptr_t)f->cfg.data_dir, f->row.path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, ignored;
	int err;

	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &ignored);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	else
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	err = -posix_spawn(&f->pid, "/proc/self/exe", &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		f->pid = 0;
	return err;
}

/* NULL rows: none are known. A file of memory, or -1: there are no chapters. */
static int chapters_file(const struct finisher *f, const struct recording_event *rows, size_t n)
{
	int fd = n && f->row.duration_ms > 0 ? memfd_create("chapters", MFD_CLOEXEC) : -1;
	int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	FILE *to = copy >= 0 ? fdopen(copy, "w") : NULL;
	int err = to ? webvtt_chapters(to, rows, n, f->row.duration_ms, f->cfg.language) : -EIO;

	if (to && fclose(to))
		err = -EIO;
	else if (!to && copy >= 0)
		close(copy);
	if (err && fd >= 0)
		close(fd);
	return err ? -1 : fd;
}

ON_THREAD(ROLE_CTL) static void start(struct finisher *f, int chapters)
{
	int pipe_fd[2], err = pipe2(pipe_fd, O_CLOEXEC) ? -errno : 0;

	f->done = false;
	f->error = 0;
	f->fill = 0;
	f->remuxed = 0;
	f->began_ns = clock_now_ns(&clock_monotonic);
	if (!err) {
		err = spawn(f, chapters, pipe_fd[1]);
		close(pipe_fd[1]);
		if (err)
			close(pipe_fd[0]);
	}
	if (err) {
		f->error = err;
		metric_add(&failures_total, 1);
		log_error(&f->log, "the process that finishes recording %" PRId64
			  " cannot be started: %s", f->row.id, err_str(err));
		again_later(f);
		return;
	}
	f->out = pipe_fd[0];
	(void)fcntl(f->out, F_SETFL, O_NONBLOCK);
	f->source = g_unix_fd_add(f->out, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, f);
	f->silence = g_timeout_add_seconds(SILENCE_S, on_silence, f);
	f->reaper = g_child_watch_add(f->pid, on_exit_of, f);
	set(&running, 1);
	set(&percent_done, 0);
}

static void on_events(void *obj, int err, const struct recording_event *rows, size_t n)
{
	struct finisher *f = obj;
	int chapters;

	role_assert_ctl();
	f->asking = false;
	if (f->stopping)
		return;
	chapters = err ? -1 : chapters_file(f, rows, n);
	start(f, chapters);
	if (chapters >= 0)
		close(chapters);
}

static void on_queue(void *obj, int err, const struct recording_row *rows, size_t n)
{
	struct finisher *f = obj;
	size_t i = 0;

	role_assert_ctl();
	f->asking = false;
	set(&waiting, (int64_t)n);
	while (i < n && (rows[i].deleted_ms || rows[i].state == RECORDING_RECORDING ||
			 rows[i].state == RECORDING_FINISHING))
		i++;
	if (!err && i == n && f->more)
		finisher_look(f);
	if (f->stopping || err || i == n)
		return;
	f->row = rows[i];
	f->asking = true;
	if (recording_events_list(f->cfg.db, f->row.id, on_events, f))
		on_events(f, -EAGAIN, NULL, 0);
}

void finisher_look(struct finisher *f)
{
	if (f)
		f->more = f->asking;
	if (!f || f->asking || f->pid || f->stopping || f->again)
		return;
	f->asking = true;
	if (recordings_to_finish(f->cfg.db, LOOK_ROWS, on_queue, f)) {
		f->asking = false;
		again_later(f);
	}
}

void finisher_stop(struct finisher *f)
{
	f->stopping = true;
	drop_source(&f->again);
	if (!f->pid)
		return;
	drop_source(&f->reaper);
	kill(f->pid, SIGKILL);
	/* one that waits for a disk that hangs is left to the system */
	for (int i = 0; i < STOP_LOOKS && f->pid; i++) {
		if (waitpid(f->pid, NULL, WNOHANG) == f->pid)
			f->pid = 0;
		else
			usleep(STOP_LOOK_US);
	}
	f->pid = 0;
	drop_source(&f->source);
	drop_source(&f->silence);
	close(f->out);
	f->out = -1;
	set(&running, 0);
}

void finisher_free(struct finisher **f)
{
	if (!*f)
		return;
	finisher_stop(*f);
	free(*f);
	*f = NULL;
}
