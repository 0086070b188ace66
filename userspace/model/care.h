/* care.h - under whose care a process runs. Pure. Layer: model. */
#pragma once

/** Who starts it again when it ends, out of its cgroup: "systemd batch.service", "docker 0123456789ab", "podman …",
 * "kubernetes …"; "": not known. */
#define CARE_LEN 80
void care_of_cgroup(const char *cgroup, char ret[CARE_LEN]);
/** "pm2" by the name of an ancestor; "": it is none. */
const char *care_of_ancestor(const char *comm);
