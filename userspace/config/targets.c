/* targets.c - which files a configuration comes to, and what changes when it is read again. See config.h. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"

void config_targets_free(struct config_target *t, size_t n)
{
        for (size_t i = 0; t && i < n; i++) {
                free(t[i].name);
                free(t[i].path);
        }
        free(t);
}

static int add(struct config_target **list, size_t *n, char *name, const char *path,
               const struct config_database *of)
{
        struct config_target *grown = *n < CONFIG_MAX_DATABASES ? reallocarray(*list, *n + 1, sizeof(*grown))
                                                                : NULL;
        char *copy = strdup(path);

        if (grown)
                *list = grown;
        if (!grown || !copy || !name) {
                free(copy);
                free(name);
                return *n < CONFIG_MAX_DATABASES ? -ENOMEM : -E2BIG;
        }
        grown[(*n)++] = (struct config_target){.name = name, .path = copy, .of = of};
        return 0;
}

static bool known(const struct config_target *list, size_t n, const char *path)
{
        for (size_t i = 0; i < n; i++)
                if (!strcmp(list[i].path, path))
                        return true;
        return false;
}

static bool name_taken(const struct config_target *list, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (!strcmp(list[i].name, name))
                        return true;
        return false;
}

/* "NAME-FILE" with every byte that a name may not have replaced; a number behind it when two files come to one name. */
static char *name_of(const struct config_target *list, size_t n, const struct config_database *d, const char *path)
{
        const char *base = strrchr(path, '/') + 1;
        char *name = NULL;

        for (unsigned i = 1;; i++) {
                if (asprintf(&name, i == 1 ? "%s-%.100s" : "%s-%.100s-%u", d->name, base, i) < 0)
                        return NULL;
                for (char *p = name; *p; p++)
                        if (!strchr("._-", *p) && !((*p | 32) >= 'a' && (*p | 32) <= 'z') &&
                            !(*p >= '0' && *p <= '9'))
                                *p = '_';
                if (!name_taken(list, n, name))
                        return name;
                free(name);
        }
}

static bool is_companion(const char *path)
{
        static const char *const suffix[] = {"-wal", "-shm", "-journal"};
        size_t n = strlen(path);

        for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
                size_t m = strlen(suffix[i]);
                if (n > m && !strcmp(path + n - m, suffix[i]))
                        return true;
        }
        return false;
}

static int add_glob(struct config_target **list, size_t *n, const struct config_database *d)
{
        glob_t found = {0};
        int r = 0, g = glob(d->glob, GLOB_NOSORT, NULL, &found);

        if (g == GLOB_NOSPACE)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && g == 0 && i < found.gl_pathc; i++) {
                const char *path = found.gl_pathv[i];
                struct stat st;

                if (is_companion(path) || stat(path, &st) < 0 || !S_ISREG(st.st_mode) || known(*list, *n, path))
                        continue;
                r = add(list, n, name_of(*list, *n, d, path), path, d);
        }
        globfree(&found);
        return r;
}

int config_targets(const struct config *c, struct config_target **ret, size_t *ret_n)
{
        struct config_target *list = NULL;
        size_t n = 0;
        int r = 0;

        /* First what was named: a glob gives way to it. */
        for (size_t i = 0; r == 0 && i < c->ndatabases; i++)
                if (c->database[i].path)
                        r = add(&list, &n, strdup(c->database[i].name), c->database[i].path, &c->database[i]);
        for (size_t i = 0; r == 0 && i < c->ndatabases; i++)
                if (c->database[i].glob)
                        r = add_glob(&list, &n, &c->database[i]);
        if (r < 0) {
                config_targets_free(list, n);
                return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

/* ---- mark and sweep ---- */

static bool same_check(const struct config_check *a, const struct config_check *b)
{
        return a->every_ms == b->every_ms && a->method == b->method && a->deadline_ms == b->deadline_ms;
}

static bool same_backup(const struct config_backup *a, const struct config_backup *b)
{
        return a->on == b->on && a->keep == b->keep && a->min_interval_ms == b->min_interval_ms &&
               a->max_per_hour == b->max_per_hour && a->byte_budget == b->byte_budget &&
               a->every_ms == b->every_ms && a->max_age_ms == b->max_age_ms;
}

static bool same_policy(const struct config_target *a, const struct config_target *b)
{
        return !strcmp(a->name, b->name) && same_check(&a->of->check, &b->of->check) &&
               same_backup(&a->of->backup, &b->of->backup);
}

int config_diff(const struct config_target *before, size_t nbefore, const struct config_target *now, size_t nnow,
                int (*each)(void *userdata, enum config_change change, const struct config_target *before,
                            const struct config_target *now),
                void *userdata)
{
        bool *marked = calloc(nbefore + 1, sizeof(*marked));
        int r = marked ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < nnow; i++) {
                size_t j = 0;

                while (j < nbefore && strcmp(before[j].path, now[i].path) != 0)
                        j++;
                if (j == nbefore) {
                        r = each(userdata, CONFIG_ADDED, NULL, &now[i]);
                        continue;
                }
                marked[j] = true;
                r = each(userdata, same_policy(&before[j], &now[i]) ? CONFIG_KEPT : CONFIG_CHANGED, &before[j],
                         &now[i]);
        }
        for (size_t j = 0; r == 0 && j < nbefore; j++)
                if (!marked[j])
                        r = each(userdata, CONFIG_GONE, &before[j], NULL);
        free(marked);
        return r;
}
