/* Waiting for descriptors, and waking those who wait. */
#ifndef NATS_IO_POLL_H
#define NATS_IO_POLL_H

#include <polynats/status.h>

#include <stdbool.h>

/* A descriptor that one thread waits for and any other makes readable. */
int nats__wake_new(void); /* -1: failed (errno) */
void nats__wake_set(int fd);
void nats__wake_clear(int fd);

enum { NATS__POLL_READ = 1, NATS__POLL_WRITE = 2, NATS__POLL_WAKE = 4, NATS__POLL_SIGNAL = 8 };

/* Wait for fd (-1: none) and wake_fd at most until deadline_ns (INT64_MAX: for ever). Returns
 * what is ready, 0 when the time is up, NATS__POLL_SIGNAL when a signal handler ran. */
int nats__poll(int fd, int want, int wake_fd, int64_t deadline_ns);

/* A pollable set for foreign loops: epoll over the socket, a wake descriptor and a timer. */
int nats__loop_new(int wake_fd, int *timer_fd_out);                 /* -1: failed (errno) */
void nats__loop_watch(int loop_fd, int old_fd, int new_fd, int want); /* -1: none */
void nats__loop_timer(int timer_fd, int64_t deadline_ns);

void nats__fd_close(int fd);

#endif
