/* top_waits.h - who waits for the locks of a database, as `vigil top` shows it. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Whether anybody waits at @p entry, a database of vigil.top/1, or that is not known. */
bool top_waits(const json_t *entry);
/** Whether somebody has waited for a second or more. */
bool top_waits_long(const json_t *entry);
/** "  5 wait: python3 (pid 12) 8.2 s for wal-write, held by node (pid 10)": the one who has waited longest is told of;
 * or that it is not known. */
void top_waits_text(char *ret, size_t size, const json_t *entry);
