/* sleep.c - see sleep.h. */
#include "sensor/sleep.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

bool sleep_call(const char *text, long *ret_number, uint64_t ret_argument[SLEEP_ARGUMENTS])
{
        long number;
        uint64_t a[SLEEP_ARGUMENTS];

        if (sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &number, &a[0], &a[1], &a[2], &a[3]) !=
                    5 ||
            number < 0)
                return false;
        *ret_number = number;
        memcpy(ret_argument, a, sizeof(a));
        return true;
}

static const struct {
        long number;
        enum sleep_kind kind;
        int nothing_at; /* 1 + the argument that says how much is waited for: with none of it this is a sleep */
} calls[] = {
        {SYS_nanosleep, SLEEP_TIMER, 0},       {SYS_clock_nanosleep, SLEEP_TIMER, 0},
        {SYS_ppoll, SLEEP_EVENTS, 2},          {SYS_pselect6, SLEEP_EVENTS, 1},
        {SYS_epoll_pwait, SLEEP_EVENTS, 0},
#ifdef SYS_epoll_pwait2
        {SYS_epoll_pwait2, SLEEP_EVENTS, 0},
#endif
#ifdef SYS_poll /* of some architectures only */
        {SYS_poll, SLEEP_EVENTS, 2},           {SYS_select, SLEEP_EVENTS, 1},
        {SYS_epoll_wait, SLEEP_EVENTS, 0},     {SYS_pause, SLEEP_SIGNAL, 0},
#endif
        {SYS_io_uring_enter, SLEEP_EVENTS, 0}, {SYS_wait4, SLEEP_CHILD, 0},
        {SYS_accept, SLEEP_EVENTS, 0},         {SYS_accept4, SLEEP_EVENTS, 0},
        {SYS_waitid, SLEEP_CHILD, 0},          {SYS_futex, SLEEP_THREAD, 0},
        {SYS_rt_sigsuspend, SLEEP_SIGNAL, 0},  {SYS_rt_sigtimedwait, SLEEP_SIGNAL, 0},
};

enum sleep_kind sleep_of_call(long number, const uint64_t argument[SLEEP_ARGUMENTS], bool *ret_by_descriptor)
{
        static const long reads[] = {SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg};

        *ret_by_descriptor = false;
        for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
                if (reads[i] == number)
                        *ret_by_descriptor = true;
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
                if (calls[i].number == number)
                        return calls[i].nothing_at && !argument[calls[i].nothing_at - 1] ? SLEEP_TIMER
                                                                                         : calls[i].kind;
        return SLEEP_OTHER;
}

bool sleep_is_endless(long number, const uint64_t argument[SLEEP_ARGUMENTS])
{
        return number == SYS_futex && !argument[3]; /* futex(2): the time is the fourth of all calls that wait */
}

enum sleep_kind sleep_of_link(const char *link)
{
        static const struct {
                const char *begins;
                enum sleep_kind kind;
        } links[] = {{"socket:[", SLEEP_MESSAGE},
                     {"pipe:[", SLEEP_PIPE},
                     {"/dev/pts/", SLEEP_TERMINAL},
                     {"/dev/tty", SLEEP_TERMINAL},
                     {"/dev/console", SLEEP_TERMINAL}};

        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
                if (strncmp(link, links[i].begins, strlen(links[i].begins)) == 0)
                        return links[i].kind;
        return SLEEP_OTHER;
}

uint64_t sleep_socket(const char *link)
{
        return strncmp(link, "socket:[", 8) == 0 ? strtoull(link + 8, NULL, 10) : 0;
}

/* ---- connections ---- */

/* include/net/tcp_states.h */
#define ESTABLISHED 1
#define LISTEN      10

struct row {
        char hex[33]; /* address of the other end */
        unsigned port, own_port, state;
        uint64_t inode;
};

static bool row_of(const char *line, struct row *ret)
{
        return sscanf(line, " %*u: %*[0-9A-F]:%x %32[0-9A-F]:%x %x %*x:%*x %*x:%*x %*x %*u %*u %" SCNu64,
                      &ret->own_port, ret->hex, &ret->port, &ret->state, &ret->inode) == 5;
}

static const char *next_line(const char *line)
{
        line += strcspn(line, "\n");
        return line + (*line == '\n');
}

#define PORTS 65536

/* A bit for each port that somebody listens at. */
static void listeners(const char *table, uint8_t ret[PORTS / 8])
{
        struct row r;

        for (const char *line = table; *line; line = next_line(line))
                if (row_of(line, &r) && r.state == LISTEN && r.own_port < PORTS)
                        ret[r.own_port / 8] |= (uint8_t)(1u << r.own_port % 8);
}

static bool has(const uint64_t *inode, size_t n, uint64_t wanted)
{
        for (size_t i = 0; i < n; i++)
                if (inode[i] == wanted)
                        return true;
        return false;
}

/* The address is written as words of the host's byte order, which hold it in that of the network: net/ipv4/tcp_ipv4.c. */
static void note_peer(const char *hex, bool six, unsigned port, struct evidence_sleep *ret)
{
        uint32_t word[4] = {0};
        char address[INET6_ADDRSTRLEN] = "?", digits[9] = "";

        for (size_t i = 0; i < (six ? 4u : 1u) && strlen(hex) >= 8 * (i + 1); i++) {
                memcpy(digits, hex + 8 * i, 8);
                word[i] = (uint32_t)strtoul(digits, NULL, 16);
        }
        inet_ntop(six ? AF_INET6 : AF_INET, word, address, sizeof(address));
        snprintf(ret->peer, sizeof(ret->peer), six ? "[%s]:%u" : "%s:%u", address, port);
}

void sleep_connections(const char *table, bool six, const uint64_t *inode, size_t n, bool own,
                       struct evidence_sleep *ret)
{
        uint8_t listens[PORTS / 8] = {0};
        struct row r;

        if (own)
                listeners(table, listens);
        for (const char *line = table; *line; line = next_line(line)) {
                if (!row_of(line, &r) || r.state != ESTABLISHED || r.own_port >= PORTS || !has(inode, n, r.inode) ||
                    listens[r.own_port / 8] & 1u << r.own_port % 8)
                        continue;
                if (!ret->peer[0])
                        note_peer(r.hex, six, r.port, ret);
                ret->connections++;
        }
}
