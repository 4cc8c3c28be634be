#include "io/poll.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

int nats__wake_new(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void nats__wake_set(int fd)
{
    uint64_t one = 1;
    /* Full means set already: nothing to do. */
    ssize_t n = write(fd, &one, sizeof one);
    (void)n;
}

void nats__wake_clear(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int nats__poll(int fd, int want, int wake_fd, int64_t deadline_ns)
{
    struct pollfd fds[2] = {
        {.fd = wake_fd, .events = POLLIN},
        {.fd = fd,
         .events = (short)(((want & NATS__POLL_READ) ? POLLIN : 0) |
                           ((want & NATS__POLL_WRITE) ? POLLOUT : 0))},
    };
    struct timespec left;
    struct timespec *timeout = NULL;
    if (deadline_ns != INT64_MAX) {
        int64_t ns = deadline_ns - now_ns();
        ns = ns > 0 ? ns : 0;
        left.tv_sec = (time_t)(ns / NS_PER_S);
        left.tv_nsec = (long)(ns % NS_PER_S);
        timeout = &left;
    }

    int n = ppoll(fds, fd >= 0 ? 2 : 1, timeout, NULL);
    if (n < 0) {
        return errno == EINTR ? NATS__POLL_SIGNAL : 0;
    }
    int ready = 0;
    if (fds[0].revents != 0) {
        ready |= NATS__POLL_WAKE;
    }
    if (fd >= 0 && (fds[1].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0) {
        ready |= NATS__POLL_READ;
    }
    if (fd >= 0 && (fds[1].revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)) != 0) {
        ready |= want & NATS__POLL_WRITE;
    }
    return ready;
}

int nats__loop_new(int wake_fd, int *timer_fd_out)
{
    int loop_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event wake = {.events = EPOLLIN, .data.fd = wake_fd};
    struct epoll_event timer = {.events = EPOLLIN, .data.fd = timer_fd};
    if (loop_fd < 0 || timer_fd < 0 || epoll_ctl(loop_fd, EPOLL_CTL_ADD, wake_fd, &wake) < 0 ||
        epoll_ctl(loop_fd, EPOLL_CTL_ADD, timer_fd, &timer) < 0) {
        int error = errno;
        nats__fd_close(loop_fd);
        nats__fd_close(timer_fd);
        errno = error;
        return -1;
    }
    *timer_fd_out = timer_fd;
    return loop_fd;
}

void nats__loop_watch(int loop_fd, int old_fd, int new_fd, int want)
{
    struct epoll_event event = {
        .events = ((want & NATS__POLL_READ) ? (uint32_t)EPOLLIN : 0U) |
                  ((want & NATS__POLL_WRITE) ? (uint32_t)EPOLLOUT : 0U),
        .data.fd = new_fd,
    };
    if (old_fd >= 0 && old_fd != new_fd) {
        epoll_ctl(loop_fd, EPOLL_CTL_DEL, old_fd, NULL);
    }
    if (new_fd >= 0) {
        epoll_ctl(loop_fd, old_fd == new_fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, new_fd, &event);
    }
}

void nats__loop_timer(int timer_fd, int64_t deadline_ns)
{
    struct itimerspec at = {0};
    if (deadline_ns != INT64_MAX) {
        int64_t ns = deadline_ns > 0 ? deadline_ns : 1; /* 0 would mean never */
        at.it_value.tv_sec = (time_t)(ns / NS_PER_S);
        at.it_value.tv_nsec = (long)(ns % NS_PER_S);
    }
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

void nats__fd_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}
