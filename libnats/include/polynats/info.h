/* What a server said of itself in its INFO: a snapshot, free of the connection it came from.
 *
 *     nats_info *info;
 *     nats_client_server_info(client, &info);
 *     puts(nats_info_text(info, "server_name", NULL));
 *     nats_info_free(info);
 *
 * Threads: it does not change; any thread may read it, one frees it.
 */
#ifndef POLYNATS_INFO_H
#define POLYNATS_INFO_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_info nats_info;

/* Kinds of field. */
enum {
    NATS_INFO_TEXT = 1, /* a string */
    NATS_INFO_INT = 2,  /* a whole number, written in decimal */
    NATS_INFO_BOOL = 3, /* "true" or "false" */
    NATS_INFO_JSON = 4  /* anything else, as JSON text */
};

/* The INFO as the server sent it, JSON text, NUL-terminated; borrowed until the info is freed. */
NATS_API const char *nats_info_json(const nats_info *info, size_t *len_out);

/* A field by its name in the server's schema ("server_id", "max_payload", …): its text (NUL-
 * terminated, borrowed until the info is freed), or NULL when it is not there. Of a list: the
 * first. */
NATS_API const char *nats_info_text(const nats_info *info, const char *name, size_t *len_out);

/* A whole number or a bool by name. Returns 1 and *value_out, or 0 (and *value_out = 0) when it is
 * not there or of another kind. */
NATS_API int32_t nats_info_int(const nats_info *info, const char *name, int64_t *value_out);

/* Step through all top-level fields; a list comes as one step per element, with the same name and
 * *in_list_out = 1 (a list without elements does not appear).
 * *cursor: 0 to begin with. Returns the kind (NATS_INFO_…), or 0 after the last. */
NATS_API int32_t nats_info_next(const nats_info *info, size_t *cursor, const char **name_out,
                                const char **value_out, size_t *value_len_out,
                                int32_t *in_list_out);

/* Free the snapshot, and with it all texts borrowed from it. NULL is fine. */
NATS_API void nats_info_free(nats_info *info);

#ifdef __cplusplus
}
#endif

#endif
