/* repair.c - see repair.h. */
#include "config/repair.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/elsewhere.h"
#include "config/parse.h"
#include "config/tokens.h"

/* Sections with a name: libconfuse compares each name with all others, and a file of 1 MiB would take minutes. */
#define NAMES_MAX 4096

struct taken_name {
        const struct section *of;
        struct token title;
};

struct repair {
        struct tokens in;
        struct config_errors *errors;
        struct token title; /* of the titled section that is read; none: n is 0 */
        const char *titled; /* what it is */
        struct taken_name *taken;
        size_t ntaken, room; /* bytes that may still be added */
        bool closed;         /* sections that the file leaves open */
        bool marked;         /* titles */
        bool full;           /* more than NAMES_MAX sections have a name, which was told */
};

static void blank(char *from, const char *to)
{
        for (; from < to; from++)
                if (*from != '\n')
                        *from = ' ';
}

static bool is(const struct token *t, char sign)
{
        return t->kind == TOKEN_SIGN && t->sign == sign;
}

static bool same(const struct token *t, const char *name)
{
        return strlen(name) == (size_t)t->n && !memcmp(name, t->text, (size_t)t->n);
}

static void __attribute__((format(printf, 3, 4))) wrong(const struct repair *r, unsigned line, const char *fmt, ...)
{
        char text[200];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (r->titled)
                complain(r->errors, line, false, "%s '%.*s': %s", r->titled, r->title.n < 64 ? r->title.n : 64,
                         r->title.text, text);
        else
                complain(r->errors, line, false, "%s", text);
}

static const struct key *key_of(const struct section *s, const struct token *name)
{
        for (const struct key *k = s->keys; k->name; k++)
                if (same(name, k->name))
                        return k;
        return NULL;
}

static const struct section *section_of(const struct section *s, const struct token *name)
{
        for (const struct section *const *b = s->below; b && *b; b++)
                if (same(name, (*b)->name))
                        return *b;
        return NULL;
}

/* ---- what is taken out ---- */

/* Reading stands behind an opening sign: goes behind the one that closes it, or to the end. */
static void skip_group(struct repair *r, char opening, char closing)
{
        unsigned depth = 1;

        while (depth) {
                struct token t = token_next(&r->in);

                if (t.kind == TOKEN_END)
                        return;
                depth += is(&t, opening);
                depth -= is(&t, closing);
        }
}

/* Reading stands behind the brace of the section that began with @name: takes it out. */
static void skip_section(struct repair *r, const struct token *name)
{
        skip_group(r, '{', '}');
        blank(name->from, r->in.at);
}

/* A word in @line begins a setting or a section if such a sign stands behind it, or a title in its line and a brace. */
static bool begins(struct tokens at, unsigned line)
{
        struct token t = token_next(&at);

        if (is(&t, '='))
                return true;
        if (t.kind == TOKEN_WORD && t.line == line)
                t = token_next(&at);
        return is(&t, '{');
}

/* Words and commas in @line that begin nothing: a value without quotes goes on. @return behind the last one */
static char *rest_of_value(struct repair *r, const struct section *s, unsigned line, char *end)
{
        for (struct tokens behind = r->in;; r->in = behind) {
                struct token t = token_next(&behind);

                if ((t.kind != TOKEN_WORD && !is(&t, ',')) || t.line != line)
                        return end;
                if (t.kind == TOKEN_WORD && (key_of(s, &t) || section_of(s, &t) || begins(behind, line)))
                        return end;
                end = t.to;
        }
}

/* Goes behind what follows the name of a setting or section, as far as it can belong to it. */
static void skip_body(struct repair *r, const struct section *s, const struct token *name)
{
        struct token t = token_peek(&r->in);

        if (t.kind == TOKEN_WORD) { /* maybe a title */
                struct tokens behind = r->in;
                token_next(&behind);
                struct token sign = token_peek(&behind);
                if (!is(&sign, '{'))
                        return;
                r->in = behind;
                t = sign;
        }
        if (is(&t, '{') || is(&t, '(')) {
                token_next(&r->in);
                skip_group(r, t.sign, t.sign == '{' ? '}' : ')');
        } else if (is(&t, '=')) {
                token_next(&r->in);
                t = token_peek(&r->in);
                if (is(&t, '{') || t.kind == TOKEN_WORD)
                        token_next(&r->in);
                if (is(&t, '{'))
                        skip_group(r, '{', '}');
                else if (t.kind == TOKEN_WORD)
                        rest_of_value(r, s, t.line, t.to);
        }
        blank(name->from, r->in.at);
}

static void unknown(struct repair *r, const struct section *s, struct token *name)
{
        struct tokens behind = r->in;
        struct token t = token_next(&behind);
        bool section = is(&t, '{') || (t.kind == TOKEN_WORD && t.line == name->line && begins(r->in, name->line));
        char text[ELSEWHERE_LEN];

        elsewhere(s, name->text, name->n, section, text);
        complain(r->errors, name->line, false, "%s", text);
        skip_body(r, s, name);
        blank(name->from, name->to);
}

/* ---- what is known ---- */

/* The words from @from to @end as a list is written, or an example of one. */
static void as_list(struct token from, const char *end, char ret[100])
{
        struct tokens in = {.at = from.from};
        int n = 0;

        for (struct token t = token_next(&in); t.kind != TOKEN_END && t.from < end && n < 100; t = token_next(&in))
                if (t.kind == TOKEN_WORD)
                        n += snprintf(ret + n, (size_t)(100 - n), "%s\"%.*s\"", n ? ", " : "", t.n, t.text);
        if (n >= 100)
                snprintf(ret, 100, "\"ONE\", \"TWO\"");
}

/* The value of @k goes on from its first word @t to @end: tells how it is written, and takes out what cannot stay. */
static void several_words(struct repair *r, const struct key *k, const struct token *name, const struct token *t,
                          char *end)
{
        char list[100], of[KEY_FORM_LEN];
        int n = end - t->from < 60 ? (int)(end - t->from) : 60;
        const char *form = key_form(k, of);

        if (k->kind == KEY_SET || k->kind == KEY_LIST) {
                as_list(*t, end, list);
                wrong(r, name->line, "%s: a list has braces: write { %s }", k->name, list);
        } else if (form) {
                wrong(r, name->line, "%s: '%.*s' is not %s", k->name, n, t->from, form);
        } else {
                wrong(r, name->line,
                      "%s: '%.*s' is more than one word, as a blank, a comma and a * end one: put it into quotes",
                      k->name, n, t->from);
                name = NULL; /* the first word may stay, so that the value is not missed */
        }
        blank(name ? name->from : t->to, end);
}

/* A word behind '=' that is no value, as it stands in another line and begins something there. */
static bool begins_line(const struct repair *r, const struct section *s, const struct token *name,
                        const struct token *t)
{
        struct token behind = token_peek(&r->in);

        if (t->line == name->line)
                return false;
        return is(&behind, '=') || is(&behind, '{') || (section_of(s, t) && begins(r->in, t->line));
}

static void setting(struct repair *r, const struct section *s, const struct key *k, const struct token *name)
{
        struct token t = token_peek(&r->in);

        if (!is(&t, '=')) {
                wrong(r, name->line, "'%s' has no '=' behind it", k->name);
                char *end = is(&t, '{') ? name->to : rest_of_value(r, s, name->line, name->to);
                if (is(&t, '{'))
                        skip_body(r, s, name);
                blank(name->from, end);
                return;
        }
        token_next(&r->in);
        struct tokens value = r->in;
        t = token_next(&r->in);
        if (t.kind != TOKEN_WORD) {
                if (is(&t, '{'))
                        skip_group(r, '{', '}');
                else
                        r->in = value; /* libconfuse says it */
                return;
        }
        if (begins_line(r, s, name, &t)) {
                wrong(r, name->line, "'%s' has no value", k->name);
                r->in = value;
                blank(name->from, t.from);
                return;
        }
        char *end = rest_of_value(r, s, t.line, t.to);
        if (end != t.to)
                several_words(r, k, name, &t, end);
}

/* Makes the name @title of one more section @s another one for libconfuse. */
static void mark(struct repair *r, const struct token *title, size_t n)
{
        char *at = title->from + (title->text - title->from); /* the same, to be written to */

        memmove(at + n, at, strlen(at) + 1);
        memset(at, REPAIR_MARK, n);
        r->room -= n;
        r->marked = true;
        r->in.at += n;
}

/* Remembers the name @title. @return how many have it already, -ENOMEM */
static int take_name(struct repair *r, const struct section *s, const struct token *title)
{
        int before = 0;

        for (size_t i = 0; i < r->ntaken; i++) {
                const struct taken_name *other = &r->taken[i];
                if (other->of != s || other->title.n != title->n ||
                    memcmp(other->title.text, title->text, (size_t)title->n) != 0)
                        continue;
                if (!before++)
                        complain(r->errors, title->line, false, "%s '%.*s' is there twice, first in line %u",
                                 s->name, title->n < 64 ? title->n : 64, title->text, other->title.line);
        }
        struct taken_name *grown = reallocarray(r->taken, r->ntaken + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        r->taken = grown;
        grown[r->ntaken++] = (struct taken_name){s, *title};
        return before;
}

static int settings(struct repair *r, const struct section *s);

static void too_many(struct repair *r, const struct token *name)
{
        if (!r->full)
                complain(r->errors, name->line, false,
                         "more than %d sections have a name: let one 'database' have a 'glob' for many files",
                         NAMES_MAX);
        r->full = true;
        skip_section(r, name);
}

static int titled(struct repair *r, const struct section *s, const struct token *name, const struct token *title)
{
        if (r->ntaken >= NAMES_MAX) {
                too_many(r, name);
                return 0;
        }
        int before = take_name(r, s, title);

        if (before < 0)
                return before;
        bool variable = *title->from == '$'; /* is none with a mark before it */
        if ((size_t)before > r->room || (before && variable)) {
                skip_section(r, name);
                return 0;
        }
        if (before) {
                mark(r, title, (size_t)before);
                r->taken[r->ntaken - 1].title.text += before;
        }
        r->title = r->taken[r->ntaken - 1].title;
        r->titled = s->name;
        int e = settings(r, s);
        r->titled = NULL;
        return e;
}

static int section(struct repair *r, const struct section *s, const struct token *name)
{
        struct token title = token_next(&r->in), t = title;

        if (title.kind == TOKEN_WORD)
                t = token_next(&r->in);
        if (!is(&t, '{')) {
                r->in.at = title.from;
                r->in.line = title.line;
                wrong(r, name->line, "'%s' is a section: write %s%s { … }", s->name, s->name,
                      s->titled ? " \"NAME\"" : "");
                skip_body(r, s, name);
                blank(name->from, name->to);
                return 0;
        }
        if (s->titled && title.kind != TOKEN_WORD) {
                complain(r->errors, name->line, false, "section '%s' has no name: write %s \"NAME\" { … }", s->name,
                         s->name);
                skip_section(r, name);
                return 0;
        }
        if (s->titled)
                return titled(r, s, name, &title);
        if (title.kind == TOKEN_WORD) {
                wrong(r, name->line, "section '%s' has no name of its own, got '%.*s'", s->name,
                      title.n < 60 ? title.n : 60, title.text);
                blank(title.from, title.to);
        }
        return settings(r, s);
}

/* The file ends inside of @s: closes it, so that what it has is looked at. */
static void close_section(struct repair *r, const struct section *s)
{
        if (s == &grammar || r->in.open_quote || r->room < 1)
                return;
        if (!r->closed)
                complain(r->errors, r->in.line - (r->in.at[-1] == '\n'), false,
                         "the file ends inside of section '%s': a } is missing", s->name);
        r->closed = true;
        r->in.at[0] = '}';
        r->in.at[1] = 0;
        r->in.at++;
        r->room--;
}

/* Reads a section to its closing brace, or the file to its end. */
static int settings(struct repair *r, const struct section *s)
{
        for (;;) {
                struct token t = token_next(&r->in);

                if (is(&t, '}') && s != &grammar)
                        return 0;
                if (t.kind == TOKEN_END) {
                        close_section(r, s);
                        return 0;
                }
                if (is(&t, '}')) {
                        complain(r->errors, t.line, false, "a } without a { before it");
                        blank(t.from, t.to);
                }
                if (t.kind != TOKEN_WORD)
                        continue;
                const struct key *k = key_of(s, &t);
                const struct section *below = section_of(s, &t);
                if (k)
                        setting(r, s, k, &t);
                else if (!below)
                        unknown(r, s, &t);
                else if (section(r, below, &t) < 0)
                        return -ENOMEM;
        }
}

int repair(char *text, struct config_errors *errors, bool *ret_marked)
{
        struct repair r = {.in.line = 1, .errors = errors, .room = REPAIR_SLACK};

        r.in.at = text;
        int e = settings(&r, &grammar);

        *ret_marked = r.marked;
        free(r.taken);
        if (e == 0 && r.in.open_quote) {
                complain(errors, r.in.open_quote, false, "a quote is opened here and never closed");
                e = -EINVAL;
        }
        return e;
}
