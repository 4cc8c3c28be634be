/* What all bench programs in C share: flags, clocks, samples and the line of results.
 *
 *     program WORK [--url scheme://host:port] [--msgs n] [--size bytes] [--subject s] [--storage memory|file]
 *             [--set option=value]
 *
 * One line of comma-separated values comes out at the end, in the order of BENCH_COLUMNS; a receiver prints the word
 * "ready" on a line of its own before it, when it has subscribed. */
#ifndef POLYNATS_BENCH_H
#define POLYNATS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_COLUMNS                                                                              \
    "name,work,size,msgs,seconds,msgs_per_s,client_cpu_ns_per_msg,p50_us,p99_us,bytes_each"

enum {
    BENCH_WARMUP = 200,       /* requests that are not measured: connections and caches settle */
    BENCH_SETTINGS_MAX = 8,   /* --set flags */
    BENCH_BATCH = 1000,       /* messages asked for in one get */
    BENCH_WINDOW = 4000,      /* publishes to a stream that wait for their acks: what nats.go has by default */
    BENCH_PULL = 500,         /* messages of a fetch, and those that a consume keeps under way: likewise */
    BENCH_AHEAD = 10000,      /* those of an ordered consume: push consumers, which others have for it, know no limit */
    BENCH_ACKS = 10000,       /* max_ack_pending: so many that no acks are waited for */
    BENCH_LONE_GAP_NS = 1000000, /* rest between lone messages: long enough for all sides to sleep */
    BENCH_WAIT_MS = 30000,    /* a receiver that hears nothing for so long gives up */
    BENCH_HOST_MAX = 256
};

/* What the messages go over: nats://, tls://, ws://. */
typedef enum bench_over { BENCH_OVER_TCP, BENCH_OVER_TLS, BENCH_OVER_WS } bench_over;

typedef struct bench_args {
    const char *name; /* of the program, in the results */
    const char *work;
    const char *url;
    bench_over over;           /* of url, as the next two */
    char host[BENCH_HOST_MAX];
    uint16_t port;
    uint64_t msgs;
    size_t size;
    const char *subject;
    const char *storage; /* of streams: memory, file */
    const char *settings[BENCH_SETTINGS_MAX]; /* "option=value", for programs that have options */
    size_t setting_count;
} bench_args;

typedef struct bench_work {
    const char *name;
    void (*run)(const bench_args *args);
} bench_work;

/* Read the flags, find the work in works (ended by a NULL name) and run it. Returns main()'s result. */
int bench_main(int argc, char **argv, const char *name, const bench_work *works);

/* Say what failed on stderr and end the program: a bench has nothing to save. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

int64_t bench_now_ns(void);
/* User and system time of this process, all threads. */
int64_t bench_cpu_ns(void);
/* Bytes of this process that are in memory. */
int64_t bench_rss(void);
void bench_sleep_ns(int64_t ns);
/* `size` bytes that are not protocol, with room for a timestamp in front. Owned by the caller. */
uint8_t *bench_payload(size_t size);
void *bench_alloc(size_t size);

/* Times taken, counted in steps of BENCH_STEP_NS: adding one costs next to nothing, and finding a percentile costs
 * the same however many there are, which keeps it out of the instructions counted for a message. */
enum {
    BENCH_STEP_NS = 16,
    BENCH_STEPS = 1 << 20 /* up to 16 ms; what takes longer counts as that */
};

typedef struct bench_samples {
    uint32_t *steps;
    uint64_t count;
} bench_samples;

void bench_samples_init(bench_samples *samples);
void bench_samples_add(bench_samples *samples, int64_t ns);
double bench_samples_percentile_us(const bench_samples *samples, double share);

/* A stretch of work that is measured: wall time from start (or the first message) to stop, CPU likewise. */
typedef struct bench_watch {
    int64_t wall_ns;
    int64_t cpu_ns;
} bench_watch;

bench_watch bench_start(void);
bench_watch bench_stop(const bench_watch *start);

/* Tell the runner that this receiver has subscribed. */
void bench_ready(void);
void bench_print_rate(const bench_args *args, const bench_watch *took);
void bench_print_times(const bench_args *args, const bench_watch *took, bench_samples *samples);
void bench_print_bytes(const bench_args *args, double bytes_each);

#endif
