/* context.h - what the windows of one program share: where its data lies, the store of unsaved
 * documents, the model. */
#pragma once

#include "cwu-window.h"
#include "models/autosave-store.h"
#include "runs/runs-watch.h"
#include "trace/engine.h"

G_BEGIN_DECLS

const CwuPlaces *cwu_context_peek_places(CwuContext *self);
CwuAutosaveStore *cwu_context_peek_store(CwuContext *self);
/* Loads the model of the settings, or the one that comes with Clew, and follows the settings.
 */
CwuEngine *cwu_context_peek_engine(CwuContext *self);
/* The user's runs. */
CwuRunsWatch *cwu_context_peek_runs(CwuContext *self);

G_END_DECLS
