/* What the JSON library lets pass although it is not JSON, or reads inexactly. */
#ifndef NATS_JSON_GRAMMAR_H
#define NATS_JSON_GRAMMAR_H

#include <stddef.h>

/* Check the words of a text: strings, numbers, literals, encoding. The structure is left to the
 * parser. Returns NULL when all is well, else a fixed text that says what is wrong. */
const char *nats__json_check_words(const char *text, size_t len);

#endif
