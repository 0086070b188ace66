/* database.c - one entry of `databases`. */
#include "base/text.h"
#include "detect/wording.h"
#include "report/build.h"
#include "report/neighbours.h"
#include "report/shares.h"

/* What the files say outranks what was seen of them: a mode may be changed without a transaction. Of the rollback modes only
 * how a journal ended tells which it is, and not under locking_mode EXCLUSIVE, which zeroes the header in all of them. */
const char *journal_mode(const struct model_database *db)
{
        const struct vigil_observed *o = db->observed;
        bool looked = o && !o->error && o->flags & VIGIL_OBS_SQLITE;
        if (looked ? o->flags & VIGIL_OBS_WAL_MODE : db->flags & VIGIL_DB_WAL_SEEN)
                return "wal";
        uint32_t ended = db->flags &
                         (VIGIL_DB_JOURNAL_UNLINKED | VIGIL_DB_JOURNAL_TRUNCATED | VIGIL_DB_JOURNAL_ZEROED);
        switch (ended) {
        case VIGIL_DB_JOURNAL_UNLINKED:
                return "delete";
        case VIGIL_DB_JOURNAL_TRUNCATED:
                return "truncate";
        case VIGIL_DB_JOURNAL_ZEROED:
                return db->flags & VIGIL_DB_EXCLUSIVE ? "rollback" : "persist";
        case 0:
                if (db->flags & VIGIL_DB_NO_JOURNAL)
                        return "memory-or-off";
                return looked ? "rollback" : "unknown";
        default:
                return "rollback";
        }
}

/* Encrypted ones are used as any other, and judged so. */
static const char *engine(const struct model_database *db)
{
        const struct vigil_observed *o = db->observed;
        bool other = o && !o->error && o->flags & VIGIL_OBS_MAIN &&
                     !(o->flags & (VIGIL_OBS_EMPTY | VIGIL_OBS_SQLITE));

        return other ? "unknown" : "sqlite";
}

/* Who did something and left no certificate of it: what is known of that process, at least its name. */
static json_t *build_actor(struct build *b, const struct finding *f)
{
        const struct model_process *p = model_process_at(b->m, f->process.start_ns, f->process.tgid, f->ns);
        json_t *o;

        if (p) {
                struct model_death as = {
                        .id = f->process, .uid = p->uid, .ppid = p->ppid, .cgroup_id = p->cgroup_id, .process = p};
                return build_process(b, &as);
        }
        o = json_object();
        put_number(b, o, "pid", f->process.tgid);
        put_number(b, o, "start_ns", f->process.start_ns);
        put_bytes(b, o, "comm", f->process.comm);
        return o;
}

static json_t *build_finding(struct build *b, const struct finding *f)
{
        json_t *o = json_object();
        put_text(b, o, "id", f->id);
        put_text(b, o, "code", f->code);
        put_text(b, o, "severity", severity_name(f->severity));
        put_time(b, o, "at", f->ns);
        if (f->certificate) {
                put(b, o, "process", build_process(b, f->certificate->death));
        } else if (f->process.tgid) {
                put(b, o, "process", build_actor(b, f));
        } else {
                put(b, o, "process", json_null());
        }
        put_bytes(b, o, "detail", f->detail);
        put(b, o, "evidence", json_incref(f->evidence));
        put(b, o, "trust", build_trust(b, &f->trust));
        return o;
}

static json_t *build_one_living(struct build *b, const struct model_death *d, const struct model_use *u)
{
        struct holding h = holding_of(d, u);
        json_t *o = build_process(b, d);
        put(b, o, "locks", lock_names(h.locks));
        put_text(b, o, "transaction", held_txn_name(h.held));
        put_time(b, o, "transaction_since", h.since_ns);
        put(b, o, "seen_late", json_boolean(h.late));
        put_time(b, o, "since", u->use.first_ns);
        put_number(b, o, "commits", u->use.commits);
        return o;
}

/* What the database owes the disk at the end of the watch. */
static void put_debts(struct build *b, json_t *o, const struct vigil_db *db)
{
        struct debts d = {0};
        if (db)
                debts_of(db, &d);
        put(b, o, "at_risk", db ? build_risks(b, d.risk) : json_null());
        put(b, o, "at_risk_lower_bound", db ? json_boolean(d.lower_bound) : json_null());
        if (db)
                put_number(b, o, "commits_at_risk", d.commits);
        else
                put(b, o, "commits_at_risk", json_null());
        put(b, o, "tainted", db ? json_boolean(d.tainted) : json_null());
}

static json_t *build_living(struct build *b, size_t database)
{
        json_t *array = json_array();
        for (size_t i = 0; i < model_n_living(b->m); i++) {
                const struct model_death *d = model_living(b->m, i);
                for (uint32_t k = 0; k < d->nuses; k++) {
                        if (d->use[k].database != database || d->flags & VIGIL_PROC_CANARY)
                                continue;
                        append(b, array, build_one_living(b, d, &d->use[k]));
                }
        }
        return array;
}

static json_t *build_integrity(const struct model_database *db, const struct report_attachment *a, const char *why)
{
        if (a && a->check)
                return check_json(a->check);
        const struct vigil_observed *look = db->observed;
        if (look && !look->error && !(look->flags & VIGIL_OBS_MAIN))
                why = "the file is gone";
        struct check_result skipped = {.outcome = CHECK_SKIPPED,
                                       .method = "none",
                                       .on = "none",
                                       .errors = json_array(),
                                       .reason = (char *)(why ? why : "replay")};
        json_t *o = skipped.errors ? check_json(&skipped) : NULL;
        json_decref(skipped.errors);
        return o;
}

/* null: nobody asked where the time went, or nothing can be told. */
static json_t *build_attribution(struct build *b, size_t database)
{
        json_t *array = NULL;
        for (size_t i = 0; i < model_n_shares(b->m); i++) {
                const struct model_shares *s = model_shares(b->m, i);
                if (s->database != database)
                        continue;
                if (!array)
                        array = json_array();
                append(b, array, shares_json(&s->a));
        }
        return array ? array : json_null();
}

static const char *cgroup_of(uint64_t id, const void *userdata)
{
        return model_cgroup(userdata, id);
}

/* null: nothing is told of where time went. */
static json_t *build_neighbours(struct build *b, size_t database)
{
        for (size_t i = 0; i < model_n_shares(b->m); i++) {
                const struct model_shares *s = model_shares(b->m, i);
                size_t n;
                if (s->database != database)
                        continue;
                const struct vigil_neighbour *list = model_neighbours(b->m, &n);
                return neighbours_json(list, n, s->a.db, s->a.disk, s->a.disk_name, cgroup_of, b->m);
        }
        return json_null();
}

static uint32_t page_size(const struct model_database *db)
{
        if (db->observed && !db->observed->error && db->observed->page_size)
                return db->observed->page_size;
        return db->ledger ? db->ledger->page_size : 0;
}

json_t *build_database(struct build *b, size_t database, const struct report_extras *extras)
{
        const struct model_database *db = model_database(b->m, database);
        const struct report_attachment *extra = NULL;
        for (size_t i = 0; extras && i < extras->n; i++)
                if (extras->item[i].database == database)
                        extra = &extras->item[i];

        json_t *o = json_object(), *certificates = json_array(), *findings = json_array();
        const char *doubt = detection_doubt(b->d, database);
        put_bytes(b, o, "path", db->path);
        put_text(b, o, "engine", engine(db));
        put_text(b, o, "verdict", verdict_name(detection_verdict(b->d, database)));
        put_text(b, o, "doubt", doubt);
        put_text(b, o, "journal_mode", journal_mode(db));
        put(b, o, "page_size", page_size(db) ? json_integer(page_size(db)) : json_null());
        for (size_t i = 0; i < detection_n_certificates(b->d); i++)
                if (detection_certificate(b->d, i)->database == database)
                        append(b, certificates, build_certificate(b, detection_certificate(b->d, i)));
        for (size_t i = 0; i < detection_n_findings(b->d); i++)
                if (detection_finding(b->d, i)->database == database)
                        append(b, findings, build_finding(b, detection_finding(b->d, i)));
        put(b, o, "certificates", certificates);
        put(b, o, "processes", build_living(b, database));
        put_debts(b, o, db->ledger);
        put(b, o, "findings", findings);
        put(b, o, "integrity", build_integrity(db, extra, extras ? extras->skip_reason : NULL));
        put(b, o, "io", build_io(b, database));
        put(b, o, "attribution", build_attribution(b, database));
        put(b, o, "neighbours", build_neighbours(b, database));
        put_text(b, o, "attribution_why_not", extras ? extras->attribution_why_not : NULL);
        put(b, o, "backup", extra && extra->backup ? json_incref(extra->backup) : json_null());
        return o;
}
