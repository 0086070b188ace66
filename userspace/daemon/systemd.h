/* systemd.h - what the service manager is told; nothing happens where there is none. Layer: daemon. */
#pragma once

#include <stdint.h>

/** The daemon watches; @p status is one line for `systemctl status`. */
void systemd_ready(const char *status);
/** The configuration is being read again: until the next systemd_ready(). */
void systemd_reloading(void);
void systemd_stopping(void);
void systemd_status(const char *status);
/** How often systemd_alive() must be called, in us: half of what the manager waits. 0: it does not care. */
uint64_t systemd_watchdog_us(void);
void systemd_alive(void);
