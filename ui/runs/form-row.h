/* form-row.h - a row of a form: one field of a draft, with its default, its help, and in place
 * of the help what is wrong with it. */
#pragma once

#include <adwaita.h>

#include "runs/run-draft.h"

G_BEGIN_DECLS

#define CWU_TYPE_FORM_ROW (cwu_form_row_get_type())
G_DECLARE_FINAL_TYPE(CwuFormRow, cwu_form_row, CWU, FORM_ROW, AdwActionRow)

/* Signals: "changed" after the user changed the field in the draft; "activate-form" for Enter
 * in a text. The draft is borrowed and outlives the row. */
CwuFormRow *cwu_form_row_new(CwuRunDraft *draft, size_t field);
size_t cwu_form_row_get_field(CwuFormRow *self);
/* Shows the draft as it is now. An empty field that is needed counts as wrong only where
 * is_asked. Returns whether nothing is wrong. */
bool cwu_form_row_update(CwuFormRow *self, bool is_asked);
/* Something to be told with the help: what comes of the value. "": nothing. */
void cwu_form_row_set_note(CwuFormRow *self, const char *note);
/* Paths that a click offers; NULL-terminated. */
void cwu_form_row_set_suggestions(CwuFormRow *self, const char *const *paths);
/* Whether the words are in the field's name or help, in any case. */
bool cwu_form_row_matches(CwuFormRow *self, const char *words);

G_END_DECLS
