/* operator.h - the documents that the daemon answers operators with, as text. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "report/report.h"

/**
 * The document for a tired person: the verdict first, the worst first, in 100 columns. Made from the document alone. Knows
 * vigil.status/1, health/1, incidents/1, certificates/1, summary/1, jobs/1.
 *
 * @param now_ns  since the epoch, for "12 min ago"
 * @return 0; -EINVAL: none of these; or -errno of writing
 */
int operator_text(const json_t *document, int64_t now_ns, const struct report_style *style, FILE *out);

/** The first death of a vigil.certificates/1, told whole. @return as operator_text() */
int operator_certificate(const json_t *document, const struct report_style *style, FILE *out);

/**
 * The first incident of a vigil.incidents/1 with `finding_details` and `certificate_details`, as an incident report in Markdown.
 * What only people know is marked with [brackets].
 * @return 0; -EINVAL: there is none; or -errno of writing
 */
int operator_markdown(const json_t *document, FILE *out);

/** One event of the daemon as a line: when, what, on which database. @return 0 or -errno of writing */
int operator_event(const json_t *event, const struct report_style *style, FILE *out);
