/* empty - runs a command while empty BPF programs hang at the tracepoints named.
 *
 *   empty PROBE... -- CMD...     PROBE as `vigil doctor --json` names them: sys_exit_pwrite64, posix_lock_inode, ...
 *
 * Exits with CMD's status, after the programs have been taken off; 70 when one cannot be attached. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "empty.skel.h"

enum { FAILED = 70, PROBES = 128 };

/* A typed program of that name if there is one, else a classic tracepoint of a system call, else a raw one. */
static struct bpf_link *attach(struct empty_bpf *skel, const char *probe)
{
        char name[64];

        snprintf(name, sizeof(name), "empty_%s", probe);
        struct bpf_program *typed = bpf_object__find_program_by_name(skel->obj, name);
        if (typed)
                return bpf_program__attach(typed);
        if (strncmp(probe, "sys_", 4) == 0)
                return bpf_program__attach_tracepoint(skel->progs.empty_tp, "syscalls", probe);
        return bpf_program__attach_raw_tracepoint(skel->progs.empty_raw, probe);
}

static int run(char **argv)
{
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
                execvp(argv[0], argv);
                perror(argv[0]);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return FAILED;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
        struct bpf_link *links[PROBES] = {0};
        int n = 1, status = FAILED;
        struct empty_bpf *skel = empty_bpf__open_and_load();

        if (!skel) {
                perror("empty: load");
                return FAILED;
        }
        for (; n < argc && n < PROBES && strcmp(argv[n], "--") != 0; n++) {
                links[n] = attach(skel, argv[n]);
                if (!links[n]) {
                        fprintf(stderr, "empty: cannot attach %s\n", argv[n]);
                        goto out;
                }
        }
        if (n + 1 < argc)
                status = run(argv + n + 1);
out:
        for (int i = 0; i < PROBES; i++)
                bpf_link__destroy(links[i]);
        empty_bpf__destroy(skel);
        return status;
}
