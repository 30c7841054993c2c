/* trace-settings.h - how a prompt is traced, as the user sets it: circuit-tracer's options
 * under its names and with its defaults, the thresholds that a new graph is shown with, the
 * files. */
#pragma once

#include <gio/gio.h>

#include "trace/trace-request.h"

G_BEGIN_DECLS

#define CWU_TYPE_TRACE_SETTINGS (cwu_trace_settings_get_type())
GType cwu_trace_settings_get_type(void);

typedef struct {
  CwTargets kind;
  char **targets; /* as cw_attribution_parse_target takes them; two for a difference */
  int64_t max_n_logits;
  double desired_logit_prob;
  int64_t max_feature_nodes;
  int64_t batch_size, update_interval;
  double node_threshold, edge_threshold;
  char *model_path, *transcoder_path; /* NULL: those that come with Clew */
} CwuTraceSettings;

CwuTraceSettings *cwu_trace_settings_new(void); /* the defaults */
CwuTraceSettings *cwu_trace_settings_copy(const CwuTraceSettings *settings);
void cwu_trace_settings_free(CwuTraceSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuTraceSettings, cwu_trace_settings_free)
bool cwu_trace_settings_equal(const CwuTraceSettings *a, const CwuTraceSettings *b);

/* From and to the keys of the application's schema. */
CwuTraceSettings *cwu_trace_settings_new_from_store(GSettings *store);
void cwu_trace_settings_store(const CwuTraceSettings *settings, GSettings *store);

/* What to trace of a text under these settings. */
CwuTraceRequest *cwu_trace_settings_dup_request(const CwuTraceSettings *settings,
                                                const char *text);

G_END_DECLS
