/* engine.h - the model behind the window: one model and one transcoder that stay loaded, quick
 * previews of the prompt while it is typed, and traces.
 *
 * No widgets. Everything is called on, and told on, the thread that made the engine; nothing
 * blocks it. The work is done by one thread of the engine's own (worker.h), which dropping the
 * last reference cancels without waiting for it. */
#pragma once

#include <gio/gio.h>

#include "trace/preview.h"
#include "trace/trace-request.h"

G_BEGIN_DECLS

#define CWU_TYPE_ENGINE (cwu_engine_get_type())
G_DECLARE_FINAL_TYPE(CwuEngine, cwu_engine, CWU, ENGINE, GObject)

typedef enum {
  CWU_ENGINE_NO_MODEL, /* there is no model file, or no transcoder */
  CWU_ENGINE_LOADING,
  CWU_ENGINE_READY,
  CWU_ENGINE_FAILED /* the model or the transcoder cannot be used */
} CwuEngineState;

/* Properties (all notify): "state" (int, CwuEngineState), "message" (what is wrong and what to
 * do, NULL while all is well), "is-tracing", "phase" (for people, NULL between traces),
 * "fraction" (of the whole trace, 0..1, never falls during one).
 * Signal "preview-changed": what cwu_engine_peek_preview or _peek_next says is new. */
CwuEngine *cwu_engine_new(void);

/* Loads these files; the same paths again change nothing unless they failed. NULL: none. A
 * running trace ends with CW_ERROR_CANCELLED. */
void cwu_engine_set_paths(CwuEngine *self, const char *model, const char *transcoder);
const char *cwu_engine_peek_model_path(CwuEngine *self);
const char *cwu_engine_peek_transcoder_path(CwuEngine *self);
CwuEngineState cwu_engine_get_state(CwuEngine *self);
const char *cwu_engine_peek_message(CwuEngine *self);
CwModel *cwu_engine_peek_model(CwuEngine *self); /* NULL before it is loaded */

/* ---- preview ---------------------------------------------------------------------------- */

/* Asks for the tokens of a text and what comes next; replaces any earlier wish. A short text's
 * tokens are there when this returns if the model is. */
void cwu_engine_preview(CwuEngine *self, const char *text);
/* Of the newest text; NULL while its tokens are not known, also without a model. */
const CwuPreview *cwu_engine_peek_preview(CwuEngine *self);
/* What the model says next, the most probable first; n = 0 if that is not known.
 * *is_current: of the newest text, not of an earlier one. */
const CwuNextToken *cwu_engine_peek_next(CwuEngine *self, size_t *n, bool *is_current);
/* A target as the user types it: one token's id and piece (transfer full, may be NULL), or an
 * error that names what the text splits into. */
bool cwu_engine_resolve_target(CwuEngine *self, const char *text, int32_t *id, char **piece,
                               GError **error);

/* ---- trace ------------------------------------------------------------------------------ */

/* A newer trace ends an older one with CW_ERROR_CANCELLED. A trace asked for while the model
 * loads waits for it. The callback's source is NULL: a trace does not keep the engine, which
 * ends it when it is freed. */
void cwu_engine_trace_async(CwuEngine *self, const CwuTraceRequest *request,
                            GAsyncReadyCallback callback, gpointer user_data);
CwGraph *cwu_engine_trace_finish(GAsyncResult *result, GError **error);
/* The trace, if there is one, ends at once with CW_ERROR_CANCELLED; its work within 0.2 s. */
void cwu_engine_cancel_trace(CwuEngine *self);
bool cwu_engine_is_tracing(CwuEngine *self);
const char *cwu_engine_peek_phase(CwuEngine *self);
double cwu_engine_get_fraction(CwuEngine *self);
/* Whether the engine's thread does or has anything to do. */
bool cwu_engine_is_busy(CwuEngine *self);

G_END_DECLS
