#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/wipe.h"

typedef struct block {
    size_t size; /* of all of it */
    char text[];
} block;

char *nats__secret_new(size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size_t whole = sizeof(block) + size;
    block *made =
        mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) {
        return NULL;
    }
    madvise(made, whole, MADV_DONTDUMP); /* where the kernel cannot, it is kept all the same */
    made->size = whole;
    return made->text;
}

char *nats__secret_copy(const char *text, size_t len)
{
    char *secret = nats__secret_new(len + 1);
    if (secret != NULL) {
        memcpy(secret, text, len);
    }
    return secret;
}

void nats__secret_free(char *secret)
{
    if (secret == NULL) {
        return;
    }
    block *made = (block *)(void *)(secret - offsetof(block, text));
    size_t size = made->size;
    nats__wipe(made, size);
    munmap(made, size);
}
