#include "bench.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, NS_PER_US = 1000 };

void bench_die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(1);
}

void *bench_alloc(size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory == NULL) {
        bench_die("no memory for %zu bytes", size);
    }
    return memory;
}

/* ---- clocks ---- */

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t bench_cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    int64_t seconds = (int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    int64_t micros = (int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    return seconds * NS_PER_S + micros * NS_PER_US;
}

int64_t bench_rss(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) {
        bench_die("/proc/self/statm cannot be read");
    }
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void bench_sleep_ns(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&time, NULL);
}

bench_watch bench_start(void)
{
    return (bench_watch){.wall_ns = bench_now_ns(), .cpu_ns = bench_cpu_ns()};
}

bench_watch bench_stop(const bench_watch *start)
{
    return (bench_watch){.wall_ns = bench_now_ns() - start->wall_ns,
                         .cpu_ns = bench_cpu_ns() - start->cpu_ns};
}

/* ---- payload, samples ---- */

uint8_t *bench_payload(size_t size)
{
    uint8_t *data = bench_alloc(size + sizeof(int64_t));
    memset(data, 'x', size);
    return data;
}

void bench_samples_init(bench_samples *samples)
{
    samples->steps = bench_alloc(BENCH_STEPS * sizeof(*samples->steps));
    samples->count = 0;
}

void bench_samples_add(bench_samples *samples, int64_t ns)
{
    int64_t step = ns / BENCH_STEP_NS;
    samples->steps[step < BENCH_STEPS ? step : BENCH_STEPS - 1]++;
    samples->count++;
}

double bench_samples_percentile_us(const bench_samples *samples, double share)
{
    if (samples->count == 0) {
        bench_die("no times were taken");
    }
    uint64_t wanted = (uint64_t)((double)(samples->count - 1) * share + 0.5);
    uint64_t rank = 0;
    uint64_t found = 0;
    for (uint64_t step = 0; step < BENCH_STEPS; step++) { /* to the end: always the same cost */
        found = rank <= wanted ? step : found;
        rank += samples->steps[step];
    }
    return ((double)found + 0.5) * BENCH_STEP_NS / NS_PER_US;
}

/* ---- results ---- */

void bench_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static void print_common(const bench_args *args, const bench_watch *took)
{
    double seconds = (double)took->wall_ns / NS_PER_S;
    double msgs = (double)args->msgs;
    printf("%s,%s,%zu,%" PRIu64 ",%.6f,%.0f,%.2f,", args->name, args->work, args->size, args->msgs,
           seconds, msgs / seconds, (double)took->cpu_ns / msgs);
}

void bench_print_rate(const bench_args *args, const bench_watch *took)
{
    print_common(args, took);
    puts(",,");
    fflush(stdout);
}

void bench_print_times(const bench_args *args, const bench_watch *took, bench_samples *samples)
{
    print_common(args, took);
    printf("%.2f,%.2f,\n", bench_samples_percentile_us(samples, 0.50),
           bench_samples_percentile_us(samples, 0.99));
    fflush(stdout);
    free(samples->steps);
}

void bench_print_bytes(const bench_args *args, double bytes_each)
{
    printf("%s,%s,%zu,%" PRIu64 ",,,,,,%.1f\n", args->name, args->work, args->size, args->msgs,
           bytes_each);
    fflush(stdout);
}

/* ---- flags ---- */

static uint64_t number(const char *flag, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        bench_die("%s: not a whole number: %s", flag, text);
    }
    return value;
}

static void split_url(bench_args *args)
{
    static const char *const schemes[] = {
        [BENCH_OVER_TCP] = "nats://", [BENCH_OVER_TLS] = "tls://", [BENCH_OVER_WS] = "ws://"};
    const char *host = args->url;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);
        if (strncmp(args->url, schemes[i], len) == 0) {
            args->over = (bench_over)i;
            host = args->url + len;
        }
    }
    const char *colon = strrchr(host, ':');
    size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);
    if (len >= sizeof(args->host)) {
        bench_die("--url: host is too long");
    }
    memcpy(args->host, host, len);
    args->host[len] = '\0';
    args->port = colon != NULL ? (uint16_t)number("--url", colon + 1) : 4222;
}

static void read_flag(bench_args *args, const char *flag, const char *value)
{
    if (value == NULL) {
        bench_die("%s needs a value", flag);
    }
    if (strcmp(flag, "--url") == 0) {
        args->url = value;
    } else if (strcmp(flag, "--msgs") == 0) {
        args->msgs = number(flag, value);
    } else if (strcmp(flag, "--size") == 0) {
        args->size = (size_t)number(flag, value);
    } else if (strcmp(flag, "--subject") == 0) {
        args->subject = value;
    } else if (strcmp(flag, "--storage") == 0) {
        args->storage = value;
    } else if (strcmp(flag, "--set") == 0 && args->setting_count < BENCH_SETTINGS_MAX) {
        args->settings[args->setting_count++] = value;
    } else {
        bench_die("unknown flag: %s", flag);
    }
}

static void usage(const char *name, const bench_work *works)
{
    printf("bench program `%s`\nusage: WORK [--url scheme://host:port] [--msgs n] [--size bytes]"
           " [--subject s] [--storage memory|file] [--set option=value]\nprints: %s\n"
           "WORK is one of:",
           name, BENCH_COLUMNS);
    for (const bench_work *work = works; work->name != NULL; work++) {
        printf(" %s", work->name);
    }
    putchar('\n');
}

int bench_main(int argc, char **argv, const char *name, const bench_work *works)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        usage(name, works);
        return argc < 2 ? 2 : 0;
    }
    bench_args args = {.name = name,
                       .work = argv[1],
                       .url = "nats://127.0.0.1:4222",
                       .msgs = 1000000,
                       .size = 128,
                       .subject = "bench",
                       .storage = "memory"};
    for (int i = 2; i < argc; i += 2) {
        read_flag(&args, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
    }
    if (args.msgs == 0) {
        bench_die("--msgs: at least 1");
    }
    split_url(&args);
    for (const bench_work *work = works; work->name != NULL; work++) {
        if (strcmp(work->name, args.work) == 0) {
            work->run(&args);
            return 0;
        }
    }
    bench_die("unknown work: %s (try --help)", args.work);
}
