/* wait_stacks.c - see wait_stacks.h. */
#include "sensor/wait_stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sensor/wait_kind.h"

static int map_fd(const struct bpf_map *map)
{
        return bpf_map__fd(map);
}

void waits_free(struct waits *w)
{
        free(w->key);
        free(w->sum);
}

int waits_read(struct sensor *s, struct waits *ret)
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

int wait_stacks_symbols(struct sensor *s)
{
        int r = wait_symbols_read("/proc/kallsyms", &s->symbols);

        if (r == 0)
                s->symbols_ns = clock_boottime_ns();
        return r;
}

int wait_stacks_prepare(struct sensor *s)
{
        if (s->wait_stack)
                return 0;
        s->wait_stack = calloc(SENSOR_STACKS, sizeof(*s->wait_stack));
        for (size_t i = 0; s->wait_stack && i < SENSOR_STACKS; i++)
                s->wait_stack[i].kind = -1;
        return s->wait_stack ? 0 : -ENOMEM;
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
int wait_stacks_tell(struct sensor *s, const struct waits *w)
{
        int r = s->symbols_ns ? 0 : wait_stacks_symbols(s);

        for (size_t i = 0; r == 0 && i < w->n; i++) {
                int32_t id = w->key[i].stack;
                if (id < 0 || id >= SENSOR_STACKS || is_told(&s->wait_stack[id]) || !tell(s, id) ||
                    s->wait_stack[id].kind != WAIT_UNKNOWN || clock_boottime_ns() < s->symbols_ns + SYMBOLS_NS)
                        continue;
                r = wait_stacks_symbols(s);
                if (r == 0)
                        tell(s, id);
        }
        return r;
}

enum wait_kind wait_stacks_kind(const struct sensor *s, int32_t stack)
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

static void note_stack(struct sensor *s, int32_t id, uint64_t now)
{
        if (id >= 0 && id < SENSOR_STACKS)
                s->wait_stack[id].since_ns = now;
}

/* By threads that are blocked there now, however long: their time comes to the sums when they are woken. */
static void note_blocked(struct sensor *s, uint64_t now)
{
        int fd = map_fd(s->skeleton->maps.spans);
        const uint32_t *tid = s->skeleton->bss->span_tids;
        const uint32_t places = sizeof(s->skeleton->bss->span_tids) / sizeof(*tid);
        struct span span;

        for (uint32_t place = 0; place < places; place++)
                if (tid[place] && bpf_map_lookup_elem(fd, &place, &span) == 0 && span.state == SPAN_BLOCKED)
                        note_stack(s, span.stack, now);
}

/* By transactions that are open, too. To be looked at before the sums are: what is over by then is in those. */
void wait_stacks_note_open(struct sensor *s, uint64_t now)
{
        int fd = map_fd(s->skeleton->maps.open_commits);
        struct open_commit c;

        note_blocked(s, now);
        for (uint32_t db = 1; db < VIGIL_MAX_DBS; db++) {
                if (!s->db[db].path || bpf_map_lookup_elem(fd, &db, &c) < 0 || !c.begun_ns)
                        continue;
                for (size_t i = 0; i < c.waits && i < COMMIT_WAITS; i++)
                        note_stack(s, c.stack[i], now);
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

static void let_go_unwaited(struct sensor *s, const struct waits *w, uint64_t now)
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

void wait_stacks_let_go(struct sensor *s, const struct waits *w, uint64_t now)
{
        note_use(s, w, now);
        let_go_unwaited(s, w, now);
        let_go_unused(s, now);
}
