/* action_answer.c - nothing of an answer is believed: types, ranges, lengths, and that its parts agree. */
#include "daemon/action_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/evidence.h"
#include "engine/check_errors.h"
#include "respond/publish.h"
#include "sensor/discover.h"
#include "sensor/recording.h"

#define BODY (sizeof(struct vigil_observed) - sizeof(struct vigil_hdr))

#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */

/* ---- looks ---- */

json_t *action_observed_json(const struct vigil_observed *o)
{
        static const char digits[] = "0123456789abcdef";
        const unsigned char *body = (const unsigned char *)o + sizeof(o->hdr);
        char hex[2 * BODY];

        for (size_t i = 0; i < BODY; i++) {
                hex[2 * i] = digits[body[i] >> 4];
                hex[2 * i + 1] = digits[body[i] & 15];
        }
        return json_pack("{s:s%}", "observed", hex, sizeof(hex));
}

static int nibble(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int action_observed(const json_t *answer, struct vigil_observed *ret)
{
        const json_t *value = json_object_get(answer, "observed");
        const char *hex = json_string_value(value);
        struct vigil_observed o;
        unsigned char *body = (unsigned char *)&o + sizeof(o.hdr);

        if (!hex || json_string_length(value) != 2 * BODY)
                return -EBADMSG;
        for (size_t i = 0; i < BODY; i++) {
                int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
                if (high < 0 || low < 0)
                        return -EBADMSG;
                body[i] = (unsigned char)(high << 4 | low);
        }
        o.hdr = (struct vigil_hdr){.magic = VIGIL_MAGIC,
                                   .version = VIGIL_ABI_VERSION,
                                   .type = VIGIL_OBSERVED,
                                   .size = sizeof(o),
                                   .cpu = VIGIL_CPU_USER};
        o.id = (struct vigil_ident){0};
        o.db = 0;
        if (o.error > 0 || o.error < -ERRNO_MAX || record_validate(&o, sizeof(o), NULL) < 0)
                return -EBADMSG;
        *ret = o;
        return 0;
}

const char *action_wrong_look(const struct action_request *r, const json_t *answer)
{
        struct vigil_observed o;

        (void)r;
        return action_observed(answer, &o) < 0 ? "what it saw is no observation" : NULL;
}

/* ---- checks ---- */

static bool is_count(const json_t *value)
{
        return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_text_or_null(const json_t *value)
{
        return json_is_null(value) || json_is_string(value);
}

static bool is_error(const json_t *value)
{
        return json_is_integer(value) && json_integer_value(value) <= 0 && json_integer_value(value) >= -ERRNO_MAX;
}

/* The element of @p names, ended by NULL, that @p value is; NULL: none of them. */
static const char *one_of(const json_t *value, const char *const *names)
{
        const char *text = json_string_value(value);

        for (; text && *names; names++)
                if (strcmp(text, *names) == 0)
                        return *names;
        return NULL;
}

static bool outcome_of(const json_t *value, enum check_outcome *ret)
{
        const char *text = json_string_value(value);

        for (int o = CHECK_OK; text && o <= CHECK_SKIPPED; o++)
                if (strcmp(text, check_outcome_name((enum check_outcome)o)) == 0) {
                        *ret = (enum check_outcome)o;
                        return true;
                }
        return false;
}

static bool errors_sound(const json_t *errors)
{
        size_t i;
        json_t *e;

        if (!json_is_array(errors) || json_array_size(errors) > CHECK_ERRORS_MAX + 1)
                return false;
        json_array_foreach (errors, i, e) {
                const json_t *page = json_object_get(e, "page");
                if (!json_is_string(json_object_get(e, "text")) || !(json_is_null(page) || is_count(page)))
                        return false;
        }
        return true;
}

int action_checked(const json_t *answer, struct check_result *ret)
{
        static const char *const methods[] = {"quick_check", "integrity_check", "none", NULL};
        static const char *const places[] = {"snapshot", "file", "none", NULL};
        json_t *errors = json_object_get(answer, "errors");
        const json_t *reason = json_object_get(answer, "reason"), *ms = json_object_get(answer, "ms");
        struct check_result c = {
                .method = one_of(json_object_get(answer, "method"), methods),
                .on = one_of(json_object_get(answer, "on"), places),
        };

        if (!outcome_of(json_object_get(answer, "result"), &c.outcome) || !c.method || !c.on ||
            !errors_sound(errors) || !is_text_or_null(reason) || !is_count(ms))
                return -EBADMSG;
        /* Damage is said by what finds it, and what finds none has read something. */
        if ((c.outcome == CHECK_CORRUPT && json_array_size(errors) == 0) ||
            (c.outcome == CHECK_OK && (json_array_size(errors) > 0 || strcmp(c.method, "none") == 0)))
                return -EBADMSG;
        if (json_is_string(reason) && !(c.reason = strdup(json_string_value(reason))))
                return -ENOMEM;
        c.errors = json_incref(errors);
        c.ms = (uint64_t)json_integer_value(ms);
        *ret = c;
        return 0;
}

static bool check_sound(const json_t *check)
{
        struct check_result c;

        if (action_checked(check, &c) < 0)
                return false;
        check_result_done(&c);
        return true;
}

const char *action_wrong_check(const struct action_request *r, const json_t *answer)
{
        (void)r;
        return check_sound(answer) ? NULL : "its outcome is no outcome of a check";
}

/* ---- backups ---- */

/* The path ends as the id says: "…/ID.db" of a backup, "…/evidence/X" of evidence. */
static bool path_of_id(const char *path, const char *id, bool evidence)
{
        char end[PUBLISH_ID_LEN + 8];
        const char *plain = evidence && strncmp(id, "evidence/", 9) == 0 ? id + 9 : id;
        int n = snprintf(end, sizeof(end), "/%s%s", id, evidence ? "" : ".db");
        size_t length = strlen(path);

        return n > 0 && (size_t)n < sizeof(end) && (plain != id) == evidence && publish_is_id(plain) &&
               length > (size_t)n && strcmp(path + length - (size_t)n, end) == 0;
}

static const char *wrong_copy(int error, const json_t *backup, const json_t *check)
{
        const json_t *id = json_object_get(backup, "id"), *path = json_object_get(backup, "path"),
                     *class = json_object_get(backup, "class"), *verified = json_object_get(backup, "verified");
        bool published = json_is_string(id);

        if (!is_text_or_null(id) || !is_text_or_null(path) || !is_text_or_null(class) ||
            !json_is_boolean(verified) || !is_count(json_object_get(backup, "bytes")) ||
            !is_count(json_object_get(backup, "ms")) || !is_text_or_null(json_object_get(backup, "reason")) ||
            !is_text_or_null(json_object_get(backup, "last_good")))
                return "its backup has not the shape of one";
        if (published != json_is_string(path) || published != json_is_string(class))
                return "its backup is half there";
        if (!published)
                return error == 0 || json_is_true(verified) ? "it tells of a backup without a name" : NULL;
        bool evidence = strcmp(json_string_value(class), "evidence") == 0;
        if ((!evidence && strcmp(json_string_value(class), "backup") != 0) ||
            !path_of_id(json_string_value(path), json_string_value(id), evidence))
                return "the name of its backup is none";
        if ((error == 0) == evidence)
                return "its backup is another one than its outcome says";
        if (!json_is_true(verified))
                return NULL;
        /* The one claim that somebody will rely on. */
        const char *result = json_string_value(json_object_get(check, "result"));
        return !evidence && result && strcmp(result, "ok") == 0 ? NULL : "it calls verified what no check passed";
}

const char *action_wrong_backup(const struct action_request *r, const json_t *answer)
{
        const json_t *error = json_object_get(answer, "error"), *backup = json_object_get(answer, "backup"),
                     *entry = json_object_get(answer, "entry"), *check = json_object_get(answer, "check");

        (void)r;
        if (!is_error(error))
                return "its outcome is no number of an error";
        if (!is_count(json_object_get(answer, "beyond")))
                return "it does not say how many copies are beyond retention";
        if (!json_is_null(check) && !check_sound(check))
                return "its check is no outcome of a check";
        if (!json_is_object(backup))
                return "it tells of no backup";
        const char *wrong = wrong_copy((int)json_integer_value(error), backup, check);
        if (wrong || json_is_null(entry))
                return wrong;
        const json_t *id = json_object_get(entry, "id");
        return json_is_string(id) && json_equal(id, json_object_get(backup, "id"))
                       ? NULL
                       : "its entry is of another backup";
}

/* ---- evidence ---- */

const char *action_wrong_evidence(const struct action_request *r, const json_t *answer)
{
        static const char *const methods[] = {"copy", "read-transaction", "reflink", "none", NULL};
        const json_t *error = json_object_get(answer, "error"), *reason = json_object_get(answer, "reason"),
                     *lines = json_object_get(answer, "kernel_lines");

        (void)r;
        if (!is_error(error) || !is_text_or_null(reason))
                return "its outcome is no number of an error";
        if ((json_integer_value(error) == 0) != json_is_null(reason))
                return "it failed without a reason, or the other way round";
        if (!is_count(json_object_get(answer, "bytes")) || !one_of(json_object_get(answer, "method"), methods) ||
            !(json_is_null(lines) || is_count(lines)))
                return "what it kept has not the shape of it";
        return NULL;
}

/* ---- jobs ---- */

static bool is_row(const json_t *row)
{
        if (!json_is_array(row) || json_array_size(row) != JOB_FIELDS)
                return false;
        for (enum job_field f = 0; f < JOB_FIELDS; f++) {
                const json_t *v = json_array_get(row, f);
                bool text = f == JOB_FIELD_ID || f == JOB_FIELD_STATUS;
                bool number = f == JOB_FIELD_PROGRESS || f == JOB_FIELD_TOTAL;

                if (json_is_null(v) && f != JOB_FIELD_ID)
                        continue;
                if (text ? !json_is_string(v) : number ? !json_is_number(v) : !is_count(v))
                        return false;
        }
        return true;
}

const char *action_wrong_jobs(const struct action_request *r, const json_t *answer)
{
        const json_t *rows = json_object_get(answer, "rows"), *odd = json_object_get(answer, "odd"), *one;
        size_t i;

        if (!is_error(json_object_get(answer, "error")) || !json_is_string(json_object_get(answer, "reason")) ||
            !json_is_string(json_object_get(answer, "method")))
                return "its outcome is no number of an error";
        if (!json_is_array(rows) || !json_is_array(odd) || !is_count(json_object_get(answer, "nodd")) ||
            !json_is_boolean(json_object_get(answer, "more")) ||
            !json_is_boolean(json_object_get(answer, "partial")) ||
            !json_is_boolean(json_object_get(answer, "lasting")) || json_array_size(odd) > JOBS_ODD_MAX)
                return "what it read has not the shape of jobs";
        if (json_array_size(rows) > r->jobs.max_rows)
                return "it tells of more jobs than it was asked for";
        json_array_foreach (rows, i, one)
                if (!is_row(one))
                        return "one of its jobs is none";
        json_array_foreach (odd, i, one)
                if (!json_is_string(one) || json_string_length(one) > JOBS_ODD_BYTES)
                        return "what it read has not the shape of jobs";
        return NULL;
}

/* ---- pruning ---- */

const char *action_wrong_prune(const struct action_request *r, const json_t *answer)
{
        const json_t *prune = json_object_get(answer, "prune"), *removed = json_object_get(prune, "removed");
        json_t *entry;
        size_t i;

        (void)r;
        if (!is_error(json_object_get(answer, "error")) || !is_text_or_null(json_object_get(answer, "reason")))
                return "its outcome is no number of an error";
        if (!json_is_array(removed) || !is_count(json_object_get(prune, "removed_bytes")) ||
            !is_count(json_object_get(prune, "kept_bytes")) || !is_count(json_object_get(prune, "pinned_bytes")) ||
            !is_count(json_object_get(prune, "over")))
                return "what it removed has not the shape of it";
        json_array_foreach (removed, i, entry) {
                const char *id = json_string_value(json_object_get(entry, "id"));
                if (!id || !publish_is_id(id) || !is_count(json_object_get(entry, "bytes")))
                        return "it names a backup that cannot be one";
        }
        return NULL;
}

/* ---- room for evidence ---- */

const char *action_wrong_room(const struct action_request *r, const json_t *answer)
{
        const json_t *removed = json_object_get(answer, "removed"), *error = json_object_get(answer, "error"),
                     *reason = json_object_get(answer, "reason");
        json_t *one;
        size_t i;

        if (!is_error(error) || !is_text_or_null(reason) ||
            (json_integer_value(error) == 0) != json_is_null(reason))
                return "its outcome is no number of an error with a reason";
        if (!is_count(json_object_get(answer, "bytes")) || !json_is_array(removed))
                return "what it measured has not the shape of it";
        json_array_foreach (removed, i, one) {
                const char *id = json_string_value(json_object_get(one, "id"));
                if (!id || !evidence_is_id(id) || !r->candidates || !strstr(r->candidates, id) ||
                    !is_count(json_object_get(one, "bytes")))
                        return "it names evidence that it was not to remove";
        }
        return NULL;
}

/* ---- discovering ---- */

static bool is_path_or_null(const json_t *value)
{
        return json_is_null(value) || (json_is_string(value) && json_string_value(value)[0] == '/');
}

const char *action_wrong_discover(const struct action_request *r, const json_t *answer)
{
        const json_t *error = json_object_get(answer, "error"), *document = json_object_get(answer, "document"),
                     *list = json_object_get(document, "databases");
        size_t i;
        json_t *one;

        (void)r;
        if (!is_error(error))
                return "its outcome is no number of an error";
        if (json_integer_value(error) < 0)
                return NULL;
        if (!json_is_array(list) || json_array_size(list) > DISCOVER_MAX ||
            !is_count(json_object_get(document, "cut")))
                return "what it found has not the shape of it";
        json_array_foreach (list, i, one) {
                const json_t *path = json_object_get(one, "path"), *left_out = json_object_get(one, "left_out");
                if (!is_path_or_null(path) || !is_text_or_null(left_out) ||
                    json_is_null(path) > json_is_string(left_out))
                        return "it names a database that cannot be one";
        }
        return NULL;
}
