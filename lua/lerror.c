/* nats.status: the error codes by name, with the numbers of the C library. */
#include "lnats.h"

#include <string.h>

void lnats_status_table(lua_State *L)
{
    lua_newtable(L);
    /* The numbers run down from 0 without a gap; a newer library may have more than this file
     * knows. */
    for (nats_status status = NATS_OK;; status--) {
        const char *name = nats_status_name(status);
        if (strcmp(name, "UNKNOWN") == 0) {
            return;
        }
        lua_pushinteger(L, status);
        lua_setfield(L, -2, name);
    }
}
