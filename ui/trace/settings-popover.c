/* settings-popover.c - see settings-popover.h. The numbers come from one table; a widget that
 * changes writes its field, and all widgets are written when the settings are set. */
#include "trace/settings-popover.h"

#include <glib/gi18n-lib.h>

#include "trace/file-row.h"
#include "trace/target-list.h"

#define MAX_HEIGHT_PX   620
#define LEAST_HEIGHT_PX 200

typedef enum { INTEGER, REAL } NumberKind;

/* A number among the settings. */
typedef struct {
  const char *title, *tooltip;
  size_t offset; /* of an int64_t or a double in CwuTraceSettings */
  NumberKind kind;
  double least, most, step;
} Number;

#define FIELD(name) G_STRUCT_OFFSET(CwuTraceSettings, name)

static const Number numbers[] = {
  { N_("At most"), N_("How many outputs are explained at most. max_n_logits, 10."),
    FIELD(max_n_logits), INTEGER, 1, 1000, 1 },
  { N_("Until they sum to"),
    N_("Outputs are taken, the most likely first, until their probabilities sum to this. "
       "desired_logit_prob, 0.95."),
    FIELD(desired_logit_prob), REAL, 0.01, 1, 0.01 },
  { N_("Features at most"),
    N_("Only the most influential features become nodes; fewer are quicker. "
       "0 takes all. max_feature_nodes, 7500."),
    FIELD(max_feature_nodes), INTEGER, 0, 10000000, 500 },
  { N_("Batch size"), N_("Nodes traced at a time. batch_size, 256."), FIELD(batch_size),
    INTEGER, 1, 65536, 64 },
  { N_("Rank anew every"),
    N_("Batches between two rankings of the features that wait. update_interval, 4."),
    FIELD(update_interval), INTEGER, 1, 10000, 1 },
  { N_("Node threshold"),
    N_("Share of influence that the nodes shown at first carry. node_threshold, 0.8."),
    FIELD(node_threshold), REAL, 0, 1, 0.01 },
  { N_("Edge threshold"),
    N_("Share of influence that the edges shown at first carry. edge_threshold, 0.98."),
    FIELD(edge_threshold), REAL, 0, 1, 0.01 },
};
#define N_TARGET_NUMBERS 2 /* the first belong to the most likely outputs */
#define FIRST_THRESHOLD  5

struct _CwuSettingsPopover {
  GtkPopover parent_instance;
  CwuTraceSettings *settings;
  CwuEngine *engine; /* NULL: not told yet */
  GtkWidget *scroller, *kind, *kinds_stack, *spins[G_N_ELEMENTS(numbers)];
  CwuTargetList *tokens, *difference;
  CwuFileRow *model, *transcoder;
  bool is_filling;
};

G_DEFINE_TYPE(CwuSettingsPopover, cwu_settings_popover, GTK_TYPE_POPOVER)

static guint changed_signal;
static const char *const pages[] = { "logits", "tokens", "difference" };

static double
read_number(const CwuTraceSettings *settings, const Number *number)
{
  if (number->kind == INTEGER)
    return (double)G_STRUCT_MEMBER(int64_t, settings, number->offset);
  return G_STRUCT_MEMBER(double, settings, number->offset);
}

static void
write_number(CwuTraceSettings *settings, const Number *number, double value)
{
  if (number->kind == INTEGER)
    G_STRUCT_MEMBER(int64_t, settings, number->offset) = (int64_t)value;
  else
    G_STRUCT_MEMBER(double, settings, number->offset) = value;
}

/* ---- from the widgets ------------------------------------------------------------------- */

static void
set_string(char **field, const char *value)
{
  g_autofree char *old = g_steal_pointer(field);
  *field = g_strdup(value);
}

/* Every widget is read on every change: there are a dozen. */
static void
edited_cb(CwuSettingsPopover *self)
{
  if (self->is_filling)
    return;
  CwuTraceSettings *settings = self->settings;
  settings->kind = (CwTargets)gtk_drop_down_get_selected(GTK_DROP_DOWN(self->kind));
  gtk_stack_set_visible_child_name(GTK_STACK(self->kinds_stack), pages[settings->kind]);
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
    write_number(settings, &numbers[i],
                 gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->spins[i])));
  if (settings->kind != CW_TARGETS_TOP_LOGITS) {
    g_strfreev(settings->targets);
    settings->targets = cwu_target_list_dup_texts(
        settings->kind == CW_TARGETS_TOKENS ? self->tokens : self->difference);
  }
  set_string(&settings->model_path, cwu_file_row_peek_path(self->model));
  set_string(&settings->transcoder_path, cwu_file_row_peek_path(self->transcoder));
  g_signal_emit(self, changed_signal, 0);
}

/* ---- to the widgets --------------------------------------------------------------------- */

void
cwu_settings_popover_set(CwuSettingsPopover *self, const CwuTraceSettings *settings)
{
  g_return_if_fail(CWU_IS_SETTINGS_POPOVER(self) && settings != NULL);
  CwuTraceSettings *old = self->settings;
  self->settings = cwu_trace_settings_copy(settings);
  g_clear_pointer(&old, cwu_trace_settings_free);
  settings = self->settings;
  self->is_filling = true;
  gtk_drop_down_set_selected(GTK_DROP_DOWN(self->kind), settings->kind);
  gtk_stack_set_visible_child_name(GTK_STACK(self->kinds_stack), pages[settings->kind]);
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->spins[i]),
                              read_number(settings, &numbers[i]));
  if (settings->kind == CW_TARGETS_DIFFERENCE)
    cwu_target_list_set_texts(self->difference, (const char *const *)settings->targets);
  else
    cwu_target_list_set_texts(self->tokens, (const char *const *)settings->targets);
  cwu_file_row_set_path(self->model, settings->model_path);
  cwu_file_row_set_path(self->transcoder, settings->transcoder_path);
  self->is_filling = false;
}

const CwuTraceSettings *
cwu_settings_popover_peek(CwuSettingsPopover *self)
{
  return self->settings;
}

static void
show_missing(CwuSettingsPopover *self, GParamSpec *pspec, CwuEngine *engine)
{
  cwu_file_row_set_missing(self->model, cwu_engine_peek_model_path(engine) == NULL);
  cwu_file_row_set_missing(self->transcoder, cwu_engine_peek_transcoder_path(engine) == NULL);
}

void
cwu_settings_popover_set_engine(CwuSettingsPopover *self, CwuEngine *engine)
{
  cwu_target_list_set_engine(self->tokens, engine);
  cwu_target_list_set_engine(self->difference, engine);
  if (self->engine != NULL)
    g_signal_handlers_disconnect_by_data(self->engine, self);
  g_set_object(&self->engine, engine);
  if (engine == NULL)
    return;
  g_signal_connect_object(engine, "notify::state", G_CALLBACK(show_missing), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(engine, "notify::message", G_CALLBACK(show_missing), self,
                          G_CONNECT_SWAPPED);
  show_missing(self, NULL, engine);
}

void
cwu_settings_popover_set_room(CwuSettingsPopover *self, int height)
{
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(self->scroller),
                                             CLAMP(height, LEAST_HEIGHT_PX, MAX_HEIGHT_PX));
}

/* Files are the last of it; how far that is, is known once it has its size. */
static gboolean
scroll_down_cb(GtkWidget *scroller, GdkFrameClock *clock, gpointer data)
{
  GtkAdjustment *adjustment =
      gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroller));
  double page = gtk_adjustment_get_page_size(adjustment);
  if (page <= 0)
    return G_SOURCE_CONTINUE;
  gtk_adjustment_set_value(adjustment, gtk_adjustment_get_upper(adjustment) - page);
  return G_SOURCE_REMOVE;
}

void
cwu_settings_popover_show_files(CwuSettingsPopover *self)
{
  gtk_widget_child_focus(GTK_WIDGET(self->model), GTK_DIR_TAB_FORWARD);
  gtk_widget_add_tick_callback(self->scroller, scroll_down_cb, NULL, NULL);
}

static void
reset_cb(CwuSettingsPopover *self)
{
  g_autoptr(CwuTraceSettings) defaults = cwu_trace_settings_new();
  cwu_settings_popover_set(self, defaults);
  g_signal_emit(self, changed_signal, 0);
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
heading_new(const char *text)
{
  GtkWidget *label = gtk_label_new(text);
  gtk_widget_add_css_class(label, "heading");
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  return label;
}

static GtkWidget *
number_row_new(CwuSettingsPopover *self, size_t i)
{
  const Number *number = &numbers[i];
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *label = gtk_label_new_with_mnemonic(_(number->title));
  GtkWidget *spin = gtk_spin_button_new_with_range(number->least, number->most, number->step);
  gtk_spin_button_set_digits(GTK_SPIN_BUTTON(spin), number->kind == REAL ? 2 : 0);
  gtk_spin_button_set_numeric(GTK_SPIN_BUTTON(spin), TRUE);
  gtk_label_set_mnemonic_widget(GTK_LABEL(label), spin);
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_widget_set_hexpand(label, TRUE);
  gtk_widget_set_tooltip_text(row, _(number->tooltip));
  gtk_accessible_update_property(GTK_ACCESSIBLE(spin), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _(number->title), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 _(number->tooltip), -1);
  g_signal_connect_swapped(spin, "value-changed", G_CALLBACK(edited_cb), self);
  gtk_box_append(GTK_BOX(row), label);
  gtk_box_append(GTK_BOX(row), spin);
  self->spins[i] = spin;
  return row;
}

static void
append_numbers(CwuSettingsPopover *self, GtkWidget *box, size_t first, size_t end)
{
  for (size_t i = first; i < end; i++)
    gtk_box_append(GTK_BOX(box), number_row_new(self, i));
}

static void
append_targets(CwuSettingsPopover *self, GtkWidget *box)
{
  const char *kinds[] = { _("The most likely tokens"), _("Tokens I choose"),
                          _("The difference of two tokens"), NULL };
  GtkWidget *likely = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  self->kind = gtk_drop_down_new_from_strings(kinds);
  self->kinds_stack = gtk_stack_new();
  self->tokens = cwu_target_list_new(false);
  self->difference = cwu_target_list_new(true);
  append_numbers(self, likely, 0, N_TARGET_NUMBERS);
  gtk_stack_set_vhomogeneous(GTK_STACK(self->kinds_stack), FALSE);
  gtk_stack_add_named(GTK_STACK(self->kinds_stack), likely, pages[0]);
  gtk_stack_add_named(GTK_STACK(self->kinds_stack), GTK_WIDGET(self->tokens), pages[1]);
  gtk_stack_add_named(GTK_STACK(self->kinds_stack), GTK_WIDGET(self->difference), pages[2]);
  gtk_widget_set_tooltip_text(self->kind, _("What is explained. attribution_targets."));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->kind), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("What is explained"), -1);
  g_signal_connect_swapped(self->kind, "notify::selected", G_CALLBACK(edited_cb), self);
  g_signal_connect_swapped(self->tokens, "changed", G_CALLBACK(edited_cb), self);
  g_signal_connect_swapped(self->difference, "changed", G_CALLBACK(edited_cb), self);
  gtk_box_append(GTK_BOX(box), heading_new(_("Explain")));
  gtk_box_append(GTK_BOX(box), self->kind);
  gtk_box_append(GTK_BOX(box), self->kinds_stack);
}

static void
append_files(CwuSettingsPopover *self, GtkWidget *box)
{
  self->model = cwu_file_row_new(
      _("Model"), _("A GGUF file, or a Hugging Face folder with config.json."), "gguf");
  self->transcoder = cwu_file_row_new(
      _("Transcoder"),
      _("A folder of circuit-tracer or CLT-Forge, or Clew's compact file. transcoder_set."),
      "safetensors");
  g_signal_connect_swapped(self->model, "changed", G_CALLBACK(edited_cb), self);
  g_signal_connect_swapped(self->transcoder, "changed", G_CALLBACK(edited_cb), self);
  gtk_box_append(GTK_BOX(box), heading_new(_("Files")));
  gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->model));
  gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->transcoder));
}

static GtkWidget *
content_new(CwuSettingsPopover *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *reset = gtk_button_new_with_mnemonic(_("_Reset to Defaults"));
  gtk_widget_add_css_class(box, "cwu-trace-settings");
  append_targets(self, box);
  gtk_box_append(GTK_BOX(box), heading_new(_("Graph")));
  append_numbers(self, box, N_TARGET_NUMBERS, FIRST_THRESHOLD);
  gtk_box_append(GTK_BOX(box), heading_new(_("Shown at first")));
  append_numbers(self, box, FIRST_THRESHOLD, G_N_ELEMENTS(numbers));
  append_files(self, box);
  gtk_widget_set_margin_top(reset, 12);
  g_signal_connect_swapped(reset, "clicked", G_CALLBACK(reset_cb), self);
  gtk_box_append(GTK_BOX(box), reset);
  return box;
}

static void
finalize(GObject *object)
{
  CwuSettingsPopover *self = CWU_SETTINGS_POPOVER(object);
  cwu_trace_settings_free(self->settings);
  g_clear_object(&self->engine);
  G_OBJECT_CLASS(cwu_settings_popover_parent_class)->finalize(object);
}

static void
cwu_settings_popover_class_init(CwuSettingsPopoverClass *class)
{
  G_OBJECT_CLASS(class)->finalize = finalize;
  changed_signal = g_signal_new("changed", CWU_TYPE_SETTINGS_POPOVER, G_SIGNAL_RUN_LAST, 0,
                                NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_settings_popover_init(CwuSettingsPopover *self)
{
  g_autoptr(CwuTraceSettings) defaults = cwu_trace_settings_new();
  GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW(gtk_scrolled_window_new());
  self->scroller = GTK_WIDGET(scroller);
  self->is_filling = true;
  gtk_scrolled_window_set_policy(scroller, GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(scroller, TRUE);
  gtk_scrolled_window_set_max_content_height(scroller, MAX_HEIGHT_PX);
  gtk_scrolled_window_set_child(scroller, content_new(self));
  gtk_popover_set_child(GTK_POPOVER(self), self->scroller);
  cwu_settings_popover_set(self, defaults);
}

CwuSettingsPopover *
cwu_settings_popover_new(void)
{
  return g_object_new(CWU_TYPE_SETTINGS_POPOVER, NULL);
}
