/* fuzz-folder.h - a folder for targets whose subject reads several files. */
#pragma once

#include <glib.h>

/* Made at the first call, in memory where there is such a place, and removed at the end. */
const char *fuzz_folder_peek(void);
/* Takes away the files in it. */
void fuzz_folder_empty(void);
void fuzz_folder_write(const char *name, const void *data, gsize n);
/* Appends a file of a folder to a seed; returns its size. */
gsize fuzz_file_append(const char *folder, const char *name, GByteArray *seed);

/* Puts `value` in place of the JSON string behind the first `key` from byte `from` on. */
void fuzz_replace_string(GString *json, gsize from, const char *key, const char *value);
/* Makes the manifest's own checksum right, where it has one. */
void fuzz_repair_checksum(GString *json);
