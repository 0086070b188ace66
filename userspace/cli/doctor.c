/* doctor.c - `vigil doctor`: what this kernel lets Vigil see, tried and not guessed. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/detach.h"
#include "cli/doctor_left.h"
#include "cli/early.h"
#include "cli/opt.h"
#include "sensor/sensor.h"

static int ignore(const struct vigil_hdr *record, void *userdata)
{
        (void)record;
        (void)userdata;
        return 0;
}

static json_t *probe_json(const struct sensor_probe *p)
{
        json_t *seen = p->triable ? json_boolean(p->seen) : json_null();

        return json_pack("{s:s, s:b, s:o, s:I}", "name", p->name, "attached", p->attached, "seen", seen, "missed",
                         (json_int_t)p->missed);
}

/* Adds each probe, and to `missing` those that are not attached or stay silent. */
static void add_probes(const struct sensor *s, json_t *probes, json_t *missing)
{
        for (size_t i = 0; i < sensor_n_probes(s); i++) {
                struct sensor_probe p;
                char text[128];

                if (sensor_probe_state(s, i, &p) < 0)
                        continue;
                json_array_append_new(probes, probe_json(&p));
                if (p.attached && (p.seen || !p.triable))
                        continue;
                snprintf(text, sizeof(text), "probe %s %s", p.name,
                         p.attached ? "is attached and does not fire" : "cannot be attached");
                json_array_append_new(missing, json_string(text));
        }
}

static void add_casts(const struct sensor *s, json_t *doc)
{
        json_object_set_new(doc, "typed_casts", s ? json_boolean(sensor_casts(s)) : json_null());
}

/* Whether the watch of a daemon that is killed would go on; null: nothing was tried. */
static void add_survival(struct sensor *s, json_t *doc)
{
        char why[SENSOR_WHY_LEN];
        int r = s ? sensor_try_keeping(s, why) : 0;

        json_object_set_new(doc, "survives_restart", s ? json_boolean(r == 0) : json_null());
        json_object_set_new(doc, "survives_restart_why", s && r < 0 ? json_string(why) : json_null());
}

/* Whether it could be told where the time of slow operations goes; null: nothing was tried. */
static void add_attribution(const struct sensor *s, json_t *doc)
{
        char why[SENSOR_WHY_LEN];
        int r = s ? sensor_try_attribution(why) : 0;

        json_object_set_new(doc, "attribution", s ? json_boolean(r == 0) : json_null());
        json_object_set_new(doc, "attribution_why_not", s && r < 0 ? json_string(why) : json_null());
}

static json_t *report(const struct sensor *s, const char *why)
{
        struct utsname u;
        json_t *probes = json_array(), *blind = json_array(), *missing = json_array();
        const char *status = "none";

        uname(&u);
        if (why)
                json_array_append_new(missing, json_string(why));
        if (s) {
                add_probes(s, probes, missing);
                for (const char *const *b = sensor_blind(s); *b; b++)
                        json_array_append_new(blind, json_string(*b));
                status = json_array_size(missing) ? "partial" : "full";
        }
        return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o}", "schema", "vigil.doctor/1", "status", status,
                         "kernel", u.release, "tier", s ? json_string(sensor_tier(s)) : json_null(),
                         "kernel_memory_bytes", (json_int_t)(s ? sensor_kernel_memory(s) : 0), "probes", probes,
                         "blind", blind, "missing", missing);
}

static void print_text(const json_t *doc, bool verbose)
{
        const char *status = json_string_value(json_object_get(doc, "status"));
        const char *tier = json_string_value(json_object_get(doc, "tier"));
        char memory[TEXT_BYTES_LEN];
        json_t *item;
        size_t i, seen = 0, untried = 0;

        json_array_foreach (json_object_get(doc, "probes"), i, item) {
                seen += json_is_true(json_object_get(item, "seen"));
                untried += json_is_null(json_object_get(item, "seen"));
                if (verbose)
                        printf("  %-32s %s\n", json_string_value(json_object_get(item, "name")),
                               json_is_true(json_object_get(item, "seen"))        ? "seen"
                               : !json_is_true(json_object_get(item, "attached")) ? "NOT ATTACHED"
                               : json_is_null(json_object_get(item, "seen"))      ? "attached, not tried"
                                                                                  : "SILENT");
        }
        text_bytes(memory, (uint64_t)json_integer_value(json_object_get(doc, "kernel_memory_bytes")));
        printf("%s on kernel %s\n",
               strcmp(status, "full") == 0      ? "Vigil can watch"
               : strcmp(status, "partial") == 0 ? "Vigil can watch in part"
                                                : "Vigil cannot watch",
               json_string_value(json_object_get(doc, "kernel")));
        if (tier)
                printf("  tier     %s\n  probes   %zu of %zu seen firing, %zu not tried: that would disturb the "
                       "host\n"
                       "  memory   %s in the kernel\n",
                       tier, seen, json_array_size(json_object_get(doc, "probes")), untried, memory);
        const char *ends = json_string_value(json_object_get(doc, "survives_restart_why"));
        if (tier)
                printf("  restart  %s%s\n",
                       ends ? "the watch ends with a daemon that is killed: "
                            : "the watch goes on while a daemon that was killed is started again",
                       ends ? ends : "");
        const char *untold = json_string_value(json_object_get(doc, "attribution_why_not"));
        if (tier)
                printf("  latency  %s%s\n",
                       untold ? "where the time of slow operations goes cannot be told: "
                              : "where the time of slow operations goes can be told, if asked for",
                       untold ? untold : "");
        if (json_is_false(json_object_get(doc, "typed_casts")))
                printf("  slower   a write that is watched costs more here: the kernel takes no typed casts "
                       "(6.2)\n");
        doctor_left_print(doc);
        json_array_foreach (json_object_get(doc, "missing"), i, item)
                printf("  missing  %s\n", json_string_value(item));
        json_array_foreach (json_object_get(doc, "blind"), i, item)
                printf("  blind    %s\n", json_string_value(item));
}

static int run(const struct cli *cli, int argc, char **argv)
{
        struct sensor_options options = {
                .adopt = true, .second_names = true, .reads = true, .verbose = cli->verbose};
        const struct opt opts[] = {{0}};
        struct sensor *s = NULL;
        char why[SENSOR_WHY_LEN];
        sigset_t before;

        int r = opt_parse(&command_doctor, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_doctor, "takes no argument, got '%s'", argv[1]);
        early_block(&before);
        r = sensor_open(&options, &s, why);
        if (r == 0)
                r = sensor_canary(s, ignore, NULL);
        if (early_signal()) {
                detach_sensor(s, false);
                return early_leave(&command_doctor, early_signal(), "nothing was found out");
        }
        json_t *doc = report(s, r < 0 ? why : NULL);
        add_casts(s, doc);
        add_survival(s, doc);
        add_attribution(s, doc);
        doctor_left_add(cli, doc);
        if (cli->json) {
                json_dumpf(doc, stdout, JSON_INDENT(2));
                putchar('\n');
        } else {
                print_text(doc, cli->verbose);
        }
        const char *status = json_string_value(json_object_get(doc, "status"));
        int code = strcmp(status, "full") == 0 ? CLI_OK : strcmp(status, "partial") == 0 ? CLI_FOUND : CLI_CRITICAL;
        json_decref(doc);
        fflush(stdout);
        detach_sensor(s, false);
        return code;
}

const struct command command_doctor = {
        .name = "doctor",
        .summary = "Try what this kernel lets Vigil see",
        .help = "Usage: vigil doctor [--json] [-v]\n"
                "\n"
                "Loads and attaches every probe, makes a harmless test program do one of everything, and tells "
                "which\n"
                "probes were seen firing, what cannot be seen on this kernel, and what is missing.\n"
                "\n"
                "With -v each probe is listed. The watch that a killed daemon has left in the kernel is told, and "
                "how\n"
                "to end it.\n"
                "\n"
                "Exit status: 0 everything works, 1 in part, 2 Vigil cannot watch here.\n",
        .run = run,
};
