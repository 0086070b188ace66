/* jobs_rows.c - see jobs_rows.h. */
#include "engine/jobs_rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ODD_LEN    200
#define STATUS_MAX 64
#define SHOWN_MAX  32 /* bytes of a value in a message */

/* Those of SQL first, then those that JavaScript writes. */
static const char *const names[JOB_FIELDS][6] = {
        [JOB_FIELD_ID] = {"id", "job_id", "jobId", NULL},
        [JOB_FIELD_STATUS] = {"status", "state", NULL},
        [JOB_FIELD_STARTED] = {"started_at", "created_at", "startedAt", "createdAt", NULL},
        [JOB_FIELD_UPDATED] = {"updated_at", "updatedAt", NULL},
        [JOB_FIELD_PROGRESS] = {"progress", NULL},
        [JOB_FIELD_TOTAL] = {"total", NULL},
        [JOB_FIELD_PID] = {"pid", NULL},
};

const char *jobs_field_name(enum job_field f)
{
        return names[f][0];
}

const char *const *jobs_field_names(enum job_field f)
{
        return names[f];
}

int jobs_rows_begin(struct jobs_rows *r, const struct jobs_source *source)
{
        *r = (struct jobs_rows){
                .rows = json_array(), .odd = json_array(), .max = source->max_rows, .running = source->running};
        return r->rows && r->odd ? 0 : -ENOMEM;
}

static void note_odd(struct jobs_rows *r, const char *fmt, va_list ap)
{
        char text[ODD_LEN];

        if (r->nodd++ >= JOBS_ODD_MAX)
                return;
        vsnprintf(text, sizeof(text), fmt, ap); // NOLINT: the attributes of both callers check it
        json_array_append_new(r->odd, text_json(text, strlen(text)));
}

void jobs_rows_odd(struct jobs_rows *r, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        note_odd(r, fmt, ap);
        va_end(ap);
}

void jobs_rows_missing(struct jobs_rows *r, const char *fmt, ...)
{
        va_list ap;

        r->partial = true;
        va_start(ap, fmt);
        note_odd(r, fmt, ap);
        va_end(ap);
}

/* ---- one value ---- */

static void show(char ret[SHOWN_MAX + 3], const struct job_value *v)
{
        char raw[SHOWN_MAX + 1];
        size_t n = v->kind == JOB_VALUE_TEXT && v->length < SHOWN_MAX ? v->length : SHOWN_MAX;

        if (v->kind == JOB_VALUE_INTEGER) {
                snprintf(ret, SHOWN_MAX, "%lld", (long long)v->integer);
        } else if (v->kind == JOB_VALUE_REAL) {
                snprintf(ret, SHOWN_MAX, "%g", v->real);
        } else if (v->kind == JOB_VALUE_TEXT) {
                memcpy(raw, v->text, n);
                raw[n] = '\0';
                ret[0] = '\'';
                text_printable(ret + 1, SHOWN_MAX, raw);
                strcat(ret, "'");
        } else {
                strcpy(ret, "a value of another kind");
        }
}

/* A value that was given and is not what it should be. */
static json_t *odd(struct jobs_rows *r, const char *where, enum job_field f, const char *what,
                   const struct job_value *v)
{
        char shown[SHOWN_MAX + 3];

        show(shown, v);
        jobs_rows_odd(r, "%.80s: %s is no %s: %s", where, jobs_field_name(f), what, shown);
        return json_null();
}

static json_t *label(const struct job_value *v, size_t max)
{
        char number[32];

        if (v->kind == JOB_VALUE_INTEGER) {
                snprintf(number, sizeof(number), "%lld", (long long)v->integer);
                return json_string(number);
        }
        /* A NUL is no text of JSON: one row would cost the whole answer. */
        bool fits = v->kind == JOB_VALUE_TEXT && v->length > 0 && v->length <= max &&
                    !memchr(v->text, '\0', v->length);
        return fits ? text_json(v->text, v->length) : NULL;
}

static json_t *value_of(struct jobs_rows *r, const char *where, enum job_field f, const struct job_value *v)
{
        int64_t integer;
        double number;

        switch (f) {
        case JOB_FIELD_ID:
        case JOB_FIELD_STATUS: {
                json_t *text = label(v, f == JOB_FIELD_ID ? JOBS_ID_MAX : STATUS_MAX);
                return text ? text : odd(r, where, f, "text of a bounded length without a NUL", v);
        }
        case JOB_FIELD_STARTED:
        case JOB_FIELD_UPDATED:
                return job_value_time(v, &integer) ? json_integer((json_int_t)integer)
                                                   : odd(r, where, f, "time", v);
        case JOB_FIELD_PID:
                return job_value_pid(v, &integer) ? json_integer((json_int_t)integer)
                                                  : odd(r, where, f, "process id", v);
        default:
                return job_value_number(v, &number) ? json_real(number) : odd(r, where, f, "number", v);
        }
}

/* One of the lines. */
static bool is_wanted(const char *lines, const struct job_value *status)
{
        if (!lines || status->kind != JOB_VALUE_TEXT)
                return true;
        for (; *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n')
                if (strcspn(lines, "\n") == status->length && memcmp(lines, status->text, status->length) == 0)
                        return true;
        return false;
}

void jobs_rows_add(struct jobs_rows *r, const struct job_value v[JOB_FIELDS], const char *where)
{
        json_t *row;

        if (!is_wanted(r->running, &v[JOB_FIELD_STATUS]))
                return;
        if (json_array_size(r->rows) >= r->max) {
                r->more = r->partial = true;
                return;
        }
        if (v[JOB_FIELD_ID].kind == JOB_VALUE_NULL) {
                jobs_rows_missing(r, "%.80s: it has no id", where);
                return;
        }
        row = json_array();
        for (enum job_field f = 0; f < JOB_FIELDS; f++)
                json_array_append_new(row,
                                      v[f].kind == JOB_VALUE_NULL ? json_null() : value_of(r, where, f, &v[f]));
        if (json_is_string(json_array_get(row, JOB_FIELD_ID))) {
                json_array_append_new(r->rows, row);
        } else {
                r->partial = true;
                json_decref(row);
        }
}

json_t *jobs_rows_answer(struct jobs_rows *r, int error, const char *reason)
{
        return json_pack("{s:i, s:o, s:o, s:o, s:I, s:b, s:b, s:b}", "error", error, "reason",
                         text_json(reason, strlen(reason)), "rows", r->rows, "odd", r->odd, "nodd",
                         (json_int_t)r->nodd, "more", (int)r->more, "partial", (int)r->partial, "lasting",
                         (int)r->lasting);
}
