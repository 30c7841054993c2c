/* token-view.h - a text entry that shows its text as the model's tokens, in place: every token
 * lies on a quiet chip, the gap between two chips is the space that begins the second, chips
 * without a gap are parts of one word. */
#pragma once

#include <gtk/gtk.h>

#include "trace/preview.h"

G_BEGIN_DECLS

#define CWU_TYPE_TOKEN_VIEW (cwu_token_view_get_type())
G_DECLARE_FINAL_TYPE(CwuTokenView, cwu_token_view, CWU, TOKEN_VIEW, GtkTextView)

/* Signal "activated": Enter was pressed; Shift+Enter begins a new line. */
CwuTokenView *cwu_token_view_new(void);
/* Tokens of the text shown, borrowed for the call; those of another text are not drawn, NULL
 * draws none. O(n). */
void cwu_token_view_set_preview(CwuTokenView *self, const CwuPreview *preview);
char *cwu_token_view_dup_text(CwuTokenView *self);
void cwu_token_view_set_text(CwuTokenView *self, const char *text);

G_END_DECLS
