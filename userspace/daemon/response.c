/* response.c - see response.h. What is wanted; how it is begun and ended: response_run.c. */
#include "daemon/response.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/asked.h"
#include "daemon/cases.h"
#include "daemon/core.h"
#include "daemon/crash_loop.h"
#include "daemon/due.h"
#include "daemon/evidence.h"
#include "daemon/guard.h"
#include "daemon/response_private.h"
#include "daemon/work.h"
#include "incident/policy.h"

/* What no recovery puts right: somebody will want to see the files as they were. */
static bool in_doubt(const char *code)
{
        const struct incident_code *c = incident_code(code);

        return c && (c->ends == ENDS_BY_HAND || c->ends == ENDS_BY_CHECK);
}

/* An error that goes on is told again and again; its files are kept once. */
static void keep_evidence(struct daemon *d, struct guard *g, const struct incident *i, const char *reason,
                          const char *verdict)
{
        _cleanup_free_ char *dir = response_directory(d, ACTION_EVIDENCE, g->name, i->id);

        if (!dir || !evidence_kept(dir, g->name))
                response_begin(d, g, ACTION_EVIDENCE, i, reason, verdict);
}

/* What the next copy takes, as far as the file says it. */
static void estimate(struct daemon *d, struct guard *g)
{
        struct stat st;

        g->policy.need = stat(guard_path(d, g), &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* A backup is made for it: the debt first, so that it outlives a kill. */
static void owe_backup(struct daemon *d, struct incident *i, const struct guard *g)
{
        if (!i)
                return;
        due_add(d, i, ACTION_BACKUP, g->name);
        if (g->of->check.method != CONFIG_CHECK_NONE)
                due_add(d, i, ACTION_CHECK, g->name);
}

void response_to(struct daemon *d, struct guard *g, struct incident *i, const char *code, enum severity severity,
                 const char *verdict)
{
        /* A death without a finding, of which too little was seen. */
        unsigned trigger = strcmp(code, "unknown-death") == 0 ? CONFIG_ON_UNCLEAN : policy_trigger(code, severity);
        bool doubt = i && in_doubt(code);

        /* A backup of a corrupt database keeps its files itself. */
        if (doubt && trigger != CONFIG_ON_CORRUPT)
                keep_evidence(d, g, i, code, verdict);
        /* Damage is none of its deaths: the copy made at first does not show it. */
        if (!trigger || (i && trigger != CONFIG_ON_CORRUPT && crash_loop_spares(d, g, i)))
                return;
        /* A backup checks its copy: that is the check, too. */
        if (response_join(d->response, ACTION_BACKUP, g->name, i, -1)) {
                owe_backup(d, i, g);
                return;
        }
        int64_t now = (int64_t)clock_boottime_ns();
        estimate(d, g);
        enum policy_answer a = policy_backup(&g->of->backup, &g->policy, trigger, severity, now);
        if (a == POLICY_GO) {
                policy_made(&g->of->backup, &g->policy, now);
                owe_backup(d, i, g);
                response_begin(d, g, ACTION_BACKUP, i, code, verdict);
                return;
        }
        if (doubt && trigger == CONFIG_ON_CORRUPT)
                keep_evidence(d, g, i, code, verdict);
        if (i)
                case_set(d, i->id, "backup_skipped", json_string(policy_why(a)));
        /* A check has just found the damage: it would find it again, and again. */
        if (trigger != CONFIG_ON_CORRUPT)
                response_check(d, g, i, code);
}

void response_check(struct daemon *d, struct guard *g, struct incident *i, const char *reason)
{
        if (g->of->check.method == CONFIG_CHECK_NONE)
                return;
        if (i)
                due_add(d, i, ACTION_CHECK, g->name);
        response_begin(d, g, ACTION_CHECK, i, reason, NULL);
}

void response_prune(struct daemon *d, struct guard *g)
{
        response_begin(d, g, ACTION_PRUNE, NULL, "retention", NULL);
}

/* One of an earlier run, which ended before it had written down what it owed. */
static bool nothing_written(const struct incident *i)
{
        return !i->last_ns && i->status == INCIDENT_FIRING && !due_count(i) &&
               !json_object_get(i->tag, "integrity");
}

static void resume(struct daemon *d, struct incident *i, enum action_kind kind, const char *database)
{
        struct guard *g = guards_by_name(d->guards, database);

        if (!g || response_wants(d, kind, database, i->id, NULL) || actions_rest(d->actions, kind, database))
                return;
        if (kind == ACTION_BACKUP)
                policy_made(&g->of->backup, &g->policy, (int64_t)clock_boottime_ns());
        response_begin(d, g, kind, i, i->code, NULL);
}

void response_resume(struct daemon *d, bool first)
{
        struct incident *const *list;
        size_t n = incidents_list(d->incidents, &list);

        for (size_t i = 0; i < n; i++) {
                enum action_kind kind;
                const char *database;

                if (list[i]->status == INCIDENT_RESOLVED)
                        continue;
                /* Backups first: they bring the check. */
                for (size_t k = 0; k < due_count(list[i]); k++)
                        if (due_at(list[i], k, &kind, &database) && kind == ACTION_BACKUP)
                                resume(d, list[i], kind, database);
                for (size_t k = 0; k < due_count(list[i]); k++)
                        if (due_at(list[i], k, &kind, &database) && kind == ACTION_CHECK)
                                resume(d, list[i], kind, database);
                struct guard *g = guards_by_name(d->guards, list[i]->database);
                if (first && g && nothing_written(list[i]))
                        response_to(d, g, list[i], list[i]->code, list[i]->severity, NULL);
        }
}

bool response_scheduled(struct daemon *d, struct guard *g, enum action_kind kind)
{
        /* It takes longer than its interval: they would only pile up. */
        if (response_goes_on(d, kind, g->name))
                return false;
        if (kind == ACTION_BACKUP) {
                int64_t now = (int64_t)clock_boottime_ns();
                estimate(d, g);
                enum policy_answer a = policy_backup(&g->of->backup, &g->policy, CONFIG_ON_SCHEDULE, SEVERITY_P3,
                                                     now);
                if (a != POLICY_GO) {
                        log_warn("backup of %s by schedule is left out: %s", g->name, policy_why(a));
                        return false;
                }
                policy_made(&g->of->backup, &g->policy, now);
        }
        return response_begin(d, g, kind, NULL, "schedule", NULL);
}

bool response_asked(struct daemon *d, struct guard *g, enum action_kind kind, const char *reason, int method,
                    struct control_client *c)
{
        struct work *w = response_join(d->response, kind, g->name, NULL, method);

        if (!w)
                w = response_add(d, g, kind, NULL, reason, NULL, method);
        if (!w || !asked_join(w, c))
                return false;
        w->asked = true;
        return true;
}
