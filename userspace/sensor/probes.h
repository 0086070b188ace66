/* probes.h - the attach plan: which program hangs where. Layer: sensor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vigil_bpf;
struct bpf_program;

/** Whether a probe can be tried without harm, and whether it must be there. */
enum probe_flag {
        PROBE_NEEDED = 1 << 0,  /* without it nothing can be watched */
        PROBE_UNTRIED = 1 << 1, /* cannot be provoked harmlessly: `seen` stays unknown */
        PROBE_READS = 1 << 2,   /* only with --reads */
        PROBE_ATTRIBUTION =
                1 << 4,     /* only with it; without one of them less is told, and the trust is what it was */
        PROBE_BTF = 1 << 3, /* raw or typed tracepoint: libbpf knows where from the program's section */
};

/** One probe: a program and the tracepoint it hangs on. */
struct probe {
        const char *name;       /* as told to people: "sys_exit_pwrite64" */
        const char *tracepoint; /* name of the event in its category; with PROBE_BTF the same as in the section */
        const char *category;   /* NULL: "syscalls" */
        size_t id;              /* index in the map `seen` */
        size_t program;         /* offset of the program's pointer in struct vigil_bpf */
        unsigned flags;         /* enum probe_flag */
};

/** The plan, in the order of attaching; the index is nothing but a position. */
extern const struct probe probes[];
extern const size_t probes_count;

/** The program of @p probe in an opened skeleton. */
struct bpf_program *probe_program(const struct probe *probe, const struct vigil_bpf *skeleton);
