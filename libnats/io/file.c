#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wipe.h"

enum {
    SHOWN_MAX = 200, /* bytes of a name in an error */
    RUN_MAX = 40,    /* letters and digits in a row that names have; of keys and JWTs there are more */
    PART_MAX = 60    /* between slashes; all of a JWT is more, however short its parts */
};

/* Options that take a secret or the file that holds it: a seed that lost a letter is none, and passes
 * for the name of a file. Names have a point or a slash in them, and are not long without. */
static bool may_be_secret(const char *about, const char *name)
{
    if (strcmp(about, "tls_ca") == 0 || strcmp(about, "tls_cert") == 0) {
        return false;
    }
    bool has_break = false;
    size_t run = 0;
    size_t part = 0;
    for (const char *at = name; *at != '\0'; at++) {
        bool ends = *at == '.' || *at == '/';
        has_break = has_break || ends;
        run = ends ? 0 : run + 1;
        part = *at == '/' ? 0 : part + 1;
        if (run > RUN_MAX || part > PART_MAX || (unsigned char)*at < ' ') {
            return true;
        }
    }
    return !has_break;
}

static nats_status fail(nats_status status, const char *about, const char *path, const char *why)
{
    if (may_be_secret(about, path)) {
        return nats__fail(status, about,
                          "%s: what is given is taken for the name of a file, and not repeated, "
                          "for it may be a secret: %s",
                          about, why);
    }
    return nats__fail(status, about, "%s: %.*s: %s", about, SHOWN_MAX, path, why);
}

static nats_status refuse(const char *about, const char *path, const char *why)
{
    return fail(NATS_ERR_INVALID, about, path, why);
}

static nats_status system_error(const char *about, const char *path)
{
    return fail(NATS_ERR_IO, about, path, strerror(errno));
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
