/* node-model.c - see node-model.h. Items know their node and their model and nothing else; they
 * are made when they are asked for and kept, since selections go by identity. To filter and
 * sort 10,000 nodes by a number takes 1 ms and is done at once. The texts that are searched,
 * and sorted by name, take ten times as long: they are made when they are wanted first, a few
 * milliseconds' worth in each turn of the main loop, and the list changes when all are there.
 * One message then tells of all rows. (GTK's filter and sort models were tried: they ask a
 * closure for each pair of objects, and tell of rows in stretches, each of which costs.) */
#include "panes/node-model.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture/node-name.h"

#define SLICE_US 4000

struct _CwuNodeModel {
  GObject parent_instance;
  CwuDocument *document;
  CwGraph *graph; /* NULL: empty */
  size_t n_nodes;
  CwuNodeItem **items;            /* [n_nodes], NULL until asked for */
  uint32_t *n_inputs, *n_outputs; /* [n_nodes] edges that are shown */
  double influence_sum;
  char **keys;     /* [n_nodes] casefolded name, type and token; NULL: not made yet */
  size_t n_keys;   /* made, from the first on */
  uint32_t *order; /* [n_listed] nodes */
  uint32_t *place; /* [n_nodes] in order; G_MAXUINT32: not listed */
  size_t n_listed;
  char **words; /* of the search, casefolded; NULL-terminated */
  bool is_all, is_falling;
  CwuNodeColumn column; /* by which the list is sorted */
  guint work;           /* idle source that makes keys; 0: none */
};

struct _CwuNodeItem {
  GObject parent_instance;
  CwuNodeModel *model; /* not owned; NULL when the model has let go */
  size_t node;
};

enum { REFRESH, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- items ----------------------------------------------------------------------------- */

G_DEFINE_TYPE(CwuNodeItem, cwu_node_item, G_TYPE_OBJECT)

static void
cwu_node_item_class_init(CwuNodeItemClass *class)
{
}

static void
cwu_node_item_init(CwuNodeItem *self)
{
}

size_t
cwu_node_item_get_node(CwuNodeItem *item)
{
  return item->node;
}

/* The document may be at another graph for a moment, until the model is filled anew. */
static bool
is_current(const CwuNodeModel *self)
{
  return self != NULL && self->graph != NULL &&
         cwu_document_peek_graph(self->document) == self->graph;
}

static bool
is_shown(const CwuNodeModel *self, size_t node)
{
  return cwu_document_peek_pruned(self->document)->node_mask[node];
}

bool
cwu_node_item_is_shown(CwuNodeItem *item)
{
  return is_current(item->model) && is_shown(item->model, item->node);
}

/* ---- words ----------------------------------------------------------------------------- */

static char *
dup_layer(const CwNode *node)
{
  if (node->kind == CW_NODE_LOGIT)
    return g_strdup(_("out"));
  return node->layer < 0 ? g_strdup("E") : g_strdup_printf("%d", node->layer);
}

static char *
dup_token(const CwuNodeModel *self, const CwNode *node)
{
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(self->graph, node->position));
  return g_strdup_printf("%d · %s", node->position + 1, piece);
}

/* More is more: where the file's ranking has the node, if the file ranks, else its share. */
static double
influence_of(const CwuNodeModel *self, size_t i)
{
  const CwNode *node = &cw_graph_peek_nodes(self->graph)[i];
  if (node->kind == CW_NODE_LOGIT)
    return NAN;
  if (cw_graph_has_ranks(self->graph))
    return 1 - node->influence;
  double sum = self->influence_sum;
  return sum > 0 ? cwu_document_peek_pruned(self->document)->influence[i] / sum : NAN;
}

static char *
dup_influence(const CwuNodeModel *self, size_t node)
{
  double influence = influence_of(self, node);
  if (isnan(influence))
    return g_strdup("");
  if (!cw_graph_has_ranks(self->graph))
    return g_strdup_printf("%.2f%%", 100 * influence);
  return g_strdup_printf(_("first %.0f%%"), MAX(100 * (1 - influence), 1));
}

/* With as many decimals as the others in its column, unless that would leave nothing of it. */
static char *
dup_activation(double activation)
{
  if (isnan(activation))
    return g_strdup("");
  return g_strdup_printf(fabs(activation) < 0.05 && activation != 0 ? "%.2g" : "%.2f",
                         activation);
}

char *
cwu_node_item_dup_text(CwuNodeItem *item, CwuNodeColumn column)
{
  CwuNodeModel *self = item->model;
  if (!is_current(self))
    return g_strdup("");
  const CwNode *node = &cw_graph_peek_nodes(self->graph)[item->node];
  switch (column) {
  case CWU_COLUMN_NAME:
    return cwu_document_dup_node_name(self->document, item->node);
  case CWU_COLUMN_TYPE:
    return g_strdup(cwu_node_kind_word(node->kind));
  case CWU_COLUMN_LAYER:
    return dup_layer(node);
  case CWU_COLUMN_TOKEN:
    return dup_token(self, node);
  case CWU_COLUMN_ACTIVATION:
    return dup_activation(node->activation);
  case CWU_COLUMN_INFLUENCE:
    return dup_influence(self, item->node);
  case CWU_COLUMN_INPUTS:
    return g_strdup_printf("%'u", self->n_inputs[item->node]);
  case CWU_COLUMN_OUTPUTS:
    return g_strdup_printf("%'u", self->n_outputs[item->node]);
  default:
    return g_strdup("");
  }
}

static const char *
key_of(CwuNodeModel *self, size_t i)
{
  if (self->keys[i] != NULL)
    return self->keys[i];
  const CwNode *node = &cw_graph_peek_nodes(self->graph)[i];
  g_autofree char *name = cwu_document_dup_node_name(self->document, i);
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(self->graph, node->position));
  g_autofree char *text = g_strjoin("\n", name, cwu_node_kind_word(node->kind), piece, NULL);
  self->keys[i] = g_utf8_casefold(text, -1);
  return self->keys[i];
}

/* ---- order and search ------------------------------------------------------------------ */

static double
number_of(const CwuNodeModel *self, size_t i, CwuNodeColumn column)
{
  const CwNode *node = &cw_graph_peek_nodes(self->graph)[i];
  switch (column) {
  case CWU_COLUMN_TYPE:
    return node->kind;
  case CWU_COLUMN_LAYER:
    return node->layer;
  case CWU_COLUMN_TOKEN:
    return node->position;
  case CWU_COLUMN_ACTIVATION:
    return node->activation;
  case CWU_COLUMN_INFLUENCE:
    return influence_of(self, i);
  case CWU_COLUMN_INPUTS:
    return self->n_inputs[i];
  case CWU_COLUMN_OUTPUTS:
    return self->n_outputs[i];
  case CWU_COLUMN_PINNED:
    return cw_document_state_is_pinned(cwu_document_peek_state(self->document), i);
  default:
    return 0;
  }
}

/* What a node is sorted by. */
typedef struct {
  const char *text; /* NULL: by number */
  double number;
  uint32_t node;
} Rank;

static Rank
rank_of(CwuNodeModel *self, size_t node, CwuNodeColumn column)
{
  bool is_text = column == CWU_COLUMN_NAME;
  return (Rank){ is_text ? key_of(self, node) : NULL, number_of(self, node, column),
                 (uint32_t)node };
}

static int
compare_ranks(const Rank *a, const Rank *b)
{
  if (a->text != NULL)
    return strcmp(a->text, b->text);
  if (isnan(a->number) || isnan(b->number))
    return isnan(b->number) - isnan(a->number);
  return a->number < b->number ? -1 : a->number > b->number;
}

/* Those alike stand as in the graph, either way. */
static int
compare_rising(const void *a, const void *b)
{
  const Rank *x = a, *y = b;
  int sign = compare_ranks(x, y);
  return sign != 0 ? sign : x->node < y->node ? -1 : x->node > y->node;
}

static int
compare_falling(const void *a, const void *b)
{
  const Rank *x = a, *y = b;
  int sign = compare_ranks(y, x);
  return sign != 0 ? sign : x->node < y->node ? -1 : x->node > y->node;
}

int
cwu_node_item_compare(CwuNodeItem *a, CwuNodeItem *b, CwuNodeColumn column)
{
  if (!is_current(a->model) || a->model != b->model)
    return 0;
  Rank x = rank_of(a->model, a->node, column), y = rank_of(a->model, b->node, column);
  return compare_ranks(&x, &y);
}

/* "l19" is a layer, not a part of a name. */
static bool
parse_layer(const char *word, gint64 *layer)
{
  char *end;
  if (word[0] != 'l' || !g_ascii_isdigit(word[1]))
    return false;
  *layer = g_ascii_strtoll(word + 1, &end, 10);
  return *end == '\0';
}

static bool
matches(CwuNodeModel *self, size_t i)
{
  const CwNode *node = &cw_graph_peek_nodes(self->graph)[i];
  for (size_t k = 0; self->words[k] != NULL; k++) {
    gint64 layer;
    bool is_layer = parse_layer(self->words[k], &layer);
    if (is_layer ? node->kind == CW_NODE_LOGIT || node->layer != layer
                 : strstr(key_of(self, i), self->words[k]) == NULL)
      return false;
  }
  return true;
}

/* ---- the model ------------------------------------------------------------------------- */

static GType
get_item_type(GListModel *model)
{
  return CWU_TYPE_NODE_ITEM;
}

static guint
get_n_items(GListModel *model)
{
  return (guint)CWU_NODE_MODEL(model)->n_listed;
}

static gpointer
get_item(GListModel *model, guint position)
{
  CwuNodeModel *self = CWU_NODE_MODEL(model);
  if (position >= self->n_listed)
    return NULL;
  uint32_t node = self->order[position];
  if (self->items[node] == NULL) {
    self->items[node] = g_object_new(CWU_TYPE_NODE_ITEM, NULL);
    self->items[node]->model = self;
    self->items[node]->node = node;
  }
  return g_object_ref(self->items[node]);
}

static void
implement_model(GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_TYPE_WITH_CODE(CwuNodeModel, cwu_node_model, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, implement_model))

/* ---- the list -------------------------------------------------------------------------- */

static void
forget_keys(CwuNodeModel *self)
{
  for (size_t i = 0; self->keys != NULL && i < self->n_nodes; i++)
    g_clear_pointer(&self->keys[i], g_free);
  self->n_keys = 0;
}

static bool
needs_keys(CwuNodeModel *self)
{
  gint64 layer;
  for (size_t k = 0; self->words[k] != NULL; k++)
    if (!parse_layer(self->words[k], &layer))
      return true;
  return self->column == CWU_COLUMN_NAME;
}

/* Takes another order, and tells of it if it is another. */
static void
set_order(CwuNodeModel *self, uint32_t *order, size_t n)
{
  size_t n_before = self->n_listed;
  if (n == n_before && (n == 0 || memcmp(order, self->order, n * sizeof *order) == 0)) {
    g_free(order);
    return;
  }
  g_free(self->order);
  self->order = order;
  self->n_listed = n;
  memset(self->place, 0xff, self->n_nodes * sizeof *self->place);
  for (size_t k = 0; k < n; k++)
    self->place[order[k]] = (uint32_t)k;
  g_list_model_items_changed(G_LIST_MODEL(self), 0, (guint)n_before, (guint)n);
}

static void
list_nodes(CwuNodeModel *self)
{
  g_autofree Rank *ranks = g_try_new(Rank, self->n_nodes);
  uint32_t *order = g_try_new(uint32_t, self->n_nodes);
  size_t n = 0;
  if (ranks == NULL || order == NULL) {
    g_free(order);
    return; /* The list stays as it is. */
  }
  for (size_t i = 0; i < self->n_nodes; i++)
    if ((self->is_all || is_shown(self, i)) && matches(self, i))
      ranks[n++] = rank_of(self, i, self->column);
  qsort(ranks, n, sizeof *ranks, self->is_falling ? compare_falling : compare_rising);
  for (size_t k = 0; k < n; k++)
    order[k] = ranks[k].node;
  set_order(self, order, n);
}

static gboolean
work_cb(gpointer user_data)
{
  CwuNodeModel *self = user_data;
  gint64 end_us = g_get_monotonic_time() + SLICE_US;
  if (!is_current(self)) {
    self->work = 0;
    return G_SOURCE_REMOVE;
  }
  while (self->n_keys < self->n_nodes) {
    key_of(self, self->n_keys++);
    if (g_get_monotonic_time() > end_us)
      return G_SOURCE_CONTINUE;
  }
  self->work = 0;
  list_nodes(self);
  return G_SOURCE_REMOVE;
}

static void
relist(CwuNodeModel *self)
{
  if (!is_current(self))
    return;
  if (needs_keys(self) && self->n_keys < self->n_nodes) {
    if (self->work == 0)
      self->work = g_idle_add(work_cb, self);
    return;
  }
  g_clear_handle_id(&self->work, g_source_remove);
  list_nodes(self);
}

void
cwu_node_model_search(CwuNodeModel *self, const char *text)
{
  g_autofree char *folded = g_utf8_casefold(text, -1);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  g_auto(GStrv) parts = g_strsplit_set(folded, " \t", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      g_strv_builder_add(builder, parts[i]);
  g_strfreev(self->words);
  self->words = g_strv_builder_end(builder);
  relist(self);
}

void
cwu_node_model_sort(CwuNodeModel *self, CwuNodeColumn column, bool is_falling)
{
  self->column = column;
  self->is_falling = is_falling;
  relist(self);
}

void
cwu_node_model_set_all(CwuNodeModel *self, bool is_all)
{
  self->is_all = is_all;
  relist(self);
}

guint
cwu_node_model_find(CwuNodeModel *self, int64_t node)
{
  if (node < 0 || (size_t)node >= self->n_nodes || self->place[node] == G_MAXUINT32)
    return G_MAXUINT;
  return self->place[node];
}

/* ---- what the document holds ----------------------------------------------------------- */

static void
count_edges(CwuNodeModel *self)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  const int64_t *row_start = cw_graph_peek_row_start(self->graph);
  const uint32_t *source = cw_graph_peek_source(self->graph);
  memset(self->n_inputs, 0, self->n_nodes * sizeof *self->n_inputs);
  memset(self->n_outputs, 0, self->n_nodes * sizeof *self->n_outputs);
  for (size_t i = 0; i < self->n_nodes; i++)
    for (int64_t e = row_start[i]; pruned->node_mask[i] && e < row_start[i + 1]; e++)
      if (pruned->edge_mask[e]) {
        self->n_inputs[i]++;
        self->n_outputs[source[e]]++;
      }
}

static void
sum_influence(CwuNodeModel *self)
{
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  const CwNode *nodes = cw_graph_peek_nodes(self->graph);
  self->influence_sum = 0;
  for (size_t i = 0; i < self->n_nodes; i++)
    if (nodes[i].kind != CW_NODE_LOGIT)
      self->influence_sum += pruned->influence[i];
}

/* Frees without a word. */
static void
let_go(CwuNodeModel *self)
{
  for (size_t i = 0; self->items != NULL && i < self->n_nodes; i++)
    if (self->items[i] != NULL) {
      self->items[i]->model = NULL;
      g_object_unref(self->items[i]);
    }
  forget_keys(self);
  g_clear_handle_id(&self->work, g_source_remove);
  g_clear_pointer(&self->items, g_free);
  g_clear_pointer(&self->keys, g_free);
  g_clear_pointer(&self->order, g_free);
  g_clear_pointer(&self->place, g_free);
  g_clear_pointer(&self->n_inputs, g_free);
  g_clear_pointer(&self->n_outputs, g_free);
  g_clear_pointer(&self->graph, cw_graph_unref);
  self->n_nodes = self->n_listed = 0;
}

void
cwu_node_model_clear(CwuNodeModel *self)
{
  guint n = (guint)self->n_listed;
  let_go(self);
  if (n > 0)
    g_list_model_items_changed(G_LIST_MODEL(self), 0, n, 0);
}

void
cwu_node_model_fill(CwuNodeModel *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (graph == self->graph)
    return;
  cwu_node_model_clear(self);
  size_t n = graph != NULL ? cw_graph_get_n_nodes(graph) : 0;
  if (n == 0 || n >= G_MAXUINT32)
    return;
  self->n_nodes = n;
  self->items = g_try_new0(CwuNodeItem *, n);
  self->keys = g_try_new0(char *, n);
  self->place = g_try_new0(uint32_t, n);
  self->n_inputs = g_try_new0(uint32_t, n);
  self->n_outputs = g_try_new0(uint32_t, n);
  if (self->items == NULL || self->keys == NULL || self->place == NULL ||
      self->n_inputs == NULL || self->n_outputs == NULL) {
    let_go(self); /* The table stays empty, the picture is there. */
    return;
  }
  memset(self->place, 0xff, n * sizeof *self->place);
  self->graph = cw_graph_ref(graph);
  count_edges(self);
  sum_influence(self);
  relist(self);
}

static void
changed_cb(CwuNodeModel *self, guint parts)
{
  if (!is_current(self))
    return;
  if (parts & CW_DOCUMENT_LABELS)
    forget_keys(self);
  if (!(parts & (CW_DOCUMENT_LABELS | CW_DOCUMENT_PINS)))
    return;
  g_signal_emit(self, signals[REFRESH], 0);
  relist(self);
}

static void
graph_changed_cb(CwuNodeModel *self)
{
  if (!is_current(self))
    return;
  count_edges(self);
  g_signal_emit(self, signals[REFRESH], 0);
  relist(self);
}

static void
cwu_node_model_finalize(GObject *object)
{
  CwuNodeModel *self = CWU_NODE_MODEL(object);
  let_go(self);
  g_strfreev(self->words);
  g_object_unref(self->document);
  G_OBJECT_CLASS(cwu_node_model_parent_class)->finalize(object);
}

static void
cwu_node_model_class_init(CwuNodeModelClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_node_model_finalize;
  signals[REFRESH] = g_signal_new("refresh", CWU_TYPE_NODE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_node_model_init(CwuNodeModel *self)
{
  self->words = g_new0(char *, 1);
}

CwuNodeModel *
cwu_node_model_new(CwuDocument *document)
{
  CwuNodeModel *self = g_object_new(CWU_TYPE_NODE_MODEL, NULL);
  self->document = g_object_ref(document);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(graph_changed_cb), self,
                          G_CONNECT_SWAPPED);
  return self;
}
