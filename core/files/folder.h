/* folder.h - a folder of plain files, taken away. */
#pragma once

#include "cw-base.h"

/* Removes folder and the files in it; `first` (or NULL) before the others. Folders within stay,
 * and so does what the system does not let go. */
void cw_folder_remove(const char *folder, const char *first);
