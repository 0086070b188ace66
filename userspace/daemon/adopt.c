/* adopt.c - see adopt.h. */
#include "daemon/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/due.h"
#include "daemon/guard.h"
#include "respond/list.h"

/* The newest good one that was made for it, after the last time that it was wanted; NULL: none. */
static const struct backup_item *made_for(const struct backup_list *l, const struct incident *i,
                                          const char *database)
{
        const char *since = due_since(i, ACTION_BACKUP, database);

        for (size_t k = 0; k < l->n; k++) {
                const struct backup_item *item = &l->items[k];
                const char *incident = item->manifest.incident;
                if (incident && strcmp(incident, i->id) == 0 && since && strcmp(item->manifest.from, since) >= 0 &&
                    backup_item_good(item))
                        return item;
        }
        return NULL;
}

static void adopt(struct daemon *d, struct incident *i, const char *database, const struct backup_item *item)
{
        json_t *entry = backup_item_json(item), *check = item->manifest.check;

        if (!entry)
                return;
        case_set(d, i->id, "backup", json_deep_copy(entry));
        keeper_backup(d->keeper, database, i->id, entry);
        keeper_adopted(d->keeper, action_name(ACTION_BACKUP), database, i->id, daemon_now(),
                       json_pack("{s:s, s:b}", "backup", item->id, "adopted", 1));
        if (check) {
                json_object_set_new(check, "at", json_string(item->manifest.from));
                case_set(d, i->id, "integrity", json_deep_copy(check));
                keeper_check(d->keeper, database, i->id, i->code, daemon_now(), json_deep_copy(check));
                due_done(d, i, ACTION_CHECK, database);
        }
        due_done(d, i, ACTION_BACKUP, database);
        log_note("backup %s, which was finished when the last run ended, belongs to incident %s", item->id, i->id);
}

static void look_for(struct daemon *d, struct incident *i, const char *database)
{
        _cleanup_free_ char *dir = NULL;
        struct backup_list list = {0};

        if (asprintf(&dir, "%s/backups/%s", d->state.path, database) < 0 || backup_list_read(dir, &list) < 0)
                return;
        const struct backup_item *item = made_for(&list, i, database);
        if (item)
                adopt(d, i, database, item);
        backup_list_done(&list);
}

void adopt_backups(struct daemon *d)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                for (size_t k = due_count(list[i]); k-- > 0;) {
                        enum action_kind kind;
                        const char *database;
                        if (due_at(list[i], k, &kind, &database) && kind == ACTION_BACKUP &&
                            guards_by_name(d->guards, database))
                                look_for(d, list[i], guards_by_name(d->guards, database)->name);
                }
}
