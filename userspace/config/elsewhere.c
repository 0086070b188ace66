/* elsewhere.c - see elsewhere.h. */
#include "config/elsewhere.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"

static bool has(const struct section *s, const char *name, bool section)
{
        for (const struct key *k = s->keys; !section && k->name; k++)
                if (!strcmp(k->name, name))
                        return true;
        for (const struct section *const *b = s->below; section && b && *b; b++)
                if (!strcmp((*b)->name, name))
                        return true;
        return false;
}

/* Adds the place @s, below @above, to @places, if it has @name. */
static void add_places(const struct section *s, const struct section *above, const char *name, bool section,
                       char places[160])
{
        size_t n = strlen(places);
        const char * or = n ? " or " : "";

        if (has(s, name, section)) {
                if (!above)
                        snprintf(places + n, 160 - n, "%soutside of all sections", or);
                else if (above == &grammar)
                        snprintf(places + n, 160 - n, "%sin %ssection '%s'", or, s->titled ? "" : "the top-level ",
                                 s->name);
                else
                        snprintf(places + n, 160 - n, "%sin section '%s' of '%s'", or, s->name, above->name);
        }
        for (const struct section *const *b = s->below; b && *b; b++)
                add_places(*b, s, name, section, places);
}

static const char *nearest(const struct section *s, const char *name, bool section)
{
        const char *found = NULL;
        size_t best = SUGGEST_NONE;

        for (const struct key *k = s->keys; !section && k->name; k++)
                if (suggest_nearer(name, k->name, &best))
                        found = k->name;
        for (const struct section *const *b = s->below; section && b && *b; b++)
                if (suggest_nearer(name, (*b)->name, &best))
                        found = (*b)->name;
        return found;
}

void elsewhere(const struct section *here, const char *name, int n, bool section, char ret[ELSEWHERE_LEN])
{
        char text[64], places[160] = "", in[64] = "";
        const char *what = section ? "section" : "key", *near;

        snprintf(text, sizeof(text), "%.*s", n < 60 ? n : 60, name);
        if (here != &grammar)
                snprintf(in, sizeof(in), " in section '%s'", here->name);
        add_places(&grammar, NULL, text, section, places);
        near = nearest(here, text, section);
        bool unclosed = section && here != &grammar && has(&grammar, text, true);
        if (*places)
                snprintf(ret, ELSEWHERE_LEN, "unknown %s '%s'%s: known, but only %s%s", what, text, in, places,
                         unclosed ? "; is a } missing before it?" : "");
        else
                snprintf(ret, ELSEWHERE_LEN, "unknown %s '%s'%s%s%s%s", what, text, in,
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}
