/* database.c - real databases for the tests of this stage. */
#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"
#include "engine/wal.h"

static char directory[64];
static pid_t owner;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void remove_place(void)
{
        if (getpid() == owner)
                nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* In main(), before Check forks the tests: they share the directory, and a failed one leaves nothing behind. */
static void __attribute__((constructor)) make_place(void)
{
        owner = getpid();
        strcpy(directory, "/tmp/vigil-engine-XXXXXX");
        if (!mkdtemp(directory))
                abort();
        atexit(remove_place);
}

/* Equal texts get one place to stay, so that a path lives as long as the test. */
static const char *keep(const char *text)
{
        static char kept[64][256];
        static size_t n;
        for (size_t i = 0; i < n; i++)
                if (strcmp(kept[i], text) == 0)
                        return kept[i];
        ck_assert_uint_lt(n, sizeof(kept) / sizeof(kept[0]));
        ck_assert_uint_lt(strlen(text), sizeof(kept[0]));
        return strcpy(kept[n++], text);
}

const char *place(const char *name)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%d", directory, (int)getpid());
        ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
        size_t n = strlen(path);
        snprintf(path + n, sizeof(path) - n, "/%s", name);
        return keep(path);
}

const char *with(const char *path, const char *suffix)
{
        char both[256];
        snprintf(both, sizeof(both), "%s%s", path, suffix);
        return keep(both);
}

sqlite3 *db_open(const char *path)
{
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        sqlite3_busy_timeout(db, 10000);
        return db;
}

void db_exec(sqlite3 *db, const char *sql)
{
        char *message = NULL;
        int rc = sqlite3_exec(db, sql, NULL, NULL, &message);
        ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, message);
}

int64_t db_int(sqlite3 *db, const char *sql)
{
        sqlite3_stmt *stmt = NULL;
        ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
        ck_assert_msg(sqlite3_step(stmt) == SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(db));
        int64_t value = sqlite3_column_int64(stmt, 0);
        sqlite3_finalize(stmt);
        return value;
}

int64_t db_ask(const char *path, const char *sql)
{
        sqlite3 *db = db_open(path);
        int64_t value = db_int(db, sql);
        sqlite3_close(db);
        return value;
}

void db_make(const char *path, const char *mode, int rows)
{
        char sql[512];
        sqlite3 *db = db_open(path);
        snprintf(sql, sizeof(sql),
                 "pragma journal_mode=%s; create table t(id integer primary key, v blob);"
                 "with recursive n(i) as (select 1 union all select i+1 from n where i<%d)"
                 "insert into t select i, randomblob(500) from n where i<=%d;",
                 mode, rows, rows);
        db_exec(db, sql);
        sqlite3_close(db);
}

void db_killed_after(const char *path, const char *script)
{
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                sqlite3 *db = db_open(path);
                db_exec(db, "pragma cache_size=5");
                db_exec(db, script);
                raise(SIGKILL);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

pid_t process_start(void (*fn)(const char *path), const char *path)
{
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                fn(path);
                _exit(0);
        }
        return pid;
}

void child_end(pid_t pid, int sig)
{
        int status;
        kill(pid, sig);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(sig == 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                               : WIFSIGNALED(status) || WEXITSTATUS(status) == 0,
                      "child: status %#x", (unsigned int)status);
}

uint8_t *slurp(const char *path, size_t *ret_size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(fstat(fd, &st), 0);
        uint8_t *data = malloc((size_t)st.st_size + 1);
        ck_assert_int_eq(io_pread_all(fd, data, (size_t)st.st_size, 0), st.st_size);
        close(fd);
        *ret_size = (size_t)st.st_size;
        return data;
}

void spill(const char *path, const void *data, size_t n)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(io_write_all(fd, data, n), 0);
        close(fd);
}

int64_t size_of(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 ? st.st_size : -1;
}

const char *hash_of(const char *path)
{
        static char hex[8][HASH_HEX_LEN];
        static size_t next;
        char *h = hex[next++ % 8];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return "-";
        ck_assert_int_eq(hash_fd(fd, h), 0);
        close(fd);
        return h;
}

void db_break_frame(const char *path, unsigned frame)
{
        size_t n, at = WAL_HEADER_LEN + (size_t)(frame - 1) * (WAL_FRAME_HEADER_LEN + 4096) + 8;
        uint8_t *wal = slurp(with(path, "-wal"), &n);
        ck_assert_uint_lt(at + 16, n);
        memset(wal + at, 0, 16);
        spill(with(path, "-wal"), wal, n);
        free(wal);
}
