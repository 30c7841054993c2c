/* graph-json-copy.c - see graph-json-copy.h.
 *
 * The text was checked when it was read, so it can be walked again and copied piece by piece:
 * keys of other programs, their order, white space and the text of every number stay as they
 * are, and a graph that was neither pruned nor edited is saved byte for byte. */
#include "graph/graph-json-copy.h"

#include "graph/json-pull.h"
#include "graph/view-state.h"

typedef struct {
  const CwGraph *graph;
  const CwPruned *pruned;
  const CwViewState *state;
  CwJsonWriter *writer;
  CwJsonPull pull;
  const char *copied; /* the text is written up to here */
} Copy;

static void
copy_to(Copy *copy, const char *end)
{
  cw_json_writer_put(copy->writer, copy->copied, (size_t)(end - copy->copied));
  copy->copied = end;
}

static bool
keeps_node(const Copy *copy, size_t i)
{
  return copy->pruned->node_mask[i] != 0;
}

static bool
keeps_link(const Copy *copy, size_t i)
{
  uint32_t edge = copy->graph->text->link_edge[i];
  return edge != UINT32_MAX && copy->pruned->edge_mask[edge] != 0;
}

/* Copies a list without the elements that are not kept. An element's white space is that before
 * it, so the list keeps its layout. */
static bool
copy_list(Copy *copy, bool (*keeps)(const Copy *copy, size_t i))
{
  CwJsonPull *pull = &copy->pull;
  bool is_first = true, has_written = false;
  cw_json_pull_enter(pull, '[');
  copy_to(copy, pull->at);
  const char *before = pull->at; /* behind '[' or ',' */
  for (size_t i = 0; cw_json_pull_next_element(pull, &is_first); i++) {
    CwJsonSpan element;
    if (i > 0)
      for (before = copy->copied; *before != ','; before++)
        continue;
    before += i > 0;
    if (!cw_json_pull_skip(pull, &element))
      return false;
    if (keeps(copy, i)) {
      if (has_written)
        cw_json_writer_put(copy->writer, ",", 1);
      copy->copied = before;
      copy_to(copy, pull->at);
      has_written = true;
    }
    copy->copied = pull->at;
  }
  return !pull->has_failed;
}

/* The member's value is next; it is copied as it is or replaced. */
static bool
copy_member(Copy *copy, CwJsonSpan key, bool *has_q_params)
{
  CwJsonPull *pull = &copy->pull;
  CwJsonSpan value;
  if (cw_json_span_equals(key, "qParams")) {
    *has_q_params = true;
    cw_json_pull_peek(pull);
    copy_to(copy, pull->at);
    if (!cw_json_pull_skip(pull, &value))
      return false;
    g_autofree char *text = cw_view_state_write(copy->state, value, copy->writer->error);
    if (text == NULL) {
      copy->writer->has_failed = true;
      return false;
    }
    cw_json_writer_put(copy->writer, text, strlen(text));
    copy->copied = pull->at;
    return true;
  }
  if (copy->pruned != NULL && cw_json_span_equals(key, "nodes"))
    return copy_list(copy, keeps_node);
  if (copy->pruned != NULL && cw_json_span_equals(key, "links"))
    return copy_list(copy, keeps_link);
  return cw_json_pull_skip(pull, NULL);
}

bool
cw_graph_json_copy(const CwGraph *graph, const CwPruned *pruned, const CwViewState *state,
                   CwJsonWriter *writer)
{
  const CwGraphText *text = graph->text;
  Copy copy = { graph, pruned, state, writer, .copied = text->text };
  CwJsonSpan key;
  bool is_first = true, has_q_params = false;
  cw_json_pull_init(&copy.pull, "the graph's own text", text->text, text->n_text,
                    writer->error);
  cw_json_pull_enter(&copy.pull, '{');
  const char *last = copy.pull.at; /* behind the last value */
  while (cw_json_pull_next_member(&copy.pull, &is_first, &key)) {
    if (!copy_member(&copy, key, &has_q_params)) {
      writer->has_failed = true;
      return false;
    }
    last = copy.pull.at;
  }
  if (!has_q_params && state != NULL) {
    g_autofree char *q_params = cw_view_state_write(state, (CwJsonSpan){ 0 }, writer->error);
    if (q_params == NULL) {
      writer->has_failed = true;
      return false;
    }
    copy_to(&copy, last);
    cw_json_writer_put(writer, ",\n  \"qParams\": ", strlen(",\n  \"qParams\": "));
    cw_json_writer_put(writer, q_params, strlen(q_params));
  }
  copy_to(&copy, text->text + text->n_text);
  return true;
}
