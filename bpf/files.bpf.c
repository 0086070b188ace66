// SPDX-License-Identifier: GPL-2.0-only
/* files.bpf.c - writes, truncations and copies: hooked when they return, arguments from the saved registers. */
#define VIGIL_KSYMS
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
                io->offset = (__u64)LOAD(file, f_pos);
                if (io->ret > 0)
                        io->offset -= (__u64)io->ret;
        }
        done_write(a, io, rwf);
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

GLOBAL int truncated(int fd, __u64 size, __s64 ret)
{
        struct scratch *s = scratch();
        struct act a = {};

        if (!s || !act_on_fd(&a, fd, PROBE_FTRUNCATE))
                return 0;
        __u32 taken = ret == 0 && size < TAKE_EMPTIED ? act_takes(&a, false, a.role == VIGIL_ROLE_MAIN) : 0;
        if (ret == 0)
                account_truncate(a.db, a.priv, a.ledger, a.use, a.role, size, taken);
        s->taken = taken;
        note(&a, VIGIL_OP_TRUNCATE, size, 0, ret, taken || (ret < 0 && !error_is_harmless(ret)));
        s->taken = 0;
        return 0;
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

#define WHOLE_FILE ((__u64)-1) /* as many bytes as it has now */

/* Descriptor @fd was the target of a copy, or a part of its file was replaced.
 * Copies inside the kernel: their offsets may stand in user memory, which the call has moved on; what counts for the ledger is
 * the sum. A copy may end early at the end of its source: that is no short write.
 * fallocate and FICLONE return 0: what they replaced counts like a write of as many bytes. */
GLOBAL int replaced(int fd, __u32 probe, __u64 offset, __u64 bytes, __s64 ret)
{
        struct io io = {.offset = offset, .ret = ret};
        struct act a = {};

        if (!act_on_fd(&a, fd, probe))
                return 0;
        struct file *file = a.file;
        if (offset == AT_FILE_POSITION) {
                io.len = ret > 0 ? (__u64)ret : bytes;
                io.offset = (__u64)LOAD(file, f_pos);
                if (ret > 0 && io.offset >= (__u64)ret)
                        io.offset -= (__u64)ret;
        } else if (ret == 0) {
                io.len = bytes == WHOLE_FILE ? (__u64)LOAD2(file, f_inode, i_size) : bytes;
                io.ret = (__s64)io.len;
        }
        if (io.ret != 0)
                done_write(&a, &io, 0);
        return 0;
}

static __always_inline int copied(int from, int to, __u64 len, __s64 ret, __u32 probe)
{
        copied_from(from, len, ret);
        return replaced(to, probe, AT_FILE_POSITION, len, ret);
}

/* Allocating alone changes no byte that is read. */
static __always_inline int allocated(const struct args *r, __s64 ret)
{
        bool replaces = r->a[1] & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);

        return replaced((int)r->a[0], PROBE_FALLOCATE, r->a[2], replaces ? r->a[3] : 0, ret);
}

static __always_inline int cloned(const struct args *r, __s64 ret)
{
        if (r->a[1] == FICLONE)
                copied_from((int)r->a[2], 0, ret);
        else if (r->a[1] != FICLONERANGE)
                return 0;
        return replaced((int)r->a[0], PROBE_IOCTL, 0, WHOLE_FILE, ret);
}

SEC("tp")
int tp__change_exit(struct sys_exit *ctx)
{
        __s64 ret = ctx->ret;
        struct args r;

        args_read(self(), &r);
        switch (ctx->nr) {
        case __NR_ftruncate:
                return truncated((int)r.a[0], r.a[1], ret);
        case __NR_fallocate:
                return allocated(&r, ret);
        case __NR_ioctl:
                return cloned(&r, ret);
        case __NR_sendfile:
                return copied((int)r.a[1], (int)r.a[0], r.a[3], ret, PROBE_SENDFILE);
        case __NR_splice:
                return copied((int)r.a[0], (int)r.a[2], r.a[4], ret, PROBE_SPLICE);
        case __NR_copy_file_range:
                return copied((int)r.a[0], (int)r.a[2], r.a[4], ret, PROBE_COPY_FILE_RANGE);
        }
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
