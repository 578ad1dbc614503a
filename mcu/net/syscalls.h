/* Sockets' calls on the media path. glibc's are points of cancellation, which in a program
 * with threads costs each of them two atomic operations and cold lines; none of our
 * threads is ever cancelled. As those otherwise: -1 and errno. */
#ifndef MCU_NET_SYSCALLS_H
#define MCU_NET_SYSCALLS_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers must see what the kernel reads and writes. */
#if defined(SYS_sendto) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SYSCALLS_DIRECT 1
#else
#define SYSCALLS_DIRECT 0
#endif

static inline ssize_t sys_sendto(int fd, const void *p, size_t n, int flags,
				 const struct sockaddr *to, socklen_t to_len)
{
#if SYSCALLS_DIRECT
	return syscall(SYS_sendto, fd, p, n, flags, to, to_len);
#else
	return sendto(fd, p, n, flags, to, to_len);
#endif
}

static inline ssize_t sys_sendmsg(int fd, const struct msghdr *m, int flags)
{
#if SYSCALLS_DIRECT
	return syscall(SYS_sendmsg, fd, m, flags);
#else
	return sendmsg(fd, m, flags);
#endif
}

static inline ssize_t sys_recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *from,
				   socklen_t *from_len)
{
#if SYSCALLS_DIRECT
	return syscall(SYS_recvfrom, fd, p, n, flags, from, from_len);
#else
	return recvfrom(fd, p, n, flags, from, from_len);
#endif
}

static inline ssize_t sys_recvmsg(int fd, struct msghdr *m, int flags)
{
#if SYSCALLS_DIRECT
	return syscall(SYS_recvmsg, fd, m, flags);
#else
	return recvmsg(fd, m, flags);
#endif
}

static inline int sys_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
#if SYSCALLS_DIRECT
	return (int)syscall(SYS_recvmmsg, fd, m, n, flags, NULL);
#else
	return recvmmsg(fd, m, n, flags, NULL);
#endif
}

#endif
