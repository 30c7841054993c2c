/* context.h - what the windows of one program share: where its data lies, the store of unsaved
 * documents. */
#pragma once

#include "cwu-window.h"
#include "models/autosave-store.h"

G_BEGIN_DECLS

const CwuPlaces *cwu_context_peek_places(CwuContext *self);
CwuAutosaveStore *cwu_context_peek_store(CwuContext *self);

G_END_DECLS
