/* parse.c - see parse.h. */
#include "config/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/repair.h"

/* libconfuse takes a file whose last '}' is missing: this key, put behind the text, is met where the file ends. */
#define SENTINEL      "vigil_end_of_file"
#define SENTINEL_LINE "\n" SENTINEL " = 1\n"
#define MAX_OPTIONS   16

struct set_value {
        const cfg_opt_t *opt;
        unsigned line;
};

struct parsed {
        const char *text; /* as it was given */
        unsigned lines;   /* of it */
        cfg_t *root;
        cfg_opt_t *options[MAX_OPTIONS]; /* arrays that the tree was made from */
        size_t noptions;
        struct set_value *set;
        size_t nset;
        bool marked; /* names have a REPAIR_MARK in front, and a mistake is told */
        bool out_of_memory;
        struct config_errors *errors;
};

/* libconfuse hands no data of ours to its callbacks. */
static _Thread_local struct parsed *current;

void complain(struct config_errors *errors, unsigned line, bool note, const char *fmt, ...)
{
        va_list ap;

        if (errors->n == CONFIG_MAX_ERRORS) {
                errors->lost++;
                return;
        }
        struct config_error *e = &errors->item[errors->n++];
        e->line = line;
        e->note = note;
        va_start(ap, fmt);
        vsnprintf(e->text, sizeof(e->text), fmt, ap);
        va_end(ap);
}

cfg_t *parsed_root(const struct parsed *p)
{
        return p->root;
}

unsigned parsed_line(const struct parsed *p, const cfg_opt_t *opt)
{
        for (size_t i = p->nset; i-- > 0;)
                if (p->set[i].opt == opt)
                        return p->set[i].line;
        return 0;
}

/* True when @line begins with the section @name and its @title, quoted or not. */
static bool begins_section(const char *line, const char *name, const char *title)
{
        size_t n = strlen(name);

        line += strspn(line, " \t");
        if (strncmp(line, name, n) != 0)
                return false;
        line += n + strspn(line + n, " \t\"'");
        return !strncmp(line, title, strlen(title)) && strchr(" \t\"'{\n", line[strlen(title)]);
}

unsigned parsed_section_line(const struct parsed *p, const char *name, const char *title, unsigned end)
{
        const char *from = p->text;
        unsigned found = end;

        for (unsigned line = 1; from && line < end; line++) {
                if (begins_section(from, name, title))
                        found = line;
                from = strchr(from, '\n');
                if (from)
                        from++;
        }
        return found;
}

const char *parsed_title(const struct parsed *p, cfg_t *section)
{
        const char *title = cfg_title(section);

        return p->marked ? title + strspn(title, (const char[]){REPAIR_MARK, 0}) : title;
}

/* ---- callbacks ---- */

/* Where parsing stands; the sentinel is behind the last line. */
static unsigned line_of(const cfg_t *cfg)
{
        return (unsigned)cfg->line < current->lines ? (unsigned)cfg->line : current->lines;
}

static int remember(cfg_t *cfg, cfg_opt_t *opt)
{
        bool again = opt->flags & (CFGF_LIST | CFGF_MULTI);

        if (!again && parsed_line(current, opt))
                complain(current->errors, line_of(cfg), false, "'%s' is given twice, first in line %u", opt->name,
                         parsed_line(current, opt));
        struct set_value *grown = reallocarray(current->set, current->nset + 1, sizeof(*grown));
        if (!grown) {
                current->out_of_memory = true;
                return -1;
        }
        current->set = grown;
        grown[current->nset++] = (struct set_value){opt, line_of(cfg)};
        return 0;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
        char text[200];

        vsnprintf(text, sizeof(text), fmt, ap);
        if (strstr(text, SENTINEL)) {
                complain(current->errors, line_of(cfg), false,
                         "the file ends inside of section '%s': a } is missing", cfg->name);
                return;
        }
        complain(current->errors, line_of(cfg), false, "%s%s", text,
                 strstr(text, "premature end") ? ": a quote or a brace is not closed" : "");
}

/* ---- the grammar, as libconfuse wants it ---- */

static cfg_opt_t *options_of(struct parsed *p, const struct section *s, bool root)
{
        size_t n = root ? 2 : 1, i = 0; /* the end, and the sentinel */

        for (const struct key *k = s->keys; k->name; k++)
                n++;
        for (const struct section *const *b = s->below; b && *b; b++)
                n++;
        cfg_opt_t *o = p->noptions < MAX_OPTIONS ? calloc(n, sizeof(*o)) : NULL;
        if (!o)
                return NULL;
        p->options[p->noptions++] = o;
        for (const struct key *k = s->keys; k->name; k++)
                o[i++] = (cfg_opt_t){.name = k->name,
                                     .type = CFGT_STR,
                                     .flags = CFGF_NODEFAULT |
                                              (k->kind == KEY_SET || k->kind == KEY_LIST ? CFGF_LIST : 0),
                                     .validcb = remember};
        for (const struct section *const *b = s->below; b && *b; b++) {
                cfg_opt_t *inner = options_of(p, *b, false);
                if (!inner)
                        return NULL;
                o[i++] = (cfg_opt_t){.name = (*b)->name,
                                     .type = CFGT_SEC,
                                     .flags = (*b)->titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
                                                           : CFGF_NONE,
                                     .subopts = inner,
                                     .validcb = remember};
        }
        if (root)
                o[i++] = (cfg_opt_t){.name = SENTINEL, .type = CFGT_STR, .flags = CFGF_NODEFAULT};
        return o;
}

void parsed_free(struct parsed *p)
{
        if (!p)
                return;
        if (p->root)
                cfg_free(p->root);
        for (size_t i = 0; i < p->noptions; i++)
                free(p->options[i]);
        free(p->set);
        free(p);
}

static unsigned count_lines(const char *text)
{
        unsigned n = 1;

        for (; *text; text++)
                n += *text == '\n' && text[1];
        return n;
}

static int parse_once(const char *text, unsigned lines, struct config_errors *errors, struct parsed **ret)
{
        struct parsed *p = calloc(1, sizeof(*p));
        cfg_opt_t *options = p ? options_of(p, &grammar, true) : NULL;

        if (options)
                p->root = cfg_init(options, CFGF_NONE);
        if (!p || !p->root) {
                parsed_free(p);
                return -ENOMEM;
        }
        p->errors = errors;
        p->lines = lines;
        current = p;
        cfg_set_error_function(p->root, on_error);
        int r = cfg_parse_buf(p->root, text);
        if (r == CFG_SUCCESS && !cfg_getstr(p->root, SENTINEL)) {
                complain(errors, lines, false, "the file ends inside of a quoted text: a quote is not closed");
                r = CFG_PARSE_ERROR;
        }
        current = NULL;
        if (p->out_of_memory) {
                parsed_free(p);
                return -ENOMEM;
        }
        *ret = p;
        return r == CFG_SUCCESS ? 0 : -EINVAL;
}

int parse_text(const char *text, struct config_errors *errors, struct parsed **ret)
{
        size_t n = strlen(text);
        _cleanup_free_ char *copy = malloc(n + REPAIR_SLACK + sizeof(SENTINEL_LINE));

        bool marked;

        *ret = NULL;
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, n + 1);
        blank_comments(copy);
        int r = repair(copy, errors, &marked);
        if (r < 0)
                return r;
        memcpy(copy + strlen(copy), SENTINEL_LINE, sizeof(SENTINEL_LINE));
        r = parse_once(copy, count_lines(text), errors, ret);
        if (r != -ENOMEM) {
                (*ret)->text = text;
                (*ret)->marked = marked;
        }
        return r;
}
