/* death.c - a certificate as text: verdict, who did it, what it held, what is at risk, what comes next. */
#include "report/death.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/pick.h"

#define SHOWN_OPS 6

static void print_sender(struct page *p, const json_t *exit, const char *key, const char *label)
{
        const json_t *s = json_object_get(exit, key);
        if (!json_is_object(s))
                return;
        char line[256] = "";
        size_t i, used = 0;
        json_t *a;
        json_array_foreach (json_object_get(s, "ancestors"), i, a) {
                int n = snprintf(line + used, sizeof(line) - used, "%s%s %" PRIu64,
                                 i ? ", child of " : "; child of ", pick_text(a, "comm", "?"),
                                 pick_number(a, "pid"));
                if (n < 0 || (size_t)n >= sizeof(line) - used)
                        break;
                used += (size_t)n;
        }
        page_paragraph(p, INK_PLAIN, label, DEATH_LABEL, "%s (pid %" PRIu64 ", uid %" PRIu64 ")%s",
                       pick_text(s, "comm", "?"), pick_number(s, "pid"), pick_number(s, "uid"), line);
}

void death_ending(char *ret, size_t size, const json_t *c)
{
        const json_t *exit = json_object_get(c, "exit");
        const char *signal = pick_text(exit, "signal", NULL), *cause = pick_text(exit, "cause", "unknown");
        const char *how = pick_text(exit, "how", NULL);
        if (strcmp(pick_text(c, "ended_by", "exit"), "exec") == 0)
                snprintf(ret, size, "replaced itself by another program");
        else if (!signal)
                snprintf(ret, size, "exited with status %" PRIu64, pick_number(exit, "code"));
        else if (strcmp(cause, "kernel-oom") == 0)
                snprintf(ret, size, "was killed by the kernel: out of memory");
        else if (strcmp(cause, "process") == 0)
                snprintf(ret, size, "was killed by %s%s%s%s", signal, how ? " (" : "", how ? how : "",
                         how ? ")" : "");
        else if (strcmp(cause, "fault") == 0)
                snprintf(ret, size, "crashed with %s", signal);
        else
                snprintf(ret, size, "ended by %s (%s%s%s)", signal, cause, how ? ", " : "", how ? how : "");
}

void death_debts(struct page *p, const json_t *o)
{
        char size[TEXT_BYTES_LEN];
        size_t i;
        json_t *r;
        bool lower_bound = json_is_true(json_object_get(o, "at_risk_lower_bound"));
        json_array_foreach (json_object_get(o, "at_risk"), i, r) {
                bool in_memory = json_is_true(json_object_get(r, "volatile"));
                text_bytes(size, pick_number(r, "bytes"));
                page_paragraph(p, INK_PLAIN, "at risk", DEATH_LABEL, "%s%s of the %s file%s",
                               lower_bound && !in_memory ? "at least " : "", size, pick_text(r, "file", "?"),
                               in_memory ? " (it is in memory: a power cut takes all of it)"
                                         : " would be lost in a power cut");
        }
        if (lower_bound && json_array_size(json_object_get(o, "at_risk")) == 0)
                page_paragraph(
                        p, INK_PLAIN, "at risk", DEATH_LABEL,
                        "nothing that was written since the watch began; of what was written before it is not "
                        "known");
        uint64_t commits = pick_number(o, "commits_at_risk");
        if (commits)
                page_paragraph(p, INK_PLAIN, "at risk", DEATH_LABEL,
                               "%" PRIu64 " commit%s would be undone by a power cut", commits,
                               commits == 1 ? "" : "s");
        else if (json_is_integer(json_object_get(o, "commits_at_risk")) && !lower_bound &&
                 json_array_size(json_object_get(o, "at_risk")) > 0)
                page_paragraph(p, INK_PLAIN, "", DEATH_LABEL, "no commit is known to be among that");
        if (json_is_true(json_object_get(o, "tainted")))
                page_paragraph(p, INK_PLAIN, "storage", DEATH_LABEL,
                               "a sync or a write-back failed: nothing later proves anything");
}

static void print_operations(struct page *p, const json_t *c)
{
        const json_t *ops = json_object_get(c, "last_operations");
        size_t n = json_array_size(ops);
        for (size_t i = n > SHOWN_OPS ? n - SHOWN_OPS : 0; i < n; i++) {
                const json_t *o = json_array_get(ops, i);
                page_paragraph(p, INK_PLAIN,
                               i + SHOWN_OPS >= n && i == (n > SHOWN_OPS ? n - SHOWN_OPS : 0) ? "last seen" : "",
                               DEATH_LABEL, "%s %s %s, %" PRIu64 " bytes at %" PRIu64 " = %" JSON_INTEGER_FORMAT,
                               pick_text(o, "at", ""), pick_text(o, "op", "?"), pick_text(o, "file", "?"),
                               pick_number(o, "bytes"), pick_number(o, "offset"),
                               json_integer_value(json_object_get(o, "result")));
        }
}

static const char *txn_words(const char *txn)
{
        if (strcmp(txn, "unknown") == 0)
                return "perhaps a write";
        return strcmp(txn, "none") == 0 ? "no" : txn;
}

static bool seen_late(const json_t *c)
{
        const json_t *reason;
        size_t i;

        json_array_foreach (json_object_get(json_object_get(c, "trust"), "reasons"), i, reason)
                if (json_is_string(reason) && strcmp(json_string_value(reason), "seen-late") == 0)
                        return true;
        return false;
}

void death_print(struct page *p, const json_t *c, bool over, bool verbose)
{
        const json_t *process = json_object_get(c, "process");
        char ending[160], words[512];
        death_ending(ending, sizeof(ending), c);
        const char *verdict = pick_text(c, "verdict", "unknown");
        page_line(p);
        pick_join(words, sizeof(words), json_object_get(c, "reasons"), ", ");
        page_paragraph(p, pick_verdict_ink(verdict), verdict, DEATH_LABEL, "%s (pid %" PRIu64 ") %s%s%s",
                       pick_text(process, "comm", "?"), pick_number(process, "pid"), ending, words[0] ? ": " : "",
                       words);
        print_sender(p, json_object_get(c, "exit"), "sender", "killed by");
        print_sender(p, json_object_get(c, "exit"), "origin", "on behalf of");
        pick_join(words, sizeof(words), json_object_get(c, "locks"), ", ");
        const char *txn = pick_text(c, "transaction", "none");
        if (words[0] || strcmp(txn, "none") != 0)
                page_paragraph(p, INK_PLAIN, "held", DEATH_LABEL, "%s transaction%s%s", txn_words(txn),
                               words[0] ? "; locks " : "", words);
        death_debts(p, c);
        if (seen_late(c))
                page_paragraph(p, INK_PLAIN, "not known", DEATH_LABEL,
                               "what it did before the watch began (seen-late)");
        uint64_t wal = pick_number(json_object_get(c, "left_behind"), "wal_bytes");
        char size[TEXT_BYTES_LEN];
        text_bytes(size, wal);
        if (wal)
                page_paragraph(p, INK_PLAIN, "left behind", DEATH_LABEL, "a WAL of %s", size);
        bool recovered = json_is_true(json_object_get(c, "recovered"));
        if (pick_text(c, "prediction", NULL))
                page_paragraph(p, INK_PLAIN, over || recovered ? "at the death" : "next", DEATH_LABEL, "%s",
                               pick_text(c, "prediction", ""));
        if (recovered)
                page_paragraph(p, INK_PLAIN, "since then", DEATH_LABEL, "recovered by another process");
        if (verbose) {
                page_paragraph(p, INK_PLAIN, "when", DEATH_LABEL, "%s to %s", pick_text(c, "started_at", "?"),
                               pick_text(c, "ended_at", "?"));
                print_operations(p, c);
        }
}
