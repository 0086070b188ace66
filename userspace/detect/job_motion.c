/* job_motion.c - what moves: in the row of a job, and in its processes. */
#include "detect/job_private.h"

#define NS_PER_MS 1000000ull

/* Bytes that a process moves without doing anything: an event loop that wakes itself up writes eight. */
#define IDLE_BYTES 4096

static uint64_t grown(uint64_t before, uint64_t now)
{
        return now > before ? now - before : 0; /* sums over living threads fall when one ends */
}

struct job_motion job_motion_of(const struct job_process *p, const struct job_limits *l)
{
        const struct process_evidence *a = p->before, *b = p->now;
        struct job_motion m = {0};

        if (!a || !b || a->gone || b->gone || a->id.tgid != b->id.tgid || a->id.start_ns != b->id.start_ns)
                return m;
        m.span_ns = grown(a->at_ns, b->at_ns);
        m.known = m.span_ns && m.span_ns >= l->window_ms * NS_PER_MS;
        if (!m.known)
                return m;
        m.database = b->db_writes != a->db_writes || b->commits != a->commits;
        m.counted = !((a->missing | b->missing) & EVIDENCE_NO_IO);
        uint64_t to_storage = grown(a->write_bytes, b->write_bytes) + grown(a->read_bytes, b->read_bytes);
        uint64_t written = grown(a->write_chars, b->write_chars), read = grown(a->read_chars, b->read_chars);
        m.storage = to_storage > 0 || written >= IDLE_BYTES;
        m.io = m.storage || read >= IDLE_BYTES;
        m.cpu_percent = (unsigned)(grown(a->cpu_ns, b->cpu_ns) * 100 / m.span_ns);
        m.ready_percent = (unsigned)(grown(a->run_delay_ns, b->run_delay_ns) * 100 / m.span_ns);
        return m;
}

/* It sleeps, wakes, asks by its connection and sleeps again: what an event loop does with a timer of its own. */
static bool polls(const struct job_process *p)
{
        const struct process_evidence *a = p->before, *b = p->now;

        return b->sleep.kind == SLEEP_TIMER && b->sleep.connections && a && !a->gone && b->voluntary > a->voluntary;
}

/* Between two questions it has no connection: that it had one is known by its beginning. */
static bool asks_anew(const struct process_evidence *e, uint64_t asked_ns)
{
        bool pauses = e->sleep.kind == SLEEP_TIMER || e->sleep.kind == SLEEP_EVENTS;

        return pauses && e->connect_ns && e->at_ns < e->connect_ns + asked_ns;
}

bool job_process_awaits_message(const struct job_process *p, uint64_t asked_ns)
{
        const struct evidence_sleep *s = p->now && !p->now->gone ? &p->now->sleep : NULL;

        if (!s)
                return false;
        return s->kind == SLEEP_MESSAGE || (s->kind == SLEEP_EVENTS && (s->connections || s->unsure)) || polls(p) ||
               asks_anew(p->now, asked_ns);
}

static uint64_t later(uint64_t a, uint64_t b, uint64_t now)
{
        return b > a && b <= now ? b : a; /* a row that was written by a clock since set back tells nothing */
}

uint64_t job_moved_ns(const struct job_facts *f)
{
        uint64_t last = 0;

        last = later(last, f->started_ns, f->now_ns);
        last = later(last, f->updated_ns, f->now_ns);
        last = later(last, f->changed_ns, f->now_ns);
        if (!last)
                last = later(last, f->first_seen_ns, f->now_ns);
        return last;
}

uint64_t job_quiet_ns(const struct job_facts *f)
{
        uint64_t last = job_moved_ns(f);

        return last && f->read_ns > last ? f->read_ns - last : 0;
}
