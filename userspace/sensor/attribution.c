/* attribution.c - where the time of commits and syncs went: the sums that the kernel side keeps (bpf/span.h), with its stacks
 * told by name. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sensor/evidence.h"
#include "sensor/internal.h"

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

/* What a module brings that was loaded since the symbols were read is looked for now and then. */
#define SYMBOLS_NS 600000000000ull

static int read_symbols(struct sensor *s)
{
        int r = wait_symbols_read("/proc/kallsyms", &s->symbols);

        if (r == 0)
                s->symbols_ns = clock_boottime_ns();
        return r;
}

int attribution_try(struct sensor *s, char why[SENSOR_WHY_LEN])
{
        int r = s->options.attribution ? read_symbols(s) : -EOPNOTSUPP;

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

/* Where stack @id lies: in the map of the result, at @ret_place. */
static int place_of(const struct sensor *s, int32_t id, int32_t *ret_place)
{
        *ret_place = id % WAIT_STACKS;
        return map_fd(id < WAIT_STACKS ? s->skeleton->maps.wait_stacks : s->skeleton->maps.wait_stacks_met);
}

/* @return false: it is not kept */
static bool read_stack(const struct sensor *s, int32_t id, uint64_t ret_frame[SPAN_STACK])
{
        int32_t place;
        int fd = place_of(s, id, &place);

        return bpf_map_lookup_elem(fd, &place, ret_frame) == 0;
}

static bool tell(struct sensor *s, int32_t id)
{
        uint64_t frame[SPAN_STACK];
        size_t n = 0;

        if (!read_stack(s, id, frame))
                return false;
        while (n < SPAN_STACK && frame[n])
                n++;
        s->wait_stack[id].kind = (int8_t)wait_symbols_kind(&s->symbols, frame, n);
        s->wait_stack[id].let_go = false;
        s->stacks_unnamed += !s->symbols.n; /* who may not see addresses (kptr_restrict) */
        return true;
}

static bool is_told(const struct wait_stack *w)
{
        return w->kind >= 0 && !w->let_go;
}

/* Each stack is told once: what lies in one place of the map stays there until it is let go. */
static int tell_stacks(struct sensor *s, const struct waits *w)
{
        int r = s->symbols_ns ? 0 : read_symbols(s);

        for (size_t i = 0; r == 0 && i < w->n; i++) {
                int32_t id = w->key[i].stack;
                if (id < 0 || id >= SENSOR_STACKS || is_told(&s->wait_stack[id]) || !tell(s, id) ||
                    s->wait_stack[id].kind != WAIT_UNKNOWN || clock_boottime_ns() < s->symbols_ns + SYMBOLS_NS)
                        continue;
                r = read_symbols(s);
                if (r == 0)
                        tell(s, id);
        }
        return r;
}

static enum wait_kind kind_of(const struct sensor *s, int32_t stack)
{
        if (stack <= WAIT_TOLD(0))
                return WAIT_TOLD(0) - stack <= WAIT_KERNEL ? (enum wait_kind)(WAIT_TOLD(0) - stack) : WAIT_UNKNOWN;
        bool known = stack >= 0 && stack < SENSOR_STACKS && s->wait_stack[stack].kind >= 0;

        return known ? (enum wait_kind)s->wait_stack[stack].kind : WAIT_UNKNOWN;
}

/* ---- stacks that nobody waits at any more ----
 *
 * In the months of a daemon ever more of them come by, and each has one place of the map that it shares with others, by a hash. So
 * one that nothing was added to for ten minutes is let go, and its sums go to those of its kind. Not while a transaction that is open
 * has waited there: its time comes to the sums when it commits. */

#define REST_NS 600000000000ull

/* By transactions that are open. To be looked at before the sums are: what is over by then is in those. */
static void note_open(struct sensor *s, uint64_t now)
{
        int fd = map_fd(s->skeleton->maps.open_commits);
        struct open_commit c;

        for (uint32_t db = 1; db < VIGIL_MAX_DBS; db++) {
                if (!s->db[db].path || bpf_map_lookup_elem(fd, &db, &c) < 0 || !c.begun_ns)
                        continue;
                for (size_t i = 0; i < c.waits && i < COMMIT_WAITS; i++)
                        if (c.stack[i] >= 0 && c.stack[i] < SENSOR_STACKS)
                                s->wait_stack[c.stack[i]].since_ns = now;
        }
}

static void note_use(struct sensor *s, const struct waits *w, uint64_t now)
{
        uint64_t ns[SENSOR_STACKS] = {0};

        for (size_t i = 0; i < w->n; i++)
                if (w->key[i].stack >= 0 && w->key[i].stack < SENSOR_STACKS)
                        ns[w->key[i].stack] += w->sum[i].ns;
        for (size_t id = 0; id < SENSOR_STACKS; id++) {
                struct wait_stack *stack = &s->wait_stack[id];
                if (stack->since_ns && stack->ns == ns[id])
                        continue;
                stack->ns = ns[id];
                stack->since_ns = now;
        }
}

static void add_sum(struct wait_sum *to, const struct wait_sum *sum)
{
        to->ns += sum->ns;
        to->held_ns += sum->held_ns;
        to->late_ns += sum->late_ns;
        to->run_ns += sum->run_ns;
        to->queue_ns += sum->queue_ns;
        to->log_ns += sum->log_ns;
        to->journal_ns += sum->journal_ns;
        to->unsplit_ns += sum->unsplit_ns;
}

/* To the sums of its kind, which the kernel side never touches. */
static void fold(struct sensor *s, const struct wait_key *key)
{
        struct wait_key told = {
                .stack = WAIT_TOLD(s->wait_stack[key->stack].kind), .db = key->db, .kinds = key->kinds};
        int fd = map_fd(s->skeleton->maps.waits);
        struct wait_sum sum, to = {0};

        if (bpf_map_lookup_and_delete_elem(fd, key, &sum) < 0)
                return;
        bpf_map_lookup_elem(fd, &told, &to);
        add_sum(&to, &sum);
        bpf_map_update_elem(fd, &told, &to, BPF_ANY);
}

/* The place of stack @id is free for another one. */
static void free_place(struct sensor *s, int32_t id)
{
        int32_t place;
        int fd = place_of(s, id, &place);

        bpf_map_delete_elem(fd, &place);
        s->wait_stack[id].let_go = true;
}

static void let_go(struct sensor *s, const struct waits *w, uint64_t now)
{
        for (size_t i = 0; i < w->n; i++) {
                int32_t id = w->key[i].stack;
                if (id < 0 || id >= SENSOR_STACKS || s->wait_stack[id].kind < 0 ||
                    now - s->wait_stack[id].since_ns < REST_NS)
                        continue;
                fold(s, &w->key[i]);
                if (!s->wait_stack[id].let_go)
                        free_place(s, id);
        }
}

/* Transactions that were rolled back leave stacks that are in no sum. Two looks that far apart find one: who waits there now may
 * have it in a sum by the second. */
static void let_go_unused(struct sensor *s, uint64_t now)
{
        if (s->unused_ns && now - s->unused_ns < REST_NS)
                return;
        s->unused_ns = now;
        for (int32_t id = 0; id < SENSOR_STACKS; id++) {
                struct wait_stack *stack = &s->wait_stack[id];
                uint64_t frame[SPAN_STACK];
                bool rests = !stack->ns && now - stack->since_ns >= REST_NS && read_stack(s, id, frame);
                if (rests && stack->unused)
                        free_place(s, id);
                stack->unused = rests && !stack->unused;
        }
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
        ret[VIGIL_UNSEEN_STACKS] = s->skeleton->bss->lost_stacks + s->stacks_unnamed;
        ret[VIGIL_UNSEEN_WAITS] = s->skeleton->bss->lost_waits;
        ret[VIGIL_UNSEEN_REQUESTS] = s->skeleton->bss->lost_disks;
        ret[VIGIL_UNSEEN_RUNS] = probes_missed(s, true);
}

static int prepare(struct sensor *s)
{
        if (s->wait_stack)
                return 0;
        s->wait_stack = calloc(SENSOR_STACKS, sizeof(*s->wait_stack));
        for (size_t i = 0; s->wait_stack && i < SENSOR_STACKS; i++)
                s->wait_stack[i].kind = -1;
        return s->wait_stack ? 0 : -ENOMEM;
}

int sensor_attribution(struct sensor *s, sensor_fn fn, void *userdata)
{
        __attribute__((cleanup(waits_free))) struct waits w = {0};
        uint64_t now = clock_boottime_ns();
        int r = s->options.attribution ? prepare(s) : -EOPNOTSUPP;

        if (r == 0) {
                note_open(s, now);
                r = read_waits(s, &w);
        }
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
        if (r >= 0) {
                note_use(s, &w, now);
                let_go(s, &w, now);
                let_go_unused(s, now);
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
