/* removed.c - files of a database that were taken from those who relied on them (reference: durability C1.3, C2.5, C2.7, X2).
 * An integrity check cannot see it: what is gone leaves no trace in the files. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/detect_private.h"
#include "detect/detector.h"
#include "detect/wording.h"

static const char *act_words(const struct model_taking *t)
{
        switch (t->op) {
        case VIGIL_OP_UNLINK:
                return "removed";
        case VIGIL_OP_RENAME:
                return "renamed or replaced";
        default:
                return "emptied";
        }
}

static const char *wal_loss(const struct model_taking *t)
{
        return t->taken & VIGIL_TAKEN_WAL ? "the commits that were only there are lost"
                                          : "later commits went into a file without a name and are lost";
}

static const char *main_loss(const struct model_taking *t)
{
        bool emptied = t->op != VIGIL_OP_UNLINK && t->op != VIGIL_OP_RENAME;
        if (t->taken & VIGIL_TAKEN_IN_USE)
                return emptied ? "while it was in use: its content is lost"
                               : "while it was in use: what its users commit does not belong to what stands under "
                                 "that name";
        return t->taken & VIGIL_TAKEN_HOT ? "and left the journal behind that has to undo half a transaction"
                                          : "and left committed transactions behind in the WAL";
}

static void describe(const struct model_taking *t, char *ret, size_t size)
{
        char comm[VIGIL_COMM_LEN + 8];
        text_printable(comm, sizeof(comm), t->id.comm);
        if (t->taken & VIGIL_TAKEN_LOST)
                snprintf(ret, size,
                         "%s (pid %u) wrote commits into a WAL whose name was gone: nobody can ever read them",
                         comm, t->id.tgid);
        else if (t->role == VIGIL_ROLE_MAIN)
                snprintf(ret, size, "%s (pid %u) %s the database file %s", comm, t->id.tgid, act_words(t),
                         main_loss(t));
        else if (t->role == VIGIL_ROLE_WAL)
                snprintf(ret, size, "%s (pid %u) %s the WAL without SQLite's locks: %s", comm, t->id.tgid,
                         act_words(t), wal_loss(t));
        else
                snprintf(ret, size,
                         "%s (pid %u) %s the journal without SQLite's locks: half a transaction stays in the file",
                         comm, t->id.tgid, act_words(t));
}

static int judge(struct detection *d, const struct model_taking *t)
{
        const char *code = taking_code(d->model, t);
        if (!code)
                return 0;
        struct finding f = {
                .code = code, .severity = SEVERITY_P0, .database = t->database, .ns = t->ns, .process = t->id};
        describe(t, f.detail, sizeof(f.detail));
        json_t *e = json_pack("{s:s, s:s, s:b}", "file", role_name(t->role), "op", op_name(t->op), "in_use",
                              (t->taken & VIGIL_TAKEN_IN_USE) != 0);
        return finding_add(d, &f, e);
}

static int run(struct detection *d)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < model_n_takings(d->model); i++)
                r = judge(d, model_taking_of(d->model, i));
        return r;
}

const struct detector detector_removed = {
        .name = "removed",
        .codes = (const char *const[]){"wal-removed", "journal-removed", "database-emptied",
                                       "database-moved-in-use", "used-across-fork", NULL},
        .run = run,
};
