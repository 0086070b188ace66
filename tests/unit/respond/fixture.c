#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"

static char root[64];
static pid_t owner;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        remove(path);
        return 0;
}

static void remove_root(void)
{
        if (getpid() == owner)
                nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Before Check forks the tests: a failed one leaves nothing behind. */
static void __attribute__((constructor)) make_root(void)
{
        owner = getpid();
        strcpy(root, "/var/tmp/vigil-respond-XXXXXX");
        if (!mkdtemp(root))
                abort();
        atexit(remove_root);
}

const char *place(const char *name)
{
        const char *mine = text("%s/%d", root, (int)getpid());
        ck_assert(mkdir(mine, 0700) == 0 || errno == EEXIST);
        return text("%s/%s", mine, name);
}

const char *text(const char *fmt, ...)
{
        va_list ap;
        char *s;
        va_start(ap, fmt);
        ck_assert_int_ge(vasprintf(&s, fmt, ap), 0);
        va_end(ap);
        /* Kept reachable, so that no leak is reported. */
        static char *kept[4096];
        static size_t n;
        ck_assert_uint_lt(n, 4096);
        return kept[n++] = s;
}

static void run_sql(sqlite3 *db, const char *sql)
{
        char *message = NULL;
        ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
}

void make_database(const char *path, const char *mode, int rows)
{
        sqlite3 *db;
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        run_sql(db, text("pragma journal_mode=%s; create table t(id integer primary key, v blob);"
                         "with recursive n(i) as (select 1 union all select i+1 from n where i<%d)"
                         "insert into t select i, randomblob(500) from n",
                         mode, rows));
        sqlite3_close(db);
}

void killed_after(const char *path, const char *sql)
{
        pid_t pid = fork();
        if (pid == 0) {
                sqlite3 *db;
                sqlite3_open(path, &db);
                sqlite3_exec(db, "pragma cache_size=5", NULL, NULL, NULL);
                if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
                        raise(SIGKILL);
                _exit(1);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFSIGNALED(status), "%s failed", sql);
}

int64_t ask(const char *path, const char *sql)
{
        sqlite3 *db;
        sqlite3_stmt *statement;
        ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
        ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", path,
                      sqlite3_errmsg(db));
        ck_assert_msg(sqlite3_step(statement) == SQLITE_ROW, "%s: %s", path, sqlite3_errmsg(db));
        int64_t value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(db);
        return value;
}

void damage(const char *path)
{
        char nonsense[4096];
        int64_t size = size_of(path);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        memset(nonsense, 0x5a, sizeof(nonsense));
        for (int64_t at = 4096; at < size; at += 4096)
                ck_assert_int_eq(pwrite(fd, nonsense, sizeof(nonsense), at), sizeof(nonsense));
        close(fd);
}

void write_file(const char *path, const void *data, size_t n)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
        close(fd);
}

int64_t size_of(const char *path)
{
        struct stat st;
        return lstat(path, &st) < 0 ? -1 : st.st_size;
}

static int no_dots(const struct dirent *e)
{
        return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

const char *names_in(const char *path)
{
        struct dirent **list;
        const char *all = "";
        int n = scandir(path, &list, no_dots, alphasort);
        for (int i = 0; i < n; i++) {
                all = text("%s%s ", all, list[i]->d_name);
                free(list[i]);
        }
        if (n >= 0)
                free(list);
        return all;
}

int temporaries_in(const char *path)
{
        int n = 0;
        for (const char *p = names_in(path); (p = strstr(p, ".vigil-")); p++)
                n++;
        return n;
}

const char *state_of(const char *path)
{
        const char *slash = strrchr(path, '/'), *all = "";
        const char *dir = text("%.*s", (int)(slash - path), path);
        struct dirent **list;
        int n = scandir(dir, &list, no_dots, alphasort);
        ck_assert_int_ge(n, 0);
        for (int i = 0; i < n; i++) {
                if (strncmp(list[i]->d_name, slash + 1, strlen(slash + 1)) == 0) {
                        char hex[HASH_HEX_LEN] = "";
                        struct stat st;
                        int fd = open(text("%s/%s", dir, list[i]->d_name), O_RDONLY | O_CLOEXEC);
                        ck_assert_int_ge(fd, 0);
                        ck_assert_int_eq(hash_fd(fd, hex), 0);
                        ck_assert_int_eq(fstat(fd, &st), 0);
                        close(fd);
                        all = text("%s%s %s %ld.%09ld\n", all, list[i]->d_name, hex, (long)st.st_mtim.tv_sec,
                                   st.st_mtim.tv_nsec);
                }
                free(list[i]);
        }
        free(list);
        return all;
}
