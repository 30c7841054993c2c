/* run-form.h - a form for a new run. Common fields first, all others behind an expander that
 * can be searched; what is wrong is told at its row; the command line that comes of it below.
 */
#pragma once

#include <adwaita.h>

#include "runs/run-draft.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_FORM (cwu_run_form_get_type())
G_DECLARE_FINAL_TYPE(CwuRunForm, cwu_run_form, CWU, RUN_FORM, AdwBin)

/* Signals: "start" when the user wants it and nothing is wrong; "cancel". root: folder of runs.
 */
CwuRunForm *cwu_run_form_new(CwRunKind kind, const char *root);
CwuRunDraft *cwu_run_form_peek_draft(CwuRunForm *self);
/* Shows the draft anew, after it was changed from outside. */
void cwu_run_form_update(CwuRunForm *self);
/* Paths offered for a field; NULL-terminated. */
void cwu_run_form_set_suggestions(CwuRunForm *self, const char *key, const char *const *paths);
/* Why it could not be started; NULL: takes that back. */
void cwu_run_form_tell(CwuRunForm *self, const char *message);
/* Keys go to the first field that wants something. */
void cwu_run_form_focus(CwuRunForm *self);

G_END_DECLS
