/* death.h - a certificate as text. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "report/page.h"

/** Columns of the left margin of reports. */
#define DEATH_LABEL 18

/** "was killed by SIGKILL (kill)": how the process of certificate @p c ended. */
void death_ending(char *ret, size_t size, const json_t *c);
/** What the certificate or database @p o says that it owes the disk. */
void death_debts(struct page *p, const json_t *o);
/** Paragraphs of certificate @p c, after an empty line.
 * @param over     its incident is: what was foretold at the death is not to come any more
 * @param verbose  also when, and its last operations */
void death_print(struct page *p, const json_t *c, bool over, bool verbose);
