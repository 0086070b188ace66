/* grammar.h - every section and key that a configuration may have, as one table. Layer: config, private to it.
 *
 * A new key is one row here, one member in config.h and one entry in vigil.conf(5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a value must look like, and the type of the member it is written to. */
enum key_kind {
        KEY_TEXT,     /* not empty; char * */
        KEY_PATH,     /* absolute; char * */
        KEY_DURATION, /* "90s", "5m", "1h", "7d"; uint64_t, milliseconds */
        KEY_BYTES,    /* "512M", "10G"; uint64_t */
        KEY_COUNT,    /* unsigned */
        KEY_FLAG,     /* true or false; bool */
        KEY_CHOICE,   /* one of `choices`; unsigned (or an enum), its index */
        KEY_SET,      /* a list of `choices`; unsigned, 1 << index of each */
        KEY_LIST,     /* a list of at most `max` texts, none of them empty; char **, ended by NULL */
};

struct key {
        const char *name;
        const char *const *choices;
        uint64_t min, max; /* of KEY_DURATION, KEY_BYTES, KEY_COUNT; max 0: no limit */
        size_t offset;     /* of the member, in the structure of the section */
        enum key_kind kind;
        bool required;
};

struct section {
        const char *name;
        const struct key *keys;             /* ended by a NULL name */
        const struct section *const *below; /* sections inside, ended by NULL; may be NULL */
        bool titled;                        /* section "title" { … }, any number of them */
        size_t list, count, size; /* titled: where the array and its length stand in struct config, size of one */
        size_t title, line;       /* titled: where name and line of one stand in it */
};

/** What the file as a whole may have. */
extern const struct section grammar;

#define KEY_FORM_LEN 64

/** How one value of @p k is written, "a duration such as …", "one of: …"; NULL: it may be any text. */
const char *key_form(const struct key *k, char ret[KEY_FORM_LEN]);
