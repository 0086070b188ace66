/* wording.c - see wording.h. */
#include "detect/wording.h"

#include <stdio.h>

#include "base/text.h"
#include "sensor/evidence.h"

const char *verdict_name(enum verdict v)
{
        static const char *const names[] = {[VERDICT_CLEAN] = "clean",
                                            [VERDICT_ABRUPT] = "abrupt",
                                            [VERDICT_UNCLEAN] = "unclean",
                                            [VERDICT_UNKNOWN] = "unknown"};
        return names[v];
}

const char *severity_name(enum severity s)
{
        static const char *const names[] = {
                [SEVERITY_P0] = "P0", [SEVERITY_P1] = "P1", [SEVERITY_P2] = "P2", [SEVERITY_P3] = "P3"};
        return names[s];
}

const char *held_txn_name(enum held_txn t)
{
        static const char *const names[] = {[HELD_NONE] = "none",         [HELD_READ] = "read",
                                            [HELD_WRITE] = "write",       [HELD_CHECKPOINT] = "checkpoint",
                                            [HELD_RECOVERY] = "recovery", [HELD_UNKNOWN] = "unknown"};
        return names[t];
}

const char *role_name(unsigned role)
{
        static const char *const names[VIGIL_ROLES] = {
                [VIGIL_ROLE_OTHER] = "other",     [VIGIL_ROLE_MAIN] = "main",
                [VIGIL_ROLE_WAL] = "wal",         [VIGIL_ROLE_SHM] = "shm",
                [VIGIL_ROLE_JOURNAL] = "journal", [VIGIL_ROLE_DIRECTORY] = "directory"};
        return role < VIGIL_ROLES ? names[role] : "other";
}

const char *op_name(unsigned op)
{
        static const char *const names[] = {[VIGIL_OP_OPEN] = "open",         [VIGIL_OP_READ] = "read",
                                            [VIGIL_OP_WRITE] = "write",       [VIGIL_OP_SYNC] = "sync",
                                            [VIGIL_OP_TRUNCATE] = "truncate", [VIGIL_OP_UNLINK] = "unlink",
                                            [VIGIL_OP_RENAME] = "rename",     [VIGIL_OP_LOCK_RD] = "lock",
                                            [VIGIL_OP_LOCK_WR] = "lock",      [VIGIL_OP_UNLOCK] = "unlock",
                                            [VIGIL_OP_LINK] = "link",         [VIGIL_OP_COMMIT] = "commit",
                                            [VIGIL_OP_MKDIR] = "mkdir",       [VIGIL_OP_CHECKPOINT] = "checkpoint",
                                            [VIGIL_OP_RMDIR] = "rmdir",       [VIGIL_OP_SYNC_RANGE] = "sync-range",
                                            [VIGIL_OP_LOCK_WAIT] = "lock",    [VIGIL_OP_COPY_FROM] = "copy-from"};
        return op < sizeof(names) / sizeof(names[0]) && names[op] ? names[op] : "other";
}

/* A write lock on a read mark is told as that mark: the Contract has no other name for it. */
static const struct {
        uint32_t bits;
        const char *name;
} lock_table[] = {
        {VIGIL_LOCK_SHARED, "shared"},
        {VIGIL_LOCK_RESERVED, "reserved"},
        {VIGIL_LOCK_PENDING, "pending"},
        {VIGIL_LOCK_EXCLUSIVE, "exclusive"},
        {VIGIL_LOCK_WAL_WRITE, "wal-write"},
        {VIGIL_LOCK_WAL_CKPT, "wal-checkpoint"},
        {VIGIL_LOCK_WAL_RECOVER, "wal-recover"},
        {VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ0_WR, "wal-read-0"},
        {VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_RESET, "wal-read-1"},
        {VIGIL_LOCK_WAL_READ2, "wal-read-2"},
        {VIGIL_LOCK_WAL_READ3, "wal-read-3"},
        {VIGIL_LOCK_WAL_READ4, "wal-read-4"},
        {VIGIL_LOCK_DMS, "dms"},
        {VIGIL_LOCK_FLOCK, "flock"},
};
#define LOCKS (sizeof(lock_table) / sizeof(lock_table[0]))

json_t *lock_names(uint32_t locks)
{
        json_t *array = json_array();

        for (size_t i = 0; i < LOCKS; i++)
                if (locks & lock_table[i].bits &&
                    json_array_append_new(array, json_string(lock_table[i].name)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

void lock_text(char *ret, size_t size, uint32_t locks)
{
        size_t n = 0;

        snprintf(ret, size, "no");
        for (size_t i = 0; i < LOCKS && n < size; i++)
                if (locks & lock_table[i].bits)
                        n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? "+" : "", lock_table[i].name);
}

static void signal_text(char *ret, size_t size, const struct ending *e)
{
        const char *name = text_signal(e->signal);
        if (e->sender_named) {
                char comm[VIGIL_COMM_LEN + 8];
                text_printable(comm, sizeof(comm), e->by->sender_comm);
                if (e->cause == CAUSE_SELF)
                        snprintf(ret, size, "ended itself by %s", name);
                else
                        snprintf(ret, size, "was killed by %s from %s (pid %u)", name, comm, e->by->sender_tgid);
                return;
        }
        switch (e->cause) {
        case CAUSE_KERNEL_OOM:
                snprintf(ret, size, "was killed by the kernel: out of memory");
                break;
        case CAUSE_FAULT:
                snprintf(ret, size, "crashed: %s%s", name, e->core ? ", core dumped" : "");
                break;
        default:
                snprintf(ret, size, "was ended by %s%s%s%s", name, e->how ? " (" : "", e->how ? e->how : "",
                         e->how ? ")" : "");
        }
}

void ending_text(char *ret, size_t size, const struct model_death *d, const struct ending *e)
{
        char comm[VIGIL_COMM_LEN + 8], how[160];
        text_printable(comm, sizeof(comm), d->id.comm);
        if (d->by_exec)
                snprintf(how, sizeof(how), "replaced itself by exec");
        else if (e->signal == 0)
                snprintf(how, sizeof(how), "exited with status %d", e->status);
        else
                signal_text(how, sizeof(how), e);
        snprintf(ret, size, "%s (pid %u) %s", comm, d->id.tgid, how);
}

/* In the order of enum sleep_kind. */
static const struct {
        const char *name, *text;
} sleeps[] = {
        [SLEEP_NONE] = {NULL, NULL},
        [SLEEP_TIMER] = {"timer", "sleeps until a time that it has set itself"},
        [SLEEP_MESSAGE] = {"message", "waits for a message on a socket"},
        [SLEEP_PIPE] = {"pipe", "waits for what comes through a pipe"},
        [SLEEP_EVENTS] = {"events", "waits for events"},
        [SLEEP_CHILD] = {"child", "waits for the end of a child"},
        [SLEEP_THREAD] = {"thread", "waits for another thread"},
        [SLEEP_TERMINAL] = {"terminal", "waits for input at a terminal"},
        [SLEEP_SIGNAL] = {"signal", "waits for a signal"},
        [SLEEP_OTHER] = {"other", NULL},
};

const char *sleep_name(unsigned kind)
{
        return kind < sizeof(sleeps) / sizeof(sleeps[0]) ? sleeps[kind].name : NULL;
}

const char *sleep_text(unsigned kind)
{
        return kind < sizeof(sleeps) / sizeof(sleeps[0]) ? sleeps[kind].text : NULL;
}
