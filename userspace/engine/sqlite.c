/* sqlite.c - the engine SQLite: names, and what its files say. */
#include <errno.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/shm.h"
#include "engine/sqlite_header.h"
#include "engine/wal.h"

/* sqlite.org/tempfiles.html; the names are made by appending to that of the main file. */
static const struct engine_companion companions[] = {
        {"-wal", VIGIL_ROLE_WAL},
        {"-shm", VIGIL_ROLE_SHM},
        {"-journal", VIGIL_ROLE_JOURNAL},
        {NULL, VIGIL_ROLE_OTHER},
};

static int look_at_main(const struct reader *r, struct vigil_observed *o)
{
        uint8_t bytes[SQLITE_HEADER_LEN] = {0};
        struct sqlite_header h;
        o->flags |= VIGIL_OBS_MAIN;
        o->main_bytes = r->size;
        if (r->size == 0) {
                o->flags |= VIGIL_OBS_EMPTY;
                return 0;
        }
        ssize_t n = r->pread(r, bytes, sizeof(bytes), 0);
        if (n < 0)
                return (int)n;
        if (sqlite_header_parse(bytes, (size_t)n, &h) == 0) {
                o->flags |= VIGIL_OBS_SQLITE | (h.wal ? VIGIL_OBS_WAL_MODE : 0u);
                o->page_size = h.page_size;
        } else if (r->size % 512 == 0) {
                /* Whole pages without a header: what an encrypting build of SQLite leaves. */
                o->flags |= VIGIL_OBS_ENCRYPTED;
        }
        return 0;
}

static int look_at_wal(const struct reader *r, int index, uint64_t limit, struct vigil_observed *o)
{
        struct wal_scan scan;
        struct shm_info before, after;
        o->flags |= VIGIL_OBS_WAL;
        o->wal_bytes = r->size;
        shm_now(index, &before);
        int err = wal_scan(r, limit, &scan);
        shm_now(index, &after);
        if (err < 0)
                return err;
        o->flags |= (scan.header_valid ? VIGIL_OBS_WAL_HEADER : 0u) | (scan.cut ? VIGIL_OBS_WAL_CUT : 0u) |
                    (scan.torn ? VIGIL_OBS_WAL_TORN : 0u) |
                    (shm_unreadable(&before, &after, &scan) ? VIGIL_OBS_WAL_UNREADABLE : 0u);
        o->wal_frames = scan.frames;
        o->wal_commits = scan.commits;
        o->wal_tail_frames = scan.tail_frames;
        o->wal_commit_end = scan.commit_end;
        if (scan.behind_end) {
                o->flags |= VIGIL_OBS_WAL_BEHIND;
                if (index < 0)
                        o->shm_max_frame = (uint32_t)((scan.behind_end - WAL_HEADER_LEN) /
                                                      (WAL_FRAME_HEADER_LEN + scan.header.page_size));
        }
        return 0;
}

static int look_at_journal(const struct reader *r, struct vigil_observed *o, char ret_super[ENGINE_QUESTION_LEN])
{
        struct journal_info info;
        o->flags |= VIGIL_OBS_JOURNAL;
        o->journal_bytes = r->size;
        int err = journal_scan(r, &info);
        if (err < 0)
                return err;
        if (!info.hot)
                return 0;
        o->flags |= VIGIL_OBS_JOURNAL_HOT;
        memcpy(ret_super, info.super, sizeof(info.super));
        o->journal_records = info.records;
        o->journal_pages = info.pages > UINT32_MAX ? UINT32_MAX : (uint32_t)info.pages;
        return 0;
}

static int look_at_shm(const struct reader *r, struct vigil_observed *o)
{
        uint8_t bytes[SHM_HEADER_LEN];
        struct shm_info info;
        o->flags |= VIGIL_OBS_SHM;
        o->shm_bytes = r->size;
        ssize_t n = r->pread(r, bytes, sizeof(bytes), 0);
        if (n < 0)
                return (int)n;
        if (shm_parse(bytes, (size_t)n, &info) == 0) {
                o->shm_max_frame = info.max_frame;
                o->shm_backfill = info.backfill;
        }
        return 0;
}

static int look(const struct engine_files *files, uint64_t wal_limit, struct vigil_observed *o,
                char ret_super[ENGINE_QUESTION_LEN])
{
        static const enum vigil_role order[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_JOURNAL, VIGIL_ROLE_WAL,
                                                VIGIL_ROLE_SHM};
        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
                int fd = files->fd[order[i]];
                struct reader r;
                if (fd < 0)
                        continue;
                int err = reader_of_fd(fd, &r);
                if (err < 0)
                        return err;
                switch (order[i]) {
                case VIGIL_ROLE_MAIN:
                        err = look_at_main(&r, o);
                        break;
                case VIGIL_ROLE_JOURNAL:
                        err = look_at_journal(&r, o, ret_super);
                        break;
                case VIGIL_ROLE_WAL:
                        err = look_at_wal(&r, files->fd[VIGIL_ROLE_SHM], wal_limit, o);
                        break;
                default:
                        err = look_at_shm(&r, o);
                }
                if (err < 0)
                        return err;
        }
        /* Beside a main file of 0 bytes SQLite takes it for a leftover (pager.c, hasHotJournal). */
        if (!(o->flags & VIGIL_OBS_MAIN) || o->flags & VIGIL_OBS_EMPTY)
                o->flags &= ~(uint32_t)VIGIL_OBS_JOURNAL_HOT;
        return 0;
}

static int inspect(const struct engine_files *files, uint64_t wal_limit, struct vigil_observed *ret,
                   char ret_question[ENGINE_QUESTION_LEN])
{
        *ret = (struct vigil_observed){0};
        ret_question[0] = '\0';
        ret->error = look(files, wal_limit, ret, ret_question);
        return ret->error;
}

/* A hot journal that names a super-journal asks whether that is still there. */
static void answer(const struct engine_files *files, const char *super, struct vigil_observed *o)
{
        if ((o->flags & VIGIL_OBS_JOURNAL_HOT) && journal_super_gone(super, files->path))
                o->flags = (o->flags & ~(uint32_t)VIGIL_OBS_JOURNAL_HOT) | VIGIL_OBS_JOURNAL_STALE;
}

const struct engine engine_sqlite = {
        .name = "sqlite",
        .companions = companions,
        .inspect = inspect,
        .answer = answer,
        .is_main = sqlite_header_magic,
};

_Static_assert(ENGINE_QUESTION_LEN == JOURNAL_SUPER_MAX, "a question holds the name of a super-journal");
