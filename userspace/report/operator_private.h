/* operator_private.h - one function for each document, and what they share. Layer: report. */
#pragma once

#include "report/operator.h"
#include "report/page.h"

/** A document on its way to the page. */
struct operator_view {
        const json_t *document;
        int64_t now_ns;
        bool verbose;
};

/** "HEALTHY" and why, of an object with `status` and `reasons`. */
void operator_print_health(struct page *p, const json_t *health);

void operator_health(struct page *p, const struct operator_view *v);
void operator_status(struct page *p, const struct operator_view *v);
/** One incident with everything that belongs to it. */
void operator_incident(struct page *p, const struct operator_view *v, const json_t *incident);
/** That it had been acknowledged and fired again, as it became worse; nothing where that is not so. */
void operator_reopened(struct page *p, const json_t *incident, const char *label, unsigned indent);
/** Whether the next user of each of its databases was seen to leave it whole, though the incident may still fire. */
bool operator_is_recovered(const json_t *incident);
/** Whether that user had nothing to recover: nobody has recovered anything. */
bool operator_had_nothing_left(const json_t *incident);
/** "; the database has been recovered since": what has been seen of that, for people, behind the time. @return "" or a static text */
const char *operator_recovered_since(const json_t *incident);
/** Whether @p found, its check or its backup, is from before its last death. */
bool operator_is_older(const json_t *incident, const json_t *found);
/** "; what it told of is no longer so": how it was resolved, for people, behind the time. @return "" or a static text */
const char *operator_resolved_by(const json_t *incident);
/** Whether its data were to be checked or saved: of a deadlock or a job they are not. */
bool operator_has_data(const json_t *incident);
/** When and how that was seen; nothing where it was not. Then its check and its backup, whether they are older than the last death, and what
 * is still due; in one line for a list. */
void operator_recovered(struct page *p, const json_t *incident, unsigned label);
void operator_integrity(struct page *p, const json_t *incident, unsigned label);
void operator_backup(struct page *p, const json_t *incident, unsigned label);
void operator_due(struct page *p, const json_t *incident, unsigned label);
void operator_data_line(struct page *p, const json_t *incident, unsigned indent);
void operator_incidents(struct page *p, const struct operator_view *v);
void operator_certificates(struct page *p, const struct operator_view *v);
void operator_one_certificate(struct page *p, const json_t *certificate);
void operator_summary(struct page *p, const struct operator_view *v);
void operator_latency(struct page *p, const struct operator_view *v);
/** One job below its row. */
void operator_job(struct page *p, const struct operator_view *v, const json_t *job);
void operator_jobs(struct page *p, const struct operator_view *v);
