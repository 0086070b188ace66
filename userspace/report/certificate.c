/* certificate.c - one certificate as JSON. */
#include "base/text.h"
#include "detect/wording.h"
#include "report/build.h"

static json_t *build_sender(struct build *b, const struct vigil_sig *s)
{
        json_t *o = json_object(), *up = json_array();
        put_number(b, o, "pid", s->sender_tgid);
        put_number(b, o, "start_ns", s->sender_start_ns);
        put_bytes(b, o, "comm", s->sender_comm);
        put_number(b, o, "uid", s->sender_uid);
        for (uint32_t i = 0; i < s->ancestors && i < VIGIL_ANCESTORS; i++) {
                json_t *a = json_object();
                put_number(b, a, "pid", s->ancestor[i].tgid);
                put_bytes(b, a, "comm", s->ancestor[i].comm);
                put_number(b, a, "start_ns", s->ancestor[i].start_ns);
                put_number(b, a, "uid", s->ancestor[i].uid);
                append(b, up, a);
        }
        put(b, o, "ancestors", up);
        return o;
}

static json_t *build_exit(struct build *b, const struct ending *e)
{
        json_t *o = json_object();
        put(b, o, "code", e->status >= 0 ? json_integer(e->status) : json_null());
        put_text(b, o, "signal", e->signal ? text_signal(e->signal) : NULL);
        put(b, o, "core", json_boolean(e->core));
        put(b, o, "oom", json_boolean(e->oom));
        put_text(b, o, "cause", cause_name(e->cause));
        put_text(b, o, "how", e->how);
        put(b, o, "sender", e->sender_named ? build_sender(b, e->by) : json_null());
        put(b, o, "origin", e->origin ? build_sender(b, e->origin) : json_null());
        return o;
}

json_t *build_risks(struct build *b, const struct file_risk risk[VIGIL_ROLES])
{
        json_t *array = json_array();
        for (unsigned role = 0; role < VIGIL_ROLES; role++) {
                const struct file_risk *r = &risk[role];
                if (!r->bytes)
                        continue;
                json_t *o = json_object();
                put_text(b, o, "file", role_name(role));
                put_number(b, o, "bytes", r->bytes);
                put(b, o, "volatile", json_boolean(r->volatile_fs));
                append(b, array, o);
        }
        return array;
}

/* How many of its operations are told: half of the room is kept for those that did not end well. */
static size_t room(const struct build *b, const struct certificate *c)
{
        bool clean = c->verdict == VERDICT_CLEAN;
        size_t limit = clean ? REPORT_OPERATIONS / 2 : REPORT_OPERATIONS;
        size_t left = b->operations < limit ? limit - b->operations : 0;
        return clean && left > REPORT_OPERATIONS_CLEAN ? REPORT_OPERATIONS_CLEAN : left;
}

static json_t *build_operations(struct build *b, const struct certificate *c)
{
        json_t *array = json_array();
        size_t of_this = 0, n = 0, max = room(b, c);
        for (uint32_t i = 0; i < c->death->nops; i++)
                of_this += c->death->op[i].db == c->use->use.db;
        for (uint32_t i = 0; i < c->death->nops; i++) {
                const struct vigil_opent *e = &c->death->op[i];
                if (e->db != c->use->use.db || n++ + max < of_this)
                        continue;
                b->operations++;
                json_t *o = json_object();
                put_time(b, o, "at", e->ns);
                put_text(b, o, "op", op_name(e->op));
                put_text(b, o, "file", role_name(e->role));
                put_number(b, o, "offset", e->offset);
                put_number(b, o, "bytes", e->bytes);
                put(b, o, "result", json_integer(e->result));
                put_number(b, o, "tid", e->tid);
                append(b, array, o);
        }
        return array;
}

json_t *build_certificate(struct build *b, const struct certificate *c)
{
        json_t *o = json_object(), *reasons = json_array(), *left = json_object();
        put_text(b, o, "id", c->id);
        put(b, o, "process", build_process(b, c->death));
        put_time(b, o, "started_at", c->death->id.start_ns);
        put_time(b, o, "ended_at", c->death->ns);
        put_text(b, o, "verdict", verdict_name(c->verdict));
        for (size_t i = 0; i < c->nreasons; i++)
                append(b, reasons, json_string(c->reason[i]));
        put(b, o, "reasons", reasons);
        put_text(b, o, "ended_by", c->death->by_exec ? "exec" : "exit");
        put(b, o, "exit", build_exit(b, &c->ending));
        put(b, o, "locks", lock_names(c->locks));
        put_text(b, o, "transaction", held_txn_name(c->held));
        put(b, o, "connection_open", json_boolean(c->connection_open));
        put(b, o, "sync_in_flight", json_boolean(c->sync_in_flight));
        put(b, o, "at_risk", build_risks(b, c->risk));
        put_number(b, o, "directory_entries_at_risk", c->directory_entries_at_risk);
        put_number(b, o, "commits_at_risk", c->commits_at_risk);
        put(b, o, "tainted", json_boolean(c->tainted));
        put_number(b, left, "wal_bytes", c->wal_bytes);
        put(b, left, "hot_journal", json_boolean(c->hot_journal));
        put(b, o, "left_behind", left);
        put_text(b, o, "prediction", c->prediction[0] ? c->prediction : NULL);
        put(b, o, "recovered", c->recovered < 0 ? json_null() : json_boolean(c->recovered));
        put(b, o, "last_operations", build_operations(b, c));
        put(b, o, "trust", build_trust(b, &c->trust));
        return o;
}
