/* old_loops.h - kernels without bpf_loop(): they refuse a program that so much as names a function as a value. Layer: sensor.
 *
 * bpf/compat.h, repeat(), chooses between bpf_loop() (5.17, e6f2dd0f8067) and a loop of its own when the programs are loaded, and
 * what is not chosen is never executed. But the verifier of a kernel before 5.13 (69c087ba6225 "bpf: Add bpf_for_each_map_elem()
 * helper") looks at all instructions first, and does not know the one that takes the address of a function. */
#pragma once

/**
 * From here on, programs are loaded with that instruction replaced, if this kernel has no bpf_loop(). Once is enough, and twice is
 * no harm; not thread-safe, as libbpf_register_prog_handler() is not. What it needs and does not get shows when loading fails.
 */
void old_loops_prepare(void);
