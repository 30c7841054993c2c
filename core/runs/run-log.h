/* run-log.h - the end of a log. */
#pragma once

#include "cw-base.h"

#define CW_RUN_LOG_FILE "log.txt"

/* The last n_lines of a file, from its last 64 KiB; "" where it is not there or empty. UTF-8 is
 * made valid; what a terminal would have wiped off a line by a carriage return or an escape is
 * left out. Transfer full. */
char *cw_run_log_dup_tail(const char *path, size_t n_lines);
