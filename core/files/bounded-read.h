/* bounded-read.h - small text files, read whole under a hard ceiling. */
#pragma once

#include "cw-base.h"

/* Reads a regular file of at most max_bytes; a NUL is put behind the last byte. Transfer full,
 * NULL on error. Devices, pipes and folders are refused before they are opened. */
char *cw_file_read_bounded(const char *path, size_t max_bytes, size_t *n_bytes, GError **error);

/* Whether path is a regular file; else an error that says what it is. */
bool cw_file_check_regular(const char *path, size_t *n_bytes, GError **error);
