/* trace-request.c - see trace-request.h. */
#include "trace/trace-request.h"

CwuTraceRequest *
cwu_trace_request_new(const char *text)
{
  CwuTraceRequest *request = g_new0(CwuTraceRequest, 1);
  request->text = g_strdup(text);
  cw_attribution_options_init(&request->options);
  return request;
}

CwuTraceRequest *
cwu_trace_request_new_for_tokens(const int32_t *tokens, size_t n_tokens)
{
  CwuTraceRequest *request = cwu_trace_request_new(NULL);
  request->tokens = g_memdup2(tokens, n_tokens * sizeof *tokens);
  request->n_tokens = n_tokens;
  return request;
}

CwuTraceRequest *
cwu_trace_request_copy(const CwuTraceRequest *request)
{
  CwuTraceRequest *copy = g_memdup2(request, sizeof *request);
  copy->text = g_strdup(request->text);
  copy->tokens = g_memdup2(request->tokens, request->n_tokens * sizeof *request->tokens);
  copy->target_texts = g_strdupv(request->target_texts);
  return copy;
}

void
cwu_trace_request_free(CwuTraceRequest *request)
{
  if (request == NULL)
    return;
  g_free(request->text);
  g_free(request->tokens);
  g_strfreev(request->target_texts);
  g_free(request);
}

static bool
parse_targets(const CwuTraceRequest *request, const CwModel *model,
              CwAttributionOptions *options, int32_t **ids, GError **error)
{
  size_t n = request->target_texts != NULL ? g_strv_length(request->target_texts) : 0;
  if (options->targets == CW_TARGETS_TOP_LOGITS || n == 0)
    return true;
  g_autofree int32_t *tokens = g_new0(int32_t, n);
  for (size_t i = 0; i < n; i++)
    if (!cw_attribution_parse_target(model, request->target_texts[i], &tokens[i], error))
      return false;
  options->target_tokens = *ids = g_steal_pointer(&tokens);
  options->n_target_tokens = n;
  return true;
}

CwGraph *
cwu_trace_request_run(const CwuTraceRequest *request, CwModel *model, CwTranscoder *transcoder,
                      CwkDevice *device, const CwProgress *progress, CwCancel *cancel,
                      GError **error)
{
  CwAttributionOptions options = request->options;
  g_autofree int32_t *targets = NULL, *encoded = NULL;
  const int32_t *tokens = request->tokens;
  size_t n_tokens = request->n_tokens;
  if (request->text != NULL) {
    encoded = cw_attribution_prompt(cw_model_peek_tokenizer(model), request->text, -1,
                                    &n_tokens, error);
    if (encoded == NULL)
      return NULL;
    tokens = encoded;
  }
  if (!parse_targets(request, model, &options, &targets, error))
    return NULL;
  return cw_attribute(model, transcoder, device, tokens, n_tokens, &options, progress, cancel,
                      NULL, error);
}
