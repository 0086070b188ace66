#include "cases_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/cases.h"
#include "daemon/scribe.h"

static char dir[] = "/tmp/vigil-test-cases-XXXXXX";
static bool made;

static void on_nothing(void *userdata)
{
        (void)userdata;
}

static void on_trouble(void *userdata, const char *why)
{
        (void)userdata;
        (void)why;
}

static void remove_all(void)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf %s", dir);
        if (system(command) != 0) /* NOLINT(cert-env33-c): a fixed command on a directory of our own */
                perror("rm");
}

struct daemon *cases_begin(void)
{
        static struct config nothing;
        const struct keeper_hooks hooks = {.events = on_nothing, .trouble = on_trouble, .renewed = on_nothing};
        struct daemon *d = calloc(1, sizeof(*d));

        ck_assert_ptr_nonnull(d);
        log_set_level(LOG_ERROR_);
        if (!made) {
                ck_assert_ptr_nonnull(mkdtemp(dir));
                atexit(remove_all);
                made = true;
        }
        d->config = &nothing;
        d->begun_ns = clock_boottime_ns();
        strcpy(d->head.boot_id, "7d5d9b43-4b4e-4a0a-8a44-3c3a0d0c4f10");
        struct keeper_run run = {.boot_id = "b", .pid = 1, .version = "test", .started_ns = 1};
        ck_assert_int_eq(scribe_new(-1, &d->scribe), 0);
        ck_assert_int_eq(keeper_open(dir, &hooks, d->scribe, &d->keeper), 0);
        ck_assert_int_eq(store_begin_run(keeper_store(d->keeper), run.boot_id, 1, run.version, 1, &run.id), 0);
        ck_assert_int_eq(cases_open(d), 0);
        ck_assert_int_eq(keeper_begin(d->keeper, &run), 0);
        return d;
}

void cases_end(struct daemon *d)
{
        keeper_close(d->keeper);
        scribe_free(d->scribe);
        cases_close(d);
        free(d);
}

const char *cases_directory(void)
{
        return dir;
}

const struct guard *cases_guard(void)
{
        static char name[] = "app", path[] = "/srv/app.db";
        static struct guard g = {.name = name, .path = path};

        return &g;
}
