/* hist.h - log-linear histograms of nanoseconds, per database, file, operation and program name. */
#ifndef VIGIL_HIST_H
#define VIGIL_HIST_H

#include "maps.h"

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

GLOBAL int hist_add(__u32 db, __u32 role, __u32 op, __u64 ns, int error)
{
        struct vigil_hist_key key = {.db = db, .role = (__u8)role, .op = (__u8)op};
        struct vigil_hist *h;

        bpf_get_current_comm(key.comm, sizeof(key.comm));
        h = bpf_map_lookup_elem(&hists, &key);
        if (!h) {
                struct scratch *s = scratch();
                if (!s)
                        return 0;
                __builtin_memset(&s->hist, 0, sizeof(s->hist));
                bpf_map_update_elem(&hists, &key, &s->hist, BPF_NOEXIST);
                h = bpf_map_lookup_elem(&hists, &key);
                if (!h) {
                        COUNT(full_hist);
                        return 0;
                }
        }
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

#endif
