/* known_backups.c - see known_backups.h. */
#include "daemon/known_backups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "daemon/core.h"
#include "daemon/guard.h"
#include "respond/list.h"

/* A time as text_time() writes it; 0: it is none. */
static int64_t ns_of(const char *text)
{
        struct tm tm = {0};
        const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

        return end ? (int64_t)timegm(&tm) * 1000000000 : 0;
}

/* The newest good one: nothing else is known to stay whatever retention says. */
static void take(struct guard *g, const struct backup_list *l)
{
        for (size_t i = 0; i < l->n && !g->backup_ns; i++) {
                const struct backup_item *item = &l->items[i];
                if (!backup_item_good(item))
                        continue;
                g->policy.bytes = item->manifest.bytes;
                g->backup_ns = ns_of(item->manifest.created_at);
                snprintf(g->backup_id, sizeof(g->backup_id), "%s", item->id);
        }
}

void known_backups_read(struct daemon *d)
{
        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct guard *g = guards_at(d->guards, i);
                struct backup_list list = {0};
                _cleanup_free_ char *dir = NULL;

                if (asprintf(&dir, "%s/backups/%s", d->state.path, g->name) < 0 || backup_list_read(dir, &list) < 0)
                        continue;
                take(g, &list);
                backup_list_done(&list);
        }
}
