/* neighbours.c - see neighbours.h. */
#include "model/neighbours.h"

bool neighbours_same(const struct vigil_neighbour *a, const struct vigil_neighbour *b)
{
        return a->id.tgid == b->id.tgid && a->id.start_ns == b->id.start_ns && a->db == b->db && a->disk == b->disk;
}

static bool has_fallen(const struct vigil_neighbour *before, const struct vigil_neighbour *now)
{
        return now->waited_ns < before->waited_ns || now->write_bytes < before->write_bytes ||
               now->read_bytes < before->read_bytes || now->writes < before->writes || now->syncs < before->syncs;
}

static void subtract(struct vigil_neighbour *n, const struct vigil_neighbour *before)
{
        n->waited_ns -= before->waited_ns;
        n->write_bytes -= before->write_bytes;
        n->read_bytes -= before->read_bytes;
        n->writes -= before->writes;
        n->syncs -= before->syncs;
}

size_t neighbours_between(const struct vigil_neighbour *before, size_t nbefore, const struct vigil_neighbour *now,
                          size_t nnow, struct vigil_neighbour *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < nnow; i++) {
                struct vigil_neighbour *d = &ret[n];
                *d = now[i];
                for (size_t k = 0; k < nbefore; k++)
                        if (neighbours_same(&before[k], &now[i]) && !has_fallen(&before[k], &now[i])) {
                                subtract(d, &before[k]);
                                break;
                        }
                n += d->waited_ns || d->write_bytes || d->read_bytes || d->syncs;
        }
        return n;
}
