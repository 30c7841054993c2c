/* run-head.c - see run-head.h. */
#include "runs/run-head.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "panes/hint.h"
#include "runs/run-words.h"
#include "runs/runs-watch.h"

/* Buttons that are orders, in their order; each is there while its action is allowed. */
static const struct {
  CwuRunsOrder order;
  CwRunActions action;
  const char *icon, *words;
} buttons[] = {
  { CWU_RUNS_PAUSE, CW_RUN_CAN_PAUSE, "media-playback-pause-symbolic",
    N_("Pause: saves, and gives the memory back") },
  { CWU_RUNS_RESUME, CW_RUN_CAN_RESUME, "media-playback-start-symbolic",
    N_("Go on where it was saved") },
  { CWU_RUNS_STOP, CW_RUN_CAN_STOP, "media-playback-stop-symbolic",
    N_("Stop: saves and ends") },
  { CWU_RUNS_KILL, CW_RUN_CAN_KILL, "process-stop-symbolic",
    N_("End at once: what was not saved is lost") },
  { CWU_RUNS_DELETE, CW_RUN_CAN_DELETE, "user-trash-symbolic", N_("Delete") },
};

struct _CwuRunHead {
  GtkWidget parent_instance;
  GtkWidget *column, *icon, *name, *state, *progress;
  GtkWidget *use, *compare, *others, *orders[G_N_ELEMENTS(buttons)];
};

G_DEFINE_TYPE(CwuRunHead, cwu_run_head, GTK_TYPE_WIDGET)

enum { ORDER, USE, COMPARE, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- what is shown ---------------------------------------------------------------------- */

/* "Training · Running · 43% · 3 min left". */
static char *
dup_state(const CwRunFacts *facts)
{
  GString *text = g_string_new(cwu_run_state_peek_title(facts->state));
  g_autofree char *left = cwu_run_dup_duration(facts->seconds_left);
  bool is_live = cwu_run_state_is_live(facts->state);
  if (facts->state != CW_RUN_DAMAGED)
    g_string_prepend(text, " · ");
  if (facts->state != CW_RUN_DAMAGED)
    g_string_prepend(text, cwu_run_kind_peek_title(facts->kind));
  /* Most of a training is its phase "training". */
  if (is_live && facts->phase != NULL && strcmp(facts->phase, "training") != 0)
    g_string_append_printf(text, " · %s", facts->phase);
  if (is_live && isfinite(facts->fraction))
    g_string_append_printf(text, " · %.0f%%", 100 * facts->fraction);
  if (is_live && left != NULL) {
    g_string_append(text, " · ");
    g_string_append_printf(text, _("%s left"), left);
  }
  return g_string_free(text, FALSE);
}

static void
set_class(GtkWidget *widget, const char *name, bool is_set)
{
  if (is_set)
    gtk_widget_add_css_class(widget, name);
  else
    gtk_widget_remove_css_class(widget, name);
}

/* To end at once is offered where one waits for the saving. */
static bool
is_offered(const CwRunFacts *facts, size_t i)
{
  bool is_hasty = buttons[i].order == CWU_RUNS_KILL;
  return (facts->actions & buttons[i].action) != 0 &&
         (!is_hasty || facts->state == CW_RUN_STOPPING);
}

void
cwu_run_head_set(CwuRunHead *self, const CwRunFacts *facts)
{
  g_autofree char *state = dup_state(facts);
  bool is_live = cwu_run_state_is_live(facts->state);
  bool has_share = isfinite(facts->fraction) && facts->state != CW_RUN_FINISHED;
  gtk_image_set_from_icon_name(GTK_IMAGE(self->icon), cwu_run_state_peek_icon(facts->state));
  set_class(self->icon, "bad", cwu_run_state_is_bad(facts->state));
  set_class(self->icon, "live", is_live);
  gtk_label_set_text(GTK_LABEL(self->name), facts->name);
  gtk_label_set_text(GTK_LABEL(self->state), state);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->progress),
                                has_share ? CLAMP(facts->fraction, 0, 1) : 0);
  gtk_widget_set_opacity(self->progress, has_share);
  set_class(self->progress, "still", !is_live);
  for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++)
    gtk_widget_set_visible(self->orders[i], is_offered(facts, i));
  gtk_widget_set_visible(self->use, facts->kind == CW_RUN_TRAINING && facts->result != NULL);
}

/* ---- comparing -------------------------------------------------------------------------- */

static GtkWidget *
other_row_new(const char *name, const char *folder, bool is_chosen)
{
  GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *mark = gtk_image_new_from_icon_name("object-select-symbolic");
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "label", name, "xalign", 0.0f, "ellipsize",
                                  PANGO_ELLIPSIZE_MIDDLE, "max-width-chars", 32, NULL);
  gtk_widget_set_opacity(mark, is_chosen);
  gtk_box_append(GTK_BOX(box), mark);
  gtk_box_append(GTK_BOX(box), label);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  g_object_set_data_full(G_OBJECT(row), "folder", g_strdup(folder), g_free);
  return row;
}

void
cwu_run_head_set_others(CwuRunHead *self, GPtrArray *others, const char *other)
{
  GtkWidget *row;
  while ((row = gtk_widget_get_first_child(self->others)) != NULL)
    gtk_list_box_remove(GTK_LIST_BOX(self->others), row);
  gtk_list_box_append(GTK_LIST_BOX(self->others),
                      other_row_new(_("With none"), NULL, other == NULL));
  for (guint i = 0; i < others->len; i++) {
    const CwRunFacts *facts = others->pdata[i];
    bool is_chosen = other != NULL && strcmp(facts->folder, other) == 0;
    gtk_list_box_append(GTK_LIST_BOX(self->others),
                        other_row_new(facts->name, facts->folder, is_chosen));
  }
  gtk_widget_set_visible(self->compare, others->len > 0);
  set_class(self->compare, "chosen", other != NULL);
}

static void
compare_cb(GtkListBox *list, GtkListBoxRow *row, CwuRunHead *self)
{
  g_autofree char *folder = g_strdup(g_object_get_data(G_OBJECT(row), "folder"));
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->compare));
  g_signal_emit(self, signals[COMPARE], 0, folder);
}

static GtkWidget *
compare_new(CwuRunHead *self)
{
  GtkWidget *popover = gtk_popover_new(), *scroller = gtk_scrolled_window_new();
  self->compare = gtk_menu_button_new();
  self->others = gtk_list_box_new();
  gtk_menu_button_set_label(GTK_MENU_BUTTON(self->compare), _("Compare"));
  gtk_widget_set_tooltip_text(self->compare, _("Draw another run's curves beside these"));
  gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->others), GTK_SELECTION_NONE);
  gtk_widget_add_css_class(self->others, "offers");
  g_signal_connect(self->others, "row-activated", G_CALLBACK(compare_cb), self);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_propagate_natural_width(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), 320);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->others);
  gtk_popover_set_child(GTK_POPOVER(popover), scroller);
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->compare), popover);
  return self->compare;
}

/* ---- building --------------------------------------------------------------------------- */

static void
order_cb(GtkButton *button, CwuRunHead *self)
{
  for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++)
    if (self->orders[i] == GTK_WIDGET(button))
      g_signal_emit(self, signals[ORDER], 0, (int)buttons[i].order);
}

static void
use_cb(CwuRunHead *self)
{
  g_signal_emit(self, signals[USE], 0);
}

static GtkWidget *
names_new(CwuRunHead *self)
{
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  self->name = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_MIDDLE,
                            "hexpand", TRUE, NULL);
  self->state =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  gtk_widget_add_css_class(self->name, "title-4");
  gtk_widget_add_css_class(self->state, "run-state");
  gtk_box_append(GTK_BOX(texts), self->name);
  gtk_box_append(GTK_BOX(texts), self->state);
  return texts;
}

static GtkWidget *
buttons_new(CwuRunHead *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  self->use = gtk_button_new_with_mnemonic(_("_Use for Prompts"));
  gtk_widget_add_css_class(self->use, "suggested-action");
  gtk_widget_set_tooltip_text(self->use, _("Trace prompts with this transcoder"));
  g_signal_connect_swapped(self->use, "clicked", G_CALLBACK(use_cb), self);
  gtk_box_append(GTK_BOX(box), self->use);
  gtk_box_append(GTK_BOX(box), compare_new(self));
  for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
    self->orders[i] = gtk_button_new_from_icon_name(buttons[i].icon);
    cwu_hint_set(self->orders[i], _(buttons[i].words));
    g_signal_connect(self->orders[i], "clicked", G_CALLBACK(order_cb), self);
    gtk_box_append(GTK_BOX(box), self->orders[i]);
  }
  gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
  return box;
}

static void
cwu_run_head_dispose(GObject *object)
{
  g_clear_pointer(&CWU_RUN_HEAD(object)->column, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_run_head_parent_class)->dispose(object);
}

static void
cwu_run_head_class_init(CwuRunHeadClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_run_head_dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  signals[ORDER] = g_signal_new("order", CWU_TYPE_RUN_HEAD, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  signals[USE] = g_signal_new("use", CWU_TYPE_RUN_HEAD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 0);
  signals[COMPARE] = g_signal_new("compare", CWU_TYPE_RUN_HEAD, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_run_head_init(CwuRunHead *self)
{
  GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  self->column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  self->icon = gtk_image_new();
  self->progress = gtk_progress_bar_new();
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->progress), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("How far the run is"), -1);
  gtk_widget_add_css_class(line, "pane-head");
  gtk_widget_add_css_class(self->icon, "run-icon");
  gtk_widget_add_css_class(self->progress, "run-progress");
  gtk_box_append(GTK_BOX(line), self->icon);
  gtk_box_append(GTK_BOX(line), names_new(self));
  gtk_box_append(GTK_BOX(line), buttons_new(self));
  gtk_box_append(GTK_BOX(self->column), line);
  gtk_box_append(GTK_BOX(self->column), self->progress);
  gtk_widget_set_parent(self->column, GTK_WIDGET(self));
}

CwuRunHead *
cwu_run_head_new(void)
{
  return g_object_new(CWU_TYPE_RUN_HEAD, NULL);
}
