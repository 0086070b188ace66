/* doctor_left.c - see doctor_left.h. */
#include "cli/doctor_left.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/config.h"
#include "sensor/sensor.h"

struct left {
        json_t *list;
        const char *known[3]; /* state directories that it may be of; ended by NULL */
};

/* Pins are named after a hash: only what is known beforehand can be recognised. */
static const char *state_of(const struct left *l, const char *name, char real[PATH_MAX])
{
        char its[SENSOR_KEEP_NAME];

        for (const char *const *known = l->known; *known; known++) {
                if (!realpath(*known, real))
                        continue;
                sensor_keep_name(real, its);
                if (strcmp(its, name) == 0)
                        return real;
        }
        return NULL;
}

static void add(void *userdata, const char *dir, const char *name)
{
        struct left *l = userdata;
        char real[PATH_MAX], end[PATH_MAX + 64];
        const char *state = state_of(l, name, real);

        if (state && strpbrk(state, " \t\n'\"\\$`;&|<>()*?[]{}#~!"))
                snprintf(end, sizeof(end), "vigil run --forget --state-dir DIR, with %s", state);
        else if (state)
                snprintf(end, sizeof(end), "vigil run --forget --state-dir %s", state);
        else
                snprintf(end, sizeof(end),
                         "vigil run --forget --state-dir DIR, with the state directory of that daemon, or rm -r %s",
                         dir);
        json_array_append_new(l->list, json_pack("{s:s, s:o, s:o}", "pins", dir, "state_dir",
                                                 state ? text_json(state, strlen(state)) : json_null(), "end_with",
                                                 text_json(end, strlen(end))));
}

void doctor_left_add(const struct cli *cli, json_t *doc)
{
        static struct config_errors errors; /* 16 KiB */
        struct left l = {.list = json_array(), .known = {CONFIG_STATE_DIR}};
        struct config *c = NULL;

        if (cli->state_dir)
                l.known[1] = cli->state_dir;
        else if (config_load(cli->config ? cli->config : CONFIG_PATH, &c, &errors) == 0)
                l.known[1] = c->state_dir;
        int n = sensor_left(add, &l);
        config_free(c);
        if (n < 0) {
                json_decref(l.list);
                l.list = json_null();
        }
        json_object_set_new(doc, "left_behind", l.list);
}

struct sought {
        char name[SENSOR_KEEP_NAME];
        bool found;
};

static void compare(void *userdata, const char *dir, const char *name)
{
        struct sought *s = userdata;

        (void)dir;
        s->found |= strcmp(s->name, name) == 0;
}

bool doctor_left_of(const char *state_dir)
{
        char real[PATH_MAX];
        struct sought s = {0};

        if (!realpath(state_dir, real))
                return false;
        sensor_keep_name(real, s.name);
        return sensor_left(compare, &s) > 0 && s.found;
}

void doctor_left_print(const json_t *doc)
{
        json_t *one;
        size_t i;

        json_array_foreach (json_object_get(doc, "left_behind"), i, one)
                printf("  left     a daemon that is gone has left its watch in the kernel, which goes on: it slows "
                       "every\n"
                       "           system call of the host a little, and takes up to 40 MiB of kernel memory. It "
                       "ends with\n"
                       "           %s,\n"
                       "           and when that daemon is started again\n",
                       json_string_value(json_object_get(one, "end_with")));
}
