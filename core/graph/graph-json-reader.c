/* graph-json-reader.c - graph JSON of circuit-tracer, Neuronpedia and Anthropic, in one pass.
 *
 * The file is read whole and stays in memory: what a graph does not understand (keys of other
 * programs, the text of numbers) is given back from it on saving. Beside it only nodes and
 * links are kept, so a graph takes less than twice its file. */
#include "graph/graph-json-reader.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "graph/view-state.h"

void
cw_graph_reader_note(CwGraphReader *reader, size_t count, const char *format, ...)
{
  va_list args;
  if (count == 0)
    return;
  va_start(args, format);
  g_ptr_array_add(reader->report.messages, g_strdup_vprintf(format, args));
  va_end(args);
}

bool
cw_graph_reader_fail_memory(CwGraphReader *reader)
{
  if (!reader->pull.has_failed)
    g_set_error(reader->error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "%s: no memory for %zu nodes and %zu links", reader->pull.path, reader->n_nodes,
                reader->n_links);
  reader->pull.has_failed = true;
  return false;
}

static char *
read_optional_text(CwJsonPull *pull)
{
  CwJsonSpan span;
  if (cw_json_pull_peek(pull) != '"') {
    cw_json_pull_skip(pull, NULL);
    return NULL;
  }
  return cw_json_pull_string(pull, &span) ? cw_json_span_unescape(span) : NULL;
}

static int64_t
read_optional_count(CwJsonPull *pull)
{
  double value = NAN;
  if (cw_json_pull_peek(pull) == '0')
    cw_json_pull_number(pull, &value, NULL);
  else
    cw_json_pull_skip(pull, NULL);
  return value >= 0 && value < CW_GRAPH_JSON_MAX_LAYERS ? (int64_t)value : -1;
}

static bool
read_prompt_tokens(CwGraphReader *reader)
{
  CwJsonPull *pull = &reader->pull;
  bool is_first = true;
  if (cw_json_pull_peek(pull) != '[')
    return cw_json_pull_skip(pull, NULL);
  cw_json_pull_enter(pull, '[');
  g_ptr_array_set_size(reader->prompt_tokens, 0);
  while (cw_json_pull_next_element(pull, &is_first)) {
    if (reader->prompt_tokens->len >= CW_GRAPH_JSON_MAX_POSITIONS)
      return cw_json_pull_fail(pull, pull->at, "more than %d prompt tokens",
                               CW_GRAPH_JSON_MAX_POSITIONS);
    g_ptr_array_add(reader->prompt_tokens, read_optional_text(pull));
  }
  return !pull->has_failed;
}

static bool
read_metadata(CwGraphReader *reader)
{
  CwJsonPull *pull = &reader->pull;
  CwJsonSpan key;
  bool is_first = true;
  if (cw_json_pull_peek(pull) != '{')
    return cw_json_pull_skip(pull, NULL);
  const char *at = pull->at;
  cw_json_pull_enter(pull, '{');
  while (cw_json_pull_next_member(pull, &is_first, &key)) {
    if (cw_json_span_equals(key, "prompt_tokens")) {
      read_prompt_tokens(reader);
    } else if (cw_json_span_equals(key, "prompt")) {
      g_free(reader->prompt);
      reader->prompt = read_optional_text(pull);
    } else if (cw_json_span_equals(key, "schema_version")) {
      reader->schema_version = read_optional_count(pull);
    } else if (cw_json_span_equals(key, "n_layers")) {
      reader->n_layers = read_optional_count(pull);
    } else if (cw_json_span_equals(key, "generation_settings") &&
               cw_json_pull_peek(pull) == '{') {
      cw_json_pull_skip(pull, &reader->settings);
    } else {
      cw_json_pull_skip(pull, NULL);
    }
  }
  reader->metadata = (CwJsonSpan){ at, (size_t)(pull->at - at) };
  return !pull->has_failed;
}

typedef struct {
  bool has_metadata, has_q_params, has_nodes, has_links;
  const char *links; /* seen before the nodes, to be read after them */
} TopLevel;

static bool
refuse_twice(CwGraphReader *reader, CwJsonSpan key, bool *has)
{
  if (*has)
    return cw_json_pull_fail(&reader->pull, key.at, "\"%.*s\" is there twice", (int)key.n,
                             key.at);
  *has = true;
  return true;
}

static bool
read_top_member(CwGraphReader *reader, CwJsonSpan key, TopLevel *top)
{
  CwJsonPull *pull = &reader->pull;
  if (cw_json_span_equals(key, "metadata"))
    return refuse_twice(reader, key, &top->has_metadata) && read_metadata(reader);
  if (cw_json_span_equals(key, "qParams"))
    return refuse_twice(reader, key, &top->has_q_params) &&
           cw_json_pull_skip(pull, &reader->q_params);
  if (cw_json_span_equals(key, "nodes"))
    return refuse_twice(reader, key, &top->has_nodes) && cw_graph_json_read_nodes(reader);
  if (cw_json_span_equals(key, "links")) {
    if (!refuse_twice(reader, key, &top->has_links))
      return false;
    if (top->has_nodes)
      return cw_graph_json_read_links(reader);
    top->links = pull->at;
  }
  return cw_json_pull_skip(pull, NULL);
}

static bool
read_top(CwGraphReader *reader)
{
  CwJsonPull *pull = &reader->pull;
  TopLevel top = { 0 };
  CwJsonSpan key;
  bool is_first = true;
  if (!cw_json_pull_enter(pull, '{'))
    return false;
  while (cw_json_pull_next_member(pull, &is_first, &key))
    if (!read_top_member(reader, key, &top))
      return false;
  if (!cw_json_pull_finish(pull))
    return false;
  if (!top.has_nodes)
    return cw_json_pull_fail(pull, pull->end,
                             "there is no list \"nodes\"; this is JSON, but no attribution "
                             "graph");
  if (top.links != NULL) {
    pull->at = top.links;
    if (!cw_graph_json_read_links(reader))
      return false;
  }
  cw_graph_reader_note(reader, !top.has_links, "The file has no list \"links\"");
  cw_graph_reader_note(reader, !top.has_metadata, "The file has no \"metadata\"");
  return true;
}

static void
note_counts(CwGraphReader *reader)
{
  const CwLoadReport *report = &reader->report;
  cw_graph_reader_note(reader, report->n_duplicate_nodes,
                       "%zu nodes have the node_id of an earlier one; they are kept apart",
                       report->n_duplicate_nodes);
  cw_graph_reader_note(reader, report->n_dropped_links,
                       "%zu links begin or end at a node that is not in the file and are not "
                       "shown",
                       report->n_dropped_links);
  cw_graph_reader_note(reader, report->n_duplicate_links,
                       "%zu links have the ends of an earlier one; their weights were added up",
                       report->n_duplicate_links);
  cw_graph_reader_note(reader, report->n_backward_links,
                       "%zu links lead from a later to an earlier layer",
                       report->n_backward_links);
  cw_graph_reader_note(reader, report->n_zero_links, "%zu links have no weight",
                       report->n_zero_links);
  cw_graph_reader_note(reader, report->n_missing_fields,
                       "%zu expected fields of nodes and links are missing or unreadable",
                       report->n_missing_fields);
}

static void
finish_metadata(CwGraphReader *reader, CwGraphParts *parts)
{
  size_t n = (size_t)parts->n_positions;
  parts->prompt = g_steal_pointer(&reader->prompt);
  parts->prompt_tokens = g_new0(char *, n + 1);
  for (size_t i = 0; i < reader->prompt_tokens->len; i++)
    parts->prompt_tokens[i] = g_steal_pointer(&reader->prompt_tokens->pdata[i]);
  if (reader->settings.at != NULL)
    parts->settings_json = g_strndup(reader->settings.at, reader->settings.n);
}

/* The graph of what was read; text stays the caller's on failure. */
static CwGraph *
make_graph(CwGraphReader *reader, char *text, size_t n)
{
  CwGraphParts parts = { 0 };
  g_autofree uint32_t *link_edge = NULL;
  if (!cw_graph_json_finish_nodes(reader, &parts) ||
      !cw_graph_json_finish_links(reader, &parts, &link_edge)) {
    cw_graph_parts_clear(&parts);
    return NULL;
  }
  finish_metadata(reader, &parts);
  parts.labels = g_steal_pointer(&reader->labels);
  CwGraph *graph = cw_graph_new_take(&parts, reader->cancel, reader->error);
  if (graph == NULL) {
    g_prefix_error(reader->error, "%s: ", reader->pull.path);
    return NULL;
  }
  graph->text = g_new0(CwGraphText, 1);
  graph->text->text = text;
  graph->text->n_text = n;
  graph->text->link_edge = g_steal_pointer(&link_edge);
  graph->text->n_links = reader->n_links;
  if (reader->ids != NULL)
    reader->ids[reader->n_nodes] = NULL;
  graph->text->node_ids = g_steal_pointer(&reader->ids);
  if (reader->metadata.at != NULL)
    graph->text->metadata_json = g_strndup(reader->metadata.at, reader->metadata.n);
  return graph;
}

static void
reader_clear(CwGraphReader *reader)
{
  for (size_t i = 0; i < reader->n_nodes; i++) {
    if (reader->ids != NULL)
      g_free(reader->ids[i]);
    if (reader->labels != NULL)
      g_free(reader->labels[i]);
  }
  g_free(reader->ids);
  g_free(reader->labels);
  g_free(reader->nodes);
  g_free(reader->prompt);
  g_ptr_array_unref(reader->prompt_tokens);
  cw_node_table_clear(&reader->table);
  g_free(reader->link_source);
  g_free(reader->link_target);
  g_free(reader->link_weight);
  cw_load_report_clear(&reader->report);
}

CwGraph *
cw_graph_json_read_take(char *text, size_t n, const char *path, CwLoadReport *report,
                        CwViewState *state, CwCancel *cancel, GError **error)
{
  CwGraph *graph = NULL;
  CwViewState found = { NAN, NAN, NULL };
  CwGraphReader reader = { .cancel = cancel, .schema_version = -1, .n_layers = -1 };
  g_autoptr(GError) failure = NULL;
  reader.error = &failure;
  reader.prompt_tokens = g_ptr_array_new_with_free_func(g_free);
  reader.report.messages = g_ptr_array_new_with_free_func(g_free);
  cw_json_pull_init(&reader.pull, path, text, n, &failure);
  if (read_top(&reader) && cw_view_state_read(&reader.pull, reader.q_params, &found) &&
      (graph = make_graph(&reader, text, n)) != NULL) {
    reader.report.n_nodes = reader.n_nodes;
    reader.report.n_links = reader.n_links;
    note_counts(&reader);
  }
  if (graph == NULL) {
    g_free(text);
    cw_view_state_clear(&found);
    g_propagate_error(error, g_steal_pointer(&failure));
  } else {
    if (report != NULL) {
      *report = reader.report;
      memset(&reader.report, 0, sizeof reader.report);
    }
    if (state != NULL)
      *state = found;
    else
      cw_view_state_clear(&found);
  }
  reader_clear(&reader);
  return graph;
}
