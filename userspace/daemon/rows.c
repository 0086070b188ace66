/* rows.c - the rows of the store as they wait in the queue: each is an object that is packed here and unpacked here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/keeper_private.h"

/* What a row costs besides the text of its object. */
#define ROW_BYTES 512

void row_free(struct row *r)
{
        if (!r)
                return;
        json_decref(r->o);
        free(r->blob);
        free(r);
}

/* Takes over @o, which may be NULL. */
static struct row *add(struct keeper *k, enum row_kind kind, json_t *o, bool spare)
{
        struct row *r = o ? calloc(1, sizeof(*r)) : NULL;

        if (r) {
                r->kind = kind;
                r->spare = spare;
                r->o = o;
                r->bytes = ROW_BYTES + json_dumpb(o, NULL, 0, 0);
        } else {
                json_decref(o);
        }
        return keeper_add(k, r);
}

/* A copy; without memory for it the row stands without. @p r may be NULL. */
static void attach(struct row *r, const void *blob, size_t size)
{
        if (!r || !size || !(r->blob = malloc(size)))
                return;
        memcpy(r->blob, blob, size);
        r->blob_size = size;
}

static json_t *doc_or_empty(json_t *doc)
{
        return doc ? doc : json_object();
}

static json_t *text_of(const char *text)
{
        json_t *t = text ? json_string(text) : json_null();
        return t ? t : json_null();
}

/* ---- making ---- */

void keeper_incident(struct keeper *k, const struct incident *i, json_t *doc)
{
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o}", "id", i->id, "code",
                              i->code, "severity", severity_name(i->severity), "status",
                              incident_status_name(i->status), "database", text_of(i->database), "path",
                              text_of(i->path), "summary", i->summary, "started", (json_int_t)i->started_ns,
                              "acknowledged", (json_int_t)i->acknowledged_ns, "resolved",
                              (json_int_t)i->resolved_ns, "by", text_of(i->resolved_by), "doc", doc_or_empty(doc));
        add(k, ROW_INCIDENT, o, false);
}

void keeper_certificate(struct keeper *k, const char *id, const char *database, const char *incident,
                        const char *verdict, int64_t ended_ns, json_t *doc, bool spare)
{
        json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:I, s:o}", "id", id, "database", database, "incident",
                              text_of(incident), "verdict", verdict, "at", (json_int_t)ended_ns, "doc",
                              doc_or_empty(doc));
        add(k, ROW_CERTIFICATE, o, spare && !incident);
}

void keeper_finding(struct keeper *k, const char *id, const char *database, const char *incident, const char *code,
                    const char *severity, int64_t at_ns, json_t *doc)
{
        json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:o}", "id", id, "database", text_of(database),
                              "incident", incident, "code", code, "severity", severity, "at", (json_int_t)at_ns,
                              "doc", doc_or_empty(doc));
        add(k, ROW_FINDING, o, false);
}

json_t *keeper_intent(struct keeper *k, const char *kind, const char *database, const char *incident,
                      const char *reason, int64_t now_ns, void (*stored)(void *userdata), void *userdata)
{
        json_t *o = json_pack("{s:s, s:o, s:o, s:s, s:I}", "kind", kind, "database", text_of(database), "incident",
                              text_of(incident), "reason", reason, "at", (json_int_t)now_ns);
        struct row *r = add(k, ROW_INTENT, o, false);

        if (!r)
                return NULL;
        r->stored = stored;
        r->userdata = userdata;
        return json_incref(o);
}

void keeper_outcome(struct keeper *k, json_t *ticket, const char *outcome, int64_t now_ns, json_t *doc)
{
        json_t *o = json_pack("{s:O, s:s, s:I, s:o}", "ticket", ticket, "outcome", outcome, "at",
                              (json_int_t)now_ns, "doc", doc_or_empty(doc));
        add(k, ROW_OUTCOME, o, false);
}

void keeper_adopted(struct keeper *k, const char *kind, const char *database, const char *incident, int64_t now_ns,
                    json_t *doc)
{
        add(k, ROW_ADOPTED,
            json_pack("{s:s, s:s, s:s, s:I, s:o}", "kind", kind, "database", database, "incident", incident, "at",
                      (json_int_t)now_ns, "doc", doc_or_empty(doc)),
            false);
}

void keeper_backup(struct keeper *k, const char *database, const char *incident, json_t *entry)
{
        add(k, ROW_BACKUP,
            json_pack("{s:s, s:o, s:o}", "database", database, "incident", text_of(incident), "doc",
                      doc_or_empty(entry)),
            false);
}

void keeper_backup_removed(struct keeper *k, const char *database, const char *id, int64_t at_ns)
{
        add(k, ROW_REMOVED, json_pack("{s:s, s:s, s:I}", "database", database, "id", id, "at", (json_int_t)at_ns),
            false);
}

void keeper_evidence_removed(struct keeper *k, const char *incident, int64_t at_ns)
{
        add(k, ROW_EVIDENCE_REMOVED, json_pack("{s:s, s:I}", "id", incident, "at", (json_int_t)at_ns), false);
}

void keeper_check(struct keeper *k, const char *database, const char *incident, const char *reason, int64_t at_ns,
                  json_t *check)
{
        add(k, ROW_CHECK,
            json_pack("{s:s, s:o, s:s, s:I, s:o}", "database", database, "incident", text_of(incident), "reason",
                      reason, "at", (json_int_t)at_ns, "doc", doc_or_empty(check)),
            false);
}

void keeper_event(struct keeper *k, const char *type, const char *database, int64_t at_ns, json_t *doc)
{
        char at[TEXT_TIME_LEN];

        text_time(at, at_ns);
        doc = doc_or_empty(doc);
        json_object_set_new(doc, "at", json_string(at));
        json_object_set_new(doc, "type", json_string(type));
        json_object_set_new(doc, "database", text_of(database));
        add(k, ROW_EVENT,
            json_pack("{s:s, s:o, s:I, s:o}", "type", type, "database", text_of(database), "at", (json_int_t)at_ns,
                      "doc", doc),
            true);
}

void keeper_metric(struct keeper *k, const char *type, double value, int64_t at_ns, json_t *labels)
{
        add(k, ROW_METRIC,
            json_pack("{s:s, s:f, s:I, s:o}", "type", type, "value", value, "at", (json_int_t)at_ns, "doc",
                      doc_or_empty(labels)),
            true);
}

void keeper_summary(struct keeper *k, const struct store_summary *s)
{
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "database", s->database, "file",
                              s->file, "process", s->process, "op", s->op, "start", (json_int_t)s->start_s, "span",
                              (json_int_t)s->span_s, "count", (json_int_t)s->count, "bytes", (json_int_t)s->bytes,
                              "errors", (json_int_t)s->errors);
        attach(add(k, ROW_SUMMARY, o, true), s->hist, s->hist ? sizeof(*s->hist) : 0);
}

void keeper_taken_over(struct keeper *k, const char *incident, const char *status, int64_t at_ns)
{
        add(k, ROW_TAKEN_OVER,
            json_pack("{s:s, s:s, s:I}", "id", incident, "status", status, "at", (json_int_t)at_ns), false);
}

void keeper_baseline(struct keeper *k, const struct store_baseline *b)
{
        json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:I}", "database", b->database, "file", b->file, "op", b->op,
                              "hour", (int)b->hour, "updated", (json_int_t)b->updated_s);
        attach(add(k, ROW_BASELINE, o, true), b->learned, b->size);
}

void keeper_forget_baseline(struct keeper *k, const char *database, const char *file, const char *op)
{
        add(k, ROW_BASELINE_FORGOTTEN, json_pack("{s:s, s:s, s:s}", "database", database, "file", file, "op", op),
            true);
}

void keeper_end_run(struct keeper *k, int64_t now_ns)
{
        add(k, ROW_RUN_END, json_pack("{s:I}", "at", (json_int_t)now_ns), false);
}

/* ---- writing ---- */

static const char *text(const json_t *o, const char *key)
{
        return json_string_value(json_object_get(o, key)); /* NULL for null */
}

static json_int_t number(const json_t *o, const char *key)
{
        return json_integer_value(json_object_get(o, key));
}

static int write_incident(struct store *s, struct row *r)
{
        const struct store_incident i = {.id = text(r->o, "id"),
                                         .code = text(r->o, "code"),
                                         .severity = text(r->o, "severity"),
                                         .status = text(r->o, "status"),
                                         .database = text(r->o, "database"),
                                         .path = text(r->o, "path"),
                                         .summary = text(r->o, "summary"),
                                         .started_ns = number(r->o, "started"),
                                         .acknowledged_ns = number(r->o, "acknowledged"),
                                         .resolved_ns = number(r->o, "resolved"),
                                         .resolved_by = text(r->o, "by"),
                                         .doc = json_object_get(r->o, "doc")};
        return store_put_incident(s, &i);
}

static int write_certificate(struct store *s, struct row *r)
{
        return store_put_certificate(s, text(r->o, "id"), text(r->o, "database"), text(r->o, "incident"),
                                     text(r->o, "verdict"), number(r->o, "at"), json_object_get(r->o, "doc"));
}

static int write_finding(struct store *s, struct row *r)
{
        return store_put_finding(s, text(r->o, "id"), text(r->o, "database"), text(r->o, "incident"),
                                 text(r->o, "code"), text(r->o, "severity"), number(r->o, "at"),
                                 json_object_get(r->o, "doc"));
}

static int begin_action(struct store *s, const json_t *intent, int64_t *ret_id)
{
        return store_begin_action(s, text(intent, "kind"), text(intent, "database"), text(intent, "incident"),
                                  text(intent, "reason"), number(intent, "at"), ret_id);
}

static int write_intent(struct store *s, struct row *r)
{
        int64_t id;
        return begin_action(s, r->o, &id);
}

/* Its intent may stand in a store that is gone: then both are in this one. */
static int write_outcome(struct store *s, struct row *r)
{
        const json_t *intent = json_object_get(r->o, "ticket");
        int64_t id = 0;
        int e = store_find_action(s, text(intent, "kind"), text(intent, "database"), number(intent, "at"), &id);

        if (e == -ENOENT)
                e = begin_action(s, intent, &id);
        return e < 0 ? e
                     : store_end_action(s, id, text(r->o, "outcome"), number(r->o, "at"),
                                        json_object_get(r->o, "doc"));
}

static int write_adopted(struct store *s, struct row *r)
{
        return store_adopt_action(s, text(r->o, "kind"), text(r->o, "database"), text(r->o, "incident"),
                                  number(r->o, "at"), json_object_get(r->o, "doc"));
}

static int write_backup(struct store *s, struct row *r)
{
        return store_put_backup(s, text(r->o, "database"), json_object_get(r->o, "doc"), text(r->o, "incident"));
}

static int write_evidence_removed(struct store *s, struct row *r)
{
        return store_evidence_removed(s, text(r->o, "id"), number(r->o, "at"));
}

static int write_removed(struct store *s, struct row *r)
{
        return store_remove_backup(s, text(r->o, "database"), text(r->o, "id"), number(r->o, "at"));
}

static int write_check(struct store *s, struct row *r)
{
        return store_put_check(s, text(r->o, "database"), text(r->o, "incident"), text(r->o, "reason"),
                               number(r->o, "at"), json_object_get(r->o, "doc"));
}

static int write_event(struct store *s, struct row *r)
{
        int64_t seq;
        return store_put_event(s, text(r->o, "type"), text(r->o, "database"), number(r->o, "at"),
                               json_object_get(r->o, "doc"), &seq);
}

static int write_metric(struct store *s, struct row *r)
{
        return store_put_metric(s, text(r->o, "type"), json_real_value(json_object_get(r->o, "value")),
                                json_object_get(r->o, "doc"), number(r->o, "at"));
}

static int write_summary(struct store *s, struct row *r)
{
        const struct store_summary row = {.database = text(r->o, "database"),
                                          .file = text(r->o, "file"),
                                          .process = text(r->o, "process"),
                                          .op = text(r->o, "op"),
                                          .start_s = number(r->o, "start"),
                                          .span_s = (uint32_t)number(r->o, "span"),
                                          .count = (uint64_t)number(r->o, "count"),
                                          .bytes = (uint64_t)number(r->o, "bytes"),
                                          .errors = (uint64_t)number(r->o, "errors"),
                                          .hist = r->blob};
        return store_add_summary(s, &row);
}

static int write_taken_over(struct store *s, struct row *r)
{
        return store_take_over_alert(s, text(r->o, "id"), text(r->o, "status"), number(r->o, "at"));
}

static int write_baseline(struct store *s, struct row *r)
{
        const struct store_baseline b = {.database = text(r->o, "database"),
                                         .file = text(r->o, "file"),
                                         .op = text(r->o, "op"),
                                         .hour = (unsigned)number(r->o, "hour"),
                                         .updated_s = number(r->o, "updated"),
                                         .learned = r->blob,
                                         .size = r->blob_size};
        return store_put_baseline(s, &b);
}

static int write_baseline_forgotten(struct store *s, struct row *r)
{
        return store_forget_baseline(s, text(r->o, "database"), text(r->o, "file"), text(r->o, "op"));
}

/* In the order of enum row_kind. */
static const struct kind {
        const char *name;
        int (*write)(struct store *s, struct row *r);
} kinds[] = {[ROW_INCIDENT] = {"incident", write_incident},
             [ROW_CERTIFICATE] = {"certificate", write_certificate},
             [ROW_FINDING] = {"finding", write_finding},
             [ROW_INTENT] = {"intent", write_intent},
             [ROW_OUTCOME] = {"outcome", write_outcome},
             [ROW_ADOPTED] = {"adopted", write_adopted},
             [ROW_BACKUP] = {"backup", write_backup},
             [ROW_REMOVED] = {"backup-removed", write_removed},
             [ROW_EVIDENCE_REMOVED] = {"evidence-removed", write_evidence_removed},
             [ROW_CHECK] = {"check", write_check},
             [ROW_EVENT] = {"event", write_event},
             [ROW_METRIC] = {"metric", write_metric},
             [ROW_SUMMARY] = {"summary", write_summary},
             [ROW_TAKEN_OVER] = {"taken-over", write_taken_over},
             [ROW_BASELINE] = {"baseline", write_baseline},
             [ROW_BASELINE_FORGOTTEN] = {"baseline-forgotten", write_baseline_forgotten},
             [ROW_RUN_END] = {"run-end", NULL}};

int row_write(struct store *s, struct row *r, int64_t run)
{
        /* When the row was made, the store may have been another. */
        if (r->kind == ROW_RUN_END)
                return store_end_run(s, run, number(r->o, "at"));
        return kinds[r->kind].write(s, r);
}

const char *row_name(enum row_kind kind)
{
        return kinds[kind].name;
}

json_t *row_json(const struct row *r)
{
        char *hex = malloc(2 * r->blob_size + 1);
        json_t *o = NULL;

        for (size_t i = 0; hex && i < r->blob_size; i++)
                snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)r->blob)[i]);
        if (hex) {
                hex[2 * r->blob_size] = 0;
                o = json_pack("{s:s, s:O, s:s}", "kind", row_name(r->kind), "row", r->o, "blob", hex);
        }
        free(hex);
        return o;
}
