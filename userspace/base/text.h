/* text.h - text for people and for JSON out of bytes that may be anything. Layer: base. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** True when the @p n bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool text_is_utf8(const char *bytes, size_t n);

/** U+FFFD: it stands where something was not UTF-8. */
#define TEXT_REPLACED "\xef\xbf\xbd"

/** A JSON string of @p n bytes: each byte that is not UTF-8 becomes U+FFFD. New reference. NULL: out of memory. */
json_t *text_json(const char *bytes, size_t n);

/**
 * Sets @p key of @p object to the text, and, when it is not UTF-8, "<key>_hex" to the bytes in lower-case hex
 * (the Contract's rule for paths and argv). @return 0 or -ENOMEM.
 */
int text_json_set(json_t *object, const char *key, const char *bytes, size_t n);

/** RFC 3339 UTC with microseconds, "2026-11-21T03:15:02.123456Z", of nanoseconds since the epoch. */
#define TEXT_TIME_LEN 32
void text_time(char ret[TEXT_TIME_LEN], int64_t realtime_ns);

/** "8.1 KiB", "340 MiB": binary units, at most four digits. */
#define TEXT_BYTES_LEN 24
void text_bytes(char ret[TEXT_BYTES_LEN], uint64_t bytes);

/** "1.2 ms", "340 us", "3 s", "2 min 5 s" of nanoseconds. */
#define TEXT_DURATION_LEN 32
void text_duration(char ret[TEXT_DURATION_LEN], uint64_t ns);
/** The same of a time that was rounded down to @p n times @p unit_ns: of none, "< 1 us" or "< 1 ms". */
void text_measured(char ret[TEXT_DURATION_LEN], uint64_t n, uint64_t unit_ns);

/** Copies @p text for a terminal: control characters, such as turn the writing direction or show nothing, and invalid UTF-8 become
 * '?', so that no file name can send an escape sequence or look like another. @p ret is always NUL-terminated; the text is cut at @p size - 1 bytes on a character boundary. */
void text_printable(char *ret, size_t size, const char *text);

/** Parses "90", "90s", "5m", "2h", "1d" into milliseconds. @return 0, -EINVAL or -ERANGE. */
int text_parse_duration(const char *text, uint64_t *ret_ms);

/** Parses "4096", "64K", "512M", "10G", "2T": binary units. @return 0, -EINVAL or -ERANGE. */
int text_parse_bytes(const char *text, uint64_t *ret_bytes);

/** Name of a signal, "SIGKILL", "SIGRTMIN+2"; "signal 99" when it has none. Static or thread-local storage. */
const char *text_signal(int sig);
