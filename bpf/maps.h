/* maps.h - every map and every setting. Each map has a bound; reaching it is counted in struct vigil_counters.
 *
 * Included by each *.bpf.c: the definitions are weak and the linker merges them (bpftool gen object). */
#ifndef VIGIL_MAPS_H
#define VIGIL_MAPS_H

#include "compat.h"
#include "loader.h"

/* ---- settings, written by the loader before the programs are loaded ---- */

const volatile bool cfg_adopt __weak = false; /* adopt databases that the tree locks or opens companions of */
const volatile bool cfg_second_names __weak =
        false; /* another name by which a main file is opened is a database, too */
const volatile bool cfg_stream_all __weak = false;  /* stream every operation: `vigil record` */
const volatile bool cfg_attribution __weak = false; /* where the time of commits and syncs goes: span.h */
const volatile __u64 cfg_slow_sync_ns __weak = 100000000;

/* The program file of Vigil itself, written by the loader: what another Vigil on this host does to a database is no use of
 * it. */
__u64 own_exe_ino __weak = 0;
__u32 own_exe_dev __weak = 0;
/* The timer slack of its workers, in every build; 0: not asked for. */
const volatile __u64 cfg_own_slack_ns __weak = 0;

/* ---- processes ---- */

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 32768);
        __type(key, __u32); /* tgid */
        __type(value, struct mark);
} marks __weak SEC(".maps");

/* Which entry of `parts` a participant has. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, VIGIL_PARTS);
        __type(key, __u32); /* tgid */
        __type(value, __u32);
} part_slots __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_PARTS);
        __type(key, __u32);
        __type(value, struct vigil_proc);
} parts __weak SEC(".maps");

/* Entries that nobody has: filled by the loader. */
struct {
        __uint(type, BPF_MAP_TYPE_QUEUE);
        __uint(max_entries, VIGIL_PARTS);
        __uint(key_size, 0);
        __uint(value_size, sizeof(__u32));
} free_parts __weak SEC(".maps");

/* The participant that this CPU saw last: it makes call after call, and each would be a lookup. */
struct last_part {
        __u32 tgid;
        __u32 slot;
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct last_part);
} last_parts __weak SEC(".maps");

/* What keeps a participant from going on, by its slot. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_PARTS);
        __type(key, __u32);
        __type(value, struct obstacle);
} obstacles __weak SEC(".maps");

/* Never written: what new participants and large records are zeroed from. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct vigil_proc);
} blank_part __weak SEC(".maps");

/* Test-and-set for "who handles this death": two threads that exit together can both see signal->live == 0. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 1024);
        __type(key, __u32);
        __type(value, __u32);
} dying __weak SEC(".maps");

/* Whose account a thread adds to just now: threads of one process that open one database together would take two places for it. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 1024);
        __type(key, __u32); /* tgid */
        __type(value, __u32);
} claims __weak SEC(".maps");

/* ---- files: whoever has an id of a database finds places for all its files and names, and for its directory ---- */

#define MAX_NAMES (4 * VIGIL_MAX_DBS) /* main, -wal, -shm, -journal */
#define MAX_FILES (2 * MAX_NAMES)     /* a super-journal besides, and files about to be adopted */

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, MAX_FILES);
        __type(key, struct file_key);
        __type(value, struct file_ref);
} files __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, struct file_key);
        __type(value, struct dir);
} dirs __weak SEC(".maps");

/* Watched names, exact, in their directory. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, MAX_NAMES);
        __type(key, struct name_key);
        __type(value, struct name_ref);
} names __weak SEC(".maps");

/* The same names whatever their directory: path operations carry a path, not an inode. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, MAX_NAMES);
        __type(key, struct basename_key);
        __type(value, struct basename_ref);
} basenames __weak SEC(".maps");

/* ---- databases ---- */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, __u32);
        __type(value, struct vigil_db);
} dbs __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, __u32);
        __type(value, struct db_priv);
} dbp __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, __u32);
        __type(value, struct ckpt_refusals);
} ckpts __weak SEC(".maps");

/* Ids that no database has: filled by the loader. */
struct {
        __uint(type, BPF_MAP_TYPE_QUEUE);
        __uint(max_entries, VIGIL_MAX_DBS);
        __uint(key_size, 0);
        __uint(value_size, sizeof(__u32));
} free_dbs __weak SEC(".maps");

/* Of user space, for its successor. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_MAX_DBS);
        __type(key, __u32);
        __type(value, struct note);
} notes __weak SEC(".maps");

/* ---- syncs in flight, histograms, counters ---- */

/* Of each thread of a participant that has synced, while it lives and runs the same program, unless it is in `first_syncs`; of others
 * that sync a whole file system, until that is over. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 4096);
        __type(key, __u64); /* tgid << 32 | tid */
        __type(value, struct sync_flight);
} syncs __weak SEC(".maps");

/* The same of the first thread of each participant, by its slot: most have no other, and it is found without a search. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_PARTS);
        __type(key, __u32);
        __type(value, struct sync_flight);
} first_syncs __weak SEC(".maps");

/* When the last good syncfs of a device was entered; key 0: sync(2), all of them. Devices come and go: one that is forgotten is
 * only believed to owe more than it does. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 256);
        __type(key, __u32); /* s_dev */
        __type(value, __u64);
} fs_syncs __weak SEC(".maps");

__u64 fs_synced_ns __weak = 0; /* the latest of them: spares the lookup */

/* Where in `hists` the histogram of a key lies. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, VIGIL_HISTS);
        __type(key, struct vigil_hist_key);
        __type(value, __u32);
} hist_slots __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, VIGIL_HISTS);
        __type(key, __u32);
        __type(value, struct vigil_hist);
} hists __weak SEC(".maps");

/* Slots that nobody has: filled by the loader. */
struct {
        __uint(type, BPF_MAP_TYPE_QUEUE);
        __uint(max_entries, VIGIL_HISTS);
        __uint(key_size, 0);
        __uint(value_size, sizeof(__u32));
} free_hists __weak SEC(".maps");

__u64 hist_epoch __weak = 0; /* moves on when user space takes a key away */

/* The histograms that this CPU used last, one of each kind: a commit each few microseconds is one of one program on one
 * database. */
#define LAST_HISTS 16

struct last_hist {
        struct vigil_hist_key key;
        __u32 slot;
        __u32 pad;
        __u64 epoch; /* hist_epoch + 1 when it was looked up; 0: never */
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, LAST_HISTS);
        __type(key, __u32);
        __type(value, struct last_hist);
} last_hists __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct vigil_counters);
} counters __weak SEC(".maps");

/* Runs of each probe on the canary: index is enum probe_id. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 64);
        __type(key, __u32);
        __type(value, __u64);
} seen __weak SEC(".maps");

/* ---- rings: deaths, errors and fatal signals have their own ---- */

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4 << 20);
} events __weak SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4 << 20);
} urgent __weak SEC(".maps");

/* Of user space, for its successor: urgent records that it let go of before it was done with them, since the ring ran full. */
__u64 let_go __weak = 0;

/* ---- scratch: what is too large for the 512 bytes of stack ---- */

#define LOCK_VIEWS 8 /* locks of one process on one file that are looked at */

struct scratch {
        union {
                struct vigil_database database;
                struct vigil_process process;
                struct vigil_op op;
                struct vigil_pathop pathop;
                struct vigil_exit_db exit_db;
                struct vigil_fork fork;
                struct vigil_oom oom;
        } rec;
        struct name_key name;
        struct basename_key base;
        struct basename_key base2;
        struct vigil_opent ent; /* argument of stream_op() */
        __u64 taken;            /* argument of stream_op(), which clears it: enum vigil_taken_flag */
        __u64 index;            /* result of use_find() */
        __u64 bits;             /* locks of one database, as they are added up */
        __u64 nviews;           /* result of locks_held(): locks found, the first LOCK_VIEWS of them in `view` */
        struct lock_view view[LOCK_VIEWS];
        struct {
                __u32 db;
                __u32 locks;
        } kept[VIGIL_USES];            /* result of exec_look() */
        char path[2 * VIGIL_PATH_MAX]; /* where path_of() builds */
        char text[VIGIL_PATH_MAX];     /* what it returns */
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct scratch);
} scratches __weak SEC(".maps");

/* The files that this CPU resolved last, by their descriptors, and the one that was locked last: each look-up that is spared
 * counts. Checked before use against what identifies the file. */
__u64 binding_epoch __weak = 0; /* binding_changed() moves it on */

/* A power of two. SQLite has main file and journal or WAL open at neighbouring numbers. */
#define LAST_FDS 4

enum last_by { LAST_USED = 0, LAST_LOCKED = LAST_USED + LAST_FDS, LAST_COUNT };

struct last_file {
        __u64 epoch; /* binding_epoch when it was resolved */
        __u64 file;  /* address; not for LAST_LOCKED */
        __u64 inode; /* address */
        __u64 ino;
        __u32 db;
        __u32 role;
        __u32 incarnation;
        __u32 generation;
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, LAST_COUNT);
        __type(key, __u32);
        __type(value, struct last_file);
} last_files __weak SEC(".maps");

static __always_inline struct last_file *last_file(__u32 by)
{
        return bpf_map_lookup_elem(&last_files, &by);
}

/* A file was bound to @role, or has lost its name; @all: what is remembered of files in other roles may be wrong, too. What is
 * remembered of a journal or a WAL is checked against its ledger, which tells of both (act_find()): they come and go with each
 * commit, and the main file would be looked up anew each time. */
static __always_inline void binding_changed(__u32 role, bool all)
{
        if (all || role == VIGIL_ROLE_MAIN || role == VIGIL_ROLE_SHM)
                __sync_fetch_and_add(&binding_epoch, 1);
}

/* A file is about to be looked up: @last is of none until the rest is filled in, and what is bound to its role meanwhile moves the epoch
 * on behind this one. */
static __always_inline void last_file_begin(struct last_file *last)
{
        last->inode = 0;
        last->epoch = *(volatile __u64 *)&binding_epoch;
}

/* Signals may be raised in an interrupt that stopped another probe: they have their own. */
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct vigil_signal);
} signal_scratches __weak SEC(".maps");

static __always_inline struct scratch *scratch(void)
{
        __u32 zero = 0;
        return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline struct vigil_counters *counters_here(void)
{
        __u32 zero = 0;
        return bpf_map_lookup_elem(&counters, &zero);
}

/* Zeroes more than the compiler would inline: copies from the map that is never written. */
static __always_inline void zero(void *dst, __u32 n)
{
        __u32 key = 0;
        void *blank = bpf_map_lookup_elem(&blank_part, &key);

        if (blank)
                bpf_probe_read_kernel(dst, n, blank);
}

#define COUNT(field)                                                                                               \
        do {                                                                                                       \
                struct vigil_counters *count_ = counters_here();                                                   \
                if (count_)                                                                                        \
                        __sync_fetch_and_add(&count_->field, 1);                                                   \
        } while (0)

#endif
