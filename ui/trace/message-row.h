/* message-row.h - one line below the prompt that says what is wrong and offers what to do. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef enum {
  CWU_MESSAGE_NONE,
  CWU_MESSAGE_WARNING, /* cannot be traced as it is, or not to be trusted */
  CWU_MESSAGE_ERROR
} CwuMessageKind;

#define CWU_TYPE_MESSAGE_ROW (cwu_message_row_get_type())
G_DECLARE_FINAL_TYPE(CwuMessageRow, cwu_message_row, CWU, MESSAGE_ROW, GtkWidget)

/* Signals: "closed", "settings-requested", by its buttons. */
CwuMessageRow *cwu_message_row_new(void);
void cwu_message_row_set(CwuMessageRow *self, CwuMessageKind kind, const char *text,
                         bool has_settings, bool can_close);

G_END_DECLS
