/* findings.c - see findings.h. */
#include "report/findings.h"

#include "report/death.h"
#include "report/pick.h"

void findings_print(struct page *p, const json_t *list, size_t most, bool verbose)
{
        size_t n = json_array_size(list), i;
        json_t *f;

        json_array_foreach (list, i, f) {
                if (i >= most && !verbose)
                        break;
                page_paragraph(p, INK_PLAIN, i ? "" : "findings", DEATH_LABEL, "%s %s: %s",
                               pick_text(f, "severity", "?"), pick_text(f, "code", "?"),
                               pick_text(f, "detail", ""));
        }
        if (n > most && !verbose)
                page_paragraph(p, INK_PLAIN, "", DEATH_LABEL, "and %zu more; -v shows all", n - most);
}
