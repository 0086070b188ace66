/* document.c - the document "vigil.report/1". */
#include <errno.h>

#include "base/text.h"
#include "report/build.h"

static json_t *build_stream_trust(struct build *b)
{
        const struct vigil_stats *s = model_stats(b->m);
        json_t *o = build_trust(b, model_trust(b->m));
        uint64_t lost = model_lost(b->m), gaps = model_gaps(b->m);
        put_number(b, o, "records", model_records(b->m));
        put_number(b, o, "lost", lost > gaps ? lost : gaps);
        put(b, o, "missed", s ? json_integer((json_int_t)s->missed) : json_null());
        put_text(b, o, "canary", !s ? NULL : s->canary ? "seen" : "not-seen");
        return o;
}

static json_t *build_command(struct build *b)
{
        const struct vigil_session *s = model_session(b->m);
        const struct vigil_end *e = model_end(b->m);
        bool ended = e && e->status >= 0 && e->id.tgid;
        int signal = ended ? e->status & 0x7f : 0;
        json_t *o = json_object();
        put_argv(b, o, s ? s->argv : "", s ? s->argv_len : 0);
        put(b, o, "exit_code", ended && !signal ? json_integer((e->status >> 8) & 0xff) : json_null());
        put_text(b, o, "signal", signal ? text_signal(signal) : NULL);
        return o;
}

int report_build(const struct detection *d, const struct report_extras *extras, json_t **ret)
{
        struct build b = {.d = d, .m = detection_model(d)};
        const struct vigil_session *s = model_session(b.m);
        json_t *o = json_object(), *databases = json_array();
        put_text(&b, o, "schema", "vigil.report/1");
        put_bytes(&b, o, "vigil", s ? s->vigil : NULL);
        put_bytes(&b, o, "host", s ? s->host : NULL);
        put_bytes(&b, o, "boot_id", s ? s->boot_id : NULL);
        put_bytes(&b, o, "kernel", s ? s->kernel : NULL);
        put_bytes(&b, o, "tier", s ? s->tier : NULL);
        put(&b, o, "trust", build_stream_trust(&b));
        put(&b, o, "command", build_command(&b));
        put_text(&b, o, "verdict", verdict_name(detection_overall(d)));
        for (size_t i = 0; i < model_n_databases(b.m); i++)
                if (model_database(b.m, i)->shown)
                        append(&b, databases, build_database(&b, i, extras));
        put(&b, o, "databases", databases);
        if (detection_findings_lost(d))
                put_number(&b, o, "findings_not_kept", detection_findings_lost(d));
        if (b.failed) {
                json_decref(o);
                return -ENOMEM;
        }
        *ret = o;
        return 0;
}
