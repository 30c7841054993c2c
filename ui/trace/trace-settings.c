/* trace-settings.c - see trace-settings.h. */
#include "trace/trace-settings.h"

#define DEFAULT_NODE_THRESHOLD 0.8
#define DEFAULT_EDGE_THRESHOLD 0.98

G_DEFINE_BOXED_TYPE(CwuTraceSettings, cwu_trace_settings, cwu_trace_settings_copy,
                    cwu_trace_settings_free)

/* Words of the schema's "target-kind", by CwTargets. */
static const char *const kinds[] = { "logits", "tokens", "difference" };

CwuTraceSettings *
cwu_trace_settings_new(void)
{
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  CwuTraceSettings *settings = g_new0(CwuTraceSettings, 1);
  settings->kind = options.targets;
  settings->targets = g_new0(char *, 1);
  settings->max_n_logits = options.max_n_logits;
  settings->desired_logit_prob = options.desired_logit_prob;
  settings->max_feature_nodes = options.max_feature_nodes;
  settings->batch_size = options.batch_size;
  settings->update_interval = options.update_interval;
  settings->node_threshold = DEFAULT_NODE_THRESHOLD;
  settings->edge_threshold = DEFAULT_EDGE_THRESHOLD;
  return settings;
}

CwuTraceSettings *
cwu_trace_settings_copy(const CwuTraceSettings *settings)
{
  CwuTraceSettings *copy = g_memdup2(settings, sizeof *settings);
  copy->targets = g_strdupv(settings->targets);
  copy->model_path = g_strdup(settings->model_path);
  copy->transcoder_path = g_strdup(settings->transcoder_path);
  return copy;
}

void
cwu_trace_settings_free(CwuTraceSettings *settings)
{
  if (settings == NULL)
    return;
  g_strfreev(settings->targets);
  g_free(settings->model_path);
  g_free(settings->transcoder_path);
  g_free(settings);
}

bool
cwu_trace_settings_equal(const CwuTraceSettings *a, const CwuTraceSettings *b)
{
  return a->kind == b->kind && a->max_n_logits == b->max_n_logits &&
         a->desired_logit_prob == b->desired_logit_prob &&
         a->max_feature_nodes == b->max_feature_nodes && a->batch_size == b->batch_size &&
         a->update_interval == b->update_interval && a->node_threshold == b->node_threshold &&
         a->edge_threshold == b->edge_threshold &&
         g_strv_equal((const char *const *)a->targets, (const char *const *)b->targets) &&
         g_strcmp0(a->model_path, b->model_path) == 0 &&
         g_strcmp0(a->transcoder_path, b->transcoder_path) == 0;
}

/* Empty in the store: the one that comes with Clew. */
static char *
dup_path(GSettings *store, const char *key)
{
  char *path = g_settings_get_string(store, key);
  if (*path == '\0')
    g_clear_pointer(&path, g_free);
  return path;
}

CwuTraceSettings *
cwu_trace_settings_new_from_store(GSettings *store)
{
  CwuTraceSettings *settings = cwu_trace_settings_new();
  g_autofree char *kind = g_settings_get_string(store, "target-kind");
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (g_str_equal(kind, kinds[i]))
      settings->kind = (CwTargets)i;
  g_strfreev(settings->targets);
  settings->targets = g_settings_get_strv(store, "targets");
  settings->max_n_logits = g_settings_get_int(store, "max-n-logits");
  settings->desired_logit_prob = g_settings_get_double(store, "desired-logit-prob");
  settings->max_feature_nodes = g_settings_get_int(store, "max-feature-nodes");
  settings->batch_size = g_settings_get_int(store, "batch-size");
  settings->update_interval = g_settings_get_int(store, "update-interval");
  settings->node_threshold = g_settings_get_double(store, "node-threshold");
  settings->edge_threshold = g_settings_get_double(store, "edge-threshold");
  settings->model_path = dup_path(store, "model-path");
  settings->transcoder_path = dup_path(store, "transcoder-path");
  return settings;
}

static void
store_path(GSettings *store, const char *key, const char *path)
{
  g_settings_set_string(store, key, path != NULL ? path : "");
}

void
cwu_trace_settings_store(const CwuTraceSettings *settings, GSettings *store)
{
  g_settings_set_string(store, "target-kind", kinds[settings->kind]);
  g_settings_set_strv(store, "targets", (const char *const *)settings->targets);
  g_settings_set_int(store, "max-n-logits", (int)settings->max_n_logits);
  g_settings_set_double(store, "desired-logit-prob", settings->desired_logit_prob);
  g_settings_set_int(store, "max-feature-nodes", (int)settings->max_feature_nodes);
  g_settings_set_int(store, "batch-size", (int)settings->batch_size);
  g_settings_set_int(store, "update-interval", (int)settings->update_interval);
  g_settings_set_double(store, "node-threshold", settings->node_threshold);
  g_settings_set_double(store, "edge-threshold", settings->edge_threshold);
  store_path(store, "model-path", settings->model_path);
  store_path(store, "transcoder-path", settings->transcoder_path);
}

CwuTraceRequest *
cwu_trace_settings_dup_request(const CwuTraceSettings *settings, const char *text)
{
  CwuTraceRequest *request = cwu_trace_request_new(text);
  request->options.targets = settings->kind;
  request->options.max_n_logits = settings->max_n_logits;
  request->options.desired_logit_prob = settings->desired_logit_prob;
  request->options.max_feature_nodes = settings->max_feature_nodes;
  request->options.batch_size = settings->batch_size;
  request->options.update_interval = settings->update_interval;
  request->target_texts = g_strdupv(settings->targets);
  return request;
}
