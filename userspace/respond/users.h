/* users.h - who has a database open right now? Layer: respond.
 *
 * Asked before a file is replaced. Two witnesses: SQLite's own locks, which every connection in WAL mode and every
 * transaction holds (sqlite.org/lockingv3.html; byte numbers in os_unix.c), and the descriptors of all processes, which show
 * idle connections in rollback mode too. Descriptors of O_PATH do not count: they can neither read nor write.
 *
 * Neither sees: users on other hosts of a network file system without working locks; processes outside this PID namespace
 * that hold no lock; a container that reaches the file through an overlay, where it has another device and inode. What of
 * that applies is told in struct users. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define USERS_NAMED 4

struct users {
        size_t n; /* processes found, this one not counted */
        struct {
                pid_t pid;
                char comm[32]; /* printable */
        } named[USERS_NAMED];  /* the first of them */
        size_t hidden;         /* processes that do not show their descriptors to us */
        bool in_namespace;     /* this is not the first PID namespace of the host */
        bool network;          /* the file lies on a network or FUSE file system */
};

/** Identity of the files to look for: a main file and its companions. */
struct users_files {
        struct stat st[4];
        size_t n;
        bool network; /* the main file lies on a network or FUSE file system */
};

/** Identities of @p path and of what lies beside it under the names of SQLite's companions; missing ones are left out.
 * @return 0 or -ENOMEM */
int users_files_of(const char *path, struct users_files *ret);

/** Searches the descriptors of all processes. @return 0, or -errno when /proc cannot be read */
int users_look(const struct users_files *files, struct users *ret);

/**
 * Takes SQLite's exclusive lock on the main file, for as long as the open file description of @p fd lives: nobody who uses
 * SQLite's locks reads or writes it meanwhile. Never waits.
 *
 * @param fd  of the main file, opened for reading and writing
 * @return 0; -EBUSY somebody has it in use; or -errno: the file system has no such locks
 */
int users_lock_out(int fd);

/** "app (pid 17), app (pid 18) and 3 more" */
void users_describe(const struct users *u, char *ret, size_t size);

/** What may use the file unseen, as the end of a sentence; NULL: nothing beyond what users.h says always holds. Static. */
const char *users_blind(const struct users *u);
