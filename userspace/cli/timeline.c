/* timeline.c - one event out of each record: a table of types, and one function per kind of body. */
#include "cli/timeline.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "detect/wording.h"
#include "report/event.h"
#include "report/shares.h"

static void put(json_t *o, const char *key, uint64_t n)
{
        json_object_set_new(o, key, json_integer((json_int_t)(n & INT64_MAX)));
}

static void put_result(json_t *o, int32_t result)
{
        json_object_set_new(o, "result", json_integer(result));
}

static void put_process(json_t *o, const char *key, const struct vigil_ident *id)
{
        if (!id->tgid)
                return;
        json_t *p = json_object();
        put(p, "pid", id->tgid);
        put(p, "start_ns", id->start_ns);
        text_json_set(p, "comm", id->comm, strlen(id->comm));
        json_object_set_new(o, key, p);
}

static void put_text(json_t *o, const char *key, const char *text)
{
        if (text[0])
                text_json_set(o, key, text, strlen(text));
}

static void put_locks(json_t *o, const char *key, uint32_t locks)
{
        if (locks)
                json_object_set_new(o, key, lock_names(locks));
}

/* ---- bodies -------------------------------------------------------------------------------------------------------- */

static void session(json_t *o, const void *record)
{
        const struct vigil_session *r = record;
        put_text(o, "host", r->host);
        put_text(o, "kernel", r->kernel);
        put_text(o, "vigil", r->vigil);
        put_text(o, "tier", r->tier);
}

static void database(json_t *o, const void *record)
{
        const struct vigil_database *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->db);
        put_text(o, "path", r->path);
}

static void process(json_t *o, const void *record)
{
        const struct vigil_process *r = record;
        put_process(o, "process", &r->id);
        put(o, "ppid", r->ppid);
        put(o, "uid", r->uid);
        put_text(o, "exe", r->exe);
}

static void operation(json_t *o, const void *record)
{
        const struct vigil_op *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->e.db);
        put_text(o, "op", op_name(r->hdr.type == VIGIL_OPEN ? VIGIL_OP_OPEN : r->e.op));
        put_text(o, "file", role_name(r->e.role));
        put(o, "offset", r->e.offset);
        put(o, "bytes", r->e.bytes);
        put_result(o, r->e.result);
        if (r->duration_ns)
                put(o, "us", r->duration_ns / 1000);
        if (r->taken)
                json_object_set_new(o, "taken", json_true());
}

static void path_operation(json_t *o, const void *record)
{
        const struct vigil_pathop *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->db);
        put_text(o, "op", op_name(r->op));
        put_text(o, "file", role_name(r->role));
        put_text(o, "name", r->name);
        put_text(o, "other", r->other);
        if (r->taken)
                json_object_set_new(o, "taken", json_true());
        put_result(o, r->result);
}

static void signal_sent(json_t *o, const void *record)
{
        const struct vigil_signal *r = record;
        put_process(o, "process", &r->id);
        put_text(o, "signal", text_signal(r->sig.sig));
        json_object_set_new(o, "code", json_integer(r->sig.code));
        struct vigil_ident sender = {.tgid = r->sig.sender_tgid, .start_ns = r->sig.sender_start_ns};
        memcpy(sender.comm, r->sig.sender_comm, sizeof(sender.comm));
        put_process(o, "current", &sender);
}

static void whole_process(json_t *o, const void *record)
{
        const struct vigil_proc *r = record;
        put_process(o, "process", &r->id);
        if (r->hdr.type == VIGIL_EXIT && r->exit_code & 0x7f)
                put_text(o, "signal", text_signal(r->exit_code & 0x7f));
        else if (r->hdr.type == VIGIL_EXIT)
                put(o, "exit_code", (uint64_t)(r->exit_code >> 8) & 0xff);
        put(o, "databases", r->nuses);
        put(o, "operations", r->nops);
}

static void exit_database(json_t *o, const void *record)
{
        const struct vigil_exit_db *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->use.db);
        put_locks(o, "locks", r->use.locks_at_end);
        put(o, "writes", r->use.writes);
        put(o, "commits", r->use.commits);
}

static void writeback(json_t *o, const void *record)
{
        const struct vigil_wberr *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->db);
        put_text(o, "file", role_name(r->role));
        put_result(o, r->error);
}

static void oom(json_t *o, const void *record)
{
        put_process(o, "process", &((const struct vigil_oom *)record)->id);
}

static void forked(json_t *o, const void *record)
{
        const struct vigil_fork *r = record;
        put_process(o, "process", &r->parent);
        put_process(o, "child", &r->child);
}

static void ledger(json_t *o, const void *record)
{
        const struct vigil_ledger_rec *r = record;
        put(o, "database", r->db.id);
        put(o, "wal_commits", r->db.wal_commits);
        put(o, "rollback_commits", r->db.rb_commits);
}

static void observed(json_t *o, const void *record)
{
        const struct vigil_observed *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->db);
        put(o, "main_bytes", r->main_bytes);
        put(o, "wal_bytes", r->wal_bytes);
        put(o, "journal_bytes", r->journal_bytes);
        if (r->error)
                put_result(o, r->error);
}

static void statistics(json_t *o, const void *record)
{
        const struct vigil_stats *r = record;
        put(o, "records", r->records);
        put(o, "lost", r->c.lost);
        put(o, "missed", r->missed);
}

static void ended(json_t *o, const void *record)
{
        const struct vigil_end *r = record;
        put_process(o, "process", &r->id);
        json_object_set_new(o, "status", json_integer(r->status));
}

static void named(json_t *o, const void *record)
{
        const struct vigil_hdr *h = record;
        if (h->type == VIGIL_CGROUP)
                put_text(o, "path", ((const struct vigil_cgroup *)record)->path);
        else
                put_text(o, "name", ((const struct vigil_probe *)record)->name);
}

static void histogram(json_t *o, const void *record)
{
        const struct vigil_hist_rec *r = record;
        put(o, "database", r->key.db);
        put_text(o, "file", role_name(r->key.role));
        put_text(o, "op", op_name(r->key.op));
        put_text(o, "comm", r->key.comm);
        put(o, "count", r->hist.count);
        put(o, "max_us", r->hist.max_ns / 1000);
}

static void attribution(json_t *o, const void *record)
{
        const struct vigil_attribution *r = record;
        json_t *shares = shares_json(r);
        char text[512];
        shares_text(text, sizeof(text), shares);
        json_decref(shares);
        put(o, "database", r->db);
        put_text(o, "op", op_name(r->op));
        put(o, "count", r->count);
        put(o, "total_us", r->total_ns / 1000);
        put_text(o, "shares", text);
}

static void neighbour(json_t *o, const void *record)
{
        const struct vigil_neighbour *r = record;
        put_process(o, "process", &r->id);
        put(o, "database", r->db);
        put(o, "disk", r->disk);
        put(o, "waited_us", r->waited_ns / 1000);
        put(o, "write_bytes", r->write_bytes);
        put(o, "read_bytes", r->read_bytes);
        put(o, "syncs", r->syncs);
}

static const struct {
        const char *name;
        void (*body)(json_t *o, const void *record);
} types[] = {
        [VIGIL_SESSION] = {"session", session},
        [VIGIL_DATABASE] = {"database", database},
        [VIGIL_PROCESS] = {"process", process},
        [VIGIL_OPEN] = {"open", operation},
        [VIGIL_OP] = {"operation", operation},
        [VIGIL_PATHOP] = {"path-operation", path_operation},
        [VIGIL_SIGNAL] = {"signal", signal_sent},
        [VIGIL_EXIT] = {"exit", whole_process},
        [VIGIL_EXIT_DB] = {"exit-database", exit_database},
        [VIGIL_EXEC] = {"exec", whole_process},
        [VIGIL_WBERR] = {"writeback-error", writeback},
        [VIGIL_OOM] = {"oom-victim", oom},
        [VIGIL_FORK] = {"fork", forked},
        [VIGIL_LEDGER] = {"ledger", ledger},
        [VIGIL_HIST] = {"histogram", histogram},
        [VIGIL_STATS] = {"statistics", statistics},
        [VIGIL_OBSERVED] = {"observed", observed},
        [VIGIL_CGROUP] = {"cgroup", named},
        [VIGIL_PROBE] = {"probe", named},
        [VIGIL_END] = {"end", ended},
        [VIGIL_LIVE] = {"alive", whole_process},
        [VIGIL_ATTRIBUTION] = {"attribution", attribution},
        [VIGIL_NEIGHBOUR] = {"neighbour", neighbour},
};

json_t *timeline_json(const struct vigil_hdr *h, int64_t offset_ns)
{
        bool known = h->type < sizeof(types) / sizeof(types[0]) && types[h->type].name;
        char at[TEXT_TIME_LEN];
        json_t *o = json_object();
        text_time(at, (int64_t)(h->ns + (uint64_t)offset_ns));
        json_object_set_new(o, "at", offset_ns ? json_string(at) : json_null());
        json_object_set_new(o, "ns", json_integer((json_int_t)(h->ns & INT64_MAX)));
        json_object_set_new(o, "type", json_string(known ? types[h->type].name : "unknown"));
        if (known)
                types[h->type].body(o, h);
        return o;
}

/* ---- Vigil's own test ---- */

static void learn_process(struct timeline_own *own, const struct vigil_ident *id, uint32_t db)
{
        const unsigned most = sizeof(own->process) / sizeof(own->process[0]);

        if (db >= VIGIL_MAX_DBS || !own->database[db])
                return;
        for (unsigned i = 0; i < own->n; i++)
                if (own->process[i].tgid == id->tgid && own->process[i].start_ns == id->start_ns)
                        return;
        if (own->n < most)
                own->process[own->n++] = *id;
}

void timeline_learn(struct timeline_own *own, const struct vigil_hdr *h)
{
        const struct vigil_database *db = (const void *)h;
        const struct vigil_op *op = (const void *)h;
        const struct vigil_exit_db *end = (const void *)h;

        if (h->type == VIGIL_DATABASE && db->db < VIGIL_MAX_DBS)
                own->database[db->db] = db->flags & VIGIL_DB_CANARY;
        else if (h->type == VIGIL_OPEN)
                learn_process(own, &op->id, op->e.db);
        else if (h->type == VIGIL_EXIT_DB)
                learn_process(own, &end->id, end->use.db);
}

static bool is_own(const struct timeline_own *own, const json_t *o)
{
        const json_t *process = json_object_get(o, "process"), *number = json_object_get(o, "database");
        json_int_t pid = json_integer_value(json_object_get(process, "pid")),
                   start_ns = json_integer_value(json_object_get(process, "start_ns")),
                   db = json_integer_value(number);

        if (json_is_integer(number) && db >= 0 && db < VIGIL_MAX_DBS && own->database[db])
                return true;
        for (unsigned i = 0; i < own->n; i++)
                if (own->process[i].tgid == pid && own->process[i].start_ns == (uint64_t)start_ns)
                        return true;
        return false;
}

int timeline_print(const struct vigil_hdr *h, int64_t offset_ns, const struct timeline_own *own, FILE *out)
{
        json_t *o = timeline_json(h, offset_ns);
        if (!o)
                return -ENOMEM;
        if (!own || !is_own(own, o))
                event_print(o, out);
        json_decref(o);
        return 0;
}
