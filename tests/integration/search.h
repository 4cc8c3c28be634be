/* Is a text in memory? It is given backwards, so that the search is not what is found. */
#ifndef TESTS_INTEGRATION_SEARCH_H
#define TESTS_INTEGRATION_SEARCH_H

#include "../sanitized.h"
#include "rig.h"

typedef enum search_where {
    SEARCH_ALL = 0, /* memory that can be written */
    SEARCH_CORE = 1 /* of that, what a core dump would have */
} search_where;

static inline bool search_works(void)
{
    if (SANITIZED) {
        puts("memory is not searched: a sanitizer has terabytes of it");
    }
    return !SANITIZED;
}

static inline bool search_is_at(const char *at, const char *backwards, size_t len)
{
    size_t i = 0;
    while (i < len && at[i] == backwards[len - 1 - i]) {
        i++;
    }
    return i == len;
}

static inline int search_bytes(const char *bytes, size_t size, const char *backwards)
{
    size_t len = strlen(backwards);
    int found = 0;
    for (size_t i = 0; i + len <= size; i++) {
        found += search_is_at(bytes + i, backwards, len);
    }
    return found;
}

enum { SEARCH_PAGE = 1 << 16, SEARCH_OVERLAP = 256 /* more than any text that is searched for */ };

static inline int search_region(int mem, unsigned long begin, unsigned long end,
                                const char *backwards)
{
    static char page[SEARCH_PAGE];
    unsigned long own = (unsigned long)page;
    int found = 0;
    for (unsigned long at = begin; at < end; at += sizeof page - SEARCH_OVERLAP) {
        size_t size = end - at < sizeof page ? end - at : sizeof page;
        bool is_own = at < own + sizeof page && at + size > own;
        ssize_t n = is_own ? 0 : pread(mem, page, size, (off_t)at);
        found += search_bytes(page, n > 0 ? (size_t)n : 0, backwards);
        memset(page, 0, sizeof page);
    }
    return found;
}

/* How often it is there; what lies over a border of two pages may count twice. */
static inline int search_in(search_where where, const char *backwards)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    RIG_CHECK(maps != NULL && mem >= 0);
    char line[512];
    unsigned long begin = 0;
    unsigned long end = 0;
    char mode[8] = "";
    int found = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        bool last = strncmp(line, "VmFlags:", 8) == 0; /* of what is told of a region */
        bool dumped = strstr(line, " dd") == NULL;
        if (last && mode[1] == 'w' && (dumped || where == SEARCH_ALL)) {
            found += search_region(mem, begin, end, backwards);
        } else if (!last) {
            unsigned long values[2];
            char word[8];
            if (sscanf(line, "%lx-%lx %7s", &values[0], &values[1], word) == 3) {
                begin = values[0];
                end = values[1];
                memcpy(mode, word, sizeof mode);
            }
        }
    }
    close(mem);
    fclose(maps);
    return found;
}

static inline int search_memory(const char *backwards)
{
    return search_in(SEARCH_ALL, backwards);
}

#endif
