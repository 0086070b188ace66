/* predict.c - from the state of the files to a sentence. */
#include "engine/predict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/files.h"
#include "engine/wal.h"

struct sentence {
        char *text;
        size_t size;
        size_t used;
};

static void __attribute__((format(printf, 2, 3))) say(struct sentence *s, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(s->text + s->used, s->size - s->used, fmt, ap);
        va_end(ap);
        if (n > 0)
                s->used += (size_t)n < s->size - s->used ? (size_t)n : s->size - s->used - 1;
}

/* "3 pages", "1 page", "at least 3 pages". */
static void say_count(struct sentence *s, bool lower_bound, uint64_t n, const char *what)
{
        say(s, "%s%" PRIu64 " %s%s", lower_bound ? "at least " : "", n, what, n == 1 ? "" : "s");
}

static bool has(const struct vigil_observed *o, uint32_t flag)
{
        return (o->flags & flag) != 0;
}

/* A main file of 0 bytes, or none: SQLite takes companions for leftovers of another database. */
static void say_empty(struct sentence *s, const struct vigil_observed *o)
{
        say(s, has(o, VIGIL_OBS_MAIN) ? "next open finds an empty main file"
                                      : "next open finds no main file and, where it may, creates an empty one");
        if (has(o, VIGIL_OBS_JOURNAL) && o->journal_bytes > 0)
                say(s, "; it deletes the journal unread");
        if (o->wal_bytes == 0)
                return;
        say(s, "; it deletes the WAL unread");
        if (o->wal_commits > 0) {
                say(s, ": ");
                say_count(s, has(o, VIGIL_OBS_WAL_CUT), o->wal_commits, "committed transaction");
                say(s, " %s lost", o->wal_commits == 1 ? "is" : "are");
        }
}

static void say_foreign(struct sentence *s, const struct vigil_observed *o)
{
        say(s, "unknown: the main file has no SQLite header (encrypted, damaged, or no database)");
        if (has(o, VIGIL_OBS_JOURNAL_HOT))
                say(s, "; a hot journal stands beside it");
        else if (o->wal_commits > 0)
                say(s, "; a WAL with committed transactions stands beside it");
}

static bool say_journal(struct sentence *s, const struct vigil_observed *o)
{
        if (has(o, VIGIL_OBS_JOURNAL_STALE)) {
                say(s, "next open deletes the journal unread: its super-journal is gone, the transaction is "
                       "committed");
                return true;
        }
        if (!has(o, VIGIL_OBS_JOURNAL_HOT))
                return false;
        say(s, "next open rolls back the hot journal");
        if (o->journal_pages != PREDICT_PAGES_UNKNOWN) {
                say(s, " (");
                say_count(s, false, o->journal_pages, "page");
                say(s, ")");
        }
        return true;
}

uint64_t predict_unreadable(const struct vigil_observed *o)
{
        if (o->error != 0 || !has(o, VIGIL_OBS_WAL_UNREADABLE) || o->page_size == 0)
                return 0;
        uint64_t frame = WAL_FRAME_HEADER_LEN + (uint64_t)o->page_size;
        uint64_t readable = o->wal_commit_end ? (o->wal_commit_end - WAL_HEADER_LEN) / frame : 0;
        return o->shm_max_frame > readable ? o->shm_max_frame - readable : 0;
}

static void say_unreadable(struct sentence *s, uint64_t frames)
{
        say(s, "; commits are lost: ");
        say_count(s, false, frames, "committed WAL frame");
        say(s, " cannot be read by a recovery");
}

static bool say_wal(struct sentence *s, const struct vigil_observed *o, bool after_journal)
{
        bool cut = has(o, VIGIL_OBS_WAL_CUT);
        uint64_t unreadable = predict_unreadable(o);
        if (o->wal_commits == 0 && o->wal_tail_frames == 0 && unreadable == 0)
                return false;

        say(s, after_journal ? " and then " : "next open ");
        if (o->wal_commits == 0 && unreadable > 0)
                say(s, "recovers nothing from the WAL");
        if (o->wal_commits > 0) {
                say(s, "recovers ");
                say_count(s, cut, o->wal_commits, "committed transaction");
                say(s, " from the WAL");
        }
        if (unreadable > 0) { /* frames of the tail are committed, too */
                say_unreadable(s, unreadable);
                return true;
        }
        /* Beyond the end of a cut scan there may be the commit frame that these frames wait for. */
        if (o->wal_tail_frames > 0 && !cut) {
                say(s, "%sdiscards ", o->wal_commits > 0 ? " and " : "");
                say_count(s, false, o->wal_tail_frames, "uncommitted WAL frame");
        } else if (o->wal_commits == 0) {
                say(s, "recovers the WAL, of which only the beginning was looked at");
        }
        return true;
}

int predict_next_open(const struct vigil_observed *o, char *ret, size_t size)
{
        if (size == 0)
                return -EINVAL;
        ret[0] = '\0';
        struct sentence s = {.text = ret, .size = size};

        if (o->error != 0) {
                say(&s, "unknown: the files could not be looked at (%s)", engine_files_why(o->error));
                return 0;
        }
        if (has(o, VIGIL_OBS_REPLACED))
                say(&s, "another file stands under the name now; ");
        if (!has(o, VIGIL_OBS_MAIN) || has(o, VIGIL_OBS_EMPTY)) {
                say_empty(&s, o);
        } else if (!has(o, VIGIL_OBS_SQLITE)) {
                say_foreign(&s, o);
        } else {
                bool journal = say_journal(&s, o);
                bool wal = say_wal(&s, o, journal);
                if (!journal && !wal)
                        say(&s, "nothing to recover");
                else if (!has(o, VIGIL_OBS_JOURNAL_STALE) && !predict_unreadable(o))
                        say(&s, "; no committed transaction is lost");
        }
        return 0;
}
