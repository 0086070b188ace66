/* feed.c - what becomes of each record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/hist.h"
#include "model/model_private.h"
#include "model/neighbours.h"

/* ---- records that need no more than to be kept --------------------------------------------------------------------- */

/* The last one of its kind stands. */
static int keep_only(void *pointer_to_kept, const void *record, size_t size)
{
        void **kept = pointer_to_kept;
        void *copy = model_copy(record, size);
        if (!copy)
                return -ENOMEM;
        free(*kept);
        *kept = copy;
        return 0;
}

static int feed_process(struct model *m, const struct vigil_process *r)
{
        if (m->nprocesses == MODEL_MAX_PROCESSES) {
                m->full++;
                return 0;
        }
        struct model_process *grown = model_grow(m->process, m->nprocesses, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->process = grown;
        char *exe = r->exe[0] ? strdup(r->exe) : NULL;
        char *argv = r->argv_len ? model_copy(r->argv, r->argv_len) : NULL;
        if ((r->exe[0] && !exe) || (r->argv_len && !argv)) {
                free(exe);
                free(argv);
                return -ENOMEM;
        }
        grown[m->nprocesses++] = (struct model_process){
                .id = r->id,
                .ns = r->hdr.ns,
                .ppid = r->ppid,
                .uid = r->uid,
                .gid = r->gid,
                .flags = r->flags,
                .cgroup_id = r->cgroup_id,
                .pidns_ino = r->pidns_ino,
                .exe = exe,
                .argv = argv,
                .argv_len = r->argv_len,
                .argv_cut = r->argv_cut != 0,
        };
        return 0;
}

static int add_trouble(struct model *m, const struct model_trouble *t)
{
        if (m->ntroubles == MODEL_MAX_TROUBLES) {
                m->full++;
                return 0;
        }
        struct model_trouble *grown = model_grow(m->trouble, m->ntroubles, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->trouble = grown;
        grown[m->ntroubles++] = *t;
        return 0;
}

/* Of single operations only those matter that did not do what they were asked to. */
static int feed_op(struct model *m, const struct vigil_op *r)
{
        if (r->e.role == VIGIL_ROLE_MAIN && r->e.result >= 0 &&
            (r->e.op == VIGIL_OP_COPY_FROM || r->e.op == VIGIL_OP_READ))
                return feed_copy(m, r);
        if (r->taken)
                return feed_taken_op(m, r);
        bool writes = r->e.op == VIGIL_OP_WRITE;
        bool lock = r->e.op == VIGIL_OP_LOCK_RD || r->e.op == VIGIL_OP_LOCK_WR || r->e.op == VIGIL_OP_UNLOCK ||
                    r->e.op == VIGIL_OP_LOCK_WAIT;
        bool short_write = writes && r->e.result >= 0 && (uint32_t)r->e.result < r->e.bytes;
        if ((r->e.result >= 0 && !short_write) || lock)
                return 0;
        struct model_trouble t = {.ns = r->e.ns ? r->e.ns : r->hdr.ns,
                                  .id = r->id,
                                  .database = r->e.db,
                                  .role = r->e.role,
                                  .op = r->e.op,
                                  .result = r->e.result,
                                  .bytes = r->e.bytes};
        return add_trouble(m, &t);
}

static int feed_open(struct model *m, const struct vigil_op *r)
{
        int err = feed_taken_op(m, r);
        return err == 0 && r->e.role == VIGIL_ROLE_MAIN ? feed_copy(m, r) : err;
}

static int feed_wberr(struct model *m, const struct vigil_wberr *r)
{
        struct model_trouble t = {.ns = r->hdr.ns,
                                  .id = r->id,
                                  .database = r->db,
                                  .role = r->role,
                                  .op = r->consumed ? VIGIL_OP_SYNC : 0,
                                  .writeback = true,
                                  .result = r->error};
        return add_trouble(m, &t);
}

static int feed_hist(struct model *m, const struct vigil_hist_rec *r)
{
        for (size_t i = 0; i < m->nhists; i++) {
                struct model_hist *h = &m->hist[i];
                if (h->database == r->key.db && h->role == r->key.role && h->op == r->key.op) {
                        hist_add(&h->hist, &r->hist);
                        return 0;
                }
        }
        if (m->nhists == MODEL_MAX_HISTS) {
                m->full++;
                return 0;
        }
        struct model_hist *grown = model_grow(m->hist, m->nhists, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->hist = grown;
        grown[m->nhists++] = (struct model_hist){
                .database = r->key.db, .role = r->key.role, .op = r->key.op, .hist = r->hist};
        return 0;
}

/* Cumulative: the last one counts. */
static int feed_attribution(struct model *m, const struct vigil_attribution *r)
{
        for (size_t i = 0; i < m->nshares; i++)
                if (m->shares[i].a.db == r->db && m->shares[i].a.op == r->op) {
                        m->shares[i].a = *r;
                        return 0;
                }
        if (m->nshares == MODEL_MAX_SHARES) {
                m->full++;
                return 0;
        }
        struct model_shares *grown = model_grow(m->shares, m->nshares, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->shares = grown;
        grown[m->nshares++] = (struct model_shares){.database = r->db, .a = *r};
        return 0;
}

static int feed_neighbour(struct model *m, const struct vigil_neighbour *r)
{
        for (size_t i = 0; i < m->nneighbours; i++)
                if (neighbours_same(&m->neighbour[i], r)) {
                        m->neighbour[i] = *r;
                        return 0;
                }
        if (m->nneighbours == MODEL_MAX_NEIGHBOURS) {
                m->full++;
                return 0;
        }
        struct vigil_neighbour *grown = model_grow(m->neighbour, m->nneighbours, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->neighbour = grown;
        grown[m->nneighbours++] = *r;
        return 0;
}

static int feed_cgroup(struct model *m, const struct vigil_cgroup *r)
{
        if (model_cgroup(m, r->cgroup_id))
                return 0;
        if (m->ncgroups == MODEL_MAX_CGROUPS) {
                m->full++;
                return 0;
        }
        char *text = strdup(r->path);
        if (!text)
                return -ENOMEM;
        m->cgroup[m->ncgroups++] = (struct text_of_id){.id = r->cgroup_id, .text = text};
        return 0;
}

static int feed_probe(struct model *m, const struct vigil_probe *r)
{
        if (m->nprobes == MODEL_MAX_PROBES) {
                m->full++;
                return 0;
        }
        struct vigil_probe *grown = model_grow(m->probe, m->nprobes, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->probe = grown;
        grown[m->nprobes++] = *r;
        return 0;
}

static int feed_oom(struct model *m, const struct vigil_oom *r)
{
        if (m->nooms == MODEL_MAX_DEATHS) {
                m->full++;
                return 0;
        }
        struct vigil_ident *grown = model_grow(m->oom, m->nooms, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->oom = grown;
        grown[m->nooms++] = r->id;
        return 0;
}

static int feed_signal(struct model *m, const struct vigil_signal *r)
{
        if (m->nsignals == MODEL_MAX_SIGNALS) {
                m->full++;
                return 0;
        }
        struct vigil_signal *grown = model_grow(m->signal, m->nsignals, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->signal = grown;
        grown[m->nsignals++] = *r;
        return 0;
}

/* ---- dispatch ------------------------------------------------------------------------------------------------------ */

int feed_known(struct model *m, const struct vigil_hdr *h)
{
        const void *r = h;
        switch (h->type) {
        case VIGIL_SESSION:
                return keep_only(&m->session, r, sizeof(*m->session));
        case VIGIL_END:
                return keep_only(&m->end, r, sizeof(*m->end));
        case VIGIL_STATS:
                return keep_only(&m->stats, r, sizeof(*m->stats));
        case VIGIL_DATABASE:
                return feed_database(m, r);
        case VIGIL_PROCESS:
                return feed_process(m, r);
        case VIGIL_OP:
                return feed_op(m, r);
        case VIGIL_EXIT:
        case VIGIL_EXEC:
        case VIGIL_LIVE:
                return feed_death(m, r);
        case VIGIL_EXIT_DB:
        case VIGIL_OBSERVED:
                return feed_death_part(m, h);
        case VIGIL_WBERR:
                return feed_wberr(m, r);
        case VIGIL_SIGNAL:
                return feed_signal(m, r);
        case VIGIL_OOM:
                return feed_oom(m, r);
        case VIGIL_LEDGER:
                return slot_take_db(m, &((const struct vigil_ledger_rec *)r)->db, h->ns);
        case VIGIL_HIST:
                return feed_hist(m, r);
        case VIGIL_ATTRIBUTION:
                return feed_attribution(m, r);
        case VIGIL_NEIGHBOUR:
                return feed_neighbour(m, r);
        case VIGIL_CGROUP:
                return feed_cgroup(m, r);
        case VIGIL_PROBE:
                return feed_probe(m, r);
        case VIGIL_OPEN:
                return feed_open(m, r);
        case VIGIL_PATHOP:
                return feed_taken_path(m, r);
        case VIGIL_FORK:
                return 0; /* for the timeline; what they mean for a death stands in its own record */
        default:
                m->unknown++;
                return 0;
        }
}
