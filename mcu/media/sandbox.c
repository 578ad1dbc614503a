#include "mcu/media/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 64, NICE = 5 };
#define MEMORY_BYTES ((rlim_t)1536 << 20)

static int limit(int what, rlim_t value)
{
	struct rlimit l = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)what, &l) ? -errno : 0;
}

int sandbox_limits(void)
{
	int err = 0;

	/* The server may have died before this. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() == 1)
		err = -ESRCH;
	if (!err)
		err = limit(RLIMIT_CORE, 0);
	if (!err)
		err = limit(RLIMIT_FSIZE, 0);
	if (!err)
		err = limit(RLIMIT_NOFILE, FILES);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (!err) /* a sanitizer's shadow is larger than any memory */
		err = limit(RLIMIT_AS, MEMORY_BYTES);
#endif
	/* An image of its memory is nobody's business. */
	if (!err && (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		err = -errno;
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	return err;
}

/* --- files ---------------------------------------------------------------------- */

/* Where it is missing (before Linux 5.13) the filter below still lets nothing be
 * opened, but for fonts. */
static int landlock_allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr attr = { .allowed_access = access };
	int err = 0;

	attr.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd < 0)
		return 0; /* what is not there needs no rule */
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0))
		err = -errno;
	close(attr.parent_fd);
	return err;
}

static int landlock_enter(const struct sandbox_cfg *cfg)
{
	static const char *const fonts[] = { "/usr/share", "/usr/lib", "/lib", "/lib64", "/etc/fonts",
					     "/var/cache/fontconfig" };
	static const char *const names[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
					     "/etc/host.conf", "/etc/gai.conf", "/etc/ssl", "/run/systemd/resolve" };
	struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	uint64_t file = LANDLOCK_ACCESS_FS_READ_FILE;
	uint64_t all = file | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0), err = 0;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	for (size_t i = 0; (cfg->fonts || cfg->network) && i < sizeof fonts / sizeof *fonts && !err; i++)
		err = landlock_allow(rules, fonts[i], file | LANDLOCK_ACCESS_FS_READ_DIR);
	for (size_t i = 0; cfg->network && i < 5 && !err; i++)
		err = landlock_allow(rules, names[i], file);
	for (size_t i = 5; cfg->network && i < sizeof names / sizeof *names && !err; i++)
		err = landlock_allow(rules, names[i], file | LANDLOCK_ACCESS_FS_READ_DIR);
	if (!err && cfg->folder)
		err = landlock_allow(rules, cfg->folder, all);
	if (!err && cfg->folder)
		err = landlock_allow(rules, "/dev/urandom", file);
	if (!err && syscall(SYS_landlock_restrict_self, rules, 0))
		err = -errno;
	close(rules);
	return err;
}

/* --- system calls ------------------------------------------------------------------ */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#if defined(ARCH) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY(nr, errnum)                                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                           \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))
#define KILL(nr)                                                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                           \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
/* Low half of an argument; both are little-endian. */
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* What no decoder does. */
static const struct sock_filter never[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
#if defined(__x86_64__)
	/* x32 has numbers of its own */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	KILL(SYS_fork), KILL(SYS_vfork),
#endif
	KILL(SYS_execve), KILL(SYS_execveat), KILL(SYS_ptrace), KILL(SYS_process_vm_readv),
	KILL(SYS_process_vm_writev), KILL(SYS_kill), KILL(SYS_tkill), KILL(SYS_mount),
	KILL(SYS_umount2), KILL(SYS_chroot), KILL(SYS_pivot_root), KILL(SYS_setns),
	KILL(SYS_unshare), KILL(SYS_bpf), KILL(SYS_keyctl), KILL(SYS_add_key),
	KILL(SYS_request_key), KILL(SYS_init_module), KILL(SYS_finit_module),
	KILL(SYS_kexec_load), KILL(SYS_reboot), KILL(SYS_io_uring_setup), KILL(SYS_perf_event_open),
	KILL(SYS_userfaultfd), KILL(SYS_rt_sigqueueinfo),
	KILL(SYS_rt_tgsigqueueinfo), KILL(SYS_kcmp), KILL(SYS_pidfd_open),
	KILL(SYS_pidfd_getfd), KILL(SYS_pidfd_send_signal),
	DENY(SYS_openat2, ENOSYS), DENY(SYS_memfd_create, EPERM),
	/* the server has the same user */
	DENY(SYS_setpriority, EPERM), DENY(SYS_ioprio_set, EPERM), DENY(SYS_migrate_pages, EPERM),
	DENY(SYS_move_pages, EPERM),
	DENY(SYS_clone3, ENOSYS), /* its flags cannot be looked at: libc takes clone instead */
	/* threads, not processes */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(0)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct sock_filter no_changes[] = {
	LOAD(nr),
#if defined(__x86_64__)
	DENY(SYS_creat, EACCES), DENY(SYS_rename, EACCES), DENY(SYS_unlink, EACCES),
	DENY(SYS_link, EACCES), DENY(SYS_symlink, EACCES), DENY(SYS_chmod, EACCES),
	DENY(SYS_chown, EACCES), DENY(SYS_mkdir, EACCES), DENY(SYS_rmdir, EACCES),
#endif
	DENY(SYS_renameat, EACCES), DENY(SYS_renameat2, EACCES), DENY(SYS_unlinkat, EACCES),
	DENY(SYS_linkat, EACCES), DENY(SYS_symlinkat, EACCES), DENY(SYS_mkdirat, EACCES),
	DENY(SYS_mknodat, EACCES), DENY(SYS_fchmod, EACCES), DENY(SYS_fchmodat, EACCES),
	DENY(SYS_fchown, EACCES), DENY(SYS_fchownat, EACCES), DENY(SYS_truncate, EACCES),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct sock_filter no_files[] = {
	LOAD(nr),
#if defined(__x86_64__)
	DENY(SYS_open, EACCES),
#endif
	DENY(SYS_openat, EACCES),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* For reading only. */
static const struct sock_filter no_writing[] = {
	LOAD(nr),
#if defined(__x86_64__)
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(1)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
#endif
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(2)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct sock_filter no_network[] = {
	LOAD(nr),
	DENY(SYS_socket, EACCES), DENY(SYS_socketpair, EACCES), DENY(SYS_connect, EACCES),
	DENY(SYS_bind, EACCES), DENY(SYS_listen, EACCES), DENY(SYS_accept4, EACCES),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

#define LEN(a) ((unsigned short)(sizeof(a) / sizeof *(a)))

static int filter(const struct sock_filter *f, unsigned short n)
{
	struct sock_fprog p = { .len = n, .filter = (struct sock_filter *)(uintptr_t)f };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) ? -errno : 0;
}

/* An argument other than `own` is somebody else. */
#define ONLY(nr, n, own, otherwise)                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 4),                                           \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(n)),                                        \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (own), 0, 1),                                  \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                                      \
		BPF_STMT(BPF_RET | BPF_K, (otherwise))

/* Processes of the same user are not signalled, limited or scheduled from here: its own
 * threads are (abort(), pools of decoders), by calls that name it. */
static int nobody_else(void)
{
	const struct sock_filter f[] = {
		LOAD(nr),
		ONLY(SYS_tgkill, 0, (uint32_t)getpid(), SECCOMP_RET_KILL_PROCESS),
		ONLY(SYS_prlimit64, 0, 0, SECCOMP_RET_ERRNO | EPERM),
		ONLY(SYS_sched_setaffinity, 0, 0, SECCOMP_RET_ERRNO | EPERM),
		ONLY(SYS_sched_setscheduler, 0, 0, SECCOMP_RET_ERRNO | EPERM),
		ONLY(SYS_sched_setparam, 0, 0, SECCOMP_RET_ERRNO | EPERM),
		ONLY(SYS_sched_setattr, 0, 0, SECCOMP_RET_ERRNO | EPERM),
		/* signals of descriptors go to whom one likes */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN_EX, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETSIG, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIOSETOWN, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIOCSPGRP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return filter(f, LEN(f));
}

static int filters(const struct sandbox_cfg *cfg)
{
	int err = 0;

	if (!cfg->folder)
		err = cfg->fonts || cfg->network ? filter(no_writing, LEN(no_writing)) :
						   filter(no_files, LEN(no_files));
	if (!err && !cfg->folder)
		err = filter(no_changes, LEN(no_changes));
	if (!err && !cfg->network)
		err = filter(no_network, LEN(no_network));
	if (!err)
		err = nobody_else();
	return err ? err : filter(never, LEN(never));
}
#else
static int filters(const struct sandbox_cfg *cfg)
{
	(void)cfg;
	return 0; /* limits and Landlock alone: a sanitizer calls for more than a decoder does */
}
#endif

int sandbox_enter(const struct sandbox_cfg *cfg)
{
	int err = limit(RLIMIT_CPU, (rlim_t)cfg->cpu_s);

	if (!err)
		err = landlock_enter(cfg);
	return err ? err : filters(cfg);
}
