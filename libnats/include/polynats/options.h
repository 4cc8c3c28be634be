/* Options of a connection, by name.
 *
 * An options object holds what differs from the defaults; nats_connect() copies what it needs,
 * so it may be freed or used again at once. One table (docs/options.md) gives each option's
 * name, type, default and range; an unknown name is refused together with the nearest known one,
 * so a new option never needs a new function.
 *
 *     nats_options *options;
 *     nats_options_new(&options);
 *     nats_options_set_text(options, "name", "billing", NATS_Z);
 *     nats_options_set_int(options, "connect_timeout", 2000);
 *     nats_connect(NULL, options, &client);
 *     nats_options_free(options);
 *
 * Threads: one thread at a time. */
#ifndef POLYNATS_OPTIONS_H
#define POLYNATS_OPTIONS_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nats_options nats_options;

/* Kinds of option, as nats_options_type() tells them. */
enum {
    NATS_OPTION_TEXT = 1,     /* valid UTF-8 without control characters; but what may be a
                               * file's text may have lines */
    NATS_OPTION_BOOL = 2,     /* true or false; in text also on, off, yes, no, 1, 0 */
    NATS_OPTION_INT = 3,      /* a whole number */
    NATS_OPTION_DURATION = 4  /* int: ms, double: seconds, text: "250ms" "2s" "5m" "1h" */
};

/* options_out: owned, free with nats_options_free(). Errors: NO_MEMORY. */
NATS_API nats_status nats_options_new(nats_options **options_out);
/* Free the options; texts among them, which may be passwords, are overwritten first. Connections
 * that were made with them have their own copy. NULL is fine. */
NATS_API void nats_options_free(nats_options *options);

/* Set an option from text: the value is read according to the option's type (a duration without a
 * unit is in seconds). A text must be valid UTF-8, for it is sent as JSON; control characters are
 * refused. value is copied. On an error the option keeps the value it had.
 * Errors: INVALID for an unknown option or a value of the wrong type or out of its range (the text
 * names the option, and the nearest name, the range or the place of the offending byte; a text is
 * not repeated, for it may be a password), NO_MEMORY. */
NATS_API nats_status nats_options_set_text(nats_options *options, const char *name,
                                           const char *value, size_t value_len);

/* Set a number: a whole one, a duration in milliseconds, or a bool (0 or 1). Errors as above. */
NATS_API nats_status nats_options_set_int(nats_options *options, const char *name, int64_t value);

/* Set a duration in seconds, or a number that happens to be whole. Errors as above. */
NATS_API nats_status nats_options_set_double(nats_options *options, const char *name, double value);

/* Set a bool: 0 is false, all else true. Errors as above. */
NATS_API nats_status nats_options_set_bool(nats_options *options, const char *name, int32_t value);

/* The table, for bindings that map their keyword arguments and for documentation.
 * index: from 0. Returns the name (lives for ever), or NULL past the last option. */
NATS_API const char *nats_options_name(size_t index);
/* The type (NATS_OPTION_…) of an option, 0 when there is no such option. */
NATS_API int32_t nats_options_type(const char *name);
/* One line about an option, its default included; NULL when there is no such option. */
NATS_API const char *nats_options_doc(const char *name);
/* The default of an option that is a bool (0 or 1), a whole number or a duration (ms). 0 for a
 * text, and when there is no such option. What a client uses: nats_client_option_int(). */
NATS_API int64_t nats_options_default(const char *name);
/* The least that an option takes, in the same units; of a text, its length in bytes. 0 when there
 * is no such option. */
NATS_API int64_t nats_options_min(const char *name);
/* The most that it takes, likewise. */
NATS_API int64_t nats_options_max(const char *name);
/* The name that was probably meant by one that is unknown, or NULL when none is near.
 * names: `count` names to choose from, of which one is returned; NULL (count 0) for those of all
 * options. For bindings, whose verbs have keyword arguments of their own. */
NATS_API const char *nats_options_nearest(const char *name, const char *const *names,
                                          size_t count);

#ifdef __cplusplus
}
#endif

#endif
