/* A disk between a program and the real one, loaded before the C library (LD_PRELOAD). Of everything under the folder
 * $DISK_FOLDER it writes down, one after another, what changes a file or a name and what is synced, and beside it what
 * the program says on its standard output, into the file $DISK_LOG. While the file $DISK_SIZE says a number of bytes,
 * the folder can hold no more than that; while it says "read-only", nothing in it can be changed. With $DISK_BRIEF what
 * was written is left out of the log, but for its length. 64-bit Linux. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define READ_ONLY -2
#define UNBOUNDED -1

struct head {
    char kind;
    char flag;
    uint16_t name_bytes;
    uint32_t data_bytes;
    int64_t at;
    int64_t bytes;
    int64_t nanoseconds;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *size_file;
static int log_fd = -1, is_brief;

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("DISK_LOG");
    folder = getenv("DISK_FOLDER");
    size_file = getenv("DISK_SIZE");
    is_brief = getenv("DISK_BRIEF") != NULL;
    if (folder && log) {
        int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 700);
        syscall(SYS_close, fd);
    }
}

static void note(char kind, char flag, const char *name, int64_t at, const void *data, size_t bytes)
{
    struct timespec now;
    if (log_fd < 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t length = bytes;
    if (kind == 'w' && is_brief)
        bytes = 0;
    struct head head = {kind, flag, strlen(name), bytes, at, length, now.tv_sec * 1000000000LL + now.tv_nsec};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name_bytes}, {(void *)data, bytes}};
    syscall(SYS_writev, log_fd, parts, 3);
}

/* The name of a path in the folder, "." for the folder itself, NULL for any other. */
static const char *inside(const char *path)
{
    size_t length = folder ? strlen(folder) : 0;
    if (!length || strncmp(path, folder, length))
        return NULL;
    return path[length] == '\0' ? "." : path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int fd, char *room, size_t size)
{
    char link[40];
    if (fd < 3 || fd == log_fd || !folder)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, room, size - 1);
    if (length < 0)
        return NULL;
    room[length] = '\0';
    return inside(room);
}

/* How many bytes the folder can hold. */
static int64_t capacity(void)
{
    char text[32] = "";
    int fd = size_file ? syscall(SYS_openat, AT_FDCWD, size_file, O_RDONLY) : -1;
    if (fd < 0)
        return UNBOUNDED;
    ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (length <= 0)
        return UNBOUNDED;
    return strncmp(text, "read-only", 9) ? atoll(text) : READ_ONLY;
}

/* What of them is free. */
static int64_t room(void)
{
    int64_t left = capacity();
    if (left == UNBOUNDED)
        return INT64_MAX;
    if (left == READ_ONLY)
        return 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat facts;
        if (!fstatat(dirfd(entries), entry->d_name, &facts, 0) && S_ISREG(facts.st_mode))
            left -= facts.st_size;
    }
    if (entries)
        closedir(entries);
    return left > 0 ? left : 0;
}

static int refused(void)
{
    if (capacity() != READ_ONLY)
        return 0;
    errno = EROFS;
    return 1;
}

static ssize_t put(int fd, const void *data, size_t bytes, int64_t at)
{
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    if (!name)
        return at < 0 ? syscall(SYS_write, fd, data, bytes) : syscall(SYS_pwrite64, fd, data, bytes, at);
    pthread_mutex_lock(&lock);
    ssize_t done = -1;
    struct stat facts;
    if (!refused() && !fstat(fd, &facts)) {
        int64_t begin = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
        int64_t grows = begin + (int64_t)bytes - facts.st_size, left = room();
        if (grows > left)
            bytes = grows - left >= (int64_t)bytes ? 0 : bytes - (grows - left);
        if (!bytes)
            errno = ENOSPC;
        else
            done = at < 0 ? syscall(SYS_write, fd, data, bytes) : syscall(SYS_pwrite64, fd, data, bytes, at);
        if (done > 0)
            note('w', 0, name, begin, data, done);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) { return put(fd, data, bytes, at); }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) { return put(fd, data, bytes, at); }

ssize_t write(int fd, const void *data, size_t bytes)
{
    if (fd == 1) {
        /* Before it is heard: what is promised holds from here on. */
        pthread_mutex_lock(&lock);
        note('m', 0, "", 0, data, bytes);
        pthread_mutex_unlock(&lock);
    }
    return put(fd, data, bytes, -1);
}

static int opened(int from, const char *path, int flags, mode_t mode)
{
    const char *name = inside(path);
    if (!name || (flags & O_ACCMODE) == O_RDONLY)
        return syscall(SYS_openat, from, path, flags, mode);
    pthread_mutex_lock(&lock);
    int fd = -1, is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
    if (!refused())
        fd = syscall(SYS_openat, from, path, flags, mode);
    if (fd >= 0 && (is_new || flags & O_TRUNC))
        note('o', is_new, name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPENING(from, path)                     \
    va_list more;                               \
    va_start(more, flags);                      \
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
    va_end(more);                               \
    return opened(from, path, flags, mode)

int open(const char *path, int flags, ...) { OPENING(AT_FDCWD, path); }
int open64(const char *path, int flags, ...) { OPENING(AT_FDCWD, path); }
int openat(int from, const char *path, int flags, ...) { OPENING(from, path); }
int openat64(int from, const char *path, int flags, ...) { OPENING(from, path); }

int ftruncate64(int fd, off64_t bytes)
{
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    if (!name)
        return syscall(SYS_ftruncate, fd, bytes);
    pthread_mutex_lock(&lock);
    int failed = refused() ? -1 : syscall(SYS_ftruncate, fd, bytes);
    if (!failed)
        note('t', 0, name, bytes, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}
int ftruncate(int fd, off_t bytes) { return ftruncate64(fd, bytes); }

int posix_fallocate64(int fd, off64_t at, off64_t bytes)
{
    char path[4096];
    struct stat facts;
    const char *name = name_of(fd, path, sizeof path);
    pthread_mutex_lock(&lock);
    int error = name && (capacity() == READ_ONLY || fstat(fd, &facts)) ? EROFS : 0;
    if (!error && name && at + bytes - facts.st_size > room())
        error = ENOSPC;
    if (!error && syscall(SYS_fallocate, fd, 0, at, bytes))
        error = errno;
    if (!error && name && at + bytes > facts.st_size)
        note('t', 0, name, at + bytes, "", 0);
    pthread_mutex_unlock(&lock);
    return error;
}
int posix_fallocate(int fd, off_t at, off_t bytes) { return posix_fallocate64(fd, at, bytes); }

static int synced(int fd, long call)
{
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    if (!name)
        return syscall(call, fd);
    pthread_mutex_lock(&lock);
    int failed = syscall(call, fd);
    if (!failed)
        note('s', 0, name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *old, const char *new)
{
    const char *from = inside(old), *to = inside(new);
    pthread_mutex_lock(&lock);
    int failed = (from || to) && refused() ? -1 : syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0);
    if (!failed && from && to)
        note('r', 0, from, 0, to, strlen(to));
    pthread_mutex_unlock(&lock);
    return failed;
}

int unlink(const char *path)
{
    const char *name = inside(path);
    pthread_mutex_lock(&lock);
    int failed = name && refused() ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!failed && name)
        note('u', 0, name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int statvfs64(const char *path, struct statvfs64 *facts)
{
    int (*real)(const char *, struct statvfs64 *) = dlsym(RTLD_NEXT, "statvfs64");
    int failed = real(path, facts);
    if (!failed && inside(path) && capacity() != UNBOUNDED) {
        facts->f_frsize = facts->f_bsize = 1;
        facts->f_blocks = capacity() > 0 ? capacity() : 0;
        facts->f_bfree = facts->f_bavail = room();
    }
    return failed;
}
int statvfs(const char *path, struct statvfs *facts) { return statvfs64(path, (struct statvfs64 *)facts); }
