/* turns.h - what is done each second and each minute. Layer: daemon. */
#pragma once

struct daemon;

void turn_second(struct daemon *d);
void turn_minute(struct daemon *d);

/** One line for `systemctl status`. */
#define STATUS_LEN 160
void turn_status(const struct daemon *d, char ret[STATUS_LEN]);
