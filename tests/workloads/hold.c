#include "hold.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* One overlay per file; one process holds one of each at most. */
struct overlay {
        const sqlite3_io_methods *real;
        sqlite3_io_methods shown;
};

static struct overlay main_file, log_file;

static struct {
        const char *where;
        unsigned long left;
        const char *ready;
} hold;

_Noreturn void hold_here(const char *ready)
{
        int fd = ready ? open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (fd >= 0)
                close(fd);
        for (;;)
                pause();
}

static void passing(const char *where)
{
        if (hold.where && strcmp(hold.where, where) == 0 && --hold.left == 0)
                hold_here(hold.ready);
}

static int main_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
        passing("write");
        return main_file.real->xWrite(file, bytes, n, offset);
}

static int main_sync(sqlite3_file *file, int flags)
{
        passing("sync");
        return main_file.real->xSync(file, flags);
}

static int main_control(sqlite3_file *file, int op, void *arg)
{
        if (op == SQLITE_FCNTL_CKPT_START)
                passing("ckpt");
        return main_file.real->xFileControl(file, op, arg);
}

static int log_sync(sqlite3_file *file, int flags)
{
        passing("wal-sync");
        return log_file.real->xSync(file, flags);
}

static int overlay_put(sqlite3 *db, int which, struct overlay *o, sqlite3_file **ret_file)
{
        sqlite3_file *file = NULL;

        int rc = sqlite3_file_control(db, "main", which, &file);
        if (rc != SQLITE_OK)
                return rc;
        if (!file || !file->pMethods)
                return SQLITE_MISUSE; /* the journal is not open now */
        if (file->pMethods != &o->shown) {
                o->real = file->pMethods;
                o->shown = *file->pMethods;
                file->pMethods = &o->shown;
        }
        *ret_file = file;
        return SQLITE_OK;
}

int hold_at(sqlite3 *db, const char *where, unsigned long nth, const char *ready)
{
        static const char *const known[] = {"write", "sync", "ckpt", "wal-sync"};
        bool found = false;
        sqlite3_file *file;
        int rc;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                found |= strcmp(known[i], where) == 0;
        if (!found || nth == 0)
                return SQLITE_MISUSE;

        if (strcmp(where, "wal-sync") == 0) {
                rc = overlay_put(db, SQLITE_FCNTL_JOURNAL_POINTER, &log_file, &file);
                if (rc != SQLITE_OK)
                        return rc;
                log_file.shown.xSync = log_sync;
        } else {
                rc = overlay_put(db, SQLITE_FCNTL_FILE_POINTER, &main_file, &file);
                if (rc != SQLITE_OK)
                        return rc;
                main_file.shown.xWrite = main_write;
                main_file.shown.xSync = main_sync;
                main_file.shown.xFileControl = main_control;
        }
        hold.where = where;
        hold.left = nth;
        hold.ready = ready;
        return SQLITE_OK;
}
