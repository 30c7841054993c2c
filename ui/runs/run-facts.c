/* run-facts.c - see run-facts.h. */
#include "runs/run-facts.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "panes/hint.h"
#include "panes/wrap-layout.h"
#include "picture/chart-axis.h"
#include "runs/run-draft.h"
#include "runs/run-words.h"

#define LAST_LINES 6

typedef enum { TILE_STARTED, TILE_TOOK, TILE_STEPS, TILE_WORKER, TILE_VERSION, N_TILES } Tile;

static const char *const titles[N_TILES] = {
  [TILE_STARTED] = N_("Begun"), [TILE_TOOK] = N_("Took"),       [TILE_STEPS] = N_("At step"),
  [TILE_WORKER] = N_("Worker"), [TILE_VERSION] = N_("Version"),
};

struct _CwuRunFactsView {
  GtkWidget parent_instance;
  GtkWidget *column, *message, *reason, *lines; /* message: of a run that went wrong */
  GtkWidget *tiles[N_TILES], *values[N_TILES];
  GtkWidget *command_row, *command;
};

G_DEFINE_TYPE(CwuRunFactsView, cwu_run_facts_view, GTK_TYPE_WIDGET)

/* ---- what is shown ---------------------------------------------------------------------- */

/* The last lines that are not empty. */
static char *
dup_last_lines(const char *log)
{
  g_autofree char *text = g_strchomp(g_strdup(log));
  const char *from = text + strlen(text);
  for (int n = 0; from > text; from--)
    if (from[-1] == '\n' && ++n == LAST_LINES)
      break;
  return g_strdup(from);
}

static void
set_message(CwuRunFactsView *self, const CwRunFacts *facts, const CwuRunDetails *details)
{
  bool is_bad = cwu_run_state_is_bad(facts->state);
  bool has_lines = facts->state == CW_RUN_DEAD || facts->state == CW_RUN_FAILED;
  g_autofree char *lines =
      has_lines && details != NULL ? dup_last_lines(details->log) : g_strdup("");
  gtk_widget_set_visible(self->message, is_bad);
  gtk_label_set_text(GTK_LABEL(self->reason),
                     facts->reason != NULL ? facts->reason : _("The worker did not say why."));
  gtk_label_set_text(GTK_LABEL(self->lines), lines);
  gtk_widget_set_visible(self->lines, *lines != '\0');
}

static char *
dup_took(const CwRunFacts *facts)
{
  if (facts->created_s == 0 || facts->ended_s < facts->created_s || facts->ended_s == 0)
    return NULL;
  return cwu_run_dup_duration((double)(facts->ended_s - facts->created_s));
}

/* The newest step of the curves; steps count from 0. */
static char *
dup_steps(const CwRunFacts *facts, const CwuRunDetails *details)
{
  const CwRunCurve *curve =
      details != NULL ? cwu_run_details_peek_curve(details, "loss") : NULL;
  return facts->kind == CW_RUN_TRAINING && curve != NULL && curve->n > 0
             ? cwu_number_dup_short(curve->x[curve->n - 1] + 1)
             : NULL;
}

static char *
dup_worker(const CwRunFacts *facts)
{
  if (facts->pid == 0)
    return NULL;
  return facts->host != NULL
             ? g_strdup_printf("%" G_GINT64_FORMAT " @ %s", facts->pid, facts->host)
             : g_strdup_printf("%" G_GINT64_FORMAT, facts->pid);
}

static void
set_tile(CwuRunFactsView *self, Tile tile, const char *value)
{
  gtk_widget_set_visible(self->tiles[tile], value != NULL);
  if (value != NULL)
    gtk_label_set_text(GTK_LABEL(self->values[tile]), value);
}

void
cwu_run_facts_view_set(CwuRunFactsView *self, const CwRunFacts *facts,
                       const CwuRunDetails *details)
{
  g_autofree char *begun = facts->created_s != 0 ? cwu_run_dup_moment(facts->created_s) : NULL;
  g_autofree char *took = dup_took(facts), *steps = dup_steps(facts, details);
  g_autofree char *worker = dup_worker(facts);
  set_message(self, facts, details);
  set_tile(self, TILE_STARTED, begun);
  set_tile(self, TILE_TOOK, took);
  set_tile(self, TILE_STEPS, steps);
  set_tile(self, TILE_WORKER, worker);
  set_tile(self, TILE_VERSION, facts->version);
  gtk_widget_set_visible(self->command_row, facts->arguments != NULL);
  if (facts->arguments == NULL)
    return;
  g_autofree char *command = cwu_run_dup_command(facts->kind, facts->folder, facts->arguments);
  if (strcmp(command, gtk_label_get_text(GTK_LABEL(self->command))) != 0)
    gtk_label_set_text(GTK_LABEL(self->command), command);
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
message_new(CwuRunFactsView *self)
{
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
  self->message = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  self->reason = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                              PANGO_WRAP_WORD_CHAR, "selectable", TRUE, "hexpand", TRUE, NULL);
  self->lines = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                             PANGO_WRAP_WORD_CHAR, "selectable", TRUE, NULL);
  GtkWidget *icon = gtk_image_new_from_icon_name("dialog-error-symbolic");
  gtk_widget_set_valign(icon, GTK_ALIGN_START);
  gtk_widget_add_css_class(self->message, "run-message");
  gtk_widget_add_css_class(self->lines, "log-text");
  gtk_box_append(GTK_BOX(texts), self->reason);
  gtk_box_append(GTK_BOX(texts), self->lines);
  gtk_box_append(GTK_BOX(self->message), icon);
  gtk_box_append(GTK_BOX(self->message), texts);
  return self->message;
}

static GtkWidget *
tiles_new(CwuRunFactsView *self)
{
  GtkWidget *box = cwu_wrap_box_new(28, 10);
  for (int i = 0; i < N_TILES; i++) {
    GtkWidget *title =
        g_object_new(GTK_TYPE_LABEL, "label", _(titles[i]), "xalign", 0.0f, NULL);
    self->tiles[i] = gtk_box_new(GTK_ORIENTATION_VERTICAL, 1);
    self->values[i] = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "selectable", TRUE, NULL);
    gtk_widget_add_css_class(title, "caption");
    gtk_widget_add_css_class(title, "dim-label");
    gtk_widget_add_css_class(self->values[i], "numeric");
    gtk_widget_set_visible(self->tiles[i], FALSE);
    gtk_box_append(GTK_BOX(self->tiles[i]), title);
    gtk_box_append(GTK_BOX(self->tiles[i]), self->values[i]);
    gtk_box_append(GTK_BOX(box), self->tiles[i]);
  }
  return box;
}

static void
copy_cb(CwuRunFactsView *self)
{
  gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)),
                         gtk_label_get_text(GTK_LABEL(self->command)));
}

static GtkWidget *
command_new(CwuRunFactsView *self)
{
  GtkWidget *copy = gtk_button_new_from_icon_name("edit-copy-symbolic");
  self->command_row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  self->command = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                               PANGO_WRAP_WORD_CHAR, "lines", 3, "ellipsize",
                               PANGO_ELLIPSIZE_END, "selectable", TRUE, "hexpand", TRUE, NULL);
  gtk_widget_add_css_class(copy, "flat");
  gtk_widget_set_valign(copy, GTK_ALIGN_START);
  cwu_hint_set(copy, _("Copy the command line"));
  g_signal_connect_swapped(copy, "clicked", G_CALLBACK(copy_cb), self);
  gtk_widget_add_css_class(self->command, "command-line");
  gtk_box_append(GTK_BOX(self->command_row), self->command);
  gtk_box_append(GTK_BOX(self->command_row), copy);
  return self->command_row;
}

static void
cwu_run_facts_view_dispose(GObject *object)
{
  g_clear_pointer(&CWU_RUN_FACTS_VIEW(object)->column, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_run_facts_view_parent_class)->dispose(object);
}

static void
cwu_run_facts_view_class_init(CwuRunFactsViewClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_run_facts_view_dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void
cwu_run_facts_view_init(CwuRunFactsView *self)
{
  self->column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 16);
  gtk_box_append(GTK_BOX(self->column), message_new(self));
  gtk_box_append(GTK_BOX(self->column), tiles_new(self));
  gtk_box_append(GTK_BOX(self->column), command_new(self));
  gtk_widget_set_parent(self->column, GTK_WIDGET(self));
}

CwuRunFactsView *
cwu_run_facts_view_new(void)
{
  return g_object_new(CWU_TYPE_RUN_FACTS_VIEW, NULL);
}
