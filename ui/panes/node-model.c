/* node-model.c - see node-model.h. Items know their node and their model and nothing else, save
 * for the text that is searched, which is made at the first search; 10,000 of them are made in
 * a few milliseconds and kept, since selections go by identity. */
#include "panes/node-model.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "picture/node-name.h"

struct _CwuNodeModel {
  GObject parent_instance;
  CwuDocument *document;
  CwGraph *graph; /* NULL: empty */
  size_t n_nodes;
  CwuNodeItem **items;            /* [n_nodes], NULL until asked for */
  uint32_t *n_inputs, *n_outputs; /* [n_nodes] edges that are shown */
  double influence_sum;
};

struct _CwuNodeItem {
  GObject parent_instance;
  CwuNodeModel *model; /* not owned; NULL when the model has let go */
  size_t node;
  char *key; /* casefolded name, type and token; NULL: not made yet */
};

enum { REFRESH, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- items ----------------------------------------------------------------------------- */

G_DEFINE_TYPE(CwuNodeItem, cwu_node_item, G_TYPE_OBJECT)

static void
cwu_node_item_finalize(GObject *object)
{
  g_free(CWU_NODE_ITEM(object)->key);
  G_OBJECT_CLASS(cwu_node_item_parent_class)->finalize(object);
}

static void
cwu_node_item_class_init(CwuNodeItemClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_node_item_finalize;
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

static const CwNode *
node_of(const CwuNodeItem *item)
{
  return &cw_graph_peek_nodes(item->model->graph)[item->node];
}

static const CwPruned *
pruned_of(const CwuNodeItem *item)
{
  return cwu_document_peek_pruned(item->model->document);
}

/* The document may be at another graph for a moment, until the model is filled anew. */
static bool
is_current(const CwuNodeItem *item)
{
  return item->model != NULL &&
         cwu_document_peek_graph(item->model->document) == item->model->graph;
}

bool
cwu_node_item_is_shown(CwuNodeItem *item)
{
  return is_current(item) && pruned_of(item)->node_mask[item->node];
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
dup_token(const CwuNodeItem *item, const CwNode *node)
{
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(item->model->graph, node->position));
  return g_strdup_printf("%d · %s", node->position + 1, piece);
}

/* More is more: a share where it is known, else where the file's ranking has the node. */
static double
influence_of(const CwuNodeItem *item)
{
  const CwNode *node = node_of(item);
  if (node->kind == CW_NODE_LOGIT)
    return NAN;
  if (!isnan(node->influence))
    return 1 - node->influence;
  double sum = item->model->influence_sum;
  return sum > 0 ? pruned_of(item)->influence[item->node] / sum : NAN;
}

static char *
dup_influence(const CwuNodeItem *item)
{
  double influence = influence_of(item);
  if (isnan(influence))
    return g_strdup("");
  if (isnan(node_of(item)->influence))
    return g_strdup_printf("%.2f%%", 100 * influence);
  return g_strdup_printf(_("first %.0f%%"), MAX(100 * node_of(item)->influence, 1));
}

char *
cwu_node_item_dup_text(CwuNodeItem *item, CwuNodeColumn column)
{
  if (!is_current(item))
    return g_strdup("");
  const CwNode *node = node_of(item);
  switch (column) {
  case CWU_COLUMN_NAME:
    return cwu_document_dup_node_name(item->model->document, item->node);
  case CWU_COLUMN_TYPE:
    return g_strdup(cwu_node_kind_word(node->kind));
  case CWU_COLUMN_LAYER:
    return dup_layer(node);
  case CWU_COLUMN_TOKEN:
    return dup_token(item, node);
  case CWU_COLUMN_ACTIVATION:
    return isnan(node->activation) ? g_strdup("") : g_strdup_printf("%.3g", node->activation);
  case CWU_COLUMN_INFLUENCE:
    return dup_influence(item);
  case CWU_COLUMN_INPUTS:
    return g_strdup_printf("%'u", item->model->n_inputs[item->node]);
  case CWU_COLUMN_OUTPUTS:
    return g_strdup_printf("%'u", item->model->n_outputs[item->node]);
  default:
    return g_strdup("");
  }
}

static const char *
key_of(CwuNodeItem *item)
{
  if (item->key != NULL)
    return item->key;
  g_autofree char *name = cwu_node_item_dup_text(item, CWU_COLUMN_NAME);
  g_autofree char *piece = cwu_piece_dup_display(
      cw_graph_peek_prompt_token(item->model->graph, node_of(item)->position));
  g_autofree char *text =
      g_strjoin("\n", name, cwu_node_kind_word(node_of(item)->kind), piece, NULL);
  item->key = g_utf8_casefold(text, -1);
  return item->key;
}

/* ---- order and search ------------------------------------------------------------------ */

static double
number_of(const CwuNodeItem *item, CwuNodeColumn column)
{
  const CwNode *node = node_of(item);
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
    return influence_of(item);
  case CWU_COLUMN_INPUTS:
    return item->model->n_inputs[item->node];
  case CWU_COLUMN_OUTPUTS:
    return item->model->n_outputs[item->node];
  case CWU_COLUMN_PINNED:
    return cw_document_state_is_pinned(cwu_document_peek_state(item->model->document),
                                       item->node);
  default:
    return 0;
  }
}

int
cwu_node_item_compare(CwuNodeItem *a, CwuNodeItem *b, CwuNodeColumn column)
{
  if (!is_current(a) || !is_current(b))
    return 0;
  if (column == CWU_COLUMN_NAME)
    return strcmp(key_of(a), key_of(b));
  double x = number_of(a, column), y = number_of(b, column);
  if (isnan(x) || isnan(y))
    return isnan(y) - isnan(x);
  return x < y ? -1 : x > y;
}

/* "l19" is a layer, not a part of a name. */
static bool
is_layer(const char *word, const CwNode *node, bool *matches)
{
  char *end;
  if (word[0] != 'l' || !g_ascii_isdigit(word[1]))
    return false;
  *matches =
      (gint64)node->layer == g_ascii_strtoll(word + 1, &end, 10) && node->kind != CW_NODE_LOGIT;
  return *end == '\0';
}

bool
cwu_node_item_matches(CwuNodeItem *item, const char *const *words)
{
  if (!is_current(item))
    return false;
  for (size_t i = 0; words[i] != NULL; i++) {
    bool matches;
    if (!is_layer(words[i], node_of(item), &matches))
      matches = strstr(key_of(item), words[i]) != NULL;
    if (!matches)
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
  return (guint)CWU_NODE_MODEL(model)->n_nodes;
}

static gpointer
get_item(GListModel *model, guint position)
{
  CwuNodeModel *self = CWU_NODE_MODEL(model);
  if (position >= self->n_nodes)
    return NULL;
  if (self->items[position] == NULL) {
    self->items[position] = g_object_new(CWU_TYPE_NODE_ITEM, NULL);
    self->items[position]->model = self;
    self->items[position]->node = position;
  }
  return g_object_ref(self->items[position]);
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
  for (size_t i = 0; i < self->n_nodes; i++)
    if (self->items[i] != NULL) {
      self->items[i]->model = NULL;
      g_object_unref(self->items[i]);
    }
  g_clear_pointer(&self->items, g_free);
  g_clear_pointer(&self->n_inputs, g_free);
  g_clear_pointer(&self->n_outputs, g_free);
  g_clear_pointer(&self->graph, cw_graph_unref);
  self->n_nodes = 0;
}

void
cwu_node_model_clear(CwuNodeModel *self)
{
  guint n = (guint)self->n_nodes;
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
  if (n == 0 || n > G_MAXUINT)
    return;
  self->items = g_try_new0(CwuNodeItem *, n);
  self->n_inputs = g_try_new0(uint32_t, n);
  self->n_outputs = g_try_new0(uint32_t, n);
  if (self->items == NULL || self->n_inputs == NULL || self->n_outputs == NULL) {
    let_go(self); /* The table stays empty, the picture is there. */
    return;
  }
  self->graph = cw_graph_ref(graph);
  self->n_nodes = n;
  count_edges(self);
  sum_influence(self);
  g_list_model_items_changed(G_LIST_MODEL(self), 0, 0, (guint)n);
}

static void
changed_cb(CwuNodeModel *self, guint parts)
{
  if (self->graph == NULL || cwu_document_peek_graph(self->document) != self->graph)
    return;
  for (size_t i = 0; (parts & CW_DOCUMENT_LABELS) && i < self->n_nodes; i++)
    if (self->items[i] != NULL)
      g_clear_pointer(&self->items[i]->key, g_free);
  if (parts & (CW_DOCUMENT_LABELS | CW_DOCUMENT_PINS))
    g_signal_emit(self, signals[REFRESH], 0);
}

static void
graph_changed_cb(CwuNodeModel *self)
{
  if (self->graph == NULL || cwu_document_peek_graph(self->document) != self->graph)
    return;
  count_edges(self);
  g_signal_emit(self, signals[REFRESH], 0);
}

static void
cwu_node_model_finalize(GObject *object)
{
  CwuNodeModel *self = CWU_NODE_MODEL(object);
  let_go(self);
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
