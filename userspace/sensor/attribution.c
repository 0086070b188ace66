/* attribution.c - where the time of commits and syncs went: the sums that the kernel side keeps (bpf/span.h), with its stacks
 * told by name. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sensor/evidence.h"
#include "sensor/internal.h"
#include "sensor/kallsyms.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

void attribution_prepare(struct sensor *s)
{
        struct bpf_map *const maps[] = {s->skeleton->maps.spans,        s->skeleton->maps.span_sums,
                                        s->skeleton->maps.waits,        s->skeleton->maps.wait_stacks,
                                        s->skeleton->maps.lock_delays,  s->skeleton->maps.disks,
                                        s->skeleton->maps.flights,      s->skeleton->maps.journals,
                                        s->skeleton->maps.lock_holders, s->skeleton->maps.disk_users};

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

/* ---- stacks ---- */

struct waits {
        struct wait_key *key;
        struct wait_sum *sum;
        size_t n;
};

static void waits_free(struct waits *w)
{
        free(w->key);
        free(w->sum);
}

static int read_waits(struct sensor *s, struct waits *ret)
{
        int fd = map_fd(s->skeleton->maps.waits);
        uint32_t room = bpf_map__max_entries(s->skeleton->maps.waits);
        struct wait_key *prev = NULL;

        ret->key = calloc(room, sizeof(*ret->key));
        ret->sum = calloc(room, sizeof(*ret->sum));
        if (!ret->key || !ret->sum)
                return -ENOMEM;
        while (ret->n < room && bpf_map_get_next_key(fd, prev, &ret->key[ret->n]) == 0) {
                prev = &ret->key[ret->n];
                if (bpf_map_lookup_elem(fd, prev, &ret->sum[ret->n]) == 0)
                        ret->n++;
        }
        return 0;
}

struct stack {
        int32_t id;
        size_t n;
        uint64_t frame[SPAN_STACK];
};

static bool is_new(const struct sensor *s, const struct waits *w, size_t i)
{
        if (w->key[i].stack < 0 || w->key[i].stack >= SENSOR_STACKS || s->wait_kind[w->key[i].stack] >= 0)
                return false;
        for (size_t k = 0; k < i; k++)
                if (w->key[k].stack == w->key[i].stack)
                        return false;
        return true;
}

/* The stacks that have not been told yet. @return how many, or -ENOMEM */
static ssize_t new_stacks(struct sensor *s, const struct waits *w, struct stack **ret)
{
        struct stack *list = calloc(w->n + 1, sizeof(*list));
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < w->n; i++) {
                struct stack *k = &list[n];
                if (!is_new(s, w, i) ||
                    bpf_map_lookup_elem(map_fd(s->skeleton->maps.wait_stacks), &w->key[i].stack, k->frame) < 0)
                        continue;
                k->id = w->key[i].stack;
                while (k->n < SPAN_STACK && k->frame[k->n])
                        k->n++;
                n++;
        }
        *ret = list;
        return (ssize_t)n;
}

static int find_address(const void *key, const void *element)
{
        const uint64_t *address = key;
        const struct kernel_address *a = element;

        return *address < a->address ? -1 : *address > a->address;
}

static void tell(struct sensor *s, const struct stack *k, const struct kernel_address *names, size_t n)
{
        const char *symbol[SPAN_STACK];
        size_t known = 0;

        for (size_t i = 0; i < k->n; i++) {
                const struct kernel_address *a = bsearch(&k->frame[i], names, n, sizeof(*names), find_address);
                if (a && a->name[0])
                        symbol[known++] = a->name;
        }
        s->wait_kind[k->id] = (int8_t)wait_kind_of(symbol, known);
}

/* Each stack is told once: what lies in one place of the map stays there. */
static int tell_stacks(struct sensor *s, const struct waits *w)
{
        _cleanup_free_ struct stack *list = NULL;
        ssize_t n = new_stacks(s, w, &list);
        size_t frames = 0, nnames = 0;

        if (n <= 0)
                return (int)n;
        for (ssize_t i = 0; i < n; i++)
                frames += list[i].n;
        _cleanup_free_ struct kernel_address *names = calloc(frames + 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (ssize_t i = 0; i < n; i++)
                for (size_t k = 0; k < list[i].n; k++)
                        names[nnames++].address = list[i].frame[k];
        int r = kallsyms_name("/proc/kallsyms", names, nnames);
        for (ssize_t i = 0; r == 0 && i < n; i++)
                tell(s, &list[i], names, nnames);
        return r;
}

/* ---- sums ---- */

static enum wait_kind kind_of(const struct sensor *s, int32_t stack)
{
        bool known = stack >= 0 && stack < SENSOR_STACKS && s->wait_kind[stack] >= 0;

        return known ? (enum wait_kind)s->wait_kind[stack] : WAIT_UNKNOWN;
}

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
                        wait_share(ret, kind_of(s, w->key[i].stack), &w->sum[i]);
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
        ret[VIGIL_UNSEEN_STACKS] = s->skeleton->bss->lost_stacks;
        ret[VIGIL_UNSEEN_WAITS] = s->skeleton->bss->lost_waits;
        ret[VIGIL_UNSEEN_REQUESTS] = s->skeleton->bss->lost_disks;
        ret[VIGIL_UNSEEN_RUNS] = probes_missed(s, true);
}

static int prepare(struct sensor *s)
{
        if (s->wait_kind)
                return 0;
        s->wait_kind = malloc(SENSOR_STACKS);
        if (!s->wait_kind)
                return -ENOMEM;
        memset(s->wait_kind, -1, SENSOR_STACKS);
        return 0;
}

int sensor_attribution(struct sensor *s, sensor_fn fn, void *userdata)
{
        __attribute__((cleanup(waits_free))) struct waits w = {0};
        int r = s->options.attribution ? prepare(s) : -EOPNOTSUPP;

        if (r == 0)
                r = read_waits(s, &w);
        if (r == 0)
                r = tell_stacks(s, &w);
        uint64_t lost[VIGIL_ATTRIBUTION_LOSSES] = {0};
        if (r >= 0)
                read_losses(s, lost);
        for (uint32_t key = SPAN_KINDS; r >= 0 && key < VIGIL_MAX_DBS * SPAN_KINDS; key++) {
                struct vigil_attribution a;
                struct span_sum sum;

                if (!s->db[key / SPAN_KINDS].path ||
                    bpf_map_lookup_elem(map_fd(s->skeleton->maps.span_sums), &key, &sum) < 0)
                        continue;
                gather(s, &w, key / SPAN_KINDS, key % SPAN_KINDS, &sum, &a);
                memcpy(a.lost, lost, sizeof(a.lost));
                a.disk = disk_of(s, a.db);
                if (a.disk)
                        evidence_device_name(a.disk, a.disk_name, sizeof(a.disk_name));
                if (a.total_ns)
                        r = sensor_send(s, &a.hdr, VIGIL_ATTRIBUTION, sizeof(a), fn, userdata);
        }
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
        if (read_waits(s, &w) == 0)
                for (size_t i = 0; i < w.n; i++)
                        if (w.key[i].db == id)
                                bpf_map_delete_elem(fd, &w.key[i]);
        waits_free(&w);
}
