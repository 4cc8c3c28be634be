#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wipe.h"

static nats_status refuse(const char *about, const char *path, const char *why)
{
    return nats__fail(NATS_ERR_INVALID, about, "%s: %.200s: %s", about, path, why);
}

static nats_status system_error(const char *about, const char *path)
{
    return nats__fail(NATS_ERR_IO, about, "%s: %.200s: %s", about, path, strerror(errno));
}

static nats_status read_all(int fd, const char *path, const char *about, nats__buf *out)
{
    struct stat about_file;
    if (fstat(fd, &about_file) < 0) {
        return system_error(about, path);
    }
    if (!S_ISREG(about_file.st_mode)) {
        return refuse(about, path, "this is not a regular file");
    }
    if (about_file.st_size > NATS__FILE_MAX) {
        return refuse(about, path, "the file is larger than 1 MiB");
    }
    /* All at once: a buffer that grows leaves what it held behind. */
    size_t size = (size_t)about_file.st_size;
    if (!nats__buf_reserve(out, size + 1)) {
        return nats__fail(NATS_ERR_NO_MEMORY, about, "out of memory");
    }
    while (out->len < size) {
        ssize_t n = read(fd, out->data + out->len, size - out->len);
        if (n < 0 && errno != EINTR) {
            return system_error(about, path);
        }
        if (n == 0) {
            break;
        }
        out->len += n > 0 ? (size_t)n : 0;
    }
    out->data[out->len] = '\0';
    return NATS_OK;
}

nats_status nats__file_read(const char *path, const char *about, nats__buf *out)
{
    *out = (nats__buf){0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return system_error(about, path);
    }
    nats_status status = read_all(fd, path, about, out);
    close(fd);
    if (status != NATS_OK) {
        nats__file_wipe(out);
    }
    return status;
}

void nats__file_wipe(nats__buf *file)
{
    nats__wipe(file->data, file->cap);
    nats__buf_free(file);
}
