/* sync.c - storage that failed, and storage that lies about it (reference: durability F1-F8; Rebello et al., "Can
 * Applications Recover from fsync Failures?", USENIX ATC 2020). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "detect/detect_private.h"
#include "detect/detector.h"
#include "detect/wording.h"

/* One kind of trouble on one file: how often, since when, who met it first. */
struct tally {
        uint64_t count;
        uint64_t ns;
        int32_t error;
        uint32_t bytes; /* of a short write: asked for; `error` is what was written */
        struct vigil_ident who;
};

enum kind { SYNC_FAILED, WRITEBACK, SWALLOWED, NO_SPACE, SHORT_WRITE, READ_ONLY, CORRUPTED, MEDIA, KINDS };

static const struct {
        const char *code;
        enum severity severity;
        const char *what; /* after the name of the file */
} kinds[KINDS] = {
        [SYNC_FAILED] = {"sync-error", SEVERITY_P1, "could not be synced"},
        [WRITEBACK] = {"writeback-error", SEVERITY_P0, "lost written pages on their way to the disk"},
        [SWALLOWED] = {"sync-error-swallowed", SEVERITY_P0,
                       "had a write-back error that was reported to a process that does not use the database"},
        [NO_SPACE] = {"no-space", SEVERITY_P1, "could not be written: no space"},
        [SHORT_WRITE] = {"short-write", SEVERITY_P1, "was written only in part"},
        [READ_ONLY] = {"filesystem-aborted", SEVERITY_P0, "stands on a file system that became read-only"},
        [CORRUPTED] = {"filesystem-error", SEVERITY_P0, "stands on a file system that reports itself damaged"},
        [MEDIA] = {"media-error", SEVERITY_P1, "could not be written"},
};

/* Errors of write(2), and of sync where they say more than that it failed. */
static const struct {
        int32_t error;
        enum kind kind;
} errors[] = {
        {-ENOSPC, NO_SPACE},   {-EDQUOT, NO_SPACE},   {-EFBIG, NO_SPACE}, {-EROFS, READ_ONLY},
        {-EUCLEAN, CORRUPTED}, {-EBADMSG, CORRUPTED}, {-EIO, MEDIA},
};

/* These say nothing about the storage: wrong descriptor, wrong kind of file, interrupted. */
static bool harmless(int32_t error)
{
        return error == -EINTR || error == -EINVAL || error == -EBADF || error == -EAGAIN;
}

static int kind_of(const struct model_trouble *t)
{
        if (t->writeback)
                return t->op == VIGIL_OP_SYNC ? (t->participant ? -1 : SWALLOWED) : WRITEBACK;
        if (t->op == VIGIL_OP_SYNC)
                return t->result < 0 && !harmless(t->result) ? SYNC_FAILED : -1;
        if (t->op != VIGIL_OP_WRITE)
                return -1;
        if (t->result >= 0)
                return SHORT_WRITE;
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
                if (errors[i].error == t->result)
                        return (int)errors[i].kind;
        return -1;
}

static void count(struct tally *t, const struct model_trouble *e)
{
        if (t->count++ == 0 || e->ns < t->ns)
                *t = (struct tally){
                        .count = t->count, .ns = e->ns, .error = e->result, .bytes = e->bytes, .who = e->id};
}

/* The account is complete where single records may be missing: it decides, they tell who and when. */
static void count_account(struct tally *t, uint64_t n, const struct vigil_ledger *l)
{
        if (n == 0)
                return;
        if (t->count == 0) {
                t->error = l->first_error;
                t->ns = l->first_error_ns;
        }
        if (n > t->count)
                t->count = n;
}

#define MAX_ERRNO 4095 /* include/linux/err.h */

/* A recording may claim what no system call returns: that has no name. */
static int errno_of(int32_t result)
{
        return result < -MAX_ERRNO ? -1 : -result;
}

static int report(struct detection *d, size_t database, unsigned role, const char *code, enum severity severity,
                  const char *what, const struct tally *t)
{
        struct finding f = {
                .code = code, .severity = severity, .database = database, .ns = t->ns, .process = t->who};
        if (t->error < 0)
                snprintf(f.detail, sizeof(f.detail), "the %s file %s (%s)", role_name(role), what,
                         strerrordesc_np(errno_of(t->error)) ? strerrordesc_np(errno_of(t->error))
                                                             : "unknown error");
        else
                snprintf(f.detail, sizeof(f.detail), "the %s file %s", role_name(role), what);
        json_t *e = json_pack("{s:s, s:I}", "file", role_name(role), "count", (json_int_t)t->count);
        if (e && t->error < 0 && strerrorname_np(errno_of(t->error)))
                json_object_set_new(e, "error", json_string(strerrorname_np(errno_of(t->error))));
        if (e && t->bytes && t->error >= 0) {
                json_object_set_new(e, "asked", json_integer(t->bytes));
                json_object_set_new(e, "written", json_integer(t->error));
        }
        return finding_add(d, &f, e);
}

static int report_lie(struct detection *d, size_t database, unsigned role, const struct vigil_ledger *l)
{
        if (!(l->flags & VIGIL_LEDGER_LIED))
                return 0;
        struct tally t = {.count = 1, .ns = l->last_sync_ns, .error = l->first_error};
        return report(d, database, role, "sync-retry-lied", SEVERITY_P0,
                      "was synced with success after an earlier failure: the lost pages are not written again", &t);
}

static int judge_file(struct detection *d, size_t database, unsigned role)
{
        const struct vigil_db *db = model_database(d->model, database)->ledger;
        struct tally tally[KINDS] = {0};
        for (size_t i = 0; i < model_n_troubles(d->model); i++) {
                const struct model_trouble *t = model_trouble(d->model, i);
                int k = t->database == database && t->role == role ? kind_of(t) : -1;
                if (k >= 0)
                        count(&tally[k], t);
        }
        int r = 0;
        if (db) {
                const struct vigil_ledger *l = &db->file[role];
                if (!harmless(l->first_error))
                        count_account(&tally[SYNC_FAILED], l->sync_errors, l);
                count_account(&tally[WRITEBACK], l->wb_errors, l);
                if (l->flags & VIGIL_LEDGER_SWALLOWED)
                        count_account(&tally[SWALLOWED], 1, l);
                r = report_lie(d, database, role, l);
        }
        for (size_t k = 0; r == 0 && k < KINDS; k++)
                if (tally[k].count)
                        r = report(d, database, role, kinds[k].code, kinds[k].severity, kinds[k].what, &tally[k]);
        return r;
}

static int run(struct detection *d)
{
        int r = 0;
        for (size_t i = 0; i < model_n_databases(d->model); i++)
                for (unsigned role = 0; r == 0 && role < VIGIL_ROLES; role++)
                        if (role != VIGIL_ROLE_SHM)
                                r = judge_file(d, i, role);
        return r;
}

const struct detector detector_sync = {
        .name = "sync",
        .codes = (const char *const[]){"sync-error", "sync-retry-lied", "sync-error-swallowed", "writeback-error",
                                       "no-space", "short-write", "filesystem-aborted", "filesystem-error",
                                       "media-error", NULL},
        .run = run,
};
