#include "respond/prune_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* The items of one database, newest first, as in the list. */
struct group {
        const struct backup_list *list;
        const struct prune_options *options;
        struct prune_fate *fates;
        const char *source;
};

/* What retention counts at all: sound backups. The rest is evidence, or somebody has to look at it first. */
static bool counts(const struct backup_item *i)
{
        return !i->evidence && !i->problem && i->manifest.source;
}

static bool is_mine(const struct group *g, size_t i)
{
        return counts(&g->list->items[i]) && strcmp(g->list->items[i].manifest.source, g->source) == 0;
}

/* The newest verified one made before @p before (text of a time; NULL: at any time). */
static void pin(const struct group *g, const char *before, const char *why)
{
        for (size_t i = 0; i < g->list->n; i++) {
                const struct backup_item *item = &g->list->items[i];
                if (!is_mine(g, i) || !backup_item_good(item) ||
                    (before && strcmp(item->manifest.created_at, before) >= 0))
                        continue;
                if (!g->fates[i].why)
                        g->fates[i].why = why;
                return;
        }
}

/* Of the verified ones the newest `keep`; of the others as many, and none that is older than the last of those. */
static void apply_keep(const struct group *g)
{
        unsigned verified = 0, unverified = 0, keep = g->options->keep;

        for (size_t i = 0; keep && i < g->list->n; i++) {
                if (!is_mine(g, i))
                        continue;
                bool good = backup_item_good(&g->list->items[i]);
                bool beyond = good ? verified >= keep : verified >= keep || unverified >= keep;
                if (beyond && !g->fates[i].why)
                        g->fates[i] = (struct prune_fate){true, "beyond the number to keep"};
                *(good ? &verified : &unverified) += 1;
        }
}

static uint64_t bytes_left(const struct group *g)
{
        uint64_t sum = 0;

        for (size_t i = 0; i < g->list->n; i++)
                if (is_mine(g, i) && !g->fates[i].remove)
                        sum += g->list->items[i].manifest.bytes;
        return sum;
}

/* The oldest go until the rest fits. @return false: what is pinned does not fit */
static bool apply_bytes(const struct group *g)
{
        uint64_t max = g->options->max_bytes, left = bytes_left(g);

        for (size_t i = g->list->n; max && left > max && i-- > 0;) {
                if (!is_mine(g, i) || g->fates[i].remove || g->fates[i].why)
                        continue;
                left -= g->list->items[i].manifest.bytes;
                g->fates[i] = (struct prune_fate){true, "beyond the bytes to keep"};
        }
        return !max || left <= max;
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every database that something counts of, once. @return how many, or -ENOMEM */
static ssize_t sources_of(const struct backup_list *list, const char ***ret)
{
        const char **sources = malloc((list->n + 1) * sizeof(const char *));
        size_t n = 0, once = 0;

        if (!sources)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++)
                if (counts(&list->items[i]))
                        sources[n++] = list->items[i].manifest.source;
        qsort(sources, n, sizeof(const char *), compare_texts);
        for (size_t i = 0; i < n; i++)
                if (once == 0 || strcmp(sources[once - 1], sources[i]) != 0)
                        sources[once++] = sources[i];
        *ret = sources;
        return (ssize_t)once;
}

int prune_plan(const struct backup_list *list, const struct prune_options *options, struct prune_fate *fates,
               size_t *ret_over)
{
        _cleanup_free_ const char **sources = NULL;
        char before[TEXT_TIME_LEN];
        size_t over = 0;

        ssize_t n = sources_of(list, &sources);
        if (n < 0)
                return (int)n;
        text_time(before, options->pinned_before_ns);
        for (ssize_t s = 0; s < n; s++) {
                const struct group g = {list, options, fates, sources[s]};
                pin(&g, NULL, "the newest verified one");
                if (options->pinned_before_ns)
                        pin(&g, before, "the newest verified one from before an incident that is not over");
                apply_keep(&g);
                over += !apply_bytes(&g);
        }
        *ret_over = over;
        return 0;
}
