/* small-text.h - a text for the golden models, and a disk that can be full. */
#pragma once

#include "program.h"

#define SMALL_TEXT_DOCUMENTS 40
#define SMALL_TEXT_TOKENS    100 /* of each document */

/* Token ids below 253, of documents one behind the other. */
void small_text_write(const char *path);

/* A file system of its own of so many bytes where the system lets one be mounted; else an
 * ordinary folder, in which runs that are squeezed may not write files of more than the room
 * that they have. */
typedef struct {
  char *folder;
  guint64 n_bytes;
  bool is_mounted;
} SmallDisk;

void small_disk_init(SmallDisk *disk, const char *folder, guint64 n_bytes);
void small_disk_clear(SmallDisk *disk);
/* Runs clew with so many bytes of room. */
Outcome *small_disk_run_squeezed(const SmallDisk *disk, guint64 room,
                                 const char *const *arguments);

/* Both folders hold the same names, and under each the same bytes. */
void assert_same_folder(const char *a, const char *b);
