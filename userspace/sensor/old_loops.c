/* old_loops.c - see old_loops.h. */
#include "sensor/old_loops.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* `r = function` takes two instructions. In their place it is called, and nothing follows: the verifier walks along all branches
 * to find functions that nobody calls, which it refuses, too; that this one is never taken it sees later. */
static void replace(struct bpf_insn *i)
{
        const int to = i[0].imm; /* relative, as in a call */

        i[0] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = to};
        i[1] = (struct bpf_insn){.code = BPF_JMP | BPF_JA};
}

static bool is_wide(const struct bpf_insn *i)
{
        return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static int on_load(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
        const size_t n = bpf_program__insn_cnt(program);
        _cleanup_free_ struct bpf_insn *insns = malloc(n * sizeof(*insns));

        (void)opts;
        (void)cookie;
        if (!insns)
                return -ENOMEM;
        memcpy(insns, bpf_program__insns(program), n * sizeof(*insns));
        for (size_t i = 0; i + 1 < n; i += is_wide(&insns[i]) ? 2 : 1)
                if (is_wide(&insns[i]) && insns[i].src_reg == BPF_PSEUDO_FUNC)
                        replace(&insns[i]);
        return bpf_program__set_insns(program, insns, n);
}

/* What stands behind the slash. */
static const char *target(const struct bpf_program *program)
{
        const char *slash = strchr(bpf_program__section_name(program), '/');

        return slash ? slash + 1 : NULL;
}

/* A tracepoint that this kernel lacks is no matter yet: its program may not be wanted. */
static int find_target(struct bpf_program *program, long cookie)
{
        (void)cookie;
        (void)bpf_program__set_attach_target(program, 0, target(program));
        return 0;
}

static int attach_typed(const struct bpf_program *program, long cookie, struct bpf_link **ret)
{
        (void)cookie;
        *ret = bpf_program__attach_trace(program);
        return *ret ? 0 : -errno;
}

static int attach_raw(const struct bpf_program *program, long cookie, struct bpf_link **ret)
{
        (void)cookie;
        *ret = bpf_program__attach_raw_tracepoint(program, target(program));
        return *ret ? 0 : -errno;
}

/* The kinds of sections that bpf/ has. libbpf lets nobody touch the instructions of a program of its own kinds. */
static const struct {
        const char *section;
        enum bpf_prog_type type;
        enum bpf_attach_type attach;
        libbpf_prog_setup_fn_t setup;
        libbpf_prog_attach_fn_t attach_fn;
} kinds[] = {
        {"tp+", BPF_PROG_TYPE_TRACEPOINT, 0, NULL, NULL},
        {"raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL, attach_raw},
        {"tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, find_target, attach_typed},
        {"iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, find_target, NULL},
};

void old_loops_prepare(void)
{
        static bool prepared;

        if (prepared || libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_loop, NULL) != 0)
                return;
        prepared = true;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_setup_fn = kinds[i].setup,
                            .prog_prepare_load_fn = on_load, .prog_attach_fn = kinds[i].attach_fn);
                (void)libbpf_register_prog_handler(kinds[i].section, kinds[i].type, kinds[i].attach, &opts);
        }
}
