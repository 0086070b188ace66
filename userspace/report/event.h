/* event.h - one event of vigil.events/1 as a line of text. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/**
 * "2026-11-21T03:15:02.123456Z exit  process=node[100] signal=SIGKILL": time, type, then every other member but `ns` as key=value; a
 * process as comm[pid]. One line whatever the texts hold.
 */
void event_print(const json_t *event, FILE *out);
/** " key=value" of every member but null ones and those named in @p but, ended by NULL. */
void event_print_rest(const json_t *event, const char *const *but, FILE *out);
