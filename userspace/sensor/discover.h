/* discover.h - the SQLite databases that processes of this host have open now, out of /proc. Layer: sensor.
 *
 * Every open file is looked at once: the first 100 bytes are read, through the descriptor of whoever has it open, and no more. What
 * they do not tell (an empty file, an encrypted one, a file system that may never answer) the companions tell that the same
 * process has open. Vigil's own processes, stores and copies are not among them. Run it in a child with a deadline: it must hold
 * no lock on any file, and a file system may hang. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DISCOVER_MAX         2048 /* databases */
#define DISCOVER_USERS       8    /* of one database that are named */
#define DISCOVER_DEADLINE_MS 30000
#define DISCOVER_ANSWER      (16u << 20) /* bytes that discover_work() may answer */

/** A process that has it open. */
struct discovered_user {
        pid_t pid;
        uint64_t start_ns; /* CLOCK_BOOTTIME, in ticks of 10 ms */
        uid_t uid;         /* real */
        char comm[32];
        char *exe; /* NULL: not known */
};

/** One database. */
struct discovered {
        char *path;   /* here, symbolic links followed; NULL: there is no way to it */
        char *inside; /* as its users have it */
        dev_t dev;
        ino_t ino;
        uint64_t bytes;
        uint64_t wal_bytes;
        const char *journal_mode; /* "wal", "rollback", "unknown": static */
        const char *left_out;     /* why it is not one to be guarded unasked: "deleted", "unreachable", "temporary",
                                     "hidden", "read-only"; NULL: it is. Static */
        bool writable;            /* somebody may write it */
        bool deleted;
        struct discovered_user user[DISCOVER_USERS];
        size_t users; /* all of them */
        pid_t last;   /* the one that was noted last */
};

struct discovery {
        struct discovered *database; /* by path, those without one last */
        size_t n;
        size_t cut;    /* databases beyond DISCOVER_MAX */
        size_t hidden; /* processes that do not show their files */
        size_t unread; /* files on network and FUSE file systems, which nobody tells to be databases */
};

/**
 * Looks at every process.
 *
 * @param all  leave out only what cannot be guarded: the deleted and the unreachable
 * @return 0, -ENOMEM, or -errno when /proc cannot be read. Release with discover_done().
 */
int discover(bool all, struct discovery *ret);
void discover_done(struct discovery *d);

/** vigil.discover/1. NULL: out of memory */
json_t *discover_json(const struct discovery *d);

/** As a child_fn of base/child.h: answers {"error": 0 or -errno, "document": vigil.discover/1 or null}. @p all  bool * */
int discover_work(int answer_fd, void *all);
