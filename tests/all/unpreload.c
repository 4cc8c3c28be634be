/* Preloaded into an interpreter beside a sanitizer's library: the programs that it starts shall not load that too. */
#include <stdlib.h>

__attribute__((constructor)) static void unpreload(void)
{
    unsetenv("LD_PRELOAD");
}
