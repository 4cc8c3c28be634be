/* What the examples share: help, and giving up with the library's words. The server is the one of $NATS_URL. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <polynats.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void help(int argc, char **argv, const char *words, const char *what)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("usage: %s %s\n%s\n", argv[0], words, what);
        printf("The server is the one of $NATS_URL, else nats://127.0.0.1:4222.\n");
        exit(0);
    }
}

static inline void check(nats_status status)
{
    if (status != NATS_OK) {
        fprintf(stderr, "%s: %s\n", nats_status_name(status), nats_last_error(NULL));
        exit(1);
    }
}

/* A word of the command line, or what stands for it. */
static inline const char *word(int argc, char **argv, int index, const char *otherwise)
{
    return index < argc ? argv[index] : otherwise;
}

#endif
