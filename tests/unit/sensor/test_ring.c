/* test_ring.c - records stay until they are let go of; a file with the layout of the kernel's ring stands in for it. */
#include "sensor/ring.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

#define BYTES 4096u

/* The file and what the kernel would see of it. */
struct fake {
        int fd;
        uint64_t *consumer, *producer;
        unsigned char *data;
        size_t page;
};

static struct fake fake(void)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        struct fake f = {.fd = memfd_create("ring", MFD_CLOEXEC), .page = page};
        ck_assert_int_ge(f.fd, 0);
        ck_assert_int_eq(ftruncate(f.fd, (off_t)(2 * page + 2 * BYTES)), 0);
        unsigned char *all = mmap(NULL, 2 * page + 2 * BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
        ck_assert_ptr_ne(all, MAP_FAILED);
        f.consumer = (void *)all;
        f.producer = (void *)(all + page);
        f.data = all + 2 * page;
        return f;
}

static void fake_done(struct fake *f)
{
        munmap(f->consumer, 2 * f->page + 2 * BYTES);
        close(f->fd);
}

/* The kernel maps the data twice; so each byte is written twice. */
static void put_byte(struct fake *f, uint64_t at, unsigned char byte)
{
        f->data[at % BYTES] = f->data[at % BYTES + BYTES] = byte;
}

static void put(struct fake *f, const char *text, uint32_t bits)
{
        const uint32_t length = (uint32_t)strlen(text) | bits;
        unsigned char header[8] = {0};
        memcpy(header, &length, sizeof(length));
        for (size_t i = 0; i < sizeof(header); i++)
                put_byte(f, *f->producer + i, header[i]);
        for (size_t i = 0; i < strlen(text); i++)
                put_byte(f, *f->producer + sizeof(header) + i, (unsigned char)text[i]);
        *f->producer += sizeof(header) + (strlen(text) + 7) / 8 * 8;
}

static int collect(void *userdata, void *record, size_t size)
{
        strncat(userdata, record, size);
        return *(const char *)record == '!' ? -5 : 0;
}

START_TEST(what_was_read_and_not_let_go_of_is_read_again_by_the_next)
{
        struct fake f = fake();
        struct ring ring, next;
        char first[64] = "", again[64] = "";
        put(&f, "one", 0);
        put(&f, "two", 0);
        ck_assert_int_eq(ring_open(&ring, f.fd, BYTES), 0);
        ck_assert_int_eq(ring_read(&ring, collect, first), 2);
        ck_assert_int_eq(ring_read(&ring, collect, first), 0);
        ck_assert_uint_eq(ring_held(&ring), 32);
        ck_assert_uint_eq(*f.consumer, 0);
        ring_close(&ring);

        ck_assert_int_eq(ring_open(&next, f.fd, BYTES), 0);
        ck_assert_int_eq(ring_read(&next, collect, again), 2);
        ck_assert_str_eq(again, first);
        ring_release(&next, next.read);
        ck_assert_uint_eq(*f.consumer, 32);
        ring_release(&next, 16); /* never back */
        ck_assert_uint_eq(*f.consumer, 32);
        ck_assert_uint_eq(ring_held(&next), 0);
        ring_close(&next);

        ck_assert_int_eq(ring_open(&next, f.fd, BYTES), 0);
        ck_assert_int_eq(ring_read(&next, collect, again), 0);
        ring_close(&next);
        fake_done(&f);
}
END_TEST

START_TEST(what_is_being_written_is_waited_for_and_what_was_given_up_is_passed_over)
{
        struct fake f = fake();
        struct ring ring;
        char seen[64] = "";
        put(&f, "gone", BPF_RINGBUF_DISCARD_BIT);
        put(&f, "a", 0);
        uint64_t busy = *f.producer;
        put(&f, "b", BPF_RINGBUF_BUSY_BIT);
        put(&f, "c", 0);
        ck_assert_int_eq(ring_open(&ring, f.fd, BYTES), 0);
        ck_assert_int_eq(ring_read(&ring, collect, seen), 1);
        ck_assert_str_eq(seen, "a");
        for (uint64_t i = 0; i < 4; i++)
                put_byte(&f, busy + i, ((unsigned char[]){1, 0, 0, 0})[i]);
        ck_assert_int_eq(ring_read(&ring, collect, seen), 2);
        ck_assert_str_eq(seen, "abc");
        ring_close(&ring);
        fake_done(&f);
}
END_TEST

START_TEST(it_goes_round_and_round_and_a_reader_may_end_it)
{
        struct fake f = fake();
        struct ring ring;
        ck_assert_int_eq(ring_open(&ring, f.fd, BYTES), 0);
        for (int i = 0; i < 3000; i++) {
                char seen[64] = "";
                put(&f, "0123456789", 0);
                ck_assert_int_eq(ring_read(&ring, collect, seen), 1);
                ck_assert_str_eq(seen, "0123456789");
                ring_release(&ring, ring.read);
        }
        char seen[64] = "";
        put(&f, "!", 0);
        put(&f, "x", 0);
        ck_assert_int_eq(ring_read(&ring, collect, seen), -5);
        ck_assert_int_eq(ring_read(&ring, collect, seen), 1);
        ck_assert_str_eq(seen, "!x");
        ring_close(&ring);
        fake_done(&f);
}
END_TEST

SUITE("ring", what_was_read_and_not_let_go_of_is_read_again_by_the_next,
      what_is_being_written_is_waited_for_and_what_was_given_up_is_passed_over,
      it_goes_round_and_round_and_a_reader_may_end_it)
