/* node-table.c - see node-table.h.
 *
 * model of all nodes -> filter (shown, words) -> sort (the header) -> selection -> column view.
 * Filter and sort are incremental: they work in idle moments, a stretch at a time. (At once was
 * tried: faster for few nodes, but where many rows go and come in one message, the list of GTK
 * 4.8 ends with rows that show the same item.) The model is filled only while the table is on
 * the screen. */
#include "panes/node-table.h"

#include <glib/gi18n-lib.h>

#include "panes/node-cell.h"

struct _CwuNodeTable {
  GtkBox parent_instance;
  CwuDocument *document;
  CwuNodeModel *model;
  GtkFilter *filter;
  GtkFilterListModel *filtered;
  GtkSingleSelection *selection;
  GtkWidget *view, *tools, *search, *all;
  GtkColumnViewColumn *columns[CWU_N_COLUMNS];
  char **words; /* casefolded; NULL-terminated */
  bool is_syncing;
  guint reselect; /* idle source; 0: none */
};

G_DEFINE_TYPE(CwuNodeTable, cwu_node_table, GTK_TYPE_BOX)

static const struct {
  const char *title;
  int width; /* px; 0: what is left */
  GtkSortType first;
} columns[CWU_N_COLUMNS] = {
  [CWU_COLUMN_NAME] = { N_("Name"), 0, GTK_SORT_ASCENDING },
  [CWU_COLUMN_TYPE] = { N_("Type"), 110, GTK_SORT_ASCENDING },
  [CWU_COLUMN_LAYER] = { N_("Layer"), 72, GTK_SORT_DESCENDING },
  [CWU_COLUMN_TOKEN] = { N_("Token"), 120, GTK_SORT_ASCENDING },
  [CWU_COLUMN_ACTIVATION] = { N_("Activation"), 100, GTK_SORT_DESCENDING },
  [CWU_COLUMN_INFLUENCE] = { N_("Influence"), 100, GTK_SORT_DESCENDING },
  [CWU_COLUMN_INPUTS] = { N_("Inputs"), 76, GTK_SORT_DESCENDING },
  [CWU_COLUMN_OUTPUTS] = { N_("Outputs"), 84, GTK_SORT_DESCENDING },
  [CWU_COLUMN_PINNED] = { N_("Pinned"), 76, GTK_SORT_DESCENDING },
};

/* ---- filter ---------------------------------------------------------------------------- */

static gboolean
is_listed(gpointer item, gpointer user_data)
{
  CwuNodeTable *self = user_data;
  bool all = gtk_check_button_get_active(GTK_CHECK_BUTTON(self->all));
  return (all || cwu_node_item_is_shown(item)) &&
         cwu_node_item_matches(item, (const char *const *)self->words);
}

static void
search_cb(CwuNodeTable *self)
{
  g_autofree char *text =
      g_utf8_casefold(gtk_editable_get_text(GTK_EDITABLE(self->search)), -1);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  g_auto(GStrv) parts = g_strsplit_set(text, " \t", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (*parts[i] != '\0')
      g_strv_builder_add(builder, parts[i]);
  g_strfreev(self->words);
  self->words = g_strv_builder_end(builder);
  gtk_filter_changed(self->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

static void
all_cb(CwuNodeTable *self)
{
  bool all = gtk_check_button_get_active(GTK_CHECK_BUTTON(self->all));
  gtk_filter_changed(self->filter,
                     all ? GTK_FILTER_CHANGE_LESS_STRICT : GTK_FILTER_CHANGE_MORE_STRICT);
}

/* Other masks, names or pins. The order first: the list of sorted rows takes new ones in
 * between those it has, and expects these to be in order. */
static void
refresh_cb(CwuNodeTable *self)
{
  gtk_sorter_changed(gtk_column_view_get_sorter(GTK_COLUMN_VIEW(self->view)),
                     GTK_SORTER_CHANGE_DIFFERENT);
  gtk_filter_changed(self->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

/* ---- selection ------------------------------------------------------------------------- */

/* Position of a node in the list; GTK_INVALID_LIST_POSITION: it is not listed. */
static guint
find_node(CwuNodeTable *self, int64_t node)
{
  guint n = node < 0 ? 0 : g_list_model_get_n_items(G_LIST_MODEL(self->selection));
  for (guint i = 0; i < n; i++) {
    g_autoptr(CwuNodeItem) item = g_list_model_get_item(G_LIST_MODEL(self->selection), i);
    if ((int64_t)cwu_node_item_get_node(item) == node)
      return i;
  }
  return GTK_INVALID_LIST_POSITION;
}

/* The list in a column view, which scrolls; the view has no call for it before GTK 4.12. */
static GtkWidget *
list_of(CwuNodeTable *self)
{
  GtkWidget *child = gtk_widget_get_first_child(self->view);
  while (child != NULL && !GTK_IS_LIST_VIEW(child))
    child = gtk_widget_get_next_sibling(child);
  return child;
}

static void
scroll_to(CwuNodeTable *self, guint position)
{
  gtk_widget_activate_action(list_of(self), "list.scroll-to-item", "u", position);
}

static void
select_position(CwuNodeTable *self, guint position)
{
  self->is_syncing = true;
  gtk_single_selection_set_selected(self->selection, position);
  self->is_syncing = false;
  if (position != GTK_INVALID_LIST_POSITION)
    scroll_to(self, position);
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
  select_position(self, find_node(self, node));
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
  if (item == NULL && find_node(self, now) == GTK_INVALID_LIST_POSITION)
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

/* Rows that come back bring the selection with them; later, since GTK's list takes it badly if
 * the selection changes while it is being told of rows. */
static void
rows_changed_cb(CwuNodeTable *self)
{
  if (self->reselect == 0 && cwu_document_get_selected(self->document) != selected_node(self))
    self->reselect = g_idle_add_full(G_PRIORITY_HIGH_IDLE, reselect_cb, self, NULL);
}

static void
activate_cb(GtkColumnView *view, guint position, CwuNodeTable *self)
{
  g_autoptr(CwuNodeItem) item = g_list_model_get_item(G_LIST_MODEL(self->selection), position);
  if (item == NULL || !cwu_node_item_is_shown(item))
    return;
  cwu_document_set_view(self->document, "layers");
  cwu_document_show_node(self->document, (int64_t)cwu_node_item_get_node(item));
}

/* ---- order ----------------------------------------------------------------------------- */

static int
compare(gconstpointer a, gconstpointer b, gpointer column)
{
  return cwu_node_item_compare((CwuNodeItem *)a, (CwuNodeItem *)b,
                               (CwuNodeColumn)GPOINTER_TO_INT(column));
}

void
cwu_node_table_sort(CwuNodeTable *self, CwuNodeColumn column, GtkSortType order)
{
  gtk_column_view_sort_by_column(GTK_COLUMN_VIEW(self->view), NULL, GTK_SORT_ASCENDING);
  gtk_column_view_sort_by_column(GTK_COLUMN_VIEW(self->view), self->columns[column], order);
}

/* The header is for the pointer only; the menu is for the keyboard. */
static void
sort_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  int column = g_variant_get_int32(parameter);
  if (column >= 0 && column < CWU_N_COLUMNS)
    cwu_node_table_sort(user_data, (CwuNodeColumn)column, columns[column].first);
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
  GTK_WIDGET_CLASS(cwu_node_table_parent_class)->map(widget);
  fill_if_seen(CWU_NODE_TABLE(widget));
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
  if (parts & CW_DOCUMENT_GRAPH)
    cwu_node_model_clear(self->model);
}

/* To the selected row, if it is there. */
static gboolean
cwu_node_table_grab_focus(GtkWidget *widget)
{
  CwuNodeTable *self = CWU_NODE_TABLE(widget);
  for (GtkWidget *row = gtk_widget_get_first_child(list_of(self)); row != NULL;
       row = gtk_widget_get_next_sibling(row))
    if (gtk_widget_get_state_flags(row) & GTK_STATE_FLAG_SELECTED)
      return gtk_widget_grab_focus(row);
  return gtk_widget_grab_focus(self->view);
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

static GtkColumnViewColumn *
column_new(CwuNodeTable *self, CwuNodeColumn column)
{
  GtkListItemFactory *factory = cwu_node_cell_factory_new(self->document, self->model, column);
  GtkColumnViewColumn *result = gtk_column_view_column_new(_(columns[column].title), factory);
  g_autoptr(GtkSorter) sorter =
      GTK_SORTER(gtk_custom_sorter_new(compare, GINT_TO_POINTER(column), NULL));
  gtk_column_view_column_set_sorter(result, sorter);
  gtk_column_view_column_set_resizable(result, TRUE);
  if (columns[column].width > 0)
    gtk_column_view_column_set_fixed_width(result, columns[column].width);
  else
    gtk_column_view_column_set_expand(result, TRUE);
  return result;
}

static GtkWidget *
view_new(CwuNodeTable *self)
{
  GtkWidget *view = gtk_column_view_new(NULL);
  gtk_column_view_set_show_row_separators(GTK_COLUMN_VIEW(view), FALSE);
  gtk_widget_add_css_class(view, "node-table");
  gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Nodes of the graph"), -1);
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    self->columns[i] = column_new(self, (CwuNodeColumn)i);
    gtk_column_view_append_column(GTK_COLUMN_VIEW(view), self->columns[i]);
    g_object_unref(self->columns[i]); /* The view has it. */
  }
  g_signal_connect(view, "activate", G_CALLBACK(activate_cb), self);
  return view;
}

static void
build_models(CwuNodeTable *self)
{
  self->filter = GTK_FILTER(gtk_custom_filter_new(is_listed, self, NULL));
  self->filtered =
      gtk_filter_list_model_new(g_object_ref(G_LIST_MODEL(self->model)), self->filter);
  GtkSortListModel *sorted = gtk_sort_list_model_new(
      G_LIST_MODEL(self->filtered),
      g_object_ref(gtk_column_view_get_sorter(GTK_COLUMN_VIEW(self->view))));
  gtk_filter_list_model_set_incremental(self->filtered, TRUE);
  gtk_sort_list_model_set_incremental(sorted, TRUE);
  self->selection = gtk_single_selection_new(G_LIST_MODEL(sorted));
  gtk_single_selection_set_autoselect(self->selection, FALSE);
  gtk_single_selection_set_can_unselect(self->selection, TRUE);
  gtk_column_view_set_model(GTK_COLUMN_VIEW(self->view), GTK_SELECTION_MODEL(self->selection));
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
    g_menu_append(menu, _(columns[i].title), action);
  }
  g_action_map_add_action_entries(G_ACTION_MAP(actions), entries, G_N_ELEMENTS(entries), self);
  gtk_widget_insert_action_group(button, "table", G_ACTION_GROUP(actions));
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
  gtk_menu_button_set_label(GTK_MENU_BUTTON(button), _("Sort by"));
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

static void
build_tools(CwuNodeTable *self)
{
  self->tools = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  self->search = gtk_search_entry_new();
  self->all = gtk_check_button_new_with_label(_("All nodes"));
  gtk_widget_set_hexpand(self->search, TRUE);
  g_object_set(self->search, "placeholder-text", _("Name, token, or L19"), NULL);
  gtk_editable_set_width_chars(GTK_EDITABLE(self->search), 8);
  gtk_widget_set_tooltip_text(self->search, _("Find nodes (Ctrl+F)"));
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
  g_signal_connect_object(self->model, "refresh", G_CALLBACK(refresh_cb), self,
                          G_CONNECT_SWAPPED);
}

static void
cwu_node_table_dispose(GObject *object)
{
  CwuNodeTable *self = CWU_NODE_TABLE(object);
  if (self->tools != NULL) {
    g_signal_handlers_disconnect_by_data(self->search, self);
    g_signal_handlers_disconnect_by_data(self->all, self);
  }
  if (self->model != NULL)
    cwu_node_model_clear(self->model); /* while the filter can still ask */
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
  g_strfreev(CWU_NODE_TABLE(object)->words);
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
  self->words = g_new0(char *, 1);
}

CwuNodeTable *
cwu_node_table_new(CwuDocument *document)
{
  CwuNodeTable *self = g_object_new(CWU_TYPE_NODE_TABLE, NULL);
  GtkWidget *scroller = gtk_scrolled_window_new();
  self->document = g_object_ref(document);
  self->model = cwu_node_model_new(document);
  self->view = view_new(self);
  build_tools(self);
  build_models(self);
  cwu_node_table_sort(self, CWU_COLUMN_INFLUENCE, GTK_SORT_DESCENDING);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->view);
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
