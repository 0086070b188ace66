/* living.c - who goes on using a database, and what they hold: the report of a watch that ended before they did. */
#include <inttypes.h>
#include <string.h>

#include "report/death.h"
#include "report/living.h"
#include "report/pick.h"

#define SHOWN_LIVING 5

/* What they do to the database, the worst first. */
static const struct {
        const char *transaction;
        bool changes;
        const char *words;
} doings[] = {
        {"write", true, "in a write transaction"}, {"checkpoint", true, "in a checkpoint"},
        {"recovery", true, "recovering it"},       {"unknown", true, "in a write transaction, or at its end"},
        {"read", false, "in a read transaction"},  {"none", false, "in no transaction"},
};

#define DOINGS (sizeof(doings) / sizeof(doings[0]))

static size_t doing_of(const json_t *process)
{
        const char *txn = pick_text(process, "transaction", "none");
        size_t i = 0;
        while (i < DOINGS - 1 && strcmp(doings[i].transaction, txn) != 0)
                i++;
        return i;
}

bool living_are_changing(const json_t *database)
{
        size_t i;
        json_t *process;
        json_array_foreach (json_object_get(database, "processes"), i, process)
                if (doings[doing_of(process)].changes)
                        return true;
        return false;
}

static void print_one(struct page *p, const json_t *process, size_t doing)
{
        char locks[256];
        pick_join(locks, sizeof(locks), json_object_get(process, "locks"), ", ");
        const char *since = pick_text(process, "transaction_since", NULL);
        bool open = doings[doing].changes;
        const char *when = !open                                                 ? ""
                           : since                                               ? " since "
                           : json_is_true(json_object_get(process, "seen_late")) ? ", begun before the watch"
                                                                                 : "";
        page_paragraph(p, INK_PLAIN, open ? "holds" : "", DEATH_LABEL, "%s (pid %" PRIu64 ") is %s%s%s%s%s",
                       pick_text(process, "comm", "?"), pick_number(process, "pid"), doings[doing].words, when,
                       open && since ? since : "", locks[0] ? "; locks " : "", locks);
}

void living_print(struct page *p, const json_t *database, bool verbose)
{
        const json_t *list = json_object_get(database, "processes");
        size_t i, n = json_array_size(list), of[DOINGS] = {0}, shown = 0;
        json_t *process;
        if (n == 0)
                return;
        json_array_foreach (list, i, process)
                of[doing_of(process)]++;
        page_line(p);
        page_paragraph(p, living_are_changing(database) ? INK_WARN : INK_PLAIN, "still alive", DEATH_LABEL,
                       "%zu process%s", n, n == 1 ? "" : "es");
        for (size_t k = 0; k < DOINGS; k++) {
                size_t left = of[k];
                json_array_foreach (list, i, process) {
                        if (doing_of(process) != k || (!verbose && (k == DOINGS - 1 || shown >= SHOWN_LIVING)))
                                continue;
                        print_one(p, process, k);
                        shown++;
                        left--;
                }
                if (left)
                        page_paragraph(p, INK_PLAIN, "", DEATH_LABEL, "%s%zu %s", shown ? "and " : "", left,
                                       doings[k].words);
        }
        death_debts(p, database);
}
