/* evidence_room.c - see evidence_room.h. */
#include "daemon/evidence_room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/evidence.h"
#include "daemon/guard.h"

#define CANDIDATES_MAX 512  /* in one go; the next look goes on */
#define ENTRIES_MAX    8192 /* of the directory that are looked at */

struct candidate {
        char id[DETECT_ID_LEN];
        int64_t since_ns; /* since the epoch: resolved, or of a forgotten one last changed */
};

struct evidence_room {
        uint64_t bytes;
        bool looking;
        bool again;   /* what is looked at now may be from before what it is looked at for */
        bool unasked; /* the store could not tell what may go: a commit was under way */
        bool told_full;
        json_t *ticket; /* of the intent to remove */
        char *ids;      /* what may go, oldest first, with blanks between */
};

int evidence_room_new(struct evidence_room **ret)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

void evidence_room_free(struct evidence_room *x)
{
        if (!x)
                return;
        json_decref(x->ticket);
        free(x->ids);
        free(x);
}

uint64_t evidence_room_bytes(const struct daemon *d)
{
        return d->evidence_room->bytes;
}

bool evidence_room_full(const struct daemon *d)
{
        uint64_t budget = d->config->limits.evidence_bytes;

        return budget && d->evidence_room->bytes > budget - budget / 10;
}

/* What is to stay free. */
static uint64_t reserve(const struct daemon *d)
{
        uint64_t budget = d->config->limits.evidence_bytes, need = budget / 10;

        for (size_t i = 0; i < guards_count(d->guards); i++) {
                struct stat st;
                bool there = stat(guard_path(d, guards_at(d->guards, i)), &st) == 0;
                if (there && (uint64_t)st.st_size > need)
                        need = (uint64_t)st.st_size;
        }
        return need < budget / 2 ? need : budget / 2;
}

/* ---- what may go ---- */

static bool is_open(const struct daemon *d, const char *id)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i]->id, id) == 0)
                        return list[i]->status != INCIDENT_RESOLVED;
        return false;
}

/* @return 1; 0: it stays; -EAGAIN: the store cannot tell now */
static int may_go(struct daemon *d, int dir, const char *id, int64_t now, struct candidate *ret)
{
        const struct config_limits *l = &d->config->limits;
        int64_t keep_ns = (int64_t)l->evidence_keep_ms * 1000000,
                history_ns = (int64_t)l->retention_incident_ms * 1000000, resolved = 0;
        struct stat st;

        if (is_open(d, id) || fstatat(dir, id, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return 0;
        struct store *s = keeper_store(d->keeper);
        int r = s ? store_incident_resolved(s, id, &resolved) : -ENODEV;
        if (r == -ENOENT) { /* the store has forgotten it */
                resolved = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
                keep_ns = keep_ns > history_ns ? keep_ns : history_ns;
        } else if (r < 0 || !resolved) {
                return r < 0 ? -EAGAIN : 0;
        }
        snprintf(ret->id, sizeof(ret->id), "%.*s", (int)sizeof(ret->id) - 1, id);
        ret->since_ns = resolved;
        return now - resolved > keep_ns;
}

static int by_age(const void *a, const void *b)
{
        int64_t x = ((const struct candidate *)a)->since_ns, y = ((const struct candidate *)b)->since_ns;

        return x < y ? -1 : x > y;
}

/* @return how many, or -EAGAIN */
static int find_candidates(struct daemon *d, struct candidate *list)
{
        char newest[DETECT_ID_LEN] = "";
        int n = 0;
        int fd = openat(d->state.dirfd, "evidence", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        struct store *s = keeper_trouble(d->keeper) ? NULL : keeper_store(d->keeper);
        struct dirent *e;

        if (!dir)
                return 0;
        int r = s ? store_newest_incident(s, newest, sizeof(newest)) : -ENODEV;
        if (r < 0)
                return r == -ENOENT ? 0 : -EAGAIN;
        for (int looked = 0; looked < ENTRIES_MAX && (e = readdir(dir)); looked++) {
                bool asked = evidence_is_id(e->d_name) && strcmp(e->d_name, newest) != 0;
                r = asked ? may_go(d, dirfd(dir), e->d_name, daemon_now(), &list[n]) : 0;
                if (r < 0)
                        return r;
                n += r;
        }
        qsort(list, (size_t)n, sizeof(*list), by_age);
        return n < CANDIDATES_MAX ? n : CANDIDATES_MAX;
}

/* @param ret  owned by the caller; NULL: there is nothing. @return 0; -EAGAIN: the store cannot tell now; -ENOMEM */
static int candidates(struct daemon *d, char **ret)
{
        _cleanup_free_ struct candidate *list = calloc(ENTRIES_MAX, sizeof(*list));
        _cleanup_free_ char *text = malloc(CANDIDATES_MAX * DETECT_ID_LEN + 1);
        size_t used = 0;
        int n = list && text ? find_candidates(d, list) : -ENOMEM;

        for (int i = 0; i < n; i++)
                used += (size_t)sprintf(text + used, "%s ", list[i].id);
        *ret = n > 0 ? TAKE_PTR(text) : NULL;
        return n < 0 ? n : 0;
}

/* ---- at work ---- */

static void start(struct daemon *d, const char *ids)
{
        uint64_t budget = d->config->limits.evidence_bytes;
        const struct action_request r = {.kind = ACTION_ROOM,
                                         .database = "all databases",
                                         .path = d->state.path,
                                         .directory = d->evidence_directory,
                                         .candidates = ids,
                                         .byte_budget = budget - reserve(d)};

        d->evidence_room->looking = actions_start(d->actions, &r, NULL) == 0;
}

/* Its intent is safe. */
static void on_stored(void *userdata)
{
        struct daemon *d = userdata;

        if (d->ending)
                return; /* the next start calls it interrupted */
        start(d, d->evidence_room->ids);
        if (!d->evidence_room->looking)
                evidence_room_done(d, NULL, "it could not be begun");
}

static void remove_what_may_go(struct daemon *d)
{
        struct evidence_room *x = d->evidence_room;

        free(x->ids);
        x->unasked = candidates(d, &x->ids) < 0;
        if (!x->ids)
                return;
        x->ticket = keeper_intent(d->keeper, action_name(ACTION_ROOM), NULL, NULL, "retention", daemon_now(),
                                  on_stored, d);
        x->looking = x->ticket != NULL;
}

void evidence_room_look(struct daemon *d)
{
        if (d->evidence_room->looking)
                d->evidence_room->again = true;
        else
                start(d, NULL);
}

void evidence_room_turn(struct daemon *d)
{
        if (d->evidence_room->unasked && !d->evidence_room->looking && !d->ending)
                remove_what_may_go(d);
}

/* ---- what came of it ---- */

static void tell_full(struct daemon *d)
{
        bool full = evidence_room_full(d);
        char used[TEXT_BYTES_LEN], budget[TEXT_BYTES_LEN];

        text_bytes(used, evidence_room_bytes(d));
        text_bytes(budget, d->config->limits.evidence_bytes);
        if (full && !d->evidence_room->told_full)
                log_warn("evidence takes %s of evidence-bytes, %s: raw files of further incidents may not be kept; "
                         "remove "
                         "what is no longer needed from %s/evidence, raise evidence-bytes, or set evidence-keep",
                         used, budget, d->state.path);
        d->evidence_room->told_full = full;
}

static void took(struct daemon *d, const json_t *removed)
{
        size_t i;
        json_t *one;

        json_array_foreach (removed, i, one) {
                const char *id = json_string_value(json_object_get(one, "id"));
                char bytes[TEXT_BYTES_LEN], at[TEXT_TIME_LEN];

                text_bytes(bytes, (uint64_t)json_integer_value(json_object_get(one, "bytes")));
                text_time(at, daemon_now());
                log_note("evidence of %s, %s, was removed: evidence-keep is over and its room is needed", id,
                         bytes);
                case_set(d, id, "evidence", json_null());
                case_set(d, id, "evidence_removed_at", json_string(at));
                keeper_evidence_removed(d->keeper, id, daemon_now());
        }
}

static void end_removal(struct daemon *d, const json_t *answer, const char *failure)
{
        struct evidence_room *x = d->evidence_room;
        const json_t *removed = json_object_get(answer, "removed");
        const char *why = failure ? failure : json_string_value(json_object_get(answer, "reason"));
        json_t *doc = json_pack("{s:O?, s:I, s:s?}", "removed", removed, "kept_bytes", (json_int_t)x->bytes,
                                "reason", why);

        keeper_outcome(d->keeper, x->ticket,
                       d->ending ? "interrupted"
                       : why     ? "failed"
                                 : "done",
                       daemon_now(), json_deep_copy(doc));
        json_object_set_new(doc, "action", json_string(action_name(ACTION_ROOM)));
        json_object_set_new(doc, "outcome", json_string(why ? "failed" : "done"));
        keeper_event(d->keeper, "action", NULL, daemon_now(), doc);
        json_decref(x->ticket);
        x->ticket = NULL;
        if (why && !d->ending)
                log_error("evidence: what may go is not removed: %s", why);
}

void evidence_room_done(struct daemon *d, const json_t *answer, const char *failure)
{
        struct evidence_room *x = d->evidence_room;
        uint64_t budget = d->config->limits.evidence_bytes;
        bool removal = x->ticket != NULL;

        x->looking = false;
        if (answer)
                x->bytes = (uint64_t)json_integer_value(json_object_get(answer, "bytes"));
        else if (!removal && !d->ending)
                log_warn("evidence: its size is not known: %s", failure);
        took(d, json_object_get(answer, "removed"));
        if (removal)
                end_removal(d, answer, failure);
        else if (answer && budget && d->config->limits.evidence_keep_ms && x->bytes > budget - reserve(d) &&
                 !d->ending)
                remove_what_may_go(d);
        if (x->looking)
                return;
        tell_full(d);
        if (x->again && !d->ending) {
                x->again = false;
                start(d, NULL);
        }
}
