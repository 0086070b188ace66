/* settle.c - recovery of a captured copy by SQLite, in a confined child. */
#include "engine/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/deadline.h"
#include "engine/private.h"
#include "engine/worker.h"

static int work(int answer_fd, void *userdata)
{
        const struct scratch *scratch = userdata;
        sqlite3 *db;
        int rc = private_open(scratch, &db);
        const char *message = rc == SQLITE_OK ? "" : db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
        json_t *text = text_json(message, strnlen(message, 200));
        /* Closing checkpoints what is left and removes the companions. */
        int closed = sqlite3_close(db);
        if (rc == SQLITE_OK)
                rc = closed;
        /* A journal that was rolled back under locking_mode=exclusive stays, with its header zeroed. */
        if (rc == SQLITE_OK)
                unlinkat(scratch->dir, SCRATCH_JOURNAL, 0);
        return worker_answer(answer_fd, json_pack("{s:i,s:o}", "rc", rc & 0xff, "text", text));
}

/* Whatever SQLite left behind must be empty: then the main file is complete. */
static int drop_companions(const struct scratch *s)
{
        static const char *const names[] = {SCRATCH_WAL, SCRATCH_JOURNAL, SCRATCH_SHM};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                struct stat st;
                if (fstatat(s->dir, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return -errno;
                }
                if (st.st_size > 0)
                        return -EIO;
                if (unlinkat(s->dir, names[i], 0) < 0)
                        return -errno;
        }
        return 0;
}

static int judge(const json_t *answer, char *ret_reason, size_t size)
{
        uint64_t rc;
        const char *text = json_string_value(json_object_get(answer, "text"));
        if (worker_get_u64(answer, "rc", &rc) < 0 || !text)
                return -EBADMSG;
        if (rc == SQLITE_OK)
                return 0;
        snprintf(ret_reason, size, "the copy cannot recover: %.200s", text);
        return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? -EUCLEAN : -EIO;
}

int settle_copy(struct scratch *scratch, const struct capture *capture, uint64_t deadline, char *ret_reason,
                size_t size)
{
        struct child_options options = worker_options(capture->owner, capture->group, deadline_left_ms(deadline));
        int keep[] = {scratch->dir, -1};
        struct child_result child;
        int err = scratch_give(scratch, capture->owner, capture->group);
        if (err < 0) {
                snprintf(ret_reason, size, "cannot give the copy to its worker: %s", strerror(-err));
                return err;
        }
        err = child_run(&options, keep, work, scratch, &child);
        if (err == 0)
                err = judge(child.answer, ret_reason, size);
        else
                snprintf(ret_reason, size, "the worker that recovers the copy failed (status %#x): %s",
                         (unsigned int)child.status, strerror(-err));
        child_result_done(&child);
        if (err == 0) {
                err = drop_companions(scratch);
                if (err < 0)
                        snprintf(ret_reason, size, "the recovered copy still has companions: %s", strerror(-err));
        }
        return err;
}
