/* evidence_sleep.c - what a process that sleeps waits for: its calls and descriptors in procfs. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "sensor/evidence_private.h"
#include "sensor/sleep.h"

/* Descriptors of one process that are looked at, and connections of its host: of more it is not known. */
#define DESCRIPTORS 256
#define SOCKETS     64
#define TABLE_BYTES (256u << 10)

static bool link_of(uint32_t tgid, const char *fd, char *ret, size_t size)
{
        char path[32 + NAME_MAX];

        snprintf(path, sizeof(path), "/proc/%u/fd/%s", tgid, fd);
        ssize_t n = readlink(path, ret, size - 1);
        ret[n < 0 ? 0 : n] = '\0';
        return n >= 0;
}

static size_t sockets_of(uint32_t tgid, uint64_t ret[SOCKETS])
{
        char path[64], link[64];
        size_t n = 0, looked = 0;

        snprintf(path, sizeof(path), "/proc/%u/fd", tgid);
        _cleanup_closedir_ DIR *dir = opendir(path);
        for (struct dirent *d; dir && n < SOCKETS && looked < DESCRIPTORS && (d = readdir(dir)); looked++)
                if (isdigit((unsigned char)d->d_name[0]) && link_of(tgid, d->d_name, link, sizeof(link)) &&
                    (ret[n] = sleep_socket(link)))
                        n++;
        return n;
}

/* The tables are those of the network namespace of the process. Who serves others waits for events all the time: what they have
 * opened is nothing that he waits for. */
static void connections_fill(struct process_evidence *e, const uint64_t *inode, size_t n)
{
        char path[64];

        for (int six = 0; n && six < 2; six++) {
                _cleanup_free_ char *table = NULL;

                snprintf(path, sizeof(path), "/proc/%u/net/tcp%s", e->id.tgid, six ? "6" : "");
                int r = io_read_file(path, TABLE_BYTES, &table, NULL);
                if (r == 0)
                        sleep_connections(table, six, inode, n, e->sleep.kind != SLEEP_MESSAGE, &e->sleep);
                else if (r == -EFBIG)
                        e->sleep.unsure = true;
        }
}

enum sleep_kind evidence_thread_sleep(uint32_t tgid, uint32_t tid, uint64_t *ret_socket, bool *ret_endless)
{
        char path[96], fd[24], link[64];
        _cleanup_free_ char *text = NULL;
        uint64_t argument[SLEEP_ARGUMENTS];
        bool by_descriptor;
        long number;

        snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", tgid, tid);
        if (io_read_file(path, 512, &text, NULL) < 0 || !sleep_call(text, &number, argument))
                return SLEEP_NONE;
        enum sleep_kind kind = sleep_of_call(number, argument, &by_descriptor);
        if (ret_endless)
                *ret_endless = sleep_is_endless(number, argument);
        snprintf(fd, sizeof(fd), "%d", (int)argument[0]);
        if (!by_descriptor || !link_of(tgid, fd, link, sizeof(link)))
                return kind;
        if (ret_socket)
                *ret_socket = sleep_socket(link);
        return sleep_of_link(link);
}

/* Who waits for another of its threads tells nothing: the other does. */
static enum sleep_kind other_thread(const struct process_evidence *e, uint64_t *ret_socket)
{
        char path[64];
        unsigned looked = 0;

        snprintf(path, sizeof(path), "/proc/%u/task", e->id.tgid);
        _cleanup_closedir_ DIR *dir = opendir(path);
        for (struct dirent *d; dir && looked < EVIDENCE_THREADS && (d = readdir(dir));) {
                if (!isdigit((unsigned char)d->d_name[0]))
                        continue;
                looked++;
                enum sleep_kind kind = evidence_thread_sleep(e->id.tgid, (uint32_t)strtoul(d->d_name, NULL, 10),
                                                             ret_socket, NULL);
                if (kind == SLEEP_MESSAGE || kind == SLEEP_EVENTS)
                        return kind;
        }
        return SLEEP_THREAD;
}

void evidence_sleep_fill(struct process_evidence *e)
{
        uint64_t inode[SOCKETS] = {0};

        if (e->state != 'S')
                return;
        e->sleep.kind = evidence_thread_sleep(e->id.tgid, e->tid, inode, NULL);
        if (e->sleep.kind == SLEEP_THREAD)
                e->sleep.kind = other_thread(e, inode);
        if (e->sleep.kind == SLEEP_MESSAGE)
                connections_fill(e, inode, 1);
        else if (e->sleep.kind == SLEEP_EVENTS || e->sleep.kind == SLEEP_TIMER)
                connections_fill(e, inode, sockets_of(e->id.tgid, inode));
}
