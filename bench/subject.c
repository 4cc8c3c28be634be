/* What it costs a publish to look at its subject: the processor's time for each of many of 16
 * bytes, the best of some runs. Nothing waits here, so others at work spoil it little. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/subject.h"

enum { SUBJECTS = 64, LEN = 16, ROUNDS = 100000, RUNS = 9 };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Different ones: what a branch will be is not learnt by heart. */
static void fill(char subjects[SUBJECTS][LEN + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    unsigned seed = 7;
    for (int i = 0; i < SUBJECTS; i++) {
        for (int k = 0; k < LEN; k++) {
            seed = seed * 1103515245u + 12345u;
            subjects[i][k] = k % 5 == 4 ? '.' : letters[(seed >> 16) % 32];
        }
        subjects[i][LEN] = '\0';
    }
}

/* bench_subject [rounds]: few of them for who counts instructions, under callgrind. */
int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    static char subjects[SUBJECTS][LEN + 1];
    double best = 1e18;
    fill(subjects);
    for (int run = 0; run < RUNS; run++) {
        double began = now_ns();
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < SUBJECTS; i++) {
                if (!nats__subject_ok(subjects[i], LEN)) {
                    return 1;
                }
            }
        }
        double took = (now_ns() - began) / ((double)rounds * SUBJECTS);
        best = took < best ? took : best;
    }
    printf("a subject of %d bytes is looked at in %.2f ns\n", LEN, best);
    return 0;
}
