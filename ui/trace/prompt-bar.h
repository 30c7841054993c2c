/* prompt-bar.h - the card at the top of the window: the prompt as the model's tokens, what the
 * model says next, recent prompts, settings, and the button that traces.
 *
 * The bar asks the engine for previews and shows its state and progress; tracing is its
 * owner's: on "trace-requested" the owner starts cwu_prompt_bar_dup_request() on the engine,
 * and tells a failure with cwu_prompt_bar_tell(). */
#pragma once

#include <gtk/gtk.h>

#include "trace/engine.h"
#include "trace/trace-settings.h"

G_BEGIN_DECLS

#define CWU_TYPE_PROMPT_BAR (cwu_prompt_bar_get_type())
G_DECLARE_FINAL_TYPE(CwuPromptBar, cwu_prompt_bar, CWU, PROMPT_BAR, GtkWidget)

/* Properties: "text" (string), "engine" (CwuEngine), "settings" (CwuTraceSettings, boxed),
 * "recent" (GListModel of GtkStringObject, the newest first); all notify.
 * Signals: "trace-requested" (text) - Enter or the button, with a text that can be traced;
 * "cancel-requested" - Escape in the bar or the button, while the engine traces. */
CwuPromptBar *cwu_prompt_bar_new(void);

const char *cwu_prompt_bar_peek_text(CwuPromptBar *self);
void cwu_prompt_bar_set_text(CwuPromptBar *self, const char *text);
void cwu_prompt_bar_set_engine(CwuPromptBar *self, CwuEngine *engine);
const CwuTraceSettings *cwu_prompt_bar_peek_settings(CwuPromptBar *self);
void cwu_prompt_bar_set_settings(CwuPromptBar *self, const CwuTraceSettings *settings);
/* The owner keeps the list; NULL: there is none. */
void cwu_prompt_bar_set_recent(CwuPromptBar *self, GListModel *recent);

/* The text and the settings as the engine takes them. Transfer full. */
CwuTraceRequest *cwu_prompt_bar_dup_request(CwuPromptBar *self);
/* An error of the owner's, shown in the bar until the text changes or it is closed; NULL takes
 * it away. */
void cwu_prompt_bar_tell(CwuPromptBar *self, const char *message);
/* Puts the cursor into the prompt and selects it. */
void cwu_prompt_bar_edit(CwuPromptBar *self);
/* Opens the settings of the trace where model and transcoder are chosen. */
void cwu_prompt_bar_choose_files(CwuPromptBar *self);

G_END_DECLS
