/* run-row.c - see run-row.h. */
#include "runs/run-row.h"

#include <math.h>

#include "runs/run-words.h"

struct _CwuRunRow {
  GtkListBoxRow parent_instance;
  char *folder;
  GtkWidget *icon, *name, *state, *progress;
};

G_DEFINE_TYPE(CwuRunRow, cwu_run_row, GTK_TYPE_LIST_BOX_ROW)

const char *
cwu_run_row_peek_folder(CwuRunRow *self)
{
  return self->folder;
}

static void
set_class(GtkWidget *widget, const char *name, bool is_set)
{
  if (is_set)
    gtk_widget_add_css_class(widget, name);
  else
    gtk_widget_remove_css_class(widget, name);
}

void
cwu_run_row_set(CwuRunRow *self, const CwRunFacts *facts)
{
  g_autofree char *subtitle = cwu_run_dup_subtitle(facts);
  const char *state = cwu_run_state_peek_title(facts->state);
  g_autofree char *label = g_strdup_printf("%s, %s, %s", facts->name, subtitle, state);
  bool has_share = isfinite(facts->fraction) && facts->state != CW_RUN_FINISHED &&
                   facts->state != CW_RUN_FAILED;
  gtk_image_set_from_icon_name(GTK_IMAGE(self->icon), cwu_run_state_peek_icon(facts->state));
  set_class(self->icon, "bad", cwu_run_state_is_bad(facts->state));
  set_class(self->icon, "live", cwu_run_state_is_live(facts->state));
  gtk_label_set_text(GTK_LABEL(self->name), facts->name);
  gtk_label_set_text(GTK_LABEL(self->state), subtitle);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->progress),
                                has_share ? CLAMP(facts->fraction, 0, 1) : 0);
  gtk_widget_set_visible(self->progress, has_share);
  set_class(self->progress, "still", !cwu_run_state_is_live(facts->state));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                 -1);
}

static void
cwu_run_row_finalize(GObject *object)
{
  g_free(CWU_RUN_ROW(object)->folder);
  G_OBJECT_CLASS(cwu_run_row_parent_class)->finalize(object);
}

static void
cwu_run_row_class_init(CwuRunRowClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_run_row_finalize;
}

static void
cwu_run_row_init(CwuRunRow *self)
{
  GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  self->icon = gtk_image_new();
  self->name =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_MIDDLE, NULL);
  self->state =
      g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  self->progress = gtk_progress_bar_new();
  gtk_widget_set_hexpand(texts, TRUE);
  gtk_widget_set_valign(texts, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(self->icon, "run-icon");
  gtk_widget_add_css_class(self->state, "caption");
  gtk_widget_add_css_class(self->state, "run-state");
  gtk_widget_add_css_class(self->progress, "run-progress");
  gtk_box_append(GTK_BOX(texts), self->name);
  gtk_box_append(GTK_BOX(texts), self->state);
  gtk_box_append(GTK_BOX(texts), self->progress);
  gtk_box_append(GTK_BOX(line), self->icon);
  gtk_box_append(GTK_BOX(line), texts);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(self), line);
}

CwuRunRow *
cwu_run_row_new(const CwRunFacts *facts)
{
  CwuRunRow *self = g_object_new(CWU_TYPE_RUN_ROW, NULL);
  self->folder = g_strdup(facts->folder);
  cwu_run_row_set(self, facts);
  return self;
}
