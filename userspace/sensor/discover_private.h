/* discover_private.h - the walk through /proc, for discover.c and discover_file.c. Layer: sensor. */
#pragma once

#include "sensor/discover.h"
#include "sensor/mounts.h"

#define SEEN_PLACES     (1u << 16) /* files that are remembered to have been looked at: 1.5 MiB */
#define COMPANIONS_KEPT 256        /* of one process */

/* What a file is, as far as its first bytes say. */
enum seen_what {
        SEEN_NOTHING, /* not looked at */
        SEEN_OTHER,   /* no SQLite database, empty, or encrypted */
        SEEN_WAL,
        SEEN_ROLLBACK,
        SEEN_OWN,    /* a store of Vigil */
        SEEN_UNREAD, /* its file system may never answer */
};

struct seen {
        dev_t dev;
        ino_t ino;
        enum seen_what what;
};

struct walk {
        bool all;
        struct discovery *out;
        struct seen *seen; /* SEEN_PLACES, open addressing */
        size_t nseen;
        struct mounts ours;
        dev_t own_dev; /* of our program file */
        ino_t own_ino;
};

struct process {
        pid_t pid;
        int dir; /* in /proc: it is this process or none */
        char *companion[COMPANIONS_KEPT];
        size_t ncompanions;
        struct mounts mounts; /* as it sees them; read when they are asked for */
        bool mounts_read;
};

/* One descriptor of a process. */
struct open_file {
        int fds;        /* directory of its descriptors */
        const char *fd; /* name in it */
        char *text;     /* where it leads, as the kernel says */
        dev_t dev;
        ino_t ino;
        uint64_t bytes;
        bool deleted, writable;
        int mount; /* id */
};

/** What the first bytes say. */
enum seen_what discover_header(const struct walk *w, const struct open_file *f);

/** Notes that the process has the database open. @return 0 or -ENOMEM */
int discover_add(struct walk *w, struct process *p, const struct open_file *f, const char *mode);

/** Whether it is one to be guarded, when all of its users are known. */
void discover_judge(const struct walk *w, struct discovered *f);
