/* export-dialog.h - asks how a picture is to be exported, shows it small, and writes it. Knows
 * its subject and nothing of the window. */
#pragma once

#include <adwaita.h>

#include "window/picture-subject.h"

G_BEGIN_DECLS

#define CWU_TYPE_EXPORT_DIALOG (cwu_export_dialog_get_type())
G_DECLARE_FINAL_TYPE(CwuExportDialog, cwu_export_dialog, CWU, EXPORT_DIALOG, AdwWindow)

typedef enum { CWU_FORMAT_PDF, CWU_FORMAT_SVG, CWU_FORMAT_PNG } CwuExportFormat;

/* Modal for parent (may be NULL). Signal "exported" (GFile *) when the file is written; the
 * dialog closes then. A failure is told in the dialog, which stays. */
CwuExportDialog *cwu_export_dialog_new(GtkWindow *parent, CwuPictureSubject *subject);

/* What is chosen, as code chooses it. size: CWU_N_SIZES is one's own numbers. */
void cwu_export_dialog_set_format(CwuExportDialog *self, CwuExportFormat format);
void cwu_export_dialog_set_size(CwuExportDialog *self, CwuPictureSize size);
void cwu_export_dialog_set_scope(CwuExportDialog *self, CwuPictureScope scope);
void cwu_export_dialog_get_options(CwuExportDialog *self, CwuPictureOptions *options);

/* Writes the file as if it had been chosen in the file chooser. */
void cwu_export_dialog_save(CwuExportDialog *self, GFile *file);
/* The small picture is that of what is chosen: for tests. */
gboolean cwu_export_dialog_is_current(CwuExportDialog *self);
/* The failure told, NULL if none is: for tests. */
const char *cwu_export_dialog_peek_failure(CwuExportDialog *self);

G_END_DECLS
