/* node-table.c - see node-table.h. The model is filled only while the table is on the screen.
 */
#include "panes/node-table.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

#include "panes/hint.h"
#include "panes/lazy-rows.h"
#include "panes/node-columns.h"
#include "panes/node-row.h"

struct _CwuNodeTable {
  GtkBox parent_instance;
  CwuDocument *document;
  CwuNodeModel *model;
  GtkSingleSelection *selection;
  GtkWidget *rows, *columns, *tools, *search, *all;
  char *searched;       /* NULL: nothing was */
  CwuNodeColumn sorted; /* by this column */
  GtkSortType order;
  bool is_syncing;
  bool is_new;    /* the list that comes next is to be seen from its top */
  guint reselect; /* idle source; 0: none */
};

G_DEFINE_TYPE(CwuNodeTable, cwu_node_table, GTK_TYPE_BOX)

/* In which order a column is sorted at first. */
static GtkSortType
first_order(CwuNodeColumn column)
{
  bool is_rising =
      column == CWU_COLUMN_NAME || column == CWU_COLUMN_TYPE || column == CWU_COLUMN_TOKEN;
  return is_rising ? GTK_SORT_ASCENDING : GTK_SORT_DESCENDING;
}

/* ---- selection ------------------------------------------------------------------------- */

static void
select_position(CwuNodeTable *self, guint position)
{
  self->is_syncing = true;
  gtk_single_selection_set_selected(self->selection, position);
  self->is_syncing = false;
  if (position != GTK_INVALID_LIST_POSITION)
    cwu_lazy_rows_scroll_to(CWU_LAZY_ROWS(self->rows), position);
}

static int64_t
selected_node(CwuNodeTable *self)
{
  CwuNodeItem *item = gtk_single_selection_get_selected_item(self->selection);
  return item != NULL ? (int64_t)cwu_node_item_get_node(item) : -1;
}

/* The document's selection, here. A row of a node that is pruned away may stay selected: the
 * document cannot have it. */
static void
document_selected_cb(CwuNodeTable *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  CwuNodeItem *item = gtk_single_selection_get_selected_item(self->selection);
  bool is_hidden = item != NULL && !cwu_node_item_is_shown(item);
  if (selected_node(self) == node || (node < 0 && is_hidden))
    return;
  select_position(self, cwu_node_model_find(self->model, node));
}

/* A row was selected. Nothing selected says something only if the row is still there: a search
 * that leaves it out does not let go of the node. */
static void
row_selected_cb(CwuNodeTable *self)
{
  if (self->is_syncing)
    return;
  CwuNodeItem *item = gtk_single_selection_get_selected_item(self->selection);
  int64_t now = cwu_document_get_selected(self->document);
  if (item == NULL && cwu_node_model_find(self->model, now) == GTK_INVALID_LIST_POSITION)
    return;
  bool is_shown = item != NULL && cwu_node_item_is_shown(item);
  cwu_document_set_selected(self->document,
                            is_shown ? (int64_t)cwu_node_item_get_node(item) : -1);
}

static gboolean
reselect_cb(gpointer user_data)
{
  CwuNodeTable *self = user_data;
  self->reselect = 0;
  document_selected_cb(self);
  return G_SOURCE_REMOVE;
}

/* From the top, unless that would hide what is selected. */
static void
show_top(CwuNodeTable *self)
{
  guint position = cwu_node_model_find(self->model, cwu_document_get_selected(self->document));
  cwu_lazy_rows_scroll_to_top(CWU_LAZY_ROWS(self->rows), position);
}

/* Rows that come back bring the selection with them; later, since the selection is just being
 * told of rows. */
static void
rows_changed_cb(CwuNodeTable *self)
{
  if (self->is_new)
    show_top(self);
  self->is_new = false;
  if (self->reselect == 0 && cwu_document_get_selected(self->document) != selected_node(self))
    self->reselect = g_idle_add_full(G_PRIORITY_HIGH_IDLE, reselect_cb, self, NULL);
}

static void
activate_cb(CwuLazyRows *rows, guint position, CwuNodeTable *self)
{
  g_autoptr(CwuNodeItem) item = g_list_model_get_item(G_LIST_MODEL(self->selection), position);
  if (item == NULL || !cwu_node_item_is_shown(item))
    return;
  cwu_document_set_view(self->document, "layers");
  cwu_document_show_node(self->document, (int64_t)cwu_node_item_get_node(item));
}

/* ---- order ----------------------------------------------------------------------------- */

void
cwu_node_table_sort(CwuNodeTable *self, CwuNodeColumn column, GtkSortType order)
{
  self->sorted = column;
  self->order = order;
  self->is_new = true;
  show_top(self);
  cwu_node_columns_set_sorted(CWU_NODE_COLUMNS(self->columns), column, order);
  cwu_node_model_sort(self->model, column, order == GTK_SORT_DESCENDING);
}

static void
head_cb(CwuNodeTable *self, int column)
{
  GtkSortType order = first_order((CwuNodeColumn)column);
  if ((int)self->sorted == column)
    order = self->order == GTK_SORT_ASCENDING ? GTK_SORT_DESCENDING : GTK_SORT_ASCENDING;
  cwu_node_table_sort(self, (CwuNodeColumn)column, order);
}

static void
sort_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  int column = g_variant_get_int32(parameter);
  if (column >= 0 && column < CWU_N_COLUMNS)
    cwu_node_table_sort(user_data, (CwuNodeColumn)column, first_order((CwuNodeColumn)column));
}

/* The entry tells of a text some time after it was typed, and of one that is known, too. */
static void
search_cb(CwuNodeTable *self)
{
  const char *text = gtk_editable_get_text(GTK_EDITABLE(self->search));
  if (g_strcmp0(text, self->searched) == 0)
    return;
  g_free(self->searched);
  self->searched = g_strdup(text);
  self->is_new = true;
  show_top(self);
  cwu_node_model_search(self->model, text);
}

static void
all_cb(CwuNodeTable *self)
{
  cwu_node_model_set_all(self->model, gtk_check_button_get_active(GTK_CHECK_BUTTON(self->all)));
}

/* ---- what is on the screen ------------------------------------------------------------- */

static void
fill_if_seen(CwuNodeTable *self)
{
  if (!gtk_widget_get_mapped(GTK_WIDGET(self)))
    return;
  cwu_node_model_fill(self->model);
  document_selected_cb(self);
}

static void
cwu_node_table_map(GtkWidget *widget)
{
  CwuNodeTable *self = CWU_NODE_TABLE(widget);
  GTK_WIDGET_CLASS(cwu_node_table_parent_class)->map(widget);
  self->is_new = true;
  fill_if_seen(self);
}

static void
cwu_node_table_unmap(GtkWidget *widget)
{
  GTK_WIDGET_CLASS(cwu_node_table_parent_class)->unmap(widget);
  cwu_node_model_clear(CWU_NODE_TABLE(widget)->model);
}

static void
changed_cb(CwuNodeTable *self, guint parts)
{
  if (!(parts & CW_DOCUMENT_GRAPH))
    return;
  cwu_node_model_clear(self->model);
  self->is_new = true;
}

static gboolean
cwu_node_table_grab_focus(GtkWidget *widget)
{
  return gtk_widget_grab_focus(CWU_NODE_TABLE(widget)->rows);
}

/* Enter in the search: to what was found first, unless what is selected is among it. */
static void
found_cb(CwuNodeTable *self)
{
  if (selected_node(self) < 0 && g_list_model_get_n_items(G_LIST_MODEL(self->selection)) > 0)
    gtk_single_selection_set_selected(self->selection, 0);
  gtk_widget_grab_focus(GTK_WIDGET(self));
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
make_row(gpointer table)
{
  CwuNodeTable *self = table;
  return cwu_node_row_new(self->document, self->model, CWU_NODE_COLUMNS(self->columns));
}

static bool
bind_row(GtkWidget *row, gpointer item, gpointer table)
{
  cwu_node_row_set_item(CWU_NODE_ROW(row), item);
  return item != NULL;
}

static void
build_rows(CwuNodeTable *self)
{
  static const CwuRowMaker maker = { make_row, bind_row };
  self->columns = cwu_node_columns_new();
  self->rows = cwu_lazy_rows_new(&maker, self, false);
  self->selection = gtk_single_selection_new(g_object_ref(G_LIST_MODEL(self->model)));
  gtk_single_selection_set_autoselect(self->selection, FALSE);
  gtk_single_selection_set_can_unselect(self->selection, TRUE);
  cwu_lazy_rows_set_header(CWU_LAZY_ROWS(self->rows), self->columns);
  cwu_lazy_rows_set_model(CWU_LAZY_ROWS(self->rows), self->selection);
  gtk_widget_add_css_class(self->rows, "node-table");
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->rows), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Nodes of the graph"), -1);
  g_signal_connect(self->rows, "activate", G_CALLBACK(activate_cb), self);
  g_signal_connect_object(self->columns, "clicked", G_CALLBACK(head_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(self->selection, "notify::selected-item", G_CALLBACK(row_selected_cb),
                          self, G_CONNECT_SWAPPED);
  g_signal_connect_object(self->selection, "items-changed", G_CALLBACK(rows_changed_cb), self,
                          G_CONNECT_SWAPPED);
}

static GtkWidget *
sort_button_new(CwuNodeTable *self)
{
  static const GActionEntry entries[] = { { "sort", sort_cb, "i", NULL, NULL, { 0 } } };
  g_autoptr(GSimpleActionGroup) actions = g_simple_action_group_new();
  g_autoptr(GMenu) menu = g_menu_new();
  GtkWidget *button = gtk_menu_button_new();
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    g_autofree char *action = g_strdup_printf("table.sort(%d)", i);
    g_menu_append(menu, cwu_node_columns_get_title((CwuNodeColumn)i), action);
  }
  g_action_map_add_action_entries(G_ACTION_MAP(actions), entries, G_N_ELEMENTS(entries), self);
  gtk_widget_insert_action_group(button, "table", G_ACTION_GROUP(actions));
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), "view-sort-descending-symbolic");
  cwu_hint_set(button, _("Sort by"));
  return button;
}

static gboolean
find_cb(GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  return gtk_widget_get_mapped(widget) && gtk_widget_grab_focus(CWU_NODE_TABLE(widget)->search);
}

/* Wherever the focus is: the search stands outside the table. */
static void
add_find_key(CwuNodeTable *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new();
  gtk_shortcut_controller_set_scope(GTK_SHORTCUT_CONTROLLER(controller),
                                    GTK_SHORTCUT_SCOPE_GLOBAL);
  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(controller),
      gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_f, GDK_CONTROL_MASK),
                       gtk_callback_action_new(find_cb, NULL, NULL)));
  gtk_widget_add_controller(GTK_WIDGET(self), controller);
}

/* One word of the two gives way where there is no room, so that large type has some. */
static GtkWidget *
all_button_new(void)
{
  GtkWidget *button = gtk_check_button_new(), *words = adw_squeezer_new();
  adw_squeezer_set_xalign(ADW_SQUEEZER(words), 0);
  adw_squeezer_add(ADW_SQUEEZER(words), gtk_label_new(_("All nodes")));
  /* Translators: short for "All nodes". */
  adw_squeezer_add(ADW_SQUEEZER(words), gtk_label_new(_("All")));
  gtk_check_button_set_child(GTK_CHECK_BUTTON(button), words);
  gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("All nodes"), -1);
  return button;
}

static void
build_tools(CwuNodeTable *self)
{
  self->tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  self->search = gtk_search_entry_new();
  self->all = all_button_new();
  gtk_widget_set_hexpand(self->search, TRUE);
  g_object_set(self->search, "placeholder-text", _("Name, token, or L19"), NULL);
  gtk_editable_set_width_chars(GTK_EDITABLE(self->search), 3);
  gtk_editable_set_max_width_chars(GTK_EDITABLE(self->search), 3); /* and what is left */
  cwu_hint_set(self->search, _("Find nodes (Ctrl+F)"));
  gtk_widget_set_tooltip_text(
      self->all, _("Lists nodes that are pruned away, too; pinned, one comes back."));
  gtk_box_append(GTK_BOX(self->tools), self->search);
  gtk_box_append(GTK_BOX(self->tools), sort_button_new(self));
  gtk_box_append(GTK_BOX(self->tools), self->all);
  g_object_ref_sink(self->tools);
  g_signal_connect_swapped(self->search, "search-changed", G_CALLBACK(search_cb), self);
  g_signal_connect_swapped(self->search, "stop-search", G_CALLBACK(gtk_widget_grab_focus),
                           self);
  g_signal_connect_swapped(self->search, "activate", G_CALLBACK(found_cb), self);
  g_signal_connect_swapped(self->all, "toggled", G_CALLBACK(all_cb), self);
}

static void
follow_document(CwuNodeTable *self)
{
  g_signal_connect_object(self->document, "changed", G_CALLBACK(changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(self->document, "graph-changed", G_CALLBACK(fill_if_seen), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(self->document, "selection-changed", G_CALLBACK(document_selected_cb),
                          self, G_CONNECT_SWAPPED);
}

static void
cwu_node_table_dispose(GObject *object)
{
  CwuNodeTable *self = CWU_NODE_TABLE(object);
  if (self->tools != NULL) {
    g_signal_handlers_disconnect_by_data(self->search, self);
    g_signal_handlers_disconnect_by_data(self->all, self);
  }
  if (self->rows != NULL)
    g_signal_handlers_disconnect_by_data(self->rows, self);
  self->rows = NULL;
  g_clear_handle_id(&self->reselect, g_source_remove);
  g_clear_object(&self->tools);
  g_clear_object(&self->selection);
  g_clear_object(&self->model);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_node_table_parent_class)->dispose(object);
}

static void
cwu_node_table_finalize(GObject *object)
{
  g_free(CWU_NODE_TABLE(object)->searched);
  G_OBJECT_CLASS(cwu_node_table_parent_class)->finalize(object);
}

static void
cwu_node_table_class_init(CwuNodeTableClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_node_table_dispose;
  G_OBJECT_CLASS(class)->finalize = cwu_node_table_finalize;
  widget_class->map = cwu_node_table_map;
  widget_class->unmap = cwu_node_table_unmap;
  widget_class->grab_focus = cwu_node_table_grab_focus;
}

static void
cwu_node_table_init(CwuNodeTable *self)
{
}

CwuNodeTable *
cwu_node_table_new(CwuDocument *document)
{
  CwuNodeTable *self = g_object_new(CWU_TYPE_NODE_TABLE, NULL);
  GtkWidget *scroller = gtk_scrolled_window_new();
  self->document = g_object_ref(document);
  self->model = cwu_node_model_new(document);
  build_rows(self);
  build_tools(self);
  cwu_node_table_sort(self, CWU_COLUMN_INFLUENCE, GTK_SORT_DESCENDING);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->rows);
  gtk_widget_add_css_class(scroller, "headed");
  gtk_widget_set_hexpand(scroller, TRUE);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_box_append(GTK_BOX(self), scroller);
  add_find_key(self);
  follow_document(self);
  return self;
}

GtkWidget *
cwu_node_table_peek_tools(CwuNodeTable *self)
{
  return self->tools;
}

void
cwu_node_table_search(CwuNodeTable *self, const char *text)
{
  gtk_editable_set_text(GTK_EDITABLE(self->search), text);
  search_cb(self); /* The entry waits for more to be typed. */
}

void
cwu_node_table_set_all(CwuNodeTable *self, gboolean all)
{
  gtk_check_button_set_active(GTK_CHECK_BUTTON(self->all), all);
}

GtkSelectionModel *
cwu_node_table_peek_model(CwuNodeTable *self)
{
  return GTK_SELECTION_MODEL(self->selection);
}
