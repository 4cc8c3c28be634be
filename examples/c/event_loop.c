/* A client in a loop that polls other things too (here: a timer that publishes): event_loop [how many] */
#include "example.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 10 };

static int tick_every_50_ms(void)
{
    struct itimerspec times = {.it_interval.tv_nsec = 50000000, .it_value.tv_nsec = 1};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    timerfd_settime(timer, 0, &times, NULL);
    return timer;
}

static void publish_tick(nats_client *nc, int timer)
{
    static int number;
    char text[16];
    uint64_t times;
    if (read(timer, &times, sizeof times) == sizeof times) {
        int len = snprintf(text, sizeof text, "%d", ++number);
        check(nats_client_publish(nc, "tick", NATS_Z, text, (size_t)len));
    }
}

/* What went wrong, if anything did: without this the program runs as well, but tells nobody. */
static void tell_events(nats_client *nc)
{
    nats_event *event = NULL;
    while (nats_client_next_event(nc, 0, &event) == NATS_OK && event != NULL) {
        if (nats_event_text(event)[0] != '\0') {
            fprintf(stderr, "%s: %s\n", nats_event_name(event), nats_event_text(event));
        }
        nats_event_free(event);
    }
}

int main(int argc, char **argv)
{
    help(argc, argv, "[how many]", "A client in a loop of poll().");
    long left = strtol(word(argc, argv, 1, "5"), NULL, 10);
    nats_client *nc = NULL;
    int32_t fd = -1;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_subscribe(nc, "tick", NATS_Z, NULL, 0, 0, NULL));
    check(nats_client_fd(nc, &fd));
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {tick_every_50_ms(), POLLIN, 0}};

    while (left > 0) {
        nats_msg *batch[BATCH];
        size_t count = 0;
        int64_t due_ms = nats_client_deadline_ms(nc);
        poll(fds, 2, due_ms > INT32_MAX ? INT32_MAX : (int)due_ms);
        publish_tick(nc, fds[1].fd);
        check(nats_client_process(nc));
        tell_events(nc);
        check(nats_client_get(nc, left < BATCH ? (size_t)left : BATCH, 0, batch, &count));
        for (size_t i = 0; i < count; i++) {
            printf("got %s\n", (const char *)nats_msg_data(batch[i], NULL));
        }
        nats_msg_free_many(batch, count);
        left -= (long)count;
    }
    close(fds[1].fd);
    nats_client_free(nc);
    return 0;
}
