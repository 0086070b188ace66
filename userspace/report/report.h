/* report.h - the report of exec, attach and replay: JSON by the Contract (6.2), and text for people. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "detect/detect.h"
#include "engine/check.h"

/** What a live run adds to one database. */
struct report_attachment {
        size_t database;                  /* index for model_database() */
        const struct check_result *check; /* NULL: skipped */
        json_t *backup;                   /* object of the Contract, borrowed; NULL: none was made */
};

struct report_extras {
        const struct report_attachment *item;
        size_t n;
        const char *skip_reason;         /* why `integrity` is skipped where no check is attached; NULL: "replay" */
        const char *attribution_why_not; /* why --why tells nothing; NULL: it does, or nobody asked */
};

/**
 * The document "vigil.report/1".
 * @param ret  new reference
 * @return 0 or -ENOMEM
 */
int report_build(const struct detection *d, const struct report_extras *extras, json_t **ret);

/** Whether somebody who wants to hear of trouble only need not be told of @p report: every end was clean, nothing was found, nothing was
 * damaged or could not be checked, nothing was missed. */
bool report_is_uneventful(const json_t *report);

/** How the text report looks. */
struct report_style {
        bool colour;
        unsigned width; /* columns; 0: 100 */
        bool verbose;   /* every certificate and every row of `io`, also of the uneventful */
};

/**
 * The report for people, made from the JSON document alone: verdict first, evidence after it, advice last.
 * @return 0; -EINVAL @p report is no such document; or -errno of writing
 */
int report_text(const json_t *report, FILE *out, const struct report_style *style);
