/* test_text.c - bytes that may be anything, made fit for JSON and for a terminal. */
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define BYTES(s) (s), sizeof(s) - 1

static bool utf8(const char *s)
{
        return text_is_utf8(s, strlen(s));
}

START_TEST(characters_of_every_length_are_utf8)
{
        ck_assert(utf8(""));
        ck_assert(utf8("plain"));
        ck_assert(utf8("\xc2\x80 \xdf\xbf"));
        ck_assert(utf8("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
        ck_assert(utf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
        ck_assert(text_is_utf8(BYTES("a\0b")));
}
END_TEST

START_TEST(overlong_surrogate_and_cut_forms_are_not_utf8)
{
        static const char *const bad[] = {
                "\x80",         "\xbf",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
                "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                "\xff",         "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "\xc3(",
                "\xe2(\xa1",    "\xe2\x82(",    "\xf0\x9f\x98(",
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                ck_assert_msg(!utf8(bad[i]), "row %zu", i);
}
END_TEST

START_TEST(each_byte_that_is_not_utf8_becomes_a_replacement_character)
{
        json_t *j = text_json(BYTES("a\xff\xe2\x82z"));
        ck_assert_str_eq(json_string_value(j), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
        json_decref(j);
        j = text_json(BYTES("x\0y"));
        ck_assert_uint_eq(json_string_length(j), 3);
        json_decref(j);
}
END_TEST

START_TEST(the_original_bytes_are_kept_in_hex_where_they_were_replaced)
{
        json_t *o = json_object();
        ck_assert_int_eq(text_json_set(o, "path", BYTES("/a\xff")), 0);
        ck_assert_str_eq(json_string_value(json_object_get(o, "path_hex")), "2f61ff");
        ck_assert_int_eq(text_json_set(o, "comm", BYTES("bash")), 0);
        ck_assert_ptr_null(json_object_get(o, "comm_hex"));
        json_decref(o);
}
END_TEST

START_TEST(times_are_rfc_3339_in_utc_with_microseconds)
{
        char t[TEXT_TIME_LEN];
        text_time(t, 0);
        ck_assert_str_eq(t, "1970-01-01T00:00:00.000000Z");
        text_time(t, 1795231202123456789);
        ck_assert_str_eq(t, "2026-11-21T03:20:02.123456Z");
        text_time(t, -1);
        ck_assert_str_eq(t, "1969-12-31T23:59:59.999999Z");
        text_time(t, INT64_MAX);
        ck_assert_str_eq(t, "2262-04-11T23:47:16.854775Z");
        text_time(t, INT64_MIN);
        ck_assert_str_eq(t, "1677-09-21T00:12:43.145224Z");
}
END_TEST

START_TEST(sizes_have_at_most_four_digits)
{
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {
                {0, "0 B"},
                {1023, "1023 B"},
                {1024, "1 KiB"},
                {8272, "8.1 KiB"},
                {10200, "10 KiB"},
                {1023 * 1024, "1023 KiB"},
                {1024 * 1024 - 1, "1 MiB"},
                {340ULL << 20, "340 MiB"},
                {3ULL << 39, "1.5 TiB"},
                {UINT64_MAX, "16 EiB"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[TEXT_BYTES_LEN];
                text_bytes(text, rows[i].bytes);
                ck_assert_str_eq(text, rows[i].text);
        }
}
END_TEST

START_TEST(durations_are_told_in_the_unit_people_use)
{
        static const struct {
                uint64_t ns;
                const char *text;
        } rows[] = {
                {0, "0 ns"},
                {999, "999 ns"},
                {340000, "340 us"},
                {999499, "999 us"},
                {999500, "1 ms"},
                {1200000, "1.2 ms"},
                {999600000, "1 s"},
                {3000000000, "3 s"},
                {59600000000, "1 min"},
                {125000000000, "2 min 5 s"},
                {3600000000000, "1 h"},
                {5400000000000, "1 h 30 min"},
                {90000000000000, "1 d 1 h"},
                {UINT64_MAX, "213503 d 23 h"},
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[TEXT_DURATION_LEN];
                text_duration(text, rows[i].ns);
                ck_assert_str_eq(text, rows[i].text);
        }
}
END_TEST

START_TEST(what_took_less_than_can_be_measured_did_not_take_no_time)
{
        char text[TEXT_DURATION_LEN];
        text_measured(text, 0, 1000);
        ck_assert_str_eq(text, "< 1 us");
        text_measured(text, 0, 1000000);
        ck_assert_str_eq(text, "< 1 ms");
        text_measured(text, 1200, 1000);
        ck_assert_str_eq(text, "1.2 ms");
}
END_TEST

START_TEST(a_file_name_cannot_send_an_escape_sequence)
{
        char out[64];
        text_printable(out, sizeof(out), "a\x1b[31m\tb\x7f\xc2\x9b\xff\xc3\xa9");
        ck_assert_str_eq(out, "a?[31m?b???\xc3\xa9");
}
END_TEST

START_TEST(a_file_name_cannot_turn_around_or_hide_what_stands_beside_it)
{
        static const char *const hidden[] = {
                "\xd8\x9c",     /* U+061C */
                "\xe2\x80\x8b", /* U+200B */
                "\xe2\x80\x8f", /* U+200F */
                "\xe2\x80\xa8", /* U+2028 */
                "\xe2\x80\xae", /* U+202E */
                "\xe2\x81\xa6", /* U+2066 */
                "\xe2\x81\xa9", /* U+2069 */
                "\xef\xbb\xbf", /* U+FEFF */
        };
        static const char *const shown[] = {"\xd8\x9b",     "\xe2\x80\x8a", "\xe2\x80\x90",    "\xe2\x80\xaf",
                                            "\xe2\x82\xac", "\xef\xbb\xbe", "\xf0\x9f\x98\x80"};
        char out[16];
        for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
                text_printable(out, sizeof(out), hidden[i]);
                ck_assert_str_eq(out, "?");
        }
        for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
                text_printable(out, sizeof(out), shown[i]);
                ck_assert_str_eq(out, shown[i]);
        }
}
END_TEST

START_TEST(printable_text_is_cut_between_characters)
{
        char out[4];
        text_printable(out, sizeof(out), "ab\xc3\xa9");
        ck_assert_str_eq(out, "ab");
        text_printable(out, 1, "x");
        ck_assert_str_eq(out, "");
        text_printable(out, 0, "x");
}
END_TEST

START_TEST(durations_are_parsed_with_their_unit)
{
        static const struct {
                const char *text;
                uint64_t ms;
        } rows[] = {{"90", 90000},   {"90s", 90000},   {"250ms", 250}, {"5m", 300000},
                    {"2h", 7200000}, {"1d", 86400000}, {"0", 0}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint64_t ms = 1;
                ck_assert_int_eq(text_parse_duration(rows[i].text, &ms), 0);
                ck_assert_uint_eq(ms, rows[i].ms);
        }
}
END_TEST

START_TEST(what_is_no_duration_leaves_the_output_alone)
{
        static const struct {
                const char *text;
                int error;
        } rows[] = {{"", -EINVAL},
                    {"s", -EINVAL},
                    {"-1", -EINVAL},
                    {" 1", -EINVAL},
                    {"1 s", -EINVAL},
                    {"1.5h", -EINVAL},
                    {"1w", -EINVAL},
                    {"1sx", -EINVAL},
                    {"99999999999999999999", -ERANGE},
                    {"18446744073709551615d", -ERANGE}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                uint64_t ms = 7;
                ck_assert_int_eq(text_parse_duration(rows[i].text, &ms), rows[i].error);
                ck_assert_uint_eq(ms, 7);
        }
}
END_TEST

START_TEST(signals_have_their_names)
{
        ck_assert_str_eq(text_signal(9), "SIGKILL");
        ck_assert_str_eq(text_signal(15), "SIGTERM");
        ck_assert_str_eq(text_signal(36), "SIGRTMIN+2");
        ck_assert_str_eq(text_signal(99), "signal 99");
        ck_assert_str_eq(text_signal(0), "signal 0");
        ck_assert_str_eq(text_signal(-3), "signal -3");
}
END_TEST

SUITE("text", characters_of_every_length_are_utf8, overlong_surrogate_and_cut_forms_are_not_utf8,
      each_byte_that_is_not_utf8_becomes_a_replacement_character,
      the_original_bytes_are_kept_in_hex_where_they_were_replaced, times_are_rfc_3339_in_utc_with_microseconds,
      sizes_have_at_most_four_digits, durations_are_told_in_the_unit_people_use,
      what_took_less_than_can_be_measured_did_not_take_no_time, a_file_name_cannot_send_an_escape_sequence,
      a_file_name_cannot_turn_around_or_hide_what_stands_beside_it, printable_text_is_cut_between_characters,
      durations_are_parsed_with_their_unit, what_is_no_duration_leaves_the_output_alone, signals_have_their_names)
