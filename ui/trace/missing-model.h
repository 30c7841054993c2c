/* missing-model.h - what stands in the place of the graph while a prompt is typed that nothing
 * can trace: what is missing, and the way to the settings where it is chosen. */
#pragma once

#include <stdbool.h>

#include "trace/prompt-bar.h"

G_BEGIN_DECLS

/* Says what the engine says, as long as it lives; the settings are the bar's. */
GtkWidget *cwu_missing_model_new(CwuEngine *engine, CwuPromptBar *bar);
/* Whether it has something to say. */
bool cwu_missing_model_is_needed(CwuEngine *engine, CwuPromptBar *bar);

G_END_DECLS
