/* outcome.c - see outcome.h. */
#include "cli/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/early.h"
#include "cli/interrupt.h"
#include "cli/style.h"
#include "cli/supervise.h"
#include "detect/detect.h"
#include "report/report.h"
#include "respond/backup.h"

/* ---- progress: one line that is overwritten, on a terminal only ---- */

struct progress {
        const char *what;
        int shown; /* percent; -1: nothing yet */
        bool enabled;
};

static void show(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
        int percent = total ? (int)(done * 100 / total) : 0;

        if (!p->enabled || (percent == p->shown && what == p->what))
                return;
        p->shown = percent;
        p->what = what;
        fprintf(stderr, "\r\033[Kvigil: %s %d %%", what, percent);
}

static void clear(struct progress *p)
{
        if (p->shown >= 0)
                fputs("\r\033[K", stderr);
        p->shown = -1;
}

static void on_check(void *userdata, uint64_t done, uint64_t total)
{
        show(userdata, "checking", done, total);
}

static void on_backup(void *userdata, enum backup_phase phase, uint64_t done, uint64_t total)
{
        static const char *const what[] = {[BACKUP_COPY] = "backup: copying",
                                           [BACKUP_REREAD] = "backup: reading back",
                                           [BACKUP_CHECK] = "backup: checking the copy",
                                           [BACKUP_EVIDENCE_COPY] = "keeping the evidence"};

        show(userdata, what[phase], done, total);
}

/* ---- one database ---- */

struct judged {
        struct check_result check;
        struct backup_result backup;
        bool checked;
        bool backed_up;
};

/* Why nobody can look at the files of the database now; NULL: they are there. */
static const char *out_of_reach(const struct model_database *db, const char *path)
{
        if (!path || !db->observed)
                return "its file cannot be reached from here";
        if (db->observed->error)
                return "its file cannot be read";
        if (db->observed->flags & VIGIL_OBS_MAIN)
                return NULL;
        bool was_there = db->ledger && db->ledger->file[VIGIL_ROLE_MAIN].ino;
        return was_there ? "there is no file under its path, or the mount namespace where it stood has ended"
                         : "no such file, before or after: is the name right? Without --db Vigil finds the "
                           "databases itself";
}

/* Said in the report, and, when a backup was wanted, as a finding. */
static int give_up(const struct session *s, struct detection *d, size_t i, const char *why, struct judged *j)
{
        j->check = (struct check_result){
                .outcome = CHECK_SKIPPED, .method = "none", .on = "none", .reason = strdup(why)};
        j->checked = true;
        if (!s->options->backup_dir || !detection_wants_backup(d, i))
                return 0;
        log_error("backup of %s failed: %s", model_database(s->model, i)->path, why);
        return detection_add_backup_failure(d, i, why, NULL);
}

static int back_up(const struct session *s, struct detection *d, size_t i, const char *path, struct judged *j,
                   struct progress *p)
{
        enum verdict verdict = detection_verdict(d, i);
        char reason[32];

        snprintf(reason, sizeof(reason), "%s-death", verdict_name(verdict));
        struct backup_options o = {.database = path,
                                   .directory = s->options->backup_dir,
                                   .reason = reason,
                                   .verdict = verdict_name(verdict),
                                   .damage = detection_damage(d, i),
                                   .check = CHECK_QUICK,
                                   .others_may_write = true,
                                   .on_progress = on_backup,
                                   .userdata = p};
        int r = backup_create(&o, &j->backup);
        j->backed_up = true;
        clear(p);
        if (r == 0 || j->backup.outcome != BACKUP_FAILED)
                return 0;
        const char *why = j->backup.reason ? j->backup.reason : strerror(-r), *good = j->backup.last_good;
        log_error("backup of %s failed: %s; %s%s", path, why,
                  good ? "the last verified copy is kept: " : "there is no earlier verified copy",
                  good ? good : "");
        return detection_add_backup_failure(d, i, why, good);
}

static int judge(const struct session *s, struct detection *d, size_t i, struct judged *j, struct progress *p)
{
        const struct model_database *db = model_database(s->model, i);
        const char *path = sensor_path(s->sensor, db->id);
        const struct check_result *check = NULL;

        if (!db->shown)
                return 0;
        const char *why = out_of_reach(db, path);
        if (why)
                return give_up(s, d, i, why, j);
        if (s->options->backup_dir && detection_wants_backup(d, i)) {
                int r = back_up(s, d, i, path, j, p);
                if (r < 0)
                        return r;
        }
        if (j->backed_up && j->backup.check.outcome != CHECK_SKIPPED &&
            s->options->check == (int)CHECK_QUICK) { /* the copy was checked: that is the check */
                check = &j->backup.check;
        } else if (s->options->check != (int)CHECK_NONE) {
                struct check_options o = {.method = (enum check_method)s->options->check,
                                          .others_may_write = true,
                                          .on_progress = on_check,
                                          .userdata = p};
                int r = check_database(path, &o, &j->check);
                clear(p);
                if (r < 0)
                        return r;
                j->checked = true;
                check = &j->check;
        }
        return check ? detection_add_check(d, i, check) : 0;
}

/* ---- the report ---- */

static void print_text(const struct session *s, const json_t *doc)
{
        struct report_style style = style_of(STDERR_FILENO, s->cli->verbose);

        fflush(stderr);
        report_text(doc, stderr, &style);
}

/* An existing file may only be replaced when nothing but a report is lost with it: never a database. */
static bool may_be_replaced(const char *path)
{
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        char link[64], head[64] = "";
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return true; /* it is not there, or writing will say why it cannot be */
        if (!S_ISREG(st.st_mode))
                return true;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        _cleanup_close_ int in = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t n = in < 0 ? -1 : io_pread_all(in, head, sizeof(head) - 1, 0);
        return n == 0 || (n > 0 && strstr(head, "\"vigil.report/"));
}

static int tell_instead(const struct session *s, const json_t *doc, const char *where, int error)
{
        log_error("cannot write the report to %s: %s; here it is", where, strerror(error));
        print_text(s, doc);
        return CLI_UNAVAILABLE;
}

static int write_report(const struct session *s, const json_t *doc)
{
        _cleanup_free_ char *text = json_dumps(doc, JSON_INDENT(2));

        if (!text)
                return log_error_r(CLI_INTERNAL, "out of memory");
        if (!s->options->out && !s->cli->json) {
                if (!s->cli->quiet || !report_is_uneventful(doc))
                        print_text(s, doc);
                return CLI_OK;
        }
        if (s->cli->json) {
                if (puts(text) < 0 || fflush(stdout) != 0)
                        return tell_instead(s, doc, "standard output", errno);
        }
        if (!s->options->out)
                return CLI_OK;
        int r = may_be_replaced(s->options->out) ? io_write_file_atomic(s->options->out, text, strlen(text), 0600)
                                                 : -EEXIST;
        return r < 0 ? tell_instead(s, doc, s->options->out, -r) : CLI_OK;
}

static int build_and_write(const struct session *s, const struct detection *d, struct judged *j, size_t n)
{
        _cleanup_free_ struct report_attachment *item = calloc(n ? n : 1, sizeof(*item));
        struct report_extras extras = {.item = item,
                                       .n = n,
                                       .skip_reason = "not checked",
                                       .attribution_why_not = s->options->why ? sensor_not_attributed(s->sensor)
                                                                              : NULL};
        json_t *doc = NULL;

        if (!item)
                return log_error_r(CLI_INTERNAL, "out of memory");
        for (size_t i = 0; i < n; i++) {
                item[i].database = i;
                item[i].check = j[i].checked                                                   ? &j[i].check
                                : j[i].backed_up && j[i].backup.check.outcome != CHECK_SKIPPED ? &j[i].backup.check
                                                                                               : NULL;
                item[i].backup = j[i].backed_up ? backup_json(&j[i].backup) : NULL;
        }
        int r = report_build(d, &extras, &doc) < 0
                        ? log_error_r(CLI_INTERNAL, "cannot build the report: out of memory")
                        : write_report(s, doc);
        for (size_t i = 0; i < n; i++)
                json_decref(item[i].backup);
        json_decref(doc);
        return r;
}

static bool is_corrupt(const struct judged *j)
{
        return (j->checked && j->check.outcome == CHECK_CORRUPT) ||
               (j->backed_up && j->backup.check.outcome == CHECK_CORRUPT);
}

/* @ret_overall: as bad as the worst database is: one that is corrupt is no better than one that was left half changed. */
static int report(const struct session *s, enum verdict *ret_overall)
{
        struct detection *d = NULL;
        struct progress p = {.shown = -1, .enabled = style_has_escapes(STDERR_FILENO) && !s->cli->quiet};
        size_t n = model_n_databases(s->model);
        _cleanup_free_ struct judged *j = calloc(n ? n : 1, sizeof(*j));
        int r = j ? detect_run(s->model, &d) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = judge(s, d, i, &j[i], &p);
        if (r == 0) {
                *ret_overall = detection_overall(d);
                r = build_and_write(s, d, j, n);
        } else {
                r = log_error_r(CLI_INTERNAL, "cannot judge what was seen: %s", strerror(-r));
        }
        for (size_t i = 0; j && i < n; i++) {
                if (is_corrupt(&j[i]))
                        *ret_overall = VERDICT_UNCLEAN;
                if (j[i].checked)
                        check_result_done(&j[i].check);
                if (j[i].backed_up)
                        backup_result_done(&j[i].backup);
        }
        detection_free(d);
        return r;
}

struct outcome {
        const struct session *session;
        int status;
};

static int work(void *arg)
{
        static const int by_verdict[] = {[VERDICT_CLEAN] = CLI_OK,
                                         [VERDICT_ABRUPT] = CLI_FOUND,
                                         [VERDICT_UNCLEAN] = CLI_CRITICAL,
                                         [VERDICT_UNKNOWN] = CLI_CRITICAL};
        const struct outcome *o = arg;
        enum verdict overall = VERDICT_UNKNOWN;
        int r = report(o->session, &overall);

        /* It has been told; the caller of a command that ran would take another status for its own, and run it again. */
        if (r == CLI_UNAVAILABLE && o->status != OUTCOME_OF_WATCH)
                r = CLI_OK;
        if (r != CLI_OK || o->status == OUTCOME_OF_WATCH)
                return r;
        return o->status == OUTCOME_BY_VERDICT ? by_verdict[overall] : o->status;
}

static void clean(void *arg)
{
        const struct outcome *o = arg;
        const struct session *s = o->session;

        if (s->options->backup_dir)
                interrupt_sweep_workdirs(s->options->backup_dir);
        interrupt_sweep_scratch(NULL);
        for (size_t i = 0; i < model_n_databases(s->model); i++) {
                const char *path = sensor_path(s->sensor, model_database(s->model, i)->id);
                if (path && !sensor_is_canary(s->sensor, model_database(s->model, i)->id))
                        interrupt_sweep_scratch(path);
        }
}

int outcome_report(const struct session *s, int status)
{
        struct outcome o = {.session = s, .status = status};

        early_forget(); /* what ended the watch often comes twice, as timeout(1) sends it */
        return supervise(work, clean, &o);
}

/* ---- before anything starts ---- */

/* The directory of @path, in @copy. */
static const char *directory_of(const char *path, char copy[PATH_MAX])
{
        snprintf(copy, PATH_MAX, "%s", path);
        return dirname(copy);
}

static int check_out(const struct command *command, const char *out)
{
        char copy[PATH_MAX];
        struct stat st;

        const char *dir = directory_of(out, copy);
        if (access(dir, W_OK) < 0)
                return log_error_r(cli_status(-errno), "%s: --out %s: cannot write in %s: %s", command->name, out,
                                   dir, strerror(errno));
        if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
                return log_error_r(CLI_UNAVAILABLE, "%s: --out %s: it is a directory", command->name, out);
        if (!may_be_replaced(out))
                return log_error_r(CLI_UNAVAILABLE,
                                   "%s: --out %s: it exists and is no report of Vigil: name another file",
                                   command->name, out);
        return CLI_OK;
}

/* Made, if need be, and tried, and left as it was: mode and owner do not tell whether a backup can be put there. */
static int try_directory(const char *path)
{
        char inside[PATH_MAX];

        if (mkdir(path, 0700) == 0)
                return rmdir(path) == 0 || errno == ENOENT || errno == ENOTEMPTY ? 0 : -errno;
        if (errno != EEXIST)
                return -errno;
        if (snprintf(inside, sizeof(inside), "%s/.vigil-try-XXXXXX", path) >= (int)sizeof(inside))
                return -ENAMETOOLONG;
        return mkdtemp(inside) && rmdir(inside) == 0 ? 0 : -errno;
}

/* That passes, and a service is not kept from starting for it; a backup says for itself when it finds no room. */
static bool is_full(int err)
{
        return err == -ENOSPC || err == -EDQUOT;
}

/* By whatever names: what the one writes the other would find in its place. */
static bool is_same_file(const char *a, const char *b)
{
        char copy_a[PATH_MAX], copy_b[PATH_MAX];
        struct stat at_a, at_b;
        int no_a = stat(a, &at_a), no_b = stat(b, &at_b);

        if (no_a == 0 && no_b == 0)
                return at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino;
        if (no_a == 0 || no_b == 0 || stat(directory_of(a, copy_a), &at_a) < 0 ||
            stat(directory_of(b, copy_b), &at_b) < 0)
                return false;
        const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
        return at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino &&
               strcmp(name_a ? name_a + 1 : a, name_b ? name_b + 1 : b) == 0;
}

int outcome_check_places(const struct command *command, const struct watch_options *options)
{
        if (options->out && options->record && is_same_file(options->out, options->record))
                return cli_usage(command, "--out and --record name the same file: give each its own");
        int r = options->out ? check_out(command, options->out) : CLI_OK;

        if (r != CLI_OK || !options->backup_dir)
                return r;
        for (int tries = 0; tries < 3; tries++) { /* -ENOENT: another Vigil has just tried it, too */
                r = try_directory(options->backup_dir);
                if (r != -ENOENT)
                        break;
        }
        if (is_full(r))
                log_warn("%s: --backup-dir %s: there is no room for a backup now: %s", command->name,
                         options->backup_dir, strerror(-r));
        return r == 0 || is_full(r)
                       ? CLI_OK
                       : log_error_r(cli_status(r), "%s: --backup-dir %s: no backup can be put there: %s",
                                     command->name, options->backup_dir, strerror(-r));
}
