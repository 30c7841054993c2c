/* atomic-write.h - a file that appears whole or not at all. */
#pragma once

#include "cw-tensor-file.h"

/* What errno says of path, and what to do where the disk is full. */
void cw_file_set_error(GError **error, const char *path, const char *doing);

typedef struct _CwAtomicFile CwAtomicFile;

/* Begins a file that will replace `path` when it is committed; until then it grows beside it
 * under another name. */
CwAtomicFile *cw_atomic_file_begin(const char *path, GError **error);
bool cw_atomic_file_write(CwAtomicFile *file, const void *data, size_t n_bytes, GError **error);
/* Writes over bytes that are already there, such as a header that was not known before. */
bool cw_atomic_file_rewrite(CwAtomicFile *file, uint64_t offset, const void *data,
                            size_t n_bytes, GError **error);
/* Syncs, renames, syncs the folder. Frees `file` in any case; on failure path is as it was. */
bool cw_atomic_file_commit(CwAtomicFile *file, GError **error);
/* Drops what was written. NULL is fine. */
void cw_atomic_file_discard(CwAtomicFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwAtomicFile, cw_atomic_file_discard)
/* Removes what writers of path that were killed have left beside it. None may be at work. */
void cw_atomic_file_clean(const char *path);
