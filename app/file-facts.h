/* file-facts.h - size and SHA-256 of files. */
#pragma once

#include "run.h"

/* The bytes of a file, or of the files in a folder together; 0 where nothing can be read. */
uint64_t cwa_path_get_size(const char *path);
/* SHA-256 of a file, lower-case hex; read in pieces, with progress, until cancelled. */
char *cwa_file_dup_hash(const char *path, CwaRun *run, GError **error);
