// SPDX-License-Identifier: GPL-2.0-only
/* connects.bpf.c - who opens TCP connections: one that asks somebody by a new connection each time is seen by nothing else, for it has
 * none while it sleeps in between. */
#include "obstacle.h"

char LICENSE[] SEC("license") = "GPL";

/* include/net/tcp_states.h: connect(2) sets it, in the task that has called it. */
#define TCP_SYN_SENT 2

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__inet_sock_set_state, const void *sk, int before, int state)
{
        struct obstacle *o;

        if (state != TCP_SYN_SENT)
                return 0;
        o = obstacle_of(bpf_get_current_pid_tgid() >> 32);
        if (o)
                o->connect_ns = bpf_ktime_get_boot_ns();
        probe_seen(PROBE_CONNECT);
        return 0;
}
