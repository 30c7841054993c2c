/* run-layers.c - see run-layers.h. What cannot be understood is left out: it is no error of the
 * run that there is one chart less. */
#include "runs/run-layers.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define MAX_REPORT_BYTES ((goffset)16 << 20)
#define MAX_LAYERS       4096
#define MAX_DEPTH        32

/* By its key, as in the metrics of a training, and in a layer of a report. */
static const struct {
  const char *key, *in_report;
} rows[] = { { "layer_explained_variance", "explained_variance" },
             { "layer_l0", "l0" },
             { "layer_dead", "dead_features" } };

static double
number_of(JsonNode *node)
{
  bool is_number = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) != G_TYPE_STRING;
  return is_number ? json_node_get_double(node) : NAN;
}

static CwRunCurve *
curve_new(const char *key, size_t n)
{
  CwRunCurve *curve = g_new(CwRunCurve, 1);
  double *x = g_new(double, n);
  for (size_t l = 0; l < n; l++)
    x[l] = (double)l;
  *curve = (CwRunCurve){ .key = g_strdup(key), .n = n, .x = x, .y = g_new(double, n) };
  return curve;
}

/* Array of numbers at `key` of a line. */
static void
add_of_line(GPtrArray *curves, const char *key, const char *line)
{
  g_autoptr(JsonNode) root = line != NULL ? json_from_string(line, NULL) : NULL;
  JsonNode *node = root != NULL && JSON_NODE_HOLDS_OBJECT(root)
                       ? json_object_get_member(json_node_get_object(root), key)
                       : NULL;
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
    return;
  JsonArray *array = json_node_get_array(node);
  size_t n = json_array_get_length(array);
  if (n == 0 || n > MAX_LAYERS)
    return;
  CwRunCurve *curve = curve_new(key, n);
  for (size_t l = 0; l < n; l++)
    ((double *)curve->y)[l] = number_of(json_array_get_element(array, (guint)l));
  g_ptr_array_add(curves, curve);
}

/* json-glib recurses: a file that somebody has damaged must not end the program. */
static bool
is_shallow(const char *text)
{
  int depth = 0;
  bool is_in_string = false;
  for (const char *p = text; *p != '\0'; p++) {
    if (is_in_string && *p == '\\' && p[1] != '\0')
      p++;
    else if (*p == '"')
      is_in_string = !is_in_string;
    else if (!is_in_string && (*p == '{' || *p == '['))
      depth++;
    else if (!is_in_string && (*p == '}' || *p == ']'))
      depth--;
    if (depth > MAX_DEPTH)
      return false;
  }
  return true;
}

static JsonNode *
read_report(const char *path)
{
  GStatBuf info;
  g_autofree char *text = NULL;
  if (g_stat(path, &info) != 0 || info.st_size > MAX_REPORT_BYTES ||
      !g_file_get_contents(path, &text, NULL, NULL) || !is_shallow(text))
    return NULL;
  return json_from_string(text, NULL);
}

/* activations.layers of a report, or NULL. */
static JsonArray *
layers_of(JsonNode *report)
{
  JsonNode *node = report;
  static const char *const path[] = { "activations", "layers" };
  for (size_t i = 0; i < G_N_ELEMENTS(path); i++) {
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
      return NULL;
    node = json_object_get_member(json_node_get_object(node), path[i]);
  }
  return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static double
member_of(JsonNode *layer, const char *name)
{
  return JSON_NODE_HOLDS_OBJECT(layer)
             ? number_of(json_object_get_member(json_node_get_object(layer), name))
             : NAN;
}

static void
add_of_report(GPtrArray *curves, const char *path)
{
  g_autoptr(JsonNode) report = read_report(path);
  JsonArray *layers = report != NULL ? layers_of(report) : NULL;
  size_t n = layers != NULL ? json_array_get_length(layers) : 0;
  if (n == 0 || n > MAX_LAYERS)
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    CwRunCurve *curve = curve_new(rows[i].key, n);
    for (size_t l = 0; l < n; l++)
      ((double *)curve->y)[l] =
          member_of(json_array_get_element(layers, (guint)l), rows[i].in_report);
    g_ptr_array_add(curves, curve);
  }
}

void
cwu_run_layers_add(GPtrArray *curves, const CwRun *run)
{
  const CwRunFacts *facts = cw_run_peek_facts(run);
  if (facts->kind == CW_RUN_EVALUATION && facts->result != NULL)
    add_of_report(curves, facts->result);
  /* Curves show the others well enough; which layers lag behind is what one looks for. */
  if (facts->kind == CW_RUN_TRAINING)
    add_of_line(curves, rows[0].key, cw_run_peek_last_line(run, rows[0].key));
}
