// SPDX-License-Identifier: GPL-2.0-only
/* files.bpf.c - writes, truncations and copies: hooked when they return, arguments from the saved registers. */
#define VIGIL_CASTS
#include "act.h"

#include <asm/unistd.h>

char LICENSE[] SEC("license") = "GPL";

#define AT_FILE_POSITION ((__u64)-1)

static __always_inline int write_at(struct act *a, int fd, struct io *io, __u64 rwf, __u32 probe)
{
        if (!act_at_fd(a, fd, probe))
                return 0;
        if (io->offset == AT_FILE_POSITION) { /* which the write has moved */
                struct file *file = a->file;
                io->offset = (__u64)BPF_CORE_READ(file, f_pos);
                if (io->ret > 0)
                        io->offset -= (__u64)io->ret;
        }
        done_write(a, io);
        done_write_sync(a, io->ret, rwf);
        return 0;
}

/* One program for all calls that write: verified once, attached to the exit tracepoint of each. */
SEC("tp")
int tp__write_exit(struct sys_exit *ctx)
{
        __s64 ret = ctx->ret;
        struct act a = {};
        struct args r;
        struct io io = {.ret = ret};
        __u64 rwf = 0;
        __u32 probe;

        if (!act_by_current(&a))
                return 0;
        args_read(a.task, &r);
        io.buf = r.a[1];
        io.len = r.a[2];
        io.offset = AT_FILE_POSITION;
        switch (ctx->nr) {
        case __NR_pwrite64:
                io.offset = r.a[3];
                probe = PROBE_PWRITE64;
                break;
        case __NR_write:
                probe = PROBE_WRITE;
                break;
        case __NR_pwritev2:
                rwf = r.a[5];
                io.offset = r.a[3];
                probe = PROBE_PWRITEV2;
                goto vector;
        case __NR_pwritev:
                io.offset = r.a[3];
                probe = PROBE_PWRITEV;
                goto vector;
        case __NR_writev:
                probe = PROBE_WRITEV;
        vector: /* the length is what was written: a short one cannot be told from a whole one */
                io.buf = 0;
                io.len = ret > 0 ? (__u64)ret : 0;
                break;
        default:
                return 0;
        }
        return write_at(&a, (int)r.a[0], &io, rwf, probe);
}

/* ---- calls that change a file in other ways, all rarer ---- */

#define FALLOC_FL_PUNCH_HOLE 0x02
#define FALLOC_FL_ZERO_RANGE 0x10
#define FICLONE              0x40049409
#define FICLONERANGE         0x4020940d
#define NO_SOURCE            ((__u64)-1)

static __always_inline void truncated(struct act *a, __u64 size, __s64 ret)
{
        __u32 taken = ret == 0 && size < TAKE_EMPTIED ? act_takes(a, false, a->role == VIGIL_ROLE_MAIN) : 0;
        struct scratch *s = scratch();

        if (ret == 0)
                account_truncate(a->db, a->priv, a->ledger, a->use, a->role, size, taken);
        if (s)
                s->taken = taken;
        note(a, VIGIL_OP_TRUNCATE, size, 0, ret, taken || (ret < 0 && !error_is_harmless(ret)));
        if (s)
                s->taken = 0;
}

/* Copies inside the kernel: their offsets may stand in user memory, which the call has moved on; what counts for the ledger is
 * the sum. A copy may end early at the end of its source: that is no short write. */
static __always_inline void as_copied(struct file *file, struct io *io)
{
        io->offset = (__u64)BPF_CORE_READ(file, f_pos);
        if (io->ret > 0 && io->offset >= (__u64)io->ret)
                io->offset -= (__u64)io->ret;
        if (io->ret > 0)
                io->len = (__u64)io->ret;
}

/* fallocate and FICLONE return 0: what they replaced counts like a write of as many bytes. */
static __always_inline void as_replaced(struct io *io, __u64 bytes)
{
        if (io->ret == 0) {
                io->ret = (__s64)bytes;
                io->len = bytes;
        }
}

/* Who copies a database without its locks is streamed: whether that was safe is judged in user space. */
static __always_inline bool is_reader_without_locks(const struct act *a)
{
        return a->role == VIGIL_ROLE_MAIN && !(a->use->flags & VIGIL_USE_LOCKED);
}

/* @fd was the source of a copy that returned @ret. */
GLOBAL int copied_from(int fd, __u64 len, __s64 ret)
{
        struct act a = {};

        if (!act_on_fd(&a, fd, PROBE_COUNT))
                return 0;
        if (ret > 0)
                __sync_fetch_and_add(&a.ledger->read_bytes, (__u64)ret);
        note(&a, VIGIL_OP_COPY_FROM, 0, len, ret, ret >= 0 && is_reader_without_locks(&a));
        return 0;
}

SEC("tp")
int tp__change_exit(struct sys_exit *ctx)
{
        __s64 ret = ctx->ret;
        struct act a = {};
        struct args r;
        struct io io = {.ret = ret};
        __u64 fd, source = NO_SOURCE;
        __u32 probe;

        args_read(self(), &r);
        fd = r.a[0];
        switch (ctx->nr) {
        case __NR_ftruncate:
                probe = PROBE_FTRUNCATE;
                break;
        case __NR_fallocate:
                probe = PROBE_FALLOCATE;
                break;
        case __NR_ioctl:
                if (r.a[1] != FICLONE && r.a[1] != FICLONERANGE)
                        return 0;
                probe = PROBE_IOCTL;
                if (r.a[1] == FICLONE)
                        source = r.a[2];
                break;
        case __NR_sendfile:
                source = r.a[1];
                probe = PROBE_SENDFILE;
                io.len = r.a[3];
                break;
        case __NR_splice:
                source = fd;
                fd = r.a[2];
                probe = PROBE_SPLICE;
                io.len = r.a[4];
                break;
        case __NR_copy_file_range:
                source = fd;
                fd = r.a[2];
                probe = PROBE_COPY_FILE_RANGE;
                io.len = r.a[4];
                break;
        default:
                return 0;
        }
        if (source != NO_SOURCE)
                copied_from((int)source, io.len, ret);
        if (!act_on_fd(&a, (int)fd, probe))
                return 0;
        if (probe == PROBE_FTRUNCATE) {
                truncated(&a, r.a[1], ret);
                return 0;
        }
        struct file *file = a.file;
        if (probe == PROBE_FALLOCATE) {
                io.offset = r.a[2];
                if (r.a[1] & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
                        as_replaced(&io, r.a[3]);
        } else if (probe == PROBE_IOCTL) {
                as_replaced(&io, (__u64)BPF_CORE_READ(file, f_inode, i_size));
        } else {
                as_copied(file, &io);
        }
        if (io.ret != 0)
                done_write(&a, &io);
        done_write_sync(&a, io.ret, 0);
        return 0;
}

/* ---- reads: attached only with --reads ---- */

static __always_inline int read_at(struct act *a, int fd, __u64 len, __u64 offset, __s64 ret, __u32 probe)
{
        if (!act_at_fd(a, fd, probe))
                return 0;
        __sync_fetch_and_add(&a->ledger->reads, 1);
        __sync_fetch_and_add(&a->ledger->read_bytes, (__u64)ret);
        note(a, VIGIL_OP_READ, offset == AT_FILE_POSITION ? 0 : offset, len, ret, is_reader_without_locks(a));
        return 0;
}

SEC("tp")
int tp__read_exit(struct sys_exit *ctx)
{
        __s64 ret = ctx->ret;
        __u64 offset = AT_FILE_POSITION, len = (__u64)ret;
        struct act a = {};
        struct args r;
        __u32 probe;

        if (ret <= 0 || !act_by_current(&a))
                return 0;
        args_read(a.task, &r);
        switch (ctx->nr) {
        case __NR_read:
                len = r.a[2];
                probe = PROBE_READ;
                break;
        case __NR_pread64:
                len = r.a[2];
                offset = r.a[3];
                probe = PROBE_PREAD64;
                break;
        case __NR_readv:
                probe = PROBE_READV;
                break;
        case __NR_preadv:
                offset = r.a[3];
                probe = PROBE_PREADV;
                break;
        default:
                return 0;
        }
        return read_at(&a, (int)r.a[0], len, offset, ret, probe);
}
