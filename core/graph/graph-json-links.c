/* graph-json-links.c - links of graph JSON, made into rows.
 *
 * Links come in any order, mostly by target. Three arrays grow while they are read; then a
 * counting sort by target gives rows, which are sorted by source only where they are not, and
 * links with the same ends are added up. Per link that is 28 bytes, half of its text. */
#include "graph/graph-json-reader.h"

#include <math.h>
#include <string.h>

#include "graph/json-number.h"

static bool
reserve_link(CwGraphReader *reader)
{
  if (reader->n_links < reader->link_capacity)
    return true;
  size_t capacity = MAX(4096, reader->link_capacity + reader->link_capacity / 2);
  void *source = g_try_realloc_n(reader->link_source, capacity, sizeof *reader->link_source);
  if (source != NULL)
    reader->link_source = source;
  void *target = g_try_realloc_n(reader->link_target, capacity, sizeof *reader->link_target);
  if (target != NULL)
    reader->link_target = target;
  void *weight = g_try_realloc_n(reader->link_weight, capacity, sizeof *reader->link_weight);
  if (weight != NULL)
    reader->link_weight = weight;
  if (source == NULL || target == NULL || weight == NULL || capacity >= UINT32_MAX)
    return cw_graph_reader_fail_memory(reader);
  reader->link_capacity = capacity;
  return true;
}

static uint32_t
find_node(const CwGraphReader *reader, CwJsonSpan id)
{
  int64_t found;
  if (id.at == NULL)
    return UINT32_MAX;
  if (memchr(id.at, '\\', id.n) != NULL) {
    g_autofree char *text = cw_json_span_unescape(id);
    found = cw_node_table_find(&reader->table, reader->ids, text, strlen(text));
  } else {
    found = cw_node_table_find(&reader->table, reader->ids, id.at, id.n);
  }
  return found < 0 ? UINT32_MAX : (uint32_t)found;
}

static bool
read_end(CwJsonPull *pull, CwJsonSpan *id)
{
  switch (cw_json_pull_peek(pull)) {
  case '"':
    return cw_json_pull_string(pull, id);
  case '0':
    return cw_json_pull_number(pull, NULL, id);
  default:
    return cw_json_pull_skip(pull, NULL);
  }
}

static bool
read_weight(CwJsonPull *pull, double *weight)
{
  CwJsonSpan span;
  switch (cw_json_pull_peek(pull)) {
  case '0':
    return cw_json_pull_number(pull, weight, NULL);
  case '"':
    if (cw_json_pull_string(pull, &span) && cw_json_number_parse(span.at, weight) != span.n)
      *weight = NAN;
    return !pull->has_failed;
  default:
    return cw_json_pull_skip(pull, NULL);
  }
}

static bool
read_link(CwGraphReader *reader)
{
  CwJsonPull *pull = &reader->pull;
  CwJsonSpan key, source = { 0 }, target = { 0 };
  double weight = NAN;
  bool is_first = true;
  if (!cw_json_pull_enter(pull, '{'))
    return false;
  while (cw_json_pull_next_member(pull, &is_first, &key)) {
    bool is_good;
    if (cw_json_span_equals(key, "source"))
      is_good = read_end(pull, &source);
    else if (cw_json_span_equals(key, "target"))
      is_good = read_end(pull, &target);
    else if (cw_json_span_equals(key, "weight"))
      is_good = read_weight(pull, &weight);
    else
      is_good = cw_json_pull_skip(pull, NULL);
    if (!is_good)
      return false;
  }
  if (pull->has_failed || !reserve_link(reader))
    return false;
  bool is_weighted = fabs(weight) <= (double)G_MAXFLOAT;
  reader->report.n_missing_fields +=
      (size_t)((source.at == NULL) + (target.at == NULL) + !is_weighted);
  size_t i = reader->n_links++;
  reader->link_source[i] = find_node(reader, source);
  reader->link_target[i] = find_node(reader, target);
  reader->link_weight[i] = is_weighted ? (float)weight : 0;
  return true;
}

bool
cw_graph_json_read_links(CwGraphReader *reader)
{
  bool is_first = true;
  if (!cw_json_pull_enter(&reader->pull, '['))
    return false;
  while (cw_json_pull_next_element(&reader->pull, &is_first)) {
    if (!read_link(reader))
      return false;
    if (reader->n_links % 16384 == 0 && cw_cancel_check(reader->cancel, reader->error)) {
      reader->pull.has_failed = true;
      return false;
    }
  }
  return !reader->pull.has_failed;
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool
is_dropped(const CwGraphReader *reader, size_t link)
{
  return reader->link_source[link] == UINT32_MAX || reader->link_target[link] == UINT32_MAX;
}

static void
count_links(CwGraphReader *reader, const CwGraphParts *parts)
{
  CwLoadReport *report = &reader->report;
  for (size_t i = 0; i < reader->n_links; i++) {
    if (is_dropped(reader, i)) {
      report->n_dropped_links++;
      continue;
    }
    report->n_zero_links += reader->link_weight[i] == 0;
    report->n_backward_links +=
        parts->nodes[reader->link_source[i]].layer > parts->nodes[reader->link_target[i]].layer;
  }
}

/* Lists the links by target; start [n_nodes + 2], start[t + 1] ends up where row t begins. */
static void
sort_by_target(const CwGraphReader *reader, int64_t *start, uint32_t *by_target)
{
  for (size_t i = 0; i < reader->n_links; i++)
    if (!is_dropped(reader, i))
      start[reader->link_target[i] + 2]++;
  for (size_t t = 2; t <= reader->n_nodes; t++)
    start[t] += start[t - 1];
  for (size_t i = 0; i < reader->n_links; i++)
    if (!is_dropped(reader, i))
      by_target[start[reader->link_target[i] + 1]++] = (uint32_t)i;
}

static gint
compare_source(gconstpointer a, gconstpointer b, gpointer link_source)
{
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  uint32_t x = ((const uint32_t *)link_source)[i], y = ((const uint32_t *)link_source)[j];
  if (x != y)
    return x < y ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void
sort_row(const CwGraphReader *reader, uint32_t *links, size_t n)
{
  for (size_t i = 1; i < n; i++)
    if (reader->link_source[links[i]] < reader->link_source[links[i - 1]]) {
      g_qsort_with_data(links, (gint)n, sizeof *links, compare_source, reader->link_source);
      return;
    }
}

/* Adds row t's links to the edges, which number n_edges so far; returns their new number. */
static int64_t
append_row(CwGraphReader *reader, CwGraphParts *parts, uint32_t *link_edge,
           const uint32_t *links, size_t n, int64_t n_edges)
{
  int64_t begin = n_edges;
  for (size_t i = 0; i < n; i++) {
    uint32_t source = reader->link_source[links[i]];
    if (n_edges > begin && parts->source[n_edges - 1] == source) {
      parts->weight[n_edges - 1] += reader->link_weight[links[i]];
      reader->report.n_duplicate_links++;
    } else {
      parts->source[n_edges] = source;
      parts->weight[n_edges++] = reader->link_weight[links[i]];
    }
    link_edge[links[i]] = (uint32_t)(n_edges - 1);
  }
  return n_edges;
}

bool
cw_graph_json_finish_links(CwGraphReader *reader, CwGraphParts *parts, uint32_t **link_edge)
{
  size_t n = reader->n_nodes, n_links = reader->n_links;
  count_links(reader, parts);
  g_autofree uint32_t *edges = g_try_malloc_n(n_links + 1, sizeof *edges);
  g_autofree uint32_t *by_target = g_try_malloc_n(n_links + 1, sizeof *by_target);
  g_autofree int64_t *start = g_try_malloc0_n(n + 3, sizeof *start);
  parts->row_start = g_try_malloc0_n(n + 1, sizeof *parts->row_start);
  parts->source = g_try_malloc_n(n_links + 1, sizeof *parts->source);
  parts->weight = g_try_malloc_n(n_links + 1, sizeof *parts->weight);
  if (edges == NULL || by_target == NULL || start == NULL || parts->row_start == NULL ||
      parts->source == NULL || parts->weight == NULL)
    return cw_graph_reader_fail_memory(reader);
  memset(edges, 0xff, n_links * sizeof *edges);
  sort_by_target(reader, start, by_target);
  int64_t n_edges = 0;
  for (size_t t = 0; t < n; t++) {
    uint32_t *links = by_target + start[t];
    size_t n_row = (size_t)(start[t + 1] - start[t]);
    sort_row(reader, links, n_row);
    n_edges = append_row(reader, parts, edges, links, n_row, n_edges);
    parts->row_start[t + 1] = n_edges;
  }
  *link_edge = g_steal_pointer(&edges);
  return true;
}
