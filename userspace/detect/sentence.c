/* sentence.c - see sentence.h. */
#include "detect/sentence.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

void sentence_add(struct sentence *s, const char *format, ...)
{
        va_list args;

        if (s->n >= sizeof(s->text))
                return;
        va_start(args, format);
        int n = vsnprintf(s->text + s->n, sizeof(s->text) - s->n, format, args);
        va_end(args);
        s->n += n > 0 ? (size_t)n : 0;
}

void sentence_process(struct sentence *s, const struct vigil_ident *id)
{
        char comm[VIGIL_COMM_LEN + 1];

        text_printable(comm, sizeof(comm), id->comm[0] ? id->comm : "process");
        sentence_add(s, "%s (pid %u)", comm, id->tgid);
}

void sentence_span(struct sentence *s, const char *before, uint64_t since, uint64_t now)
{
        char span[TEXT_DURATION_LEN];

        if (!since || since > now)
                return;
        text_duration(span, now - since);
        sentence_add(s, "%s%s", before, span);
}
