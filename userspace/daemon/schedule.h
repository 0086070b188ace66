/* schedule.h - checks and backups by the calendar. Layer: daemon. */
#pragma once

struct daemon;

/** Begins what is due. Call each second. */
void schedule_turn(struct daemon *d);
