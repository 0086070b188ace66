/* operator.c - which document is shown how. */
#include "report/operator.h"

#include <errno.h>
#include <string.h>

#include "report/operator_private.h"
#include "report/pick.h"

static const struct {
        const char *schema;
        void (*print)(struct page *p, const struct operator_view *v);
} documents[] = {
        {"vigil.health/1", operator_health},       {"vigil.status/1", operator_status},
        {"vigil.incidents/1", operator_incidents}, {"vigil.certificates/1", operator_certificates},
        {"vigil.summary/1", operator_summary},     {"vigil.latency/1", operator_latency},
        {"vigil.jobs/1", operator_jobs},
};

static struct page page_of(const struct report_style *style, FILE *out)
{
        return (struct page){.out = out, .width = style->width ? style->width : 100, .colour = style->colour};
}

static int finish(FILE *out)
{
        return ferror(out) || fflush(out) == EOF ? (errno ? -errno : -EIO) : 0;
}

int operator_text(const json_t *document, int64_t now_ns, const struct report_style *style, FILE *out)
{
        struct page p = page_of(style, out);
        const struct operator_view v = {.document = document, .now_ns = now_ns, .verbose = style->verbose};
        const char *schema = pick_text(document, "schema", "");
        for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
                if (strcmp(documents[i].schema, schema) != 0)
                        continue;
                documents[i].print(&p, &v);
                return finish(out);
        }
        return -EINVAL;
}

int operator_certificate(const json_t *document, const struct report_style *style, FILE *out)
{
        const json_t *certificate = json_array_get(json_object_get(document, "certificates"), 0);
        struct page p = page_of(style, out);

        if (!json_is_object(certificate) || strcmp(pick_text(document, "schema", ""), "vigil.certificates/1") != 0)
                return -EINVAL;
        operator_one_certificate(&p, certificate);
        return finish(out);
}
