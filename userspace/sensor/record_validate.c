/* record_validate.c - the format of bpf/abi.h as tables, and the loop that holds bytes against them. */
#include "sensor/recording.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Smallest size of each type: that of the version it first appeared in. A record that has grown since keeps its old number
 * here (offsetof its first new field). */
static const uint32_t min_size[] = {
        [VIGIL_SESSION] = sizeof(struct vigil_session),
        [VIGIL_DATABASE] = sizeof(struct vigil_database),
        [VIGIL_PROCESS] = sizeof(struct vigil_process),
        [VIGIL_OPEN] = sizeof(struct vigil_op),
        [VIGIL_OP] = sizeof(struct vigil_op),
        [VIGIL_PATHOP] = sizeof(struct vigil_pathop),
        [VIGIL_SIGNAL] = sizeof(struct vigil_signal),
        [VIGIL_EXIT] = sizeof(struct vigil_proc),
        [VIGIL_EXIT_DB] = sizeof(struct vigil_exit_db),
        [VIGIL_EXEC] = sizeof(struct vigil_proc),
        [VIGIL_WBERR] = sizeof(struct vigil_wberr),
        [VIGIL_OOM] = sizeof(struct vigil_oom),
        [VIGIL_FORK] = sizeof(struct vigil_fork),
        [VIGIL_LEDGER] = sizeof(struct vigil_ledger_rec),
        [VIGIL_HIST] = sizeof(struct vigil_hist_rec),
        [VIGIL_STATS] = sizeof(struct vigil_stats),
        [VIGIL_OBSERVED] = sizeof(struct vigil_observed),
        [VIGIL_CGROUP] = sizeof(struct vigil_cgroup),
        [VIGIL_PROBE] = sizeof(struct vigil_probe),
        [VIGIL_END] = sizeof(struct vigil_end),
        [VIGIL_LIVE] = sizeof(struct vigil_proc),
        [VIGIL_ATTRIBUTION] = offsetof(struct vigil_attribution, lost),
        [VIGIL_NEIGHBOUR] = offsetof(struct vigil_neighbour, cgroup_id),
};
#define NTYPES (sizeof(min_size) / sizeof(min_size[0]))

uint32_t record_min_size(uint16_t type)
{
        return type < NTYPES && min_size[type] ? min_size[type] : (uint32_t)sizeof(struct vigil_hdr);
}

#define FIELD(type, s, f) type, #f, offsetof(struct s, f), sizeof(((struct s *)NULL)->f)
#define COMM(type, s)                                                                                              \
        {                                                                                                          \
                FIELD(type, s, id.comm)                                                                            \
        }

/* Text that must end within its field. */
static const struct string_field {
        uint16_t type;
        const char *name;
        size_t offset;
        size_t size;
} strings[] = {
        COMM(VIGIL_DATABASE, vigil_database),
        COMM(VIGIL_PROCESS, vigil_process),
        COMM(VIGIL_OPEN, vigil_op),
        COMM(VIGIL_OP, vigil_op),
        COMM(VIGIL_PATHOP, vigil_pathop),
        COMM(VIGIL_SIGNAL, vigil_signal),
        COMM(VIGIL_EXIT, vigil_proc),
        COMM(VIGIL_EXIT_DB, vigil_exit_db),
        COMM(VIGIL_EXEC, vigil_proc),
        COMM(VIGIL_WBERR, vigil_wberr),
        COMM(VIGIL_OOM, vigil_oom),
        COMM(VIGIL_END, vigil_end),
        COMM(VIGIL_LIVE, vigil_proc),
        COMM(VIGIL_OBSERVED, vigil_observed),
        COMM(VIGIL_NEIGHBOUR, vigil_neighbour),
        {FIELD(VIGIL_ATTRIBUTION, vigil_attribution, disk_name)},
        {FIELD(VIGIL_FORK, vigil_fork, parent.comm)},
        {FIELD(VIGIL_FORK, vigil_fork, child.comm)},
        {FIELD(VIGIL_SESSION, vigil_session, boot_id)},
        {FIELD(VIGIL_SESSION, vigil_session, host)},
        {FIELD(VIGIL_SESSION, vigil_session, kernel)},
        {FIELD(VIGIL_SESSION, vigil_session, vigil)},
        {FIELD(VIGIL_SESSION, vigil_session, tier)},
        {FIELD(VIGIL_DATABASE, vigil_database, path)},
        {FIELD(VIGIL_PROCESS, vigil_process, exe)},
        {FIELD(VIGIL_PATHOP, vigil_pathop, name)},
        {FIELD(VIGIL_PATHOP, vigil_pathop, other)},
        {FIELD(VIGIL_SIGNAL, vigil_signal, sig.sender_comm)},
        {FIELD(VIGIL_HIST, vigil_hist_rec, key.comm)},
        {FIELD(VIGIL_CGROUP, vigil_cgroup, path)},
        {FIELD(VIGIL_PROBE, vigil_probe, name)},
};

/* Numbers that index or count something: the field must be below `bound`. */
static const struct bounded_field {
        uint16_t type;
        const char *name;
        size_t offset;
        size_t size;
        uint64_t bound;
} numbers[] = {
        {FIELD(VIGIL_DATABASE, vigil_database, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_OPEN, vigil_op, e.db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_OPEN, vigil_op, e.role), VIGIL_ROLES},
        {FIELD(VIGIL_OP, vigil_op, e.db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_OP, vigil_op, e.role), VIGIL_ROLES},
        {FIELD(VIGIL_PATHOP, vigil_pathop, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_PATHOP, vigil_pathop, role), VIGIL_ROLES},
        {FIELD(VIGIL_EXIT_DB, vigil_exit_db, use.db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_EXIT_DB, vigil_exit_db, db.id), VIGIL_MAX_DBS},
        {FIELD(VIGIL_LEDGER, vigil_ledger_rec, db.id), VIGIL_MAX_DBS},
        {FIELD(VIGIL_WBERR, vigil_wberr, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_WBERR, vigil_wberr, role), VIGIL_ROLES},
        {FIELD(VIGIL_OBSERVED, vigil_observed, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_HIST, vigil_hist_rec, key.db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_HIST, vigil_hist_rec, key.role), VIGIL_ROLES},
        {FIELD(VIGIL_ATTRIBUTION, vigil_attribution, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_NEIGHBOUR, vigil_neighbour, db), VIGIL_MAX_DBS},
        {FIELD(VIGIL_PROCESS, vigil_process, argv_len), VIGIL_ARGV_MAX + 1},
        {FIELD(VIGIL_SESSION, vigil_session, argv_len), VIGIL_ARGV_MAX + 1},
        {FIELD(VIGIL_SIGNAL, vigil_signal, sig.ancestors), VIGIL_ANCESTORS + 1},
        {FIELD(VIGIL_EXIT, vigil_proc, nuses), VIGIL_USES + 1},
        {FIELD(VIGIL_EXEC, vigil_proc, nuses), VIGIL_USES + 1},
        {FIELD(VIGIL_LIVE, vigil_proc, nuses), VIGIL_USES + 1},
};

static int __attribute__((format(printf, 3, 4))) refuse(char *why, int error, const char *fmt, ...)
{
        if (why) {
                va_list ap;
                va_start(ap, fmt);
                vsnprintf(why, RECORDING_ERROR_LEN, fmt, ap);
                va_end(ap);
        }
        return error;
}

static bool ends(const void *text, size_t size)
{
        return memchr(text, '\0', size) != NULL;
}

static uint64_t number_at(const unsigned char *bytes, size_t size)
{
        switch (size) {
        case 1:
                return *bytes;
        case 2:
                return *(const uint16_t *)(const void *)bytes;
        case 4:
                return *(const uint32_t *)(const void *)bytes;
        default:
                return *(const uint64_t *)(const void *)bytes;
        }
}

static int check_signal(const struct vigil_sig *s, char *why)
{
        if (s->ancestors > VIGIL_ANCESTORS)
                return refuse(why, -EBADMSG, "a signal claims %u ancestors", s->ancestors);
        if (!ends(s->sender_comm, sizeof(s->sender_comm)))
                return refuse(why, -EBADMSG, "text of sender_comm has no end");
        for (uint32_t i = 0; i < s->ancestors; i++)
                if (!ends(s->ancestor[i].comm, sizeof(s->ancestor[i].comm)))
                        return refuse(why, -EBADMSG, "text of an ancestor's comm has no end");
        return 0;
}

static int check_proc(const struct vigil_proc *p, char *why)
{
        for (uint32_t i = 0; i < p->nsignals && i < VIGIL_SIGNALS; i++) {
                int r = check_signal(&p->signal[i], why);
                if (r < 0)
                        return r;
        }
        for (uint32_t i = 0; i < p->nuses; i++)
                if (p->use[i].db >= VIGIL_MAX_DBS)
                        return refuse(why, -EBADMSG, "a use names database %u", p->use[i].db);
        for (uint32_t i = 0; i < p->nops && i < VIGIL_OPS; i++)
                if (p->op[i].db >= VIGIL_MAX_DBS || p->op[i].role >= VIGIL_ROLES)
                        return refuse(why, -EBADMSG, "operation %u names database %u, role %u", i, p->op[i].db,
                                      p->op[i].role);
        return 0;
}

static int check_fields(const struct vigil_hdr *h, char *why)
{
        const unsigned char *bytes = (const unsigned char *)h;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                const struct bounded_field *f = &numbers[i];
                if (f->type == h->type && number_at(bytes + f->offset, f->size) >= f->bound)
                        return refuse(why, -EBADMSG, "%s is out of bounds in a record of type %u", f->name,
                                      h->type);
        }
        for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
                const struct string_field *f = &strings[i];
                if (f->type == h->type && !ends(bytes + f->offset, f->size))
                        return refuse(why, -EBADMSG, "text of %s has no end in a record of type %u", f->name,
                                      h->type);
        }
        return 0;
}

int record_validate(const void *bytes, size_t n, char *why)
{
        const struct vigil_hdr *h = bytes;
        if (n < sizeof(*h))
                return refuse(why, -EBADMSG, "%zu bytes are no record", n);
        if (h->magic != VIGIL_MAGIC)
                return refuse(why, -EBADMSG, "not a record (bad magic)");
        if (h->version == 0 || h->version > VIGIL_ABI_VERSION)
                return refuse(why, h->version ? -EPROTONOSUPPORT : -EBADMSG,
                              "record of format version %u, this vigil reads up to %u", h->version,
                              VIGIL_ABI_VERSION);
        if (h->size < record_min_size(h->type) || h->size > RECORDING_RECORD_MAX || h->size > n)
                return refuse(why, -EBADMSG, "record of type %u claims a size of %u bytes", h->type, h->size);
        int r = check_fields(h, why);
        if (r < 0)
                return r;
        if (h->type == VIGIL_EXIT || h->type == VIGIL_EXEC || h->type == VIGIL_LIVE)
                return check_proc(bytes, why);
        return h->type == VIGIL_SIGNAL ? check_signal(&((const struct vigil_signal *)bytes)->sig, why) : 0;
}
