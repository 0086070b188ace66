/* verdict.c - what a process held at its end, and what that makes of it (reference: durability 3.2 and 10). */
#include "detect/detect_private.h"

/* First row that fits. The order is that of what is worst, and a lack of knowledge comes before every good verdict: absence
 * of evidence is never evidence. */
static const struct verdict_rule rules[] = {
        {"SHARED_DESCRIPTORS", FACT_SHARED, 0, VERDICT_UNKNOWN, {"descriptors-shared"}},
        {"UNCLEAN_UNRECOVERABLE", FACT_NO_JOURNAL, 0, VERDICT_UNCLEAN, {"no-journal"}},
        {"UNCLEAN_TXN_HOT",
         FACT_WRITE_TXN | FACT_HOT,
         0,
         VERDICT_UNCLEAN,
         {"write-transaction-open", "hot-journal"}},
        {"UNCLEAN_ROLLBACK", FACT_ROLLING_BACK, 0, VERDICT_UNCLEAN, {"hot-journal"}},
        {"UNCLEAN_GAVE_UP", FACT_GAVE_UP, 0, VERDICT_UNCLEAN, {"rollback-failed", "hot-journal"}},
        {"UNCLEAN_TXN_CKPT",
         FACT_WRITE_TXN | FACT_CHECKPOINT,
         0,
         VERDICT_UNCLEAN,
         {"write-transaction-open", "checkpoint-interrupted"}},
        {"UNCLEAN_TXN_COLD", FACT_WRITE_TXN, 0, VERDICT_UNCLEAN, {"write-transaction-open"}},
        {"UNCLEAN_CKPT", FACT_CHECKPOINT, 0, VERDICT_UNCLEAN, {"checkpoint-interrupted"}},
        {"UNKNOWN_END", FACT_END_UNSEEN, 0, VERDICT_UNKNOWN, {"transaction-end-unseen"}},
        {"UNKNOWN_ROLLBACK", FACT_ROLLBACK_UNSEEN, 0, VERDICT_UNKNOWN, {"rollback-unseen"}},
        {"SECOND_NAME", FACT_SECOND_NAME | FACT_OPEN, 0, VERDICT_UNKNOWN, {"second-name"}},
        {"STRANGER", FACT_STRANGER, 0, VERDICT_UNKNOWN, {"written-without-locks"}},
        {"UNCLEAN_READ", FACT_READ_TXN, 0, VERDICT_ABRUPT, {"read-transaction-open"}},
        {"UNCLEAN_IDLE", FACT_OPEN, 0, VERDICT_ABRUPT, {"connection-left-open"}},
        {"UNKNOWN",
         0,
         FACT_BLIND | FACT_LATE | FACT_REMOTE | FACT_NO_SNAPSHOT | FACT_FDS_UNKNOWN | FACT_LOCKS_UNKNOWN,
         VERDICT_UNKNOWN,
         {NULL}},
        {"CLEAN_NOT_LAST", FACT_OTHERS, 0, VERDICT_CLEAN, {"others-still-open"}},
        {"CLEAN", 0, 0, VERDICT_CLEAN, {NULL}},
};

const struct verdict_rule *verdict_rule(uint32_t facts)
{
        const struct verdict_rule *r = rules;
        while ((facts & r->need) != r->need || (r->any && !(facts & r->any)))
                r++;
        return r;
}

void add_unknown_reasons(struct certificate *c, const struct model *m, uint32_t facts)
{
        static const struct {
                uint32_t fact;
                const char *reason;
        } why[] = {
                {FACT_LATE, "seen-late"},
                {FACT_REMOTE, "remote-filesystem"},
                {FACT_NO_SNAPSHOT, "snapshot-lost"},
                {FACT_FDS_UNKNOWN, "descriptors-unknown"},
                {FACT_LOCKS_UNKNOWN, "locks-unknown"},
                {FACT_USES_LOST, "databases-not-kept"},
        };
        const char *blind;
        if (model_blind(m, &blind) && c->verdict == VERDICT_UNKNOWN)
                certificate_reason(c, blind);
        for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
                if (!(facts & why[i].fact))
                        continue;
                if (c->verdict == VERDICT_UNKNOWN && !(facts & FACT_SHARED))
                        certificate_reason(c, why[i].reason);
                trust_lower(&c->trust, why[i].reason);
        }
}

/* ---- facts --------------------------------------------------------------------------------------------------------- */

#define WAL_READ_MARKS                                                                                             \
        (VIGIL_LOCK_WAL_READ0 | VIGIL_LOCK_WAL_READ1 | VIGIL_LOCK_WAL_READ2 | VIGIL_LOCK_WAL_READ3 |               \
         VIGIL_LOCK_WAL_READ4)

uint32_t locks_of(const struct model_use *u)
{
        return u->use.locks_at_end | (u->use.flags & VIGIL_USE_LOCKS_UNKNOWN ? u->use.locks : 0);
}

static bool owns(const struct model_use *u, enum vigil_txn txn)
{
        return u->db && u->use.flags & VIGIL_USE_TXN_OWNER && u->db->txn == txn;
}

/* Its locks are those of a transaction that an exec has abandoned: they tell of none of its own. */
static bool kept(const struct model_use *u)
{
        return u->use.flags & VIGIL_USE_KEPT;
}

static bool late(const struct model_use *u)
{
        return u->use.flags & VIGIL_USE_SEEN_LATE || (u->db && u->db->flags & VIGIL_DB_SEEN_LATE);
}

bool by_second_name(const struct model_use *u)
{
        return u->use.flags & VIGIL_USE_SECOND_NAME;
}

static bool seen_hot(const struct model_use *u)
{
        return u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_JOURNAL_HOT;
}

/* Its transaction changed no file yet, or is committed: the next open deletes the journal unread. An empty file is not the one that
 * @main tells of, where that has pages: a mount of it has ended, and what lies below was looked at. */
static bool unneeded(const struct vigil_observed *o, const struct vigil_ledger *main)
{
        bool has_pages = main && (main->end > 0 || (main->flags & VIGIL_LEDGER_SIZED && main->size > 0));
        bool empty = o->flags & VIGIL_OBS_EMPTY && o->flags & VIGIL_OBS_JOURNAL && !has_pages;

        return !o->error && (o->flags & VIGIL_OBS_JOURNAL_STALE || empty);
}

bool left_hot_journal(const struct model_use *u)
{
        const struct vigil_ledger *main = u->db ? &u->db->file[VIGIL_ROLE_MAIN] : NULL;
        if (u->observed && unneeded(u->observed, main))
                return false;
        if (seen_hot(u))
                return true;
        return main && u->db->journal_hot && !(main->flags & VIGIL_LEDGER_SIZED && main->size == 0);
}

/* Rollback modes: RESERVED is the transaction. It is none when the kernel side saw it end and the lock stayed: locking_mode
 * EXCLUSIVE keeps it, and right after a commit it is about to be released. */
static bool rollback_txn(const struct model_death *d, const struct model_use *u, uint32_t locks)
{
        bool held = locks & VIGIL_LOCK_RESERVED && !kept(u);
        if (!u->db)
                return held;
        if (u->use.flags & VIGIL_USE_ABANDONED)
                return true;
        /* By the time an exec is told of somebody else may have the lock that it has released. */
        if (d->by_exec && !late(u))
                return owns(u, VIGIL_TXN_ROLLBACK);
        bool touched = u->db->txn_db_writes || u->db->txn_journal_writes;
        if (u->db->flags & VIGIL_DB_EXCLUSIVE)
                return owns(u, VIGIL_TXN_ROLLBACK) && touched;
        /* The lock began one, and its end was seen. */
        if (held && u->db->txn == VIGIL_TXN_NONE && !late(u))
                return false;
        return held || owns(u, VIGIL_TXN_ROLLBACK);
}

/* The first to open a WAL takes byte 120 and makes the -shm, before it takes the bytes of a recovery. A writer whose frames make
 * the -shm longer has a read mark. */
static bool builds_index(const struct model_use *u, uint32_t locks)
{
        return u->db && u->db->wal_frames_open == 0 && !(locks & WAL_READ_MARKS) && u->use.write_lock_ns &&
               u->db->file[VIGIL_ROLE_SHM].last_write_ns > u->use.write_lock_ns;
}

/* @locks, and those on the -shm that a close() of another descriptor of it took away (howtocorrupt.html, 2.2): the kernel side goes
 * on counting them until they are given back. That byte 128 is gone, too, which a connection keeps, shows that there was one. */
static uint32_t wal_locks(const struct model_death *d, const struct model_use *u, uint32_t locks)
{
        bool closed = !(locks & VIGIL_LOCK_DMS) && !d->by_exec;
        return locks |
               (closed ? u->use.locks & (VIGIL_LOCK_WAL_WRITE | VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_RECOVER) : 0);
}

/* WAL: byte 120 is the transaction, but for a recovery, which takes it too, and for a checkpoint that waits for writers (FULL
 * and beyond), which takes it after its own. */
static bool wal_txn(const struct model_use *u, uint32_t locks)
{
        bool frames = u->db && u->db->wal_frames_open > 0;
        if (kept(u))
                return owns(u, VIGIL_TXN_WAL);
        if (locks & VIGIL_LOCK_WAL_RECOVER)
                return false;
        if (locks & VIGIL_LOCK_WAL_CKPT)
                return locks & VIGIL_LOCK_WAL_WRITE && frames;
        return locks & VIGIL_LOCK_WAL_WRITE && !builds_index(u, locks);
}

/* locking_mode EXCLUSIVE takes no lock for a transaction of the WAL. Frames without a commit were of one, and a ROLLBACK leaves them as
 * they are, by no call that could be seen (docs/ARCHITECTURE.md, "Where a transaction ends"). */
static bool rollback_unseen(const struct model_use *u, uint32_t locks)
{
        bool exclusive = locks & VIGIL_LOCK_EXCLUSIVE || !(locks & VIGIL_LOCK_DMS);
        return exclusive && !kept(u) && !(locks & VIGIL_LOCK_WAL_WRITE) && owns(u, VIGIL_TXN_WAL) &&
               u->db->wal_frames_open > 0;
}

static bool checkpointing(const struct model_use *u, uint32_t locks)
{
        if (locks & VIGIL_LOCK_WAL_RECOVER)
                return false;
        if (kept(u))
                return owns(u, VIGIL_TXN_CHECKPOINT);
        return locks & (VIGIL_LOCK_WAL_CKPT | VIGIL_LOCK_WAL_READ0_WR) || owns(u, VIGIL_TXN_CHECKPOINT);
}

/* Its transaction has changed the main file, and no journal that is still there can undo that. */
static bool half_written(const struct model_use *u)
{
        return !by_second_name(u) && owns(u, VIGIL_TXN_ROLLBACK) && u->db->txn_db_writes > 0 &&
               !u->db->journal_hot && !seen_hot(u) && !late(u);
}

/* journal_mode MEMORY and OFF. For the kernel side that transaction is open until a lock is released or the main file synced.
 * Neither happens with locking_mode EXCLUSIVE and synchronous=OFF (docs/ARCHITECTURE.md, "Where a transaction ends"). */
static bool end_unseen(const struct model_use *u)
{
        return half_written(u) && u->db->txn_journal_writes == 0 && u->db->flags & VIGIL_DB_END_POSSIBLE &&
               !(u->use.flags & VIGIL_USE_ENDS_SEEN);
}

static bool without_journal(const struct model_use *u)
{
        if (!half_written(u) || end_unseen(u))
                return false;
        /* It had a journal: gone only when somebody looked and nobody can have rolled it back in between. */
        return u->db->txn_journal_writes == 0 ||
               (u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_MAIN && !u->others &&
                u->recovered != 1);
}

static bool reading(const struct model_use *u, uint32_t locks)
{
        if (kept(u))
                return false;
        bool keeps = locks & (VIGIL_LOCK_RESERVED | VIGIL_LOCK_EXCLUSIVE) ||
                     (u->db && u->db->flags & VIGIL_DB_EXCLUSIVE);
        /* A connection in WAL mode has SHARED for life and the -shm's DMS byte with it; locking_mode EXCLUSIVE keeps it. */
        bool rollback_reader = locks & VIGIL_LOCK_SHARED && !(locks & VIGIL_LOCK_DMS) && !keeps;
        return locks & WAL_READ_MARKS || rollback_reader;
}

static bool remote(const struct model_use *u)
{
        return u->db && u->db->file[VIGIL_ROLE_MAIN].flags & VIGIL_LEDGER_REMOTE;
}

/* Then a connection holds SHARED for life, and no lock means no connection, whatever its descriptors were. */
static bool in_wal_mode(const struct model_use *u)
{
        if (u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_SQLITE)
                return u->observed->flags & VIGIL_OBS_WAL_MODE;
        return u->db && u->db->flags & VIGIL_DB_WAL_SEEN;
}

/* A program that copies a file into place, cut short: how much of it stands there is nothing that a lock could tell. SQLite without
 * locks (nolock=1, unix-none) writes a journal first. */
static bool cut_short(const struct model_death *d, const struct model_use *u)
{
        const uint32_t locked = VIGIL_USE_LOCKED | VIGIL_USE_SEEN_LATE;
        bool journals = owns(u, VIGIL_TXN_ROLLBACK) && u->db->txn_journal_writes > 0;
        bool never_locked = u->use.flags & VIGIL_USE_WROTE && !(u->use.flags & locked) && !u->use.locks &&
                            !journals;

        return (never_locked || u->use.flags & VIGIL_USE_UNLOCKED) && d->exit_code & 0x7f;
}

/* A descriptor alone is none: who reads the bytes of the file, to copy or to show them, takes no lock and writes nothing. */
static bool has_connection(const struct model_use *u, uint32_t locks)
{
        const uint32_t as_sqlite = VIGIL_USE_LOCKED | VIGIL_USE_WROTE | VIGIL_USE_SEEN_LATE;

        return locks || (u->use.flags & VIGIL_USE_OPEN_AT_END && u->use.flags & as_sqlite);
}

/* Its WAL and the locks on it were not watched. In rollback mode all locks are on the main file, whatever its name. */
static bool hides_wal(const struct model_use *u)
{
        bool looked = u->observed && !u->observed->error && u->observed->flags & VIGIL_OBS_SQLITE;
        return by_second_name(u) && (!looked || in_wal_mode(u));
}

uint32_t facts_held(const struct model_death *d, const struct model_use *u, uint32_t locks)
{
        uint32_t f = 0, wal = wal_locks(d, u, locks);
        if (end_unseen(u))
                f |= FACT_END_UNSEEN;
        if (rollback_unseen(u, wal))
                f |= FACT_ROLLBACK_UNSEEN;
        if (without_journal(u))
                f |= FACT_NO_JOURNAL;
        if ((rollback_txn(d, u, locks) && !end_unseen(u)) || wal_txn(u, wal))
                f |= FACT_WRITE_TXN;
        if (left_hot_journal(u) && !by_second_name(u))
                f |= u->use.flags & VIGIL_USE_GAVE_UP ? FACT_HOT | FACT_GAVE_UP : FACT_HOT;
        if (checkpointing(u, wal))
                f |= FACT_CHECKPOINT;
        if (owns(u, VIGIL_TXN_RECOVERY))
                f |= FACT_ROLLING_BACK;
        if (reading(u, locks))
                f |= FACT_READ_TXN;
        if (has_connection(u, locks))
                f |= FACT_OPEN;
        if (cut_short(d, u))
                f |= FACT_STRANGER;
        if (hides_wal(u))
                f |= FACT_SECOND_NAME;
        return f;
}

uint32_t facts_of(const struct model *m, const struct model_death *d, const struct model_use *u, uint32_t locks)
{
        const char *why;
        uint32_t f = facts_held(d, u, locks);
        if (u->others)
                f |= FACT_OTHERS;
        /* A sibling thread that is still leaving counts as a sharer, too: believed only when somebody does go on. */
        if (d->flags & VIGIL_PROC_SHARED_FILES && u->others)
                f |= FACT_SHARED;
        if (model_blind(m, &why))
                f |= FACT_BLIND;
        if (u->use.flags & VIGIL_USE_SEEN_LATE || d->flags & VIGIL_PROC_SEEN_LATE)
                f |= FACT_LATE;
        if (remote(u))
                f |= FACT_REMOTE;
        if (!u->db)
                f |= FACT_NO_SNAPSHOT;
        if (u->use.flags & VIGIL_USE_FDS_UNKNOWN && !locks && !in_wal_mode(u))
                f |= FACT_FDS_UNKNOWN;
        if (u->use.flags & VIGIL_USE_LOCKS_UNKNOWN)
                f |= FACT_LOCKS_UNKNOWN;
        if (d->uses_lost)
                f |= FACT_USES_LOST;
        return f;
}
