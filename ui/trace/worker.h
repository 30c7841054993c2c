/* worker.h - the thread that runs models: it loads one model and one transcoder, keeps them,
 * previews prompts and traces them.
 *
 * All functions belong to the thread that made the worker (its thread-default main context);
 * events arrive there. Nothing here waits for the worker: a newer wish of a kind replaces an
 * older one, one that runs is cancelled, and its event is left out or carries an older
 * generation. Order of work: load, trace, preview. */
#pragma once

#include "trace/preview.h"
#include "trace/trace-request.h"

G_BEGIN_DECLS

typedef struct _CwuWorker CwuWorker;

/* Borrowed arguments unless said otherwise; generations are those of the wish. */
typedef struct {
  /* Once when the model is there (is_done false), once when the transcoder fits it too; an
   * error ends the load. `model` is NULL if it could not be loaded.
   * made_for: the other model that the transcoder says it was made for, or NULL. */
  void (*loaded)(gpointer user_data, guint generation, CwModel *model, bool is_done,
                 const char *made_for, const GError *error);
  /* Tokens of a text that was long or came before the model; takes the preview. */
  void (*tokenised)(gpointer user_data, guint generation, CwuPreview *preview);
  /* Takes next, NULL with an error. */
  void (*predicted)(gpointer user_data, guint generation, CwuNextToken *next, size_t n,
                    const GError *error);
  void (*progressed)(gpointer user_data, guint generation, const char *phase, double fraction);
  /* Takes graph; takes error. */
  void (*traced)(gpointer user_data, guint generation, CwGraph *graph, GError *error);
} CwuWorkerEvents;

CwuWorker *cwu_worker_new(const CwuWorkerEvents *events, gpointer user_data);
/* No event comes after this. What runs is cancelled; the thread frees everything when it sees
 * that, at the latest when a load under way ends. */
void cwu_worker_close(CwuWorker *worker);

/* Drops what is loaded, and loads these instead; paths may be NULL (nothing to load). Running
 * and waiting work is cancelled. */
void cwu_worker_load(CwuWorker *worker, guint generation, const char *model,
                     const char *transcoder);
/* text: transfer full, tokenised by the worker; or NULL, and tokens: transfer full. */
void cwu_worker_preview(CwuWorker *worker, guint generation, char *text, int32_t *tokens,
                        size_t n_tokens);
void cwu_worker_cancel_preview(CwuWorker *worker);
void cwu_worker_trace(CwuWorker *worker, guint generation, const CwuTraceRequest *request);
void cwu_worker_cancel_trace(CwuWorker *worker);
/* Whether the thread works on anything, or has something to do. */
bool cwu_worker_is_busy(CwuWorker *worker);

G_END_DECLS
