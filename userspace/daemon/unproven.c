/* unproven.c - see unproven.h. */
#include "daemon/unproven.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* The kernel stamps files with a clock that stands still for up to so long. */
#define COARSE_NS 10000000

static const struct {
        int role;
        const char *suffix;
} files_of[] = {{VIGIL_ROLE_MAIN, ""}, {VIGIL_ROLE_WAL, "-wal"}, {VIGIL_ROLE_JOURNAL, "-journal"}};
#define FILES (sizeof(files_of) / sizeof(files_of[0]))

/* @return 0, or -errno */
static int look_at(const char *path, const char *suffix, struct stat *ret)
{
        char name[PATH_MAX + 16];

        snprintf(name, sizeof(name), "%s%s", path, suffix);
        return stat(name, ret) < 0 ? -errno : 0;
}

unsigned unproven_changed(const char *path, int64_t since_ns)
{
        unsigned changed = 0;

        for (size_t i = 0; i < FILES; i++) {
                struct stat st;
                if (look_at(path, files_of[i].suffix, &st) == 0 &&
                    st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec + COARSE_NS >= since_ns)
                        changed |= 1u << files_of[i].role;
        }
        return changed;
}

unsigned unproven_left(unsigned files, const char *path, const struct vigil_db *account)
{
        for (size_t i = 0; i < FILES; i++) {
                const struct vigil_ledger *l = &account->file[files_of[i].role];
                bool synced = l->last_sync_ns && !(l->flags & VIGIL_LEDGER_TAINTED);
                struct stat st;
                if (files & 1u << files_of[i].role && (synced || look_at(path, files_of[i].suffix, &st) == -ENOENT))
                        files &= ~(1u << files_of[i].role);
        }
        return files;
}
