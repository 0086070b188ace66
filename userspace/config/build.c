/* build.c - see build.h. */
#include "config/build.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static_assert(sizeof(enum config_method) == sizeof(unsigned), "a choice is written as unsigned");

struct builder {
        const struct parsed *parsed;
        struct config_errors *errors;
        const char *section; /* for messages */
        const char *title;
};

static void __attribute__((format(printf, 4, 5)))
wrong(const struct builder *b, unsigned line, const char *key, const char *fmt, ...)
{
        char text[160];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (b->title)
                complain(b->errors, line, false, "%s '%.64s': %s: %s", b->section, b->title, key, text);
        else
                complain(b->errors, line, false, "%s: %s", key, text);
}

/* ---- one value ---- */

static int put_text(char **at, const char *text)
{
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(*at);
        *at = copy;
        return 0;
}

/* The index of @text in @choices, or -1 after a complaint. */
static int choose(const struct builder *b, const struct key *k, const char *text, unsigned line)
{
        char form[KEY_FORM_LEN];

        for (int i = 0; k->choices[i]; i++)
                if (!strcmp(k->choices[i], text))
                        return i;
        wrong(b, line, k->name, "'%.40s' is not %s", text, key_form(k, form));
        return -1;
}

static bool in_range(const struct builder *b, const struct key *k, uint64_t value, const char *text, unsigned line)
{
        if (value >= k->min && (!k->max || value <= k->max))
                return true;
        if (k->kind == KEY_DURATION) {
                char least[TEXT_DURATION_LEN], most[TEXT_DURATION_LEN];
                text_duration(least, k->min * 1000000);
                text_duration(most, k->max / 1000 * 1000000000);
                wrong(b, line, k->name, "%.40s is not between %s and %s", text, least, most);
        } else if (k->max) {
                wrong(b, line, k->name, "%.40s is not between %llu and %llu", text, (unsigned long long)k->min,
                      (unsigned long long)k->max);
        } else {
                char least[TEXT_BYTES_LEN];
                text_bytes(least, k->min);
                wrong(b, line, k->name, "%.40s is less than %s", text, least);
        }
        return false;
}

static void put_number(const struct builder *b, const struct key *k, void *at, const char *text, unsigned line)
{
        uint64_t value = 0;
        int r = k->kind == KEY_DURATION ? text_parse_duration(text, &value) : text_parse_bytes(text, &value);

        if (r == 0 && k->kind == KEY_COUNT && text[strspn(text, "0123456789")])
                r = -EINVAL; /* "14K" is a size */
        if (r < 0) {
                char form[KEY_FORM_LEN];
                wrong(b, line, k->name, "'%.40s' is %s %s", text, r == -ERANGE ? "too large for" : "not",
                      key_form(k, form));
                return;
        }
        if (!in_range(b, k, value, text, line))
                return;
        if (k->kind == KEY_COUNT)
                *(unsigned *)at = (unsigned)value;
        else
                *(uint64_t *)at = value;
}

static void put_flag(const struct builder *b, const struct key *k, void *at, const char *text, unsigned line)
{
        bool yes = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "on");

        if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0 && strcmp(text, "off") != 0)
                wrong(b, line, k->name, "'%.40s' is neither true nor false", text);
        else
                *(bool *)at = yes;
}

static int put_list(const struct builder *b, const struct key *k, char ***at, cfg_opt_t *opt, unsigned line)
{
        unsigned n = cfg_opt_size(opt);
        char **list;

        if (n > k->max) {
                wrong(b, line, k->name, "has %u values: at most %llu can stand there", n,
                      (unsigned long long)k->max);
                return 0;
        }
        list = calloc(n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        *at = list; /* set once: a key given twice is refused before */
        for (unsigned i = 0; i < n; i++) {
                const char *text = cfg_opt_getnstr(opt, i);
                if (!text || !*text)
                        wrong(b, line, k->name, "must not hold an empty text");
                else if (put_text(&list[i], text) < 0)
                        return -ENOMEM;
                else
                        continue;
                return 0;
        }
        return 0;
}

static int put(const struct builder *b, const struct key *k, void *at, cfg_opt_t *opt)
{
        unsigned line = parsed_line(b->parsed, opt);
        bool many = k->kind == KEY_SET || k->kind == KEY_LIST;
        const char *text = many ? NULL : cfg_opt_getnstr(opt, 0);
        int i;

        if (!many && (!text || !*text)) {
                wrong(b, line, k->name, "must not be empty");
                return 0;
        }
        switch (k->kind) {
        case KEY_PATH:
                if (text[0] != '/')
                        wrong(b, line, k->name, "'%.100s' is not absolute: write it from / on", text);
                return put_text(at, text); /* given, though wrong: it is not missing as well */
        case KEY_TEXT:
                return put_text(at, text);
        case KEY_DURATION:
        case KEY_BYTES:
        case KEY_COUNT:
                put_number(b, k, at, text, line);
                return 0;
        case KEY_FLAG:
                put_flag(b, k, at, text, line);
                return 0;
        case KEY_CHOICE:
                i = choose(b, k, text, line);
                if (i >= 0)
                        *(unsigned *)at = (unsigned)i;
                return 0;
        case KEY_SET:
                *(unsigned *)at = 0;
                for (unsigned j = 0; j < cfg_opt_size(opt); j++) {
                        i = choose(b, k, cfg_opt_getnstr(opt, j), line);
                        if (i >= 0)
                                *(unsigned *)at |= 1U << i;
                }
                return 0;
        case KEY_LIST:
                return put_list(b, k, at, opt, line);
        }
        return 0;
}

/* ---- sections ---- */

const struct config_wal config_wal_default = {
        .warn_bytes = 64ULL << 20, .warn_after_ms = 300000, .max_bytes = 1ULL << 30};

const struct config_locks config_locks_default = {
        .deadlock_after_ms = 10000, .suspect_after_ms = 120000, .convoy_after_ms = 30000};

static void defaults(const struct config *c, const struct section *s, void *one)
{
        if (s->list == offsetof(struct config, database)) {
                struct config_database *d = one;
                d->latency = c->latency;
                d->wal = config_wal_default;
                d->locks = config_locks_default;
                d->check = (struct config_check){.method = CONFIG_CHECK_QUICK, .deadline_ms = 600000};
                d->backup = (struct config_backup){
                        .on = CONFIG_ON_UNCLEAN | CONFIG_ON_HAZARD | CONFIG_ON_SYNC_ERROR | CONFIG_ON_CORRUPT,
                        .keep = 14,
                        .min_interval_ms = 300000,
                        .max_per_hour = 6,
                };
        } else if (s->list == offsetof(struct config, orchestrator)) {
                struct config_orchestrator *o = one;
                o->match.uid = CONFIG_NO_UID;
                o->jobs.every_ms = 10000;
                o->jobs.deadline_ms = 2000;
                o->jobs.max_rows = 1000;
                o->jobs.stuck_after_ms = 12ULL * 3600000;
                o->jobs.no_progress_ms = 600000;
        } else if (s->list == offsetof(struct config, notify)) {
                ((struct config_notify *)one)->min_severity = 3;
        }
}

static int fill(struct builder *b, const struct section *s, void *at, cfg_t *cfg, unsigned line);

/* Every instance of the titled section @s becomes an element of its list. */
static int fill_list(struct builder *b, const struct section *s, struct config *c, cfg_t *cfg)
{
        unsigned n = cfg_size(cfg, s->name);
        unsigned char *list = n ? calloc(n, s->size) : NULL;

        if (!n)
                return 0;
        if (!list)
                return -ENOMEM;
        *(void **)((unsigned char *)c + s->list) = list;
        *(size_t *)((unsigned char *)c + s->count) = n;
        for (unsigned i = 0; i < n; i++) {
                unsigned char *one = list + i * s->size;
                cfg_t *sec = cfg_getnsec(cfg, s->name, i);
                unsigned line = parsed_section_line(b->parsed, s->name, parsed_title(b->parsed, sec),
                                                    (unsigned)sec->line);

                *(unsigned *)(one + s->line) = line;
                defaults(c, s, one);
                int r = put_text((char **)(one + s->title), parsed_title(b->parsed, sec));
                if (r < 0)
                        return r;
                b->section = s->name;
                b->title = parsed_title(b->parsed, sec);
                r = fill(b, s, one, sec, line);
                b->title = NULL;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* An empty set is given without a value, and so without a line. */
static bool is_given(const struct builder *b, const struct key *k, const cfg_opt_t *opt)
{
        return parsed_line(b->parsed, opt) || (k->kind == KEY_SET && opt->flags & CFGF_MODIFIED);
}

static int fill(struct builder *b, const struct section *s, void *at, cfg_t *cfg, unsigned line)
{
        for (const struct key *k = s->keys; k->name; k++) {
                cfg_opt_t *opt = cfg_getopt(cfg, k->name);

                if (!is_given(b, k, opt)) {
                        if (k->required)
                                wrong(b, line, k->name, "is missing");
                        continue;
                }
                int r = put(b, k, (unsigned char *)at + k->offset, opt);
                if (r < 0)
                        return r;
        }
        for (const struct section *const *below = s->below; below && *below; below++) {
                int r = (*below)->titled ? fill_list(b, *below, at, cfg)
                                         : fill(b, *below, at, cfg_getsec(cfg, (*below)->name), line);
                if (r < 0)
                        return r;
        }
        return 0;
}

int build(struct config *c, const struct parsed *p, struct config_errors *errors)
{
        struct builder b = {.parsed = p, .errors = errors};

        return fill(&b, &grammar, c, parsed_root(p), 0);
}
