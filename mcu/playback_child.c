#include "mcu/playback_child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"

METRIC_GAUGE(m_children, "mcu_media_children", "Processes that open files or cameras.");
METRIC_COUNTER(m_nonsense, "mcu_media_children_killed_total",
	       "Such processes that were killed because they said nonsense.");

enum { LOWEST_FD = 16, NOTES_PER_TURN = 16 };

struct playback_child {
	const struct playback_child_events *ev;
	void *obj;
	pid_t pid;
	int socket;
	guint watch, reaper;
	bool killed;
};

static const char *program_path;

void playback_child_program(const char *path)
{
	program_path = path;
}

int playback_child_memory(uint32_t max_w, uint32_t max_h, struct media_shm **out)
{
	size_t bytes = media_shm_bytes(max_w, max_h);
	int fd = memfd_create("mcu-media", MFD_CLOEXEC | MFD_ALLOW_SEALING), err = 0;
	void *p = MAP_FAILED;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		err = -errno;
	if (!err)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err = err ? err : -errno;
		close(fd);
		return err;
	}
	*out = p;
	return fd;
}

void playback_child_unmap(struct media_shm **shm, uint32_t max_w, uint32_t max_h)
{
	if (*shm)
		munmap(*shm, media_shm_bytes(max_w, max_h));
	*shm = NULL;
}

static void find_program(char *out, size_t len)
{
	char self[1024];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (program_path) {
		snprintf(out, len, "%s", program_path);
		return;
	}
	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	snprintf(out, len, "%.*s/mcu-media", slash ? (int)(slash - self) : 0, self);
}

/* --- life ------------------------------------------------------------------------- */

static void stop_listening(struct playback_child *c)
{
	if (c->watch)
		g_source_remove(c->watch);
	c->watch = 0;
}

void playback_child_kill(struct playback_child *c)
{
	if (c->killed)
		return;
	c->killed = true;
	stop_listening(c);
	kill(-c->pid, SIGKILL); /* its group: it has one of its own */
	kill(c->pid, SIGKILL);
}

/* False: it has closed its end, or is killed. */
ON_THREAD(ROLE_CTL) static bool read_notes(struct playback_child *c)
{
	union {
		struct media_note n;
		char octets[sizeof(struct media_note) + 1];
	} in;
	struct media_note note;

	for (int i = 0; i < NOTES_PER_TURN && !c->killed; i++) {
		ssize_t n = recv(c->socket, &in, sizeof in, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		if (media_note_read(&note, &in, (size_t)n)) {
			metric_add(&m_nonsense, 1);
			log_warn(NULL, "media child %d says nonsense and is killed", (int)c->pid);
			playback_child_kill(c);
			return false;
		}
		c->ev->note(c->obj, &note);
	}
	return !c->killed;
}

static gboolean on_note(gint fd, GIOCondition cond, gpointer obj)
{
	struct playback_child *c = obj;

	(void)fd;
	(void)cond;
	role_assert_ctl();
	if (read_notes(c))
		return G_SOURCE_CONTINUE;
	c->watch = 0;
	return G_SOURCE_REMOVE;
}

static void on_exit_of(GPid pid, gint status, gpointer obj)
{
	struct playback_child *c = obj;
	const struct playback_child_events *ev = c->ev;
	void *ev_obj = c->obj;

	role_assert_ctl();
	(void)read_notes(c); /* its last words */
	if (!c->killed && !(WIFEXITED(status) && WEXITSTATUS(status) <= 1))
		log_warn(NULL, "media child %d ended by itself, status 0x%x", (int)pid, (unsigned)status);
	stop_listening(c);
	close(c->socket);
	free(c);
	metric_add(&m_children, -1);
	ev->gone(ev_obj);
}

/* --- start ------------------------------------------------------------------------- */

/* Copies above those that the child will have, so that none is overwritten. */
static int move_up(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
}

static int actions(posix_spawn_file_actions_t *a, const int fd[3])
{
	int err = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDWR, 0);

	if (!err)
		err = posix_spawn_file_actions_adddup2(a, 0, 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (!err) /* what libraries print of the files of strangers */
		err = posix_spawn_file_actions_adddup2(a, 0, 2);
#endif
	if (!err)
		err = posix_spawn_file_actions_adddup2(a, fd[0], MEDIA_FD_SOCKET);
	if (!err)
		err = posix_spawn_file_actions_adddup2(a, fd[1], MEDIA_FD_SHM);
	if (!err && fd[2] >= 0)
		err = posix_spawn_file_actions_adddup2(a, fd[2], MEDIA_FD_FILE);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(
			a, fd[2] >= 0 ? MEDIA_FD_FILE + 1 : MEDIA_FD_FILE);
	return -err;
}

static int spawn(pid_t *pid, const int fd[3])
{
	char path[1100], name[] = "mcu-media", lang[] = "LANG=C.UTF-8", *argv[] = { name, NULL };
	char asan[512], *envp[] = { lang, NULL, NULL };
	posix_spawn_file_actions_t a;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int err;

	if (getenv("ASAN_OPTIONS")) {
		snprintf(asan, sizeof asan, "ASAN_OPTIONS=%s:detect_leaks=0", getenv("ASAN_OPTIONS"));
		envp[1] = asan;
	}
	find_program(path, sizeof path);
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGXFSZ);
	if (posix_spawn_file_actions_init(&a))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&a);
		return -ENOMEM;
	}
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	err = actions(&a, fd);
	if (!err)
		err = -posix_spawn(pid, path, &a, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&a);
	return err;
}

/* ours: the server's end of the socket. */
static int launch(struct playback_child *c, const struct playback_child_cfg *cfg)
{
	int pair[2], fd[3] = { -1, -1, -1 }, err = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fd[0] = move_up(pair[1]);
	fd[1] = move_up(cfg->shm);
	fd[2] = cfg->file >= 0 ? move_up(cfg->file) : -1;
	if (fd[0] < 0 || fd[1] < 0 || (cfg->file >= 0 && fd[2] < 0))
		err = -EMFILE;
	if (!err)
		err = spawn(&c->pid, fd);
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	close(pair[1]);
	if (err)
		close(pair[0]);
	c->socket = pair[0];
	return err;
}

ON_THREAD(ROLE_CTL) static void send_order(struct playback_child *c, const struct media_order *o)
{
	if (!c->killed && send(c->socket, o, sizeof *o, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    errno == EAGAIN) {
		log_warn(NULL, "media child %d takes no orders and is killed", (int)c->pid);
		playback_child_kill(c);
	}
}

int playback_child_start(struct playback_child **out, const struct playback_child_cfg *cfg,
			 const struct playback_child_events *ev, void *obj, struct errmsg *why)
{
	struct playback_child *c = calloc(1, sizeof *c);
	struct media_order o = { .type = MEDIA_OPEN, .kind = cfg->kind, .probe = cfg->probe,
				 .max_w = cfg->max_w, .max_h = cfg->max_h };
	int err = c ? launch(c, cfg) : -ENOMEM;

	if (err) {
		free(c);
		return errmsg_set(why, err, "playback_failed", "The program that opens media (mcu-media, "
				  "beside the server's) cannot be started: %s.", err_str(err));
	}
	c->ev = ev;
	c->obj = obj;
	metric_add(&m_children, 1);
	c->reaper = g_child_watch_add(c->pid, on_exit_of, c);
	c->watch = g_unix_fd_add(c->socket, G_IO_IN | G_IO_HUP, on_note, c);
	snprintf(o.url, sizeof o.url, "%s", cfg->url ? cfg->url : "");
	send_order(c, &o);
	*out = c;
	return 0;
}

void playback_child_order(struct playback_child *c, enum media_order_type type, uint32_t serial,
			  int64_t pos, bool flag)
{
	const struct media_order o = { .type = type, .serial = serial, .pos = pos, .flag = flag };

	send_order(c, &o);
}
