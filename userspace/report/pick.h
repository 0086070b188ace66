/* pick.h - members of a document, for texts that are made from it. Layer: report. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "report/page.h"

/** Text of a member; @p otherwise where it is none. Borrowed. */
const char *pick_text(const json_t *o, const char *key, const char *otherwise);
/** Number of a member; 0 where it is none or negative. */
uint64_t pick_number(const json_t *o, const char *key);
/** "wal-write, shared": strings of an array, joined, as far as there is room. */
void pick_join(char *ret, size_t size, const json_t *array, const char *between);
/** ASCII letters in upper case, as far as there is room. */
void pick_upper(char *ret, size_t size, const char *text);
enum ink pick_verdict_ink(const char *verdict);
enum ink pick_severity_ink(const char *severity);

#define PICK_WHEN_LEN 32
/** A time of the Contract to the second, "2026-11-21T03:15:02Z"; "-" where there is none. */
void pick_when(char ret[PICK_WHEN_LEN], const json_t *o, const char *key);
/** How long ago it was at @p now_ns (since the epoch), "12 min"; "-" where there is no time, "0 s" when it is to come. */
void pick_age(char ret[PICK_WHEN_LEN], const json_t *o, const char *key, int64_t now_ns);
/** "3 h" of seconds: one unit, rounded down. */
void pick_span(char ret[PICK_WHEN_LEN], uint64_t seconds);
