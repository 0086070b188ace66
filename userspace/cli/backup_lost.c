/* backup_lost.c - see backup_lost.h. */
#include "cli/backup_lost.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"

#define NAMES_MAX 5 /* that are said; the rest is counted */

struct names {
        char text[1024];
        size_t n;
};

static void add(struct names *names, const char *name)
{
        size_t at = strlen(names->text);

        if (names->n++ < NAMES_MAX)
                snprintf(names->text + at, sizeof(names->text) - at, "%s%s", at ? ", " : "", name);
}

static const char *more(const struct names *names, char ret[32])
{
        ret[0] = 0;
        if (names->n > NAMES_MAX)
                snprintf(ret, 32, " and %zu more", names->n - NAMES_MAX);
        return ret;
}

static bool has_backups(const char *directory, const char *name)
{
        struct backup_list list = {0};
        char path[PATH_MAX];
        bool found = snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) &&
                     backup_list_read(path, &list) == 0 && list.n > 0;

        backup_list_done(&list);
        return found;
}

int backup_lost_below(const char *directory)
{
        struct names names = {0};
        struct dirent **entries = NULL;
        int n = scandir(directory, &entries, NULL, alphasort);
        char rest[32];

        for (int i = 0; i < n; i++) {
                if (entries[i]->d_name[0] != '.' && has_backups(directory, entries[i]->d_name))
                        add(&names, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        if (names.n == 0)
                return CLI_OK;
        return log_error_r(CLI_UNAVAILABLE,
                           "backup list: %s has no backup itself, but directories in it have: %s%s; name one of "
                           "them with --backup-dir",
                           directory, names.text, more(&names, rest));
}

int backup_lost_of(const char *directory, const struct backup_list *list, const char *source)
{
        struct names names = {0};
        char rest[32];

        for (size_t i = 0; i < list->n; i++) {
                const char *of = list->items[i].manifest.source;
                bool told = !of;

                for (size_t j = 0; j < i && !told; j++)
                        told = list->items[j].manifest.source && !strcmp(list->items[j].manifest.source, of);
                if (!told)
                        add(&names, of);
        }
        if (names.n == 0 || access(source, F_OK) == 0)
                return CLI_OK;
        return log_error_r(
                CLI_UNAVAILABLE,
                "backup list: there is no database %s, and no backup of it in %s, which has those of %s%s", source,
                directory, names.text, more(&names, rest));
}
