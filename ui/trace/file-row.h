/* file-row.h - a row that chooses a model or a transcoder: a file, a folder, or the one that
 * comes with Clew. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define CWU_TYPE_FILE_ROW (cwu_file_row_get_type())
G_DECLARE_FINAL_TYPE(CwuFileRow, cwu_file_row, CWU, FILE_ROW, GtkWidget)

/* Signal "changed": the user has chosen. title and tooltip: translated; suffix: of the files
 * that are offered, without its dot. */
CwuFileRow *cwu_file_row_new(const char *title, const char *tooltip, const char *suffix);
/* NULL: the one that comes with Clew. */
const char *cwu_file_row_peek_path(CwuFileRow *self);
void cwu_file_row_set_path(CwuFileRow *self, const char *path);
/* The one that should come with Clew is not there. */
void cwu_file_row_set_missing(CwuFileRow *self, bool is_missing);

G_END_DECLS
