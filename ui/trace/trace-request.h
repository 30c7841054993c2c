/* trace-request.h - what a trace is asked to do. Plain data, handed over to the worker. */
#pragma once

#include "cw-attribution.h"

G_BEGIN_DECLS

typedef struct {
  char *text;      /* the prompt, a start token is put in front; or NULL, and then */
  int32_t *tokens; /* [n_tokens] ids as they are */
  size_t n_tokens;
  char **target_texts; /* written as cw_attribution_parse_target takes them, or NULL */
  /* target_tokens is filled from target_texts when the trace begins. */
  CwAttributionOptions options;
} CwuTraceRequest;

/* circuit-tracer's defaults. */
CwuTraceRequest *cwu_trace_request_new(const char *text);
CwuTraceRequest *cwu_trace_request_new_for_tokens(const int32_t *tokens, size_t n_tokens);
CwuTraceRequest *cwu_trace_request_copy(const CwuTraceRequest *request);
void cwu_trace_request_free(CwuTraceRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuTraceRequest, cwu_trace_request_free)

/* Runs it, on the calling thread; the same graph as clew attribute makes of the same wishes. */
CwGraph *cwu_trace_request_run(const CwuTraceRequest *request, CwModel *model,
                               CwTranscoder *transcoder, CwkDevice *device,
                               const CwProgress *progress, CwCancel *cancel, GError **error);

G_END_DECLS
