/* next-strip.h - what the model says next: the first few on a button, ten in its popover,
 * where one can be chosen as the trace's target. */
#pragma once

#include <gtk/gtk.h>

#include "trace/preview.h"

G_BEGIN_DECLS

#define CWU_TYPE_NEXT_STRIP (cwu_next_strip_get_type())
G_DECLARE_FINAL_TYPE(CwuNextStrip, cwu_next_strip, CWU, NEXT_STRIP, GtkWidget)

/* Signal "target-chosen" (int id). */
CwuNextStrip *cwu_next_strip_new(void);
/* next: borrowed for the call. Not current: shown dimmed, as of an earlier text. */
void cwu_next_strip_set(CwuNextStrip *self, const CwuNextToken *next, size_t n,
                        bool is_current);

G_END_DECLS
