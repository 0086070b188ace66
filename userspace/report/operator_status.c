/* operator_status.c - `vigil status`: the verdict, the daemon itself, then the databases, those in trouble first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report/operator_private.h"
#include "report/pick.h"
#include "report/table.h"

#define LABEL           13
#define SHOWN_DATABASES 20
#define SHOWN_PROCESSES 10

static bool is_watched(const json_t *database)
{
        return strcmp(pick_text(database, "state", ""), "watched") == 0;
}

/* "1 P1, 2 P3", or "none". */
static void count_incidents(char *ret, size_t size, const json_t *counts)
{
        static const char *const severities[] = {"P0", "P1", "P2", "P3"};
        size_t used = 0;
        snprintf(ret, size, "none");
        for (size_t i = 0; i < 4; i++) {
                uint64_t n = pick_number(counts, severities[i]);
                int wrote = n ? snprintf(ret + used, size - used, "%s%" PRIu64 " %s", used ? ", " : "", n,
                                         severities[i])
                              : 0;
                if (wrote < 0 || (size_t)wrote >= size - used)
                        return;
                used += (size_t)wrote;
        }
}

/* "1 job-orphaned, 7 healthy"; "" where none run. */
static void count_jobs(char *ret, size_t size, const json_t *counts)
{
        const char *verdict;
        json_t *n;
        size_t used = 0;

        ret[0] = '\0';
        json_object_foreach ((json_t *)counts, verdict, n) {
                if (json_integer_value(n) <= 0 || used >= size)
                        continue;
                used += (size_t)snprintf(ret + used, size - used, "%s%" PRIu64 " %s", used ? ", " : "",
                                         (uint64_t)json_integer_value(n), verdict);
        }
}

/* Off is what it is by default, and no news. */
static void print_attribution(struct page *p, const json_t *watch)
{
        const char *state = pick_text(watch, "attribution", "off");
        if (strcmp(state, "refused") == 0)
                page_paragraph(p, INK_WARN, "why slow", LABEL,
                               "where the time of slow operations goes is not told: %s",
                               pick_text(watch, "attribution_why_not", "?"));
        else if (strcmp(state, "on") == 0)
                page_paragraph(p, INK_PLAIN, "why slow", LABEL, "on: vigil summary --latency --why");
}

static void print_daemon(struct page *p, const struct operator_view *v)
{
        const json_t *d = v->document, *trust = json_object_get(d, "trust"), *store = json_object_get(d, "store");
        char up[PICK_WHEN_LEN], bytes[TEXT_BYTES_LEN], queued[TEXT_BYTES_LEN], words[512];
        pick_age(up, d, "started_at", v->now_ns);
        page_paragraph(p, INK_PLAIN, "daemon", LABEL, "vigil %s, pid %" PRIu64 ", up %s, probes: %s",
                       pick_text(d, "vigil", "?"), pick_number(d, "pid"), up, pick_text(d, "tier", "?"));
        count_incidents(words, sizeof(words), json_object_get(d, "incidents"));
        page_paragraph(p, INK_PLAIN, "incidents", LABEL, "%s", words);
        count_jobs(words, sizeof(words), json_object_get(d, "jobs"));
        if (words[0])
                page_paragraph(p, INK_PLAIN, "jobs", LABEL, "%s; see vigil jobs", words);
        pick_join(words, sizeof(words), json_object_get(trust, "reasons"), ", ");
        page_paragraph(p, INK_PLAIN, "trust", LABEL, "%s%s%s", pick_text(trust, "level", "none"),
                       words[0] ? ": " : "", words);
        const char *ends = pick_text(json_object_get(d, "watch"), "why", NULL);
        if (ends)
                page_paragraph(p, INK_WARN, "watch", LABEL, "ends with this daemon, also when it is killed: %s",
                               ends);
        print_attribution(p, json_object_get(d, "watch"));
        text_bytes(bytes, pick_number(store, "bytes"));
        if (!json_is_integer(json_object_get(store, "bytes")))
                snprintf(bytes, sizeof(bytes), "size unknown");
        text_bytes(queued, pick_number(store, "queued"));
        const char *problem = pick_text(store, "problem", NULL);
        page_paragraph(p, INK_PLAIN, "store", LABEL, "%s, %s%s%s%s%s", pick_text(store, "state", "unknown"), bytes,
                       problem ? ": " : "", problem ? problem : "",
                       pick_number(store, "queued") ? ", waiting: " : "",
                       pick_number(store, "queued") ? queued : "");
}

static void print_actions(struct page *p, const struct operator_view *v)
{
        size_t i;
        json_t *a;
        json_array_foreach (json_object_get(v->document, "actions"), i, a) {
                char since[PICK_WHEN_LEN];
                bool waits = json_is_null(json_object_get(a, "started_at"));
                pick_age(since, a, "started_at", v->now_ns);
                const char *incident = pick_text(a, "incident", NULL);
                page_paragraph(p, INK_PLAIN, i ? "" : "at work", LABEL, "%s of %s%s%s%s%s",
                               pick_text(a, "kind", "?"), pick_text(a, "database", "?"), incident ? " for " : "",
                               incident ? incident : "", waits ? ", waits" : ", for ", waits ? "" : since);
        }
}

static const struct table_column columns[] = {{.title = "DATABASE"},
                                              {.title = "STATE", .whole = true},
                                              {.title = "USERS", .whole = true, .right = true},
                                              {.title = "AT RISK", .whole = true},
                                              {.title = "LAST CHECK", .whole = true},
                                              {.title = "LAST BACKUP", .whole = true}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A page narrower than that has no room for "ago", which the titles say anyway. */
#define ROOMY 90

/* "ok, 12 min ago"; "never". */
static void last_word(char *ret, size_t size, const json_t *o, const char *word, const char *when, int64_t now_ns,
                      bool roomy)
{
        char age[PICK_WHEN_LEN];
        pick_age(age, o, when, now_ns);
        if (json_is_object(o))
                snprintf(ret, size, "%s, %s%s", word, age, roomy ? " ago" : "");
        else
                snprintf(ret, size, "never");
}

static void at_risk(char *ret, size_t size, const json_t *d)
{
        const json_t *bytes = json_object_get(d, "bytes_at_risk");
        uint64_t commits = pick_number(d, "commits_at_risk");
        char text[TEXT_BYTES_LEN];
        text_bytes(text, pick_number(d, "bytes_at_risk"));
        if (!json_is_integer(bytes))
                snprintf(ret, size, is_watched(d) ? "unknown" : "-");
        else if (commits)
                snprintf(ret, size, "%s, %" PRIu64 " commit%s", text, commits, commits == 1 ? "" : "s");
        else
                snprintf(ret, size, "%s", json_integer_value(bytes) ? text : "none");
}

static void print_processes(struct page *p, const json_t *database)
{
        const json_t *list = json_object_get(database, "processes");
        size_t i;
        json_t *process;
        json_array_foreach (list, i, process) {
                char locks[256];
                if (i == SHOWN_PROCESSES)
                        break;
                pick_join(locks, sizeof(locks), json_object_get(process, "locks"), ", ");
                page_paragraph(p, INK_PLAIN, "", 4, "%s (pid %" PRIu64 ", uid %" PRIu64 ")%s%s",
                               pick_text(process, "comm", "?"), pick_number(process, "pid"),
                               pick_number(process, "uid"), locks[0] ? ", locks " : "", locks);
        }
        if (json_array_size(list) > SHOWN_PROCESSES)
                page_paragraph(p, INK_PLAIN, "", 4, "and %zu more", json_array_size(list) - SHOWN_PROCESSES);
}

static void add_row(struct table *t, const struct operator_view *v, const json_t *d, bool roomy)
{
        const json_t *check = json_object_get(d, "last_check"), *backup = json_object_get(d, "last_backup");
        char text[64], users[24];
        bool watched = is_watched(d), verified = json_is_true(json_object_get(backup, "verified"));

        table_add(t, INK_BOLD, pick_text(d, "name", "?"));
        table_add(t, watched ? INK_GOOD : INK_BAD, pick_text(d, "state", "unknown"));
        snprintf(users, sizeof(users), "%" PRIu64, pick_number(d, "users"));
        table_add(t, INK_PLAIN, watched ? users : "-");
        at_risk(text, sizeof(text), d);
        table_add(t, INK_PLAIN, text);
        last_word(text, sizeof(text), check, pick_text(check, "result", "?"), "at", v->now_ns, roomy);
        table_add(t, INK_PLAIN, text);
        last_word(text, sizeof(text), backup, verified ? "verified" : "UNVERIFIED", "created_at", v->now_ns, roomy);
        table_add(t, json_is_object(backup) && !verified ? INK_BAD : INK_PLAIN, text);
}

/* What stands below its row. */
static void print_details(struct page *p, const struct operator_view *v, const json_t *d)
{
        const char *problem = pick_text(d, "problem", NULL);
        if (problem)
                page_paragraph(p, INK_PLAIN, "", 4, "%s: %s", pick_text(d, "path", "?"), problem);
        else if (v->verbose)
                page_paragraph(p, INK_PLAIN, "", 4, "%s, journal mode %s%s", pick_text(d, "path", "?"),
                               pick_text(d, "journal_mode", "unknown"),
                               json_is_true(json_object_get(d, "discovered")) ? ", discovered" : "");
        if (json_is_true(json_object_get(d, "in_transaction")))
                page_paragraph(p, INK_PLAIN, "", 4, "in a write transaction");
        if (v->verbose)
                print_processes(p, d);
}

/* Those in trouble first. @return how many there is room for */
static size_t choose(const json_t *list, const struct operator_view *v, const json_t **ret)
{
        size_t n = 0, i;
        json_t *d;

        for (int watched = 0; watched < 2; watched++)
                json_array_foreach (list, i, d)
                        if (is_watched(d) == watched && (n < SHOWN_DATABASES || v->verbose))
                                ret[n++] = d;
        return n;
}

static void print_databases(struct page *p, const struct operator_view *v, const json_t *list)
{
        _cleanup_free_ const json_t **shown = calloc(json_array_size(list) + 1, sizeof(void *));
        size_t n = shown ? choose(list, v, shown) : 0;
        struct table t = {.column = columns, .ncolumns = COLUMNS};

        for (size_t i = 0; i < n; i++)
                add_row(&t, v, shown[i], p->width >= ROOMY);
        table_fit(&t, p);
        table_print_head(&t, p);
        for (size_t i = 0; i < n; i++) {
                table_print_row(&t, p, i);
                print_details(p, v, shown[i]);
        }
        if (n < json_array_size(list))
                page_paragraph(p, INK_DIM, "", 4, "and %zu more; -v shows all", json_array_size(list) - n);
        table_done(&t);
}

void operator_status(struct page *p, const struct operator_view *v)
{
        const json_t *list = json_object_get(v->document, "databases");
        operator_print_health(p, json_object_get(v->document, "health"));
        page_line(p);
        print_daemon(p, v);
        print_actions(p, v);
        if (json_array_size(list))
                print_databases(p, v, list);
        else
                page_paragraph(p, INK_WARN, "databases", LABEL, "none is configured");
}
