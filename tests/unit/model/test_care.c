/* test_care.c - under whose care a process runs, by its cgroup and its ancestors. */
#include "model/care.h"

#include "suite.h"

START_TEST(who_starts_it_again_stands_in_the_cgroup)
{
        static const struct {
                const char *cgroup, *care;
        } rows[] = {
                {"/system.slice/batch.service", "systemd batch.service"},
                {"/user.slice/user-1000.slice/user@1000.service/app.slice/batch.service", "systemd batch.service"},
                {"/system.slice/docker-0123456789abcdef0123.scope", "docker 0123456789ab"},
                {"/docker/0123456789abcdef0123", "docker 0123456789ab"},
                {"/machine.slice/libpod-0123456789abcdef.scope/container", "podman 0123456789ab"},
                {"/kubepods.slice/cri-containerd-0123456789abcdef.scope", "kubernetes 0123456789ab"},
                {"/user.slice/user-1000.slice/session-3.scope", ""},
                {"/docker/nothex", ""},
                {"/", ""},
                {"", ""},
        };
        char care[CARE_LEN];

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                care_of_cgroup(rows[i].cgroup, care);
                ck_assert_str_eq(care, rows[i].care);
        }
        ck_assert_str_eq(care_of_ancestor("PM2 v5.3.0: God"), "pm2");
        ck_assert_str_eq(care_of_ancestor("bash"), "");
}
END_TEST

SUITE("care", who_starts_it_again_stands_in_the_cgroup)
