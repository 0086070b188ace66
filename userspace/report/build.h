/* build.h - parts of the document "vigil.report/1", one function each. Layer: report.
 *
 * jansson fails only when memory runs out. Failures are sticky: a part that could not be made leaves `failed` set, and the
 * whole document is thrown away. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "detect/detect.h"
#include "report/report.h"

struct build {
        const struct detection *d;
        const struct model *m;
        bool failed;
        size_t operations; /* told so far in all last_operations */
};

/** A report of ten thousand deaths must not need ten thousand flight recorders in memory: of the clean, the last few
 * operations are told, and of everybody only while there is room. */
#define REPORT_OPERATIONS       16384
#define REPORT_OPERATIONS_CLEAN 16

/** Sets @p key; takes the reference of @p value, NULL: out of memory. */
void put(struct build *b, json_t *object, const char *key, json_t *value);
/** Text that may hold any byte: U+FFFD and "<key>_hex" by the Contract. NULL: JSON null. */
void put_bytes(struct build *b, json_t *object, const char *key, const char *text);
/** Text of our own, or null. */
void put_text(struct build *b, json_t *object, const char *key, const char *text);
void put_number(struct build *b, json_t *object, const char *key, uint64_t n);
/** A time of the stream as RFC 3339; null without a session, or for 0. */
void put_time(struct build *b, json_t *object, const char *key, uint64_t ns);
/** "argv" (and "argv_hex" where needed) of NUL-separated arguments. */
void put_argv(struct build *b, json_t *object, const char *argv, size_t n);
void append(struct build *b, json_t *array, json_t *value);

json_t *build_trust(struct build *b, const struct trust *t);
/** `process` of a certificate or of a living participant. */
json_t *build_process(struct build *b, const struct model_death *d);
/** `at_risk` of a certificate or of a database. */
json_t *build_risks(struct build *b, const struct file_risk risk[VIGIL_ROLES]);
json_t *build_certificate(struct build *b, const struct certificate *c);
/** Rows of `io`. */
json_t *build_io(struct build *b, size_t database);
json_t *build_database(struct build *b, size_t database, const struct report_extras *extras);
/** `journal_mode` of the Contract. */
const char *journal_mode(const struct model_database *db);
