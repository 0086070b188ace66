/* discover_json.c - vigil.discover/1. See discover.h. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/write.h"
#include "engine/worker.h"
#include "sensor/discover.h"

static int put_path(json_t *o, const char *key, const char *path)
{
        return path ? text_json_set(o, key, path, strlen(path)) : json_object_set_new(o, key, json_null());
}

static json_t *user_json(const struct discovered_user *u)
{
        char since[TEXT_TIME_LEN];

        text_time(since, (int64_t)u->start_ns + clock_realtime_offset_ns());
        json_t *o = json_pack("{s:i, s:s, s:I}", "pid", (int)u->pid, "started_at", since, "uid",
                              (json_int_t)u->uid);
        if (!o || put_path(o, "comm", u->comm) < 0 || put_path(o, "exe", u->exe) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

static json_t *database_json(const struct discovered *d)
{
        char name[CONFIG_NAME_LEN] = "";
        json_t *processes = json_array();
        bool named = d->path && config_found_name(d->path, name) == 0;

        for (size_t i = 0; i < d->users && i < DISCOVER_USERS; i++)
                json_array_append_new(processes, user_json(&d->user[i]));
        json_t *o = json_pack("{s:s?, s:s, s:I, s:I, s:s?, s:I, s:o}", "name", named ? name : NULL, "journal_mode",
                              d->journal_mode, "bytes", (json_int_t)d->bytes, "wal_bytes", (json_int_t)d->wal_bytes,
                              "left_out", d->left_out, "users", (json_int_t)d->users, "processes", processes);
        if (!o || put_path(o, "path", d->path) < 0 ||
            put_path(o, "inside", d->path && strcmp(d->path, d->inside) == 0 ? NULL : d->inside) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

json_t *discover_json(const struct discovery *d)
{
        json_t *list = json_array();

        for (size_t i = 0; i < d->n; i++)
                if (json_array_append_new(list, database_json(&d->database[i])) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I}", "schema", "vigil.discover/1", "vigil", VIGIL_VERSION,
                         "databases", list, "cut", (json_int_t)d->cut, "hidden_processes", (json_int_t)d->hidden,
                         "unread_files", (json_int_t)d->unread);
}

int discover_work(int answer_fd, void *all)
{
        struct discovery d = {0};
        int r = discover(*(const bool *)all, &d);
        json_t *document = r == 0 ? discover_json(&d) : NULL;

        discover_done(&d);
        return worker_answer(answer_fd, json_pack("{s:i, s:o?}", "error", r, "document", document));
}
