/* start-page.c - see start-page.h. Cards appear at once with the file's name; picture, prompt
 * and answer follow when they are made. Every tab has a start page and most never show it: it
 * is filled when it is seen. */
#include "window/start-page.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>
#include <stdbool.h>

#include "desktop/theme-watch.h"
#include "panes/width-first.h"
#include "window/card-grid.h"
#include "window/thumbnail.h"

/* Of a thumbnail, in a card that may be wider or narrower: the ground is the same. */
#define CARD_WIDTH_PX  292
#define CARD_HEIGHT_PX 160
#define MAX_RECENT     8
#define MAX_SAMPLES    24

struct _CwuStartPage {
  GtkWidget parent_instance;
  GtkWidget *scroller, *samples_box, *recent_box, *samples, *recent;
  char *folder;                 /* of samples */
  bool has_samples, has_recent; /* filled, and as they are now */
  guint recent_idle;
  GCancellable *cancellable;
};

G_DEFINE_TYPE(CwuStartPage, cwu_start_page, GTK_TYPE_WIDGET)

enum { OPEN, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
open_file(CwuStartPage *self, GFile *file)
{
  g_signal_emit(self, signals[OPEN], 0, file);
}

/* ---- samples --------------------------------------------------------------------------- */

/* What a card's callbacks need; it lives as long as its button. */
typedef struct {
  CwuStartPage *page;
  GFile *file;
  GtkWidget *picture, *prompt, *answer;
} Card;

static void
card_free(gpointer data, GClosure *closure)
{
  Card *card = data;
  g_object_unref(card->file);
  g_free(card);
}

static void
card_clicked_cb(GtkButton *button, Card *card)
{
  open_file(card->page, card->file);
}

static void
thumbnail_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GtkWidget) button = user_data;
  g_autoptr(GError) error = NULL;
  CwuThumbnail *thumbnail = cwu_thumbnail_make_finish(result, &error);
  Card *card = g_object_get_data(G_OBJECT(button), "card");
  if (thumbnail != NULL && gtk_widget_get_root(button) != NULL) {
    gtk_picture_set_paintable(GTK_PICTURE(card->picture), GDK_PAINTABLE(thumbnail->picture));
    gtk_label_set_text(GTK_LABEL(card->prompt), thumbnail->prompt);
    gtk_label_set_text(GTK_LABEL(card->answer),
                       thumbnail->answer != NULL ? thumbnail->answer : "");
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   thumbnail->prompt, -1);
  }
  cwu_thumbnail_free(thumbnail);
}

static void
make_thumbnail(CwuStartPage *self, GtkWidget *button)
{
  Card *card = g_object_get_data(G_OBJECT(button), "card");
  cwu_thumbnail_make_async(card->file, CARD_WIDTH_PX, CARD_HEIGHT_PX,
                           gtk_widget_get_scale_factor(GTK_WIDGET(self)), cwu_theme_kind_now(),
                           self->cancellable, thumbnail_cb, g_object_ref(button));
}

static GtkWidget *
card_label(GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label =
      g_object_new(GTK_TYPE_LABEL, "label", text, "xalign", 0.0f, "ellipsize",
                   PANGO_ELLIPSIZE_END, "width-chars", 16, "max-width-chars", 24, NULL);
  if (css_class != NULL)
    gtk_widget_add_css_class(label, css_class);
  gtk_box_append(GTK_BOX(box), label);
  return label;
}

static GtkWidget *
card_new(CwuStartPage *self, GFile *file)
{
  GtkWidget *button = gtk_button_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  g_autofree char *name = g_file_get_basename(file);
  Card *card = g_new0(Card, 1);
  card->page = self;
  card->file = g_object_ref(file);
  card->picture = gtk_picture_new();
  gtk_widget_set_size_request(card->picture, -1, CARD_HEIGHT_PX);
  gtk_picture_set_can_shrink(GTK_PICTURE(card->picture), TRUE);
  gtk_box_append(GTK_BOX(box), card->picture);
  gtk_widget_add_css_class(texts, "card-texts");
  card->prompt = card_label(texts, name, "heading");
  g_object_set(card->prompt, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR, "lines", 2, NULL);
  card->answer = card_label(texts, "", "dim-label");
  gtk_box_append(GTK_BOX(box), texts);
  gtk_button_set_child(GTK_BUTTON(button), box);
  gtk_widget_add_css_class(button, "sample-card");
  gtk_widget_set_overflow(button, GTK_OVERFLOW_HIDDEN);
  g_object_set_data(G_OBJECT(button), "card", card);
  g_signal_connect_data(button, "clicked", G_CALLBACK(card_clicked_cb), card, card_free, 0);
  return button;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

static void
add_samples(CwuStartPage *self)
{
  g_autoptr(GDir) dir = self->folder != NULL ? g_dir_open(self->folder, 0, NULL) : NULL;
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  self->has_samples = true;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, ".clew"))
      g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; i < MIN(names->len, MAX_SAMPLES); i++) {
    g_autoptr(GFile) file = g_file_new_build_filename(self->folder, names->pdata[i], NULL);
    gtk_box_append(GTK_BOX(self->samples), card_new(self, file));
  }
  gtk_widget_set_visible(self->samples_box, names->len > 0);
}

/* When the page is first seen, and anew after a change of style. */
static void
make_thumbnails_cb(CwuStartPage *self)
{
  if (!gtk_widget_get_mapped(GTK_WIDGET(self)))
    return;
  GtkWidget *button = gtk_widget_get_first_child(self->samples);
  for (; button != NULL; button = gtk_widget_get_next_sibling(button))
    make_thumbnail(self, button);
}

/* ---- files opened last ----------------------------------------------------------------- */

static void
recent_activated_cb(GtkListBox *list, GtkListBoxRow *row, CwuStartPage *self)
{
  open_file(self, g_object_get_data(G_OBJECT(row), "file"));
}

static GtkWidget *
recent_row_new(GtkRecentInfo *info)
{
  GtkWidget *row = adw_action_row_new();
  GFile *file = g_file_new_for_uri(gtk_recent_info_get_uri(info));
  g_autoptr(GFile) folder = g_file_get_parent(file);
  g_autofree char *path = folder != NULL ? g_file_get_parse_name(folder) : NULL;
  g_autofree char *title = g_markup_escape_text(gtk_recent_info_get_display_name(info), -1);
  g_autofree char *subtitle = g_markup_escape_text(path != NULL ? path : "", -1);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
  adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 1);
  adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 1);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
  g_object_set_data_full(G_OBJECT(row), "file", file, g_object_unref);
  return row;
}

static int
compare_recent(gconstpointer a, gconstpointer b)
{
  GDateTime *x = gtk_recent_info_get_modified((GtkRecentInfo *)a);
  GDateTime *y = gtk_recent_info_get_modified((GtkRecentInfo *)b);
  return -g_date_time_compare(x, y);
}

static void
update_recent(CwuStartPage *self)
{
  self->has_recent = true;
  GList *items = gtk_recent_manager_get_items(gtk_recent_manager_get_default());
  GtkWidget *row;
  int n = 0;
  while ((row = gtk_widget_get_first_child(self->recent)) != NULL)
    gtk_list_box_remove(GTK_LIST_BOX(self->recent), row);
  items = g_list_sort(items, compare_recent);
  for (GList *l = items; l != NULL && n < MAX_RECENT; l = l->next) {
    if (!gtk_recent_info_has_application(l->data, g_get_application_name()) ||
        !gtk_recent_info_exists(l->data))
      continue;
    gtk_list_box_append(GTK_LIST_BOX(self->recent), recent_row_new(l->data));
    n++;
  }
  g_list_free_full(items, (GDestroyNotify)gtk_recent_info_unref);
  gtk_widget_set_visible(self->recent_box, n > 0);
}

static gboolean
recent_idle_cb(gpointer user_data)
{
  CwuStartPage *self = user_data;
  self->recent_idle = 0;
  if (gtk_widget_get_mapped(GTK_WIDGET(self)))
    update_recent(self);
  return G_SOURCE_REMOVE;
}

/* After the page is shown: rows of eight files take as long as all the rest of it. */
static void
want_recent(CwuStartPage *self)
{
  if (!self->has_recent && self->recent_idle == 0 && gtk_widget_get_mapped(GTK_WIDGET(self)))
    self->recent_idle = g_idle_add(recent_idle_cb, self);
}

static void
recent_changed_cb(CwuStartPage *self)
{
  self->has_recent = false;
  want_recent(self);
}

/* ---- the widget ------------------------------------------------------------------------ */

static void
map_cb(CwuStartPage *self)
{
  if (!self->has_samples)
    add_samples(self);
  want_recent(self);
  make_thumbnails_cb(self);
}

static GtkWidget *
section_new(GtkWidget *page, const char *title)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "label", title, "xalign", 0.0f, NULL);
  gtk_widget_add_css_class(label, "title-4");
  gtk_box_append(GTK_BOX(box), label);
  gtk_box_append(GTK_BOX(page), box);
  return box;
}

static GtkWidget *
head_new(void)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4), *title, *hint;
  GtkWidget *left = adw_bin_new();
  GtkWidget *open = gtk_button_new_with_mnemonic(_("_Open a Graph…"));
  GtkWidget *runs = gtk_button_new_with_mnemonic(_("T_rain a Transcoder…"));
  title = g_object_new(GTK_TYPE_LABEL, "label", _("Type a prompt, or open a circuit"), "xalign",
                       0.0f, "wrap", TRUE, NULL);
  hint = g_object_new(GTK_TYPE_LABEL, "label",
                      _("Enter traces the prompt through the model. Files may be .clew "
                        "documents, or graph .json "
                        "of circuit-tracer, Neuronpedia or Anthropic; drop them anywhere."),
                      "xalign", 0.0f, "wrap", TRUE, "hexpand", TRUE, NULL);
  gtk_widget_add_css_class(title, "title-2");
  gtk_widget_add_css_class(hint, "dim-label");
  gtk_widget_set_valign(open, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name(GTK_ACTIONABLE(open), "win.open");
  gtk_widget_set_valign(runs, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name(GTK_ACTIONABLE(runs), "win.runs");
  gtk_box_append(GTK_BOX(texts), title);
  gtk_box_append(GTK_BOX(texts), hint);
  gtk_widget_set_hexpand(texts, TRUE);
  adw_bin_set_child(ADW_BIN(left), texts);
  gtk_widget_set_layout_manager(left, cwu_width_first_layout_new());
  gtk_box_append(GTK_BOX(box), left);
  gtk_box_append(GTK_BOX(box), runs);
  gtk_box_append(GTK_BOX(box), open);
  return box;
}

static void
build(CwuStartPage *self)
{
  GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 32), *clamp = adw_clamp_new();
  self->samples = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_set_layout_manager(self->samples, cwu_card_grid_new());
  self->recent = gtk_list_box_new();
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->recent), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Recent"), -1);
  gtk_box_append(GTK_BOX(page), head_new());
  self->samples_box = section_new(page, _("Sample circuits"));
  self->recent_box = section_new(page, _("Recent"));
  gtk_box_append(GTK_BOX(self->samples_box), self->samples);
  gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->recent), GTK_SELECTION_NONE);
  gtk_widget_add_css_class(self->recent, "boxed-list");
  g_signal_connect(self->recent, "row-activated", G_CALLBACK(recent_activated_cb), self);
  gtk_box_append(GTK_BOX(self->recent_box), self->recent);
  gtk_widget_add_css_class(page, "start-page");
  adw_clamp_set_maximum_size(ADW_CLAMP(clamp), 1160);
  adw_clamp_set_tightening_threshold(ADW_CLAMP(clamp), 1160);
  adw_clamp_set_child(ADW_CLAMP(clamp), page);
  self->scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scroller), clamp);
  gtk_widget_set_parent(self->scroller, GTK_WIDGET(self));
}

static void
cwu_start_page_dispose(GObject *object)
{
  CwuStartPage *self = CWU_START_PAGE(object);
  g_cancellable_cancel(self->cancellable);
  g_clear_handle_id(&self->recent_idle, g_source_remove);
  g_clear_pointer(&self->scroller, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_start_page_parent_class)->dispose(object);
}

static void
cwu_start_page_finalize(GObject *object)
{
  CwuStartPage *self = CWU_START_PAGE(object);
  g_object_unref(self->cancellable);
  g_free(self->folder);
  G_OBJECT_CLASS(cwu_start_page_parent_class)->finalize(object);
}

static void
cwu_start_page_class_init(CwuStartPageClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_start_page_dispose;
  G_OBJECT_CLASS(class)->finalize = cwu_start_page_finalize;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  signals[OPEN] = g_signal_new("open", CWU_TYPE_START_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_FILE);
}

static void
cwu_start_page_init(CwuStartPage *self)
{
  AdwStyleManager *style = adw_style_manager_get_default();
  self->cancellable = g_cancellable_new();
  build(self);
  g_signal_connect(self, "map", G_CALLBACK(map_cb), NULL);
  g_signal_connect_object(style, "notify::dark", G_CALLBACK(make_thumbnails_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(style, "notify::high-contrast", G_CALLBACK(make_thumbnails_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(gtk_recent_manager_get_default(), "changed",
                          G_CALLBACK(recent_changed_cb), self, G_CONNECT_SWAPPED);
}

GtkWidget *
cwu_start_page_new(const char *samples)
{
  CwuStartPage *self = g_object_new(CWU_TYPE_START_PAGE, NULL);
  self->folder = g_strdup(samples);
  return GTK_WIDGET(self);
}
