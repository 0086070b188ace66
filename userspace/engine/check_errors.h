/* check_errors.h - what `pragma integrity_check` says, as errors with page numbers. Layer: engine. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_ERRORS_MAX 100 /* kept; the rest is counted */
#define CHECK_TEXT_MAX   300 /* bytes of one error's text */

/** Errors found so far. Zero is none; `list` is a new reference that the owner releases. */
struct check_errors {
        json_t *list;  /* of {"page": n or null, "text": "…"} */
        uint64_t more; /* found and not kept */
};

/**
 * The page that the text of an error is about: the number after the first word "page" or "page number".
 * "Page 5: …", "Tree 3 page 9 cell 1: …", "On tree page 4 cell 0: 2nd reference to page 7" are about 5, 9 and 4.
 *
 * @return true and the number, or false: it names none
 */
bool check_error_page(const char *text, size_t n, uint32_t *ret_page);

/**
 * Adds one row of the pragma: one error per line. "ok" and the heading "*** in database main ***" are none.
 * @return 0 or -ENOMEM
 */
int check_errors_add(struct check_errors *e, const char *row, size_t n);

/** Ends the list: if errors were left out, a last entry says how many. @return 0 or -ENOMEM */
int check_errors_end(struct check_errors *e);
