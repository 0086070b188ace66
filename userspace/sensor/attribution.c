/* attribution.c - where the time of commits and syncs went: the sums that the kernel side keeps (bpf/span.h), with its stacks
 * told by name (wait_stacks.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/evidence.h"
#include "sensor/internal.h"
#include "sensor/wait_kind.h"
#include "sensor/wait_stacks.h"

#define SUMS ((uint32_t)(VIGIL_MAX_DBS * SPAN_KINDS))

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

void attribution_prepare(struct sensor *s)
{
        struct bpf_map *const maps[] = {
                s->skeleton->maps.spans,        s->skeleton->maps.span_sums,       s->skeleton->maps.waits,
                s->skeleton->maps.wait_stacks,  s->skeleton->maps.wait_stacks_met, s->skeleton->maps.lock_delays,
                s->skeleton->maps.disks,        s->skeleton->maps.flights,         s->skeleton->maps.journals,
                s->skeleton->maps.lock_holders, s->skeleton->maps.disk_users,      s->skeleton->maps.helper_changes,
                s->skeleton->maps.open_commits};

        s->skeleton->rodata->cfg_attribution = s->options.attribution;
        for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && !s->options.attribution; i++)
                bpf_map__set_max_entries(maps[i], 1);
}

/* ---- whether it can be had ---- */

void attribution_give_up(struct sensor *s, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(s->not_attributed, sizeof(s->not_attributed), fmt, ap);
        va_end(ap);
        s->options.attribution = false;
}

const char *sensor_not_attributed(const struct sensor *s)
{
        return s->options.attribution ? NULL : s->not_attributed;
}

/* Those of jbd2 are missing where that is not loaded. */
static bool is_needed(const struct probe *p)
{
        return p->flags & PROBE_ATTRIBUTION && p->flags & PROBE_BTF;
}

void attribution_attached(struct sensor *s)
{
        for (size_t i = 0; i < probes_count && s->options.attribution; i++)
                if (is_needed(&probes[i]) && !s->link[i])
                        attribution_give_up(s, "the kernel does not let the probe %s be attached", probes[i].name);
        for (size_t i = 0; i < probes_count && !s->options.attribution; i++)
                if (probes[i].flags & PROBE_ATTRIBUTION)
                        bpf_link__destroy(TAKE_PTR(s->link[i]));
}

void attribution_taken(struct sensor *s, uint64_t attached)
{
        for (size_t i = 0; i < probes_count && s->options.attribution; i++)
                if (is_needed(&probes[i]) && !(attached & 1ull << i))
                        attribution_give_up(s, "the kernel refused it when this watch began: it has no %s",
                                            probes[i].name);
}

int attribution_try(struct sensor *s, char why[SENSOR_WHY_LEN])
{
        int r = s->options.attribution ? wait_stacks_symbols(s) : -EOPNOTSUPP;

        if (!s->options.attribution)
                snprintf(why, SENSOR_WHY_LEN, "%s", s->not_attributed);
        else if (r < 0)
                snprintf(why, SENSOR_WHY_LEN, "/proc/kallsyms cannot be read: %s", strerror(-r));
        else if (!s->symbols.n)
                snprintf(why, SENSOR_WHY_LEN,
                         "/proc/kallsyms shows no addresses (kernel.kptr_restrict, CAP_SYSLOG): what a thread is "
                         "blocked by would be unexplained");
        return r < 0 ? r : s->symbols.n ? 0 : -EACCES;
}

/* ---- sums ---- */

/* What nothing was seen of is not explained; operations that still go on have their shares before their total. */
static void settle(struct vigil_attribution *a)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < VIGIL_DELAYS; i++)
                sum += a->ns[i];
        if (sum < a->total_ns)
                a->ns[VIGIL_DELAY_UNEXPLAINED] += a->total_ns - sum;
        else
                a->total_ns = sum;
}

static void gather(const struct sensor *s, const struct waits *w, uint32_t db, unsigned kind,
                   const struct span_sum *sum, struct vigil_attribution *ret)
{
        *ret = (struct vigil_attribution){.db = db,
                                          .op = kind == SPAN_COMMIT ? VIGIL_OP_COMMIT : VIGIL_OP_SYNC,
                                          .count = sum->count,
                                          .total_ns = sum->total_ns};
        ret->ns[VIGIL_DELAY_CPU] = sum->ns[SPAN_RUNS];
        ret->ns[VIGIL_DELAY_RUN_QUEUE] = sum->ns[SPAN_QUEUED];
        ret->ns[VIGIL_DELAY_CPU_LIMIT] = sum->ns[SPAN_LIMITED];
        ret->ns[VIGIL_DELAY_LOCK] = sum->ns[SPAN_LOCKED];
        for (size_t i = 0; i < w->n; i++)
                if (w->key[i].db == db && w->key[i].kinds & 1u << kind)
                        wait_share(ret, wait_stacks_kind(s, w->key[i].stack), &w->sum[i]);
        settle(ret);
}

/* The disk that database @db lies on; 0: not known, as before its first sync. */
static uint32_t disk_of(const struct sensor *s, uint32_t db)
{
        struct db_priv priv;
        struct disk disk;

        if (bpf_map_lookup_elem(map_fd(s->skeleton->maps.dbp), &db, &priv) < 0 || !priv.disk ||
            bpf_map_lookup_elem(map_fd(s->skeleton->maps.disks), &priv.disk, &disk) < 0)
                return 0;
        return disk.dev;
}

static void read_losses(const struct sensor *s, uint64_t *ret)
{
        ret[VIGIL_UNSEEN_OPERATIONS] = s->skeleton->bss->lost_spans;
        ret[VIGIL_UNSEEN_STACKS] = s->skeleton->bss->lost_stacks + s->stacks_unnamed;
        ret[VIGIL_UNSEEN_WAITS] = s->skeleton->bss->lost_waits;
        ret[VIGIL_UNSEEN_REQUESTS] = s->skeleton->bss->lost_disks;
        ret[VIGIL_UNSEEN_RUNS] = probes_missed(s, true);
}

/* Before the waits are: of what ends in between there are waits without a total, which a total without waits would have for
 * unexplained. */
static void read_sums(const struct sensor *s, struct span_sum sum[SUMS])
{
        for (uint32_t key = SPAN_KINDS; key < SUMS; key++)
                if (s->db[key / SPAN_KINDS].path)
                        bpf_map_lookup_elem(map_fd(s->skeleton->maps.span_sums), &key, &sum[key]);
}

int sensor_attribution(struct sensor *s, sensor_fn fn, void *userdata)
{
        __attribute__((cleanup(waits_free))) struct waits w = {0};
        _cleanup_free_ struct span_sum *sum = calloc(SUMS, sizeof(*sum));
        uint64_t now = clock_boottime_ns();
        int r = !s->options.attribution ? -EOPNOTSUPP : sum ? wait_stacks_prepare(s) : -ENOMEM;

        if (r == 0) {
                wait_stacks_note_open(s, now);
                read_sums(s, sum);
                r = waits_read(s, &w);
        }
        if (r == 0)
                r = wait_stacks_tell(s, &w);
        uint64_t lost[VIGIL_ATTRIBUTION_LOSSES] = {0};
        if (r >= 0)
                read_losses(s, lost);
        for (uint32_t key = SPAN_KINDS; r >= 0 && key < SUMS; key++) {
                struct vigil_attribution a;

                if (!s->db[key / SPAN_KINDS].path)
                        continue;
                gather(s, &w, key / SPAN_KINDS, key % SPAN_KINDS, &sum[key], &a);
                memcpy(a.lost, lost, sizeof(a.lost));
                a.disk = disk_of(s, a.db);
                if (a.disk)
                        evidence_device_name(a.disk, a.disk_name, sizeof(a.disk_name));
                if (a.total_ns)
                        r = sensor_send(s, &a.hdr, VIGIL_ATTRIBUTION, sizeof(a), fn, userdata);
        }
        if (r >= 0)
                wait_stacks_let_go(s, &w, now);
        return r < 0 ? r : 0;
}

void attribution_forget(struct sensor *s, unsigned id)
{
        static const struct span_sum none;
        int fd = map_fd(s->skeleton->maps.waits);
        struct waits w = {0};

        if (!s->options.attribution)
                return;
        for (uint32_t key = id * SPAN_KINDS; key < (id + 1) * SPAN_KINDS; key++)
                bpf_map_update_elem(map_fd(s->skeleton->maps.span_sums), &key, &none, BPF_EXIST);
        if (waits_read(s, &w) == 0)
                for (size_t i = 0; i < w.n; i++)
                        if (w.key[i].db == id)
                                bpf_map_delete_elem(fd, &w.key[i]);
        waits_free(&w);
}
