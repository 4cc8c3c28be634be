/* Runs a fuzz target without a fuzzer: over every file of the directories given, whole and cut off
 * at every length, so that any compiler can replay a corpus.
 *
 *     replay_url tests/fuzz/corpus/url */
#include <dirent.h>
#include <sys/stat.h>

#include "check.h"

enum {
    PATH_SIZE = 4096,
    FILE_MAX = 16 * 1024 * 1024,
    CUT_MAX = 2048 /* longer files run whole only: a run for each length is quadratic */
};

/* Each run gets a block of its own size: a sanitizer sees one byte too many being read. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_all_lengths(const uint8_t *data, size_t size)
{
    for (size_t len = 0; size <= CUT_MAX && len < size; len++) {
        run(data, len);
    }
    run(data, size);
}

static void run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size + 1);
    CHECK(file != NULL);
    CHECK(data != NULL);
    CHECK(fread(data, 1, size, file) == size);
    fclose(file);
    run_all_lengths(data, size);
    free(data);
}

static size_t run_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        perror(directory);
        exit(2);
    }
    size_t count = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[PATH_SIZE];
        struct stat about;
        int len = snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        CHECK(len > 0 && (size_t)len < sizeof path);
        if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) {
            continue;
        }
        CHECK(about.st_size <= FILE_MAX);
        run_file(path, (size_t)about.st_size);
        count++;
    }
    closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        size_t files = run_directory(argv[i]);
        printf("%s: %zu files\n", argv[i], files);
        count += files;
    }
    if (count == 0) {
        fprintf(stderr, "usage: %s directory-with-files...\n", argv[0]);
        return 2;
    }
    return 0;
}
