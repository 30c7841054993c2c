/* file-identity.h - what tells one set of files from another. */
#pragma once

#include "cw-base.h"

/* One file: its SHA-256, as sha256sum prints it. Several: the SHA-256 of the lines that
 * "LC_ALL=C sha256sum *" prints for them, so that anyone can repeat it with a shell. NULL if a
 * file cannot be read. Transfer full.
 *
 * Digests are remembered in the user's cache folder by device, inode, size and time of change,
 * for a model of 100 MB takes half a second to read and is opened many times. Any thread. */
char *cw_files_dup_identity(const GPtrArray *paths);
