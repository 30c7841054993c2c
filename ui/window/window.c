/* window.c - the window of clew-app: header bar and tabs. What a tab shows is its page's
 * matter; the window follows the page in front. */
#include "window/window-private.h"

#include <glib/gi18n-lib.h>

#include "clew-window-resources.h"
#include "desktop/settings.h"
#include "desktop/theme-watch.h"
#include "panes/hint.h"
#include "window/action-table.h"
#include "window/toasts.h"

#define STYLE_FOLDER "/io/github/clew_circuits/Clew/window/"

G_DEFINE_TYPE(CwuWindow, cwu_window, ADW_TYPE_APPLICATION_WINDOW)

enum { PROP_CONTEXT = 1 };

/* ---- tabs ------------------------------------------------------------------------------ */

static void
toast_cb(CwuPage *page, const char *message, guint seconds, CwuWindow *self)
{
  cwu_toasts_tell(self->toasts, message, seconds);
}

CwuPage *
cwu_window_page_of(AdwTabPage *tab)
{
  return CWU_PAGE(adw_tab_page_get_child(tab));
}

/* A tab with what is in no file has a dot. */
static void
saved_cb(CwuDocument *document, GParamSpec *pspec, AdwTabPage *tab)
{
  g_autoptr(GIcon) icon = NULL;
  if (!cwu_document_is_saved(document))
    icon = g_themed_icon_new("media-record-symbolic");
  adw_tab_page_set_indicator_icon(tab, icon);
}

static void
update_cb(CwuWindow *self)
{
  cwu_window_actions_update(self);
}

/* Tabs are moved between windows by dragging; only the window that has one follows it. */
static void
page_attached_cb(AdwTabView *tabs, AdwTabPage *tab, int position, CwuWindow *self)
{
  CwuPage *page = cwu_window_page_of(tab);
  CwuDocument *document = cwu_page_peek_document(page);
  g_signal_connect_object(document, "history-changed", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "notify::view", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(page, "toast", G_CALLBACK(toast_cb), self, 0);
}

static void
page_detached_cb(AdwTabView *tabs, AdwTabPage *tab, int position, CwuWindow *self)
{
  CwuPage *page = cwu_window_page_of(tab);
  g_signal_handlers_disconnect_by_data(page, self);
  g_signal_handlers_disconnect_by_data(cwu_page_peek_document(page), self);
}

static AdwTabView *
create_window_cb(AdwTabView *tabs, CwuWindow *self)
{
  GtkApplication *application = gtk_window_get_application(GTK_WINDOW(self));
  CwuWindow *window =
      g_object_new(CWU_TYPE_WINDOW, "application", application, "context", self->context, NULL);
  gtk_window_present(GTK_WINDOW(window));
  return window->tabs;
}

CwuPage *
cwu_window_add_page(CwuWindow *self)
{
  CwuPage *page = cwu_page_new(self->context);
  CwuDocument *document = cwu_page_peek_document(page);
  AdwTabPage *tab = adw_tab_view_append(self->tabs, GTK_WIDGET(page));
  g_object_bind_property(page, "title", tab, "title", G_BINDING_SYNC_CREATE);
  g_object_bind_property(document, "is-loading", tab, "loading", G_BINDING_SYNC_CREATE);
  g_signal_connect_object(document, "notify::is-saved", G_CALLBACK(saved_cb), tab, 0);
  adw_tab_view_set_selected_page(self->tabs, tab);
  cwu_page_edit_prompt(page); /* Whoever opens a tab types; a file that is read takes over. */
  return page;
}

static void
follow_page(CwuWindow *self, CwuPage *page)
{
  for (size_t i = 0; i < G_N_ELEMENTS(self->bindings); i++)
    g_clear_pointer(&self->bindings[i], g_binding_unbind);
  self->page = page;
  if (page == NULL)
    return;
  cwu_history_bar_set_document(self->history, cwu_page_peek_document(page));
  self->bindings[0] =
      g_object_bind_property(page, "title", self->title, "title", G_BINDING_SYNC_CREATE);
  self->bindings[1] =
      g_object_bind_property(page, "subtitle", self->title, "subtitle", G_BINDING_SYNC_CREATE);
  self->bindings[2] =
      g_object_bind_property(page, "title", self, "title", G_BINDING_SYNC_CREATE);
  cwu_window_actions_update(self);
}

static void
selected_page_cb(CwuWindow *self)
{
  AdwTabPage *tab = adw_tab_view_get_selected_page(self->tabs);
  follow_page(self, tab != NULL ? cwu_window_page_of(tab) : NULL);
}

static void
n_pages_cb(CwuWindow *self)
{
  if (adw_tab_view_get_n_pages(self->tabs) == 0)
    gtk_window_destroy(GTK_WINDOW(self));
}

static CwuPage *
page_at(CwuWindow *self, int i)
{
  return cwu_window_page_of(adw_tab_view_get_nth_page(self->tabs, i));
}

static int
find_file(CwuWindow *self, GFile *file)
{
  for (int i = 0; i < adw_tab_view_get_n_pages(self->tabs); i++) {
    GFile *shown = cwu_page_peek_file(page_at(self, i));
    if (shown != NULL && g_file_equal(shown, file))
      return i;
  }
  return -1;
}

gboolean
cwu_window_has_file(CwuWindow *self, GFile *file)
{
  return find_file(self, file) >= 0;
}

void
cwu_window_open(CwuWindow *self, GFile *file)
{
  int i = find_file(self, file);
  if (i >= 0) {
    adw_tab_view_set_selected_page(self->tabs, adw_tab_view_get_nth_page(self->tabs, i));
    return;
  }
  CwuPage *page = self->page;
  if (page == NULL || !cwu_page_is_blank(page))
    page = cwu_window_add_page(self);
  cwu_page_open(page, file);
}

/* The page of runs, in front; one of its own unless an empty one is there. */
void
cwu_window_show_runs(CwuWindow *self)
{
  for (int i = 0; i < adw_tab_view_get_n_pages(self->tabs); i++)
    if (cwu_page_peek_runs(page_at(self, i)) != NULL)
      adw_tab_view_set_selected_page(self->tabs, adw_tab_view_get_nth_page(self->tabs, i));
  bool is_blank = self->page != NULL && cwu_page_is_blank(self->page);
  if (self->page == NULL || (cwu_page_peek_runs(self->page) == NULL && !is_blank))
    cwu_window_add_page(self);
  cwu_page_show_runs(self->page);
  gtk_widget_grab_focus(GTK_WIDGET(cwu_page_peek_runs(self->page)));
}

guint
cwu_window_recover(CwuWindow *self)
{
  g_autoptr(GPtrArray) found =
      cwu_autosave_store_recover(cwu_context_peek_store(self->context));
  for (guint i = 0; i < found->len; i++) {
    CwuPage *page = self->page;
    if (page == NULL || !cwu_page_is_blank(page))
      page = cwu_window_add_page(self);
    cwu_page_recover(page, found->pdata[i]);
  }
  return found->len;
}

/* ---- closing --------------------------------------------------------------------------- */

static void
may_close_tab(CwuWindow *self, AdwTabPage *tab, gboolean may_close)
{
  adw_tab_view_close_page_finish(self->tabs, tab, may_close);
}

static gboolean
close_page_cb(AdwTabView *tabs, AdwTabPage *tab, CwuWindow *self)
{
  if (cwu_page_is_unsaved(cwu_window_page_of(tab)))
    cwu_window_ask_close(self, tab, may_close_tab);
  else
    adw_tab_view_close_page_finish(tabs, tab, TRUE);
  return GDK_EVENT_STOP;
}

static void
may_close_window(CwuWindow *self, AdwTabPage *tab, gboolean may_close)
{
  self->may_close = may_close;
  if (may_close)
    gtk_window_close(GTK_WINDOW(self));
}

static gboolean
cwu_window_close_request(GtkWindow *window)
{
  CwuWindow *self = CWU_WINDOW(window);
  bool is_unsaved = false;
  for (int i = 0; i < adw_tab_view_get_n_pages(self->tabs); i++)
    is_unsaved |= cwu_page_is_unsaved(page_at(self, i));
  if (is_unsaved && !self->may_close) {
    cwu_window_ask_close(self, NULL, may_close_window);
    return GDK_EVENT_STOP;
  }
  return GTK_WINDOW_CLASS(cwu_window_parent_class)->close_request(window);
}

static gboolean
drop_cb(GtkDropTarget *target, const GValue *value, double x, double y, CwuWindow *self)
{
  GSList *files = g_value_get_boxed(value);
  for (GSList *l = files; l != NULL; l = l->next)
    cwu_window_open(self, l->data);
  return files != NULL;
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
button_new(const char *action)
{
  GtkWidget *button = gtk_button_new();
  cwu_action_bind(button, action);
  return button;
}

static GtkWidget *
header_new(CwuWindow *self)
{
  GtkWidget *header = adw_header_bar_new(), *menu_button = gtk_menu_button_new();
  GtkWidget *open = gtk_button_new_with_mnemonic(_("_Open"));
  g_autoptr(GMenu) menu = cwu_action_table_menu_new(GTK_APPLICATION_WINDOW(self));
  cwu_action_bind(open, "win.open");
  self->title = adw_window_title_new("Clew", NULL);
  self->history = cwu_history_bar_new();
  self->side_button = gtk_toggle_button_new();
  cwu_action_bind(self->side_button, "win.side-pane");
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(menu_button), "open-menu-symbolic");
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(menu_button), G_MENU_MODEL(menu));
  gtk_menu_button_set_primary(GTK_MENU_BUTTON(menu_button), TRUE);
  cwu_hint_set(menu_button, _("Menu (F10)"));
  adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), self->title);
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), open);
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), button_new("win.new-prompt"));
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), GTK_WIDGET(self->history));
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), menu_button);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->side_button);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), button_new("win.zoom-fit"));
  return header;
}

static void
build(CwuWindow *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *header = header_new(self);
  GtkWidget *bar = GTK_WIDGET(adw_tab_bar_new());
  adw_tab_bar_set_view(ADW_TAB_BAR(bar), self->tabs);
  self->toasts = cwu_toasts_new(GTK_WIDGET(self->tabs));
  gtk_widget_set_vexpand(self->toasts, TRUE);
  gtk_box_append(GTK_BOX(box), header);
  gtk_box_append(GTK_BOX(box), bar);
  gtk_box_append(GTK_BOX(box), self->toasts);
  adw_application_window_set_content(ADW_APPLICATION_WINDOW(self), box);
}

static void
add_style(void)
{
  static const char *const sheets[] = { STYLE_FOLDER "style.css", STYLE_FOLDER "trace.css",
                                        STYLE_FOLDER "runs.css" };
  static gsize once = 0;
  if (!g_once_init_enter(&once))
    return;
  g_resources_register(clew_window_get_resource());
  for (size_t i = 0; i < G_N_ELEMENTS(sheets); i++) {
    g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
    gtk_css_provider_load_from_resource(provider, sheets[i]);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                               GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  }
  cwu_theme_define_colours();
  g_once_init_leave(&once, 1);
}

static void
cwu_window_dispose(GObject *object)
{
  CwuWindow *self = CWU_WINDOW(object);
  cwu_window_actions_release(self);
  if (self->tabs != NULL)
    g_signal_handlers_disconnect_by_data(self->tabs, self);
  follow_page(self, NULL);
  g_clear_object(&self->tabs);
  g_clear_object(&self->context);
  G_OBJECT_CLASS(cwu_window_parent_class)->dispose(object);
}

static void
cwu_window_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CONTEXT)
    CWU_WINDOW(object)->context = g_value_dup_object(value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
cwu_window_class_init(CwuWindowClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  object_class->dispose = cwu_window_dispose;
  object_class->set_property = cwu_window_set_property;
  GTK_WINDOW_CLASS(class)->close_request = cwu_window_close_request;
  g_object_class_install_property(
      object_class, PROP_CONTEXT,
      g_param_spec_object("context", NULL, NULL, CWU_TYPE_CONTEXT,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
cwu_window_init(CwuWindow *self)
{
  GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  GtkEventController *keys = gtk_event_controller_key_new();
  add_style();
  self->tabs = g_object_ref_sink(adw_tab_view_new());
  cwu_window_actions_init(self);
  build(self);
  g_signal_connect(self->tabs, "page-attached", G_CALLBACK(page_attached_cb), self);
  g_signal_connect(self->tabs, "page-detached", G_CALLBACK(page_detached_cb), self);
  g_signal_connect(self->tabs, "create-window", G_CALLBACK(create_window_cb), self);
  g_signal_connect(self->tabs, "close-page", G_CALLBACK(close_page_cb), self);
  g_signal_connect_swapped(self->tabs, "notify::selected-page", G_CALLBACK(selected_page_cb),
                           self);
  g_signal_connect_swapped(self->tabs, "notify::n-pages", G_CALLBACK(n_pages_cb), self);
  g_signal_connect(drop, "drop", G_CALLBACK(drop_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped(keys, "key-released", G_CALLBACK(cwu_window_actions_release), self);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
  cwu_action_table_add_keys(GTK_WIDGET(self));
  gtk_widget_set_size_request(GTK_WIDGET(self), 720, 420);
  cwu_settings_restore_window(GTK_WINDOW(self));
}

CwuWindow *
cwu_window_new(AdwApplication *application, CwuContext *context)
{
  CwuWindow *self =
      g_object_new(CWU_TYPE_WINDOW, "application", application, "context", context, NULL);
  cwu_window_add_page(self);
  return self;
}

void
cwu_window_install_keys(GtkApplication *application)
{
  cwu_action_table_install_keys(application);
}
