/* Creating and looking for files below a root folder, such that a power cut
 * loses neither the file nor a folder above it. ROLE_STO or before the loop. */
#ifndef MCU_STORAGE_FILES_H
#define MCU_STORAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Relative, without "..", ".", empty parts or control characters. */
bool files_path_safe(const char *path);
/* A new file for reading and writing; missing folders are made. The folders'
 * entries are on the disk afterwards. A descriptor, -EEXIST, -EINVAL (path), …. */
int files_create(const char *root, const char *path);
/* Exactly len octets. 0, -errno; -EIO: the file is shorter. */
int files_read_at(int fd, uint64_t at, void *to, size_t len);
int files_write_at(int fd, uint64_t at, const void *from, size_t len);

/* Octets that may still be written to the disk of root, such that it keeps what recordings
 * that run need: a twentieth of it, and 2 GB. 0: none. -errno. */
int64_t files_spare(const char *root);

struct iovec;
/* All of it, at that place; v is used up. 0 or -errno. */
int files_write_all(int fd, struct iovec *v, int n, uint64_t at);

#endif
