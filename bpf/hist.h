/* hist.h - log-linear histograms of nanoseconds, per database, file, operation and name of the process. */
#ifndef VIGIL_HIST_H
#define VIGIL_HIST_H

#include "watch.h"

static __always_inline __u32 hist_bucket(__u64 ns)
{
        __u32 octave = 0;
        __u64 v = ns >> VIGIL_HIST_MIN;

        if (!v)
                return 0;
        if (v >> 32) {
                octave += 32;
                v >>= 32;
        }
        if (v >> 16) {
                octave += 16;
                v >>= 16;
        }
        if (v >> 8) {
                octave += 8;
                v >>= 8;
        }
        if (v >> 4) {
                octave += 4;
                v >>= 4;
        }
        if (v >> 2) {
                octave += 2;
                v >>= 2;
        }
        if (v >> 1)
                octave += 1;
        __u32 sub = (__u32)(ns >> (octave + VIGIL_HIST_MIN - VIGIL_HIST_SUB_BITS)) & (VIGIL_HIST_SUB - 1);
        __u32 b = 1 + octave * VIGIL_HIST_SUB + sub;
        return b < VIGIL_HIST_BUCKETS ? b : VIGIL_HIST_BUCKETS - 1;
}

#define NO_HIST VIGIL_HISTS

/* The slot of @key, taken now if it has none; NO_HIST and counted: all are taken. */
static __always_inline __u32 hist_slot(const struct vigil_hist_key *key)
{
        __u32 *slot = bpf_map_lookup_elem(&hist_slots, key), mine;

        if (slot)
                return *slot;
        if (bpf_map_pop_elem(&free_hists, &mine)) {
                COUNT(full_hist);
                return NO_HIST;
        }
        if (bpf_map_update_elem(&hist_slots, key, &mine, BPF_NOEXIST)) { /* another CPU was first */
                bpf_map_push_elem(&free_hists, &mine, BPF_ANY);
                slot = bpf_map_lookup_elem(&hist_slots, key);
                return slot ? *slot : NO_HIST;
        }
        return mine;
}

static __always_inline bool hist_key_is(const struct vigil_hist_key *a, const struct vigil_hist_key *b)
{
        const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

        return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline struct vigil_hist *hist_of(const struct vigil_hist_key *key)
{
        __u32 kind = (key->role * 3 + key->op) % LAST_HISTS, slot;
        __u64 epoch = hist_epoch + 1;
        struct last_hist *last = bpf_map_lookup_elem(&last_hists, &kind);

        if (last && last->epoch == epoch && hist_key_is(&last->key, key)) {
                slot = last->slot;
        } else {
                slot = hist_slot(key);
                if (slot == NO_HIST)
                        return NULL;
                if (last) {
                        last->key = *key;
                        last->slot = slot;
                        last->epoch = epoch;
                }
        }
        return bpf_map_lookup_elem(&hists, &slot);
}

/* @what is role << 8 | op: a function of its own takes five arguments. */
GLOBAL int hist_count(__u32 tgid, __u32 db, __u32 what, __u64 ns, int error)
{
        struct vigil_hist_key key = {.db = db, .role = (__u8)(what >> 8), .op = (__u8)what};
        struct vigil_proc *p = part_of_current(tgid);
        struct vigil_hist *h;

        if (!p)
                return 0;
        __builtin_memcpy(key.comm, p->id.comm, sizeof(key.comm));
        h = hist_of(&key);
        if (!h)
                return 0;
        __u32 b = hist_bucket(ns);
        __sync_fetch_and_add(&h->count, 1);
        __sync_fetch_and_add(&h->sum_ns, ns);
        if (error)
                __sync_fetch_and_add(&h->errors, 1);
        if (ns > h->max_ns)
                h->max_ns = ns;
        if (b < VIGIL_HIST_BUCKETS)
                __sync_fetch_and_add(&h->bucket[b], 1);
        return 0;
}

/* The current process, participant @p, took @ns for @op on the file of @db in @role. */
static __always_inline void hist_add(const struct vigil_proc *p, __u32 db, __u32 role, __u32 op, __u64 ns,
                                     bool error)
{
        hist_count(p->id.tgid, db, role << 8 | op, ns, error);
}

#endif
