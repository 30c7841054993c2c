/* export-dialog.c - see export-dialog.h. The small picture and the file are made on threads;
 * each has copies of all it reads, and a small picture that comes late is dropped. */
#include "window/export-dialog.h"

#include <glib/gi18n-lib.h>

#define PREVIEW_WIDTH_PX  440.0
#define PREVIEW_HEIGHT_PX 360.0
#define PREVIEW_AFTER_MS  120

struct _CwuExportDialog {
  AdwWindow parent_instance;
  CwuPictureSubject *subject;
  GtkWidget *format, *size, *scope, *style; /* combo rows */
  GtkWidget *width, *height, *scale;        /* spin buttons */
  GtkWidget *own_size;                      /* their rows, for one's own size only */
  GtkWidget *title, *legend;                /* switches */
  GtkWidget *preview, *failure, *export_button;
  guint preview_timeout, generation, shown_generation;
  bool is_filling; /* the numbers are being set by a usual size */
};

enum { EXPORTED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_TYPE(CwuExportDialog, cwu_export_dialog, ADW_TYPE_WINDOW)

static const char *const endings[] = { ".pdf", ".svg", ".png" };

/* ---- a job of a thread ------------------------------------------------------------------ */

typedef struct {
  CwuPictureSubject *subject;
  CwuPictureOptions options;
  char *path; /* NULL: the small picture */
  guint generation;
} Job;

static Job *
job_new(CwuExportDialog *self, GFile *file)
{
  Job *job = g_new0(Job, 1);
  job->subject = cwu_picture_subject_ref(self->subject);
  job->path = file != NULL ? g_file_get_path(file) : NULL;
  job->generation = self->generation;
  cwu_export_dialog_get_options(self, &job->options);
  return job;
}

static void
job_free(gpointer data)
{
  Job *job = data;
  cwu_picture_subject_unref(job->subject);
  g_free(job->path);
  g_free(job);
}

/* ---- the small picture ------------------------------------------------------------------ */

/* Takes the surface. cairo leaves the fourth byte of RGB24 undefined. */
static GdkTexture *
texture_from(cairo_surface_t *surface)
{
  int width = cairo_image_surface_get_width(surface);
  int height = cairo_image_surface_get_height(surface);
  gsize stride = (gsize)cairo_image_surface_get_stride(surface);
  cairo_surface_flush(surface);
  unsigned char *data = cairo_image_surface_get_data(surface);
  for (int y = 0; y < height; y++) {
    guint32 *row = (guint32 *)(void *)(data + (gsize)y * stride);
    for (int x = 0; x < width; x++)
      row[x] |= 0xff000000u;
  }
  g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(
      data, stride * (gsize)height, (GDestroyNotify)cairo_surface_destroy, surface);
  return gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, stride);
}

static void
preview_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  cairo_surface_t *surface = cwu_picture_new_image(
      cwu_picture_subject_peek_graph(job->subject),
      cwu_picture_subject_peek_pruned(job->subject), &job->options, &error);
  if (surface != NULL)
    g_task_return_pointer(task, texture_from(surface), g_object_unref);
  else
    g_task_return_error(task, error);
}

static void
tell(CwuExportDialog *self, const char *failure)
{
  gtk_label_set_text(GTK_LABEL(self->failure), failure != NULL ? failure : "");
  gtk_widget_set_visible(self->failure, failure != NULL);
}

static void
preview_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuExportDialog *self = CWU_EXPORT_DIALOG(source);
  Job *job = g_task_get_task_data(G_TASK(result));
  g_autoptr(GError) error = NULL;
  g_autoptr(GdkTexture) texture = g_task_propagate_pointer(G_TASK(result), &error);
  if (job->generation != self->generation || self->preview == NULL)
    return;
  self->shown_generation = job->generation;
  tell(self, error != NULL ? error->message : NULL);
  gtk_widget_set_sensitive(self->export_button, error == NULL);
  gtk_picture_set_paintable(GTK_PICTURE(self->preview), GDK_PAINTABLE(texture));
}

static gboolean
preview_cb(gpointer user_data)
{
  CwuExportDialog *self = user_data;
  g_autoptr(GTask) task = g_task_new(self, NULL, preview_done_cb, NULL);
  Job *job = job_new(self, NULL);
  double fit =
      MIN(PREVIEW_WIDTH_PX / job->options.width, PREVIEW_HEIGHT_PX / job->options.height);
  self->preview_timeout = 0;
  job->options.scale = fit * gtk_widget_get_scale_factor(GTK_WIDGET(self));
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, preview_thread);
  return G_SOURCE_REMOVE;
}

static void
preview_soon(CwuExportDialog *self)
{
  self->generation++;
  g_clear_handle_id(&self->preview_timeout, g_source_remove);
  self->preview_timeout = g_timeout_add(PREVIEW_AFTER_MS, preview_cb, self);
}

gboolean
cwu_export_dialog_is_current(CwuExportDialog *self)
{
  return self->shown_generation == self->generation;
}

const char *
cwu_export_dialog_peek_failure(CwuExportDialog *self)
{
  return gtk_widget_get_visible(self->failure) ? gtk_label_get_text(GTK_LABEL(self->failure))
                                               : NULL;
}

/* ---- what is chosen --------------------------------------------------------------------- */

static guint
chosen(GtkWidget *row)
{
  return adw_combo_row_get_selected(ADW_COMBO_ROW(row));
}

void
cwu_export_dialog_get_options(CwuExportDialog *self, CwuPictureOptions *options)
{
  bool is_dark = chosen(self->style) == 1;
  *options = *cwu_picture_subject_peek_view(self->subject);
  if (chosen(self->size) < CWU_N_SIZES)
    cwu_picture_options_set_size(options, (CwuPictureSize)chosen(self->size),
                                 chosen(self->format) == CWU_FORMAT_PNG);
  options->width = gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->width));
  options->height = gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->height));
  options->scale = gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->scale));
  options->scope = (CwuPictureScope)chosen(self->scope);
  options->theme = is_dark ? CWU_THEME_DARK : CWU_THEME_LIGHT;
  options->parts = 0;
  if (gtk_switch_get_active(GTK_SWITCH(self->title)))
    options->parts |= CWU_PICTURE_TITLE;
  if (gtk_switch_get_active(GTK_SWITCH(self->legend)))
    options->parts |= CWU_PICTURE_LEGEND;
}

/* A usual size fills the numbers in, so that one's own begins with them. */
static void
size_changed_cb(CwuExportDialog *self)
{
  CwuPictureOptions options;
  guint size = chosen(self->size);
  gtk_widget_set_visible(self->own_size, size >= CWU_N_SIZES);
  if (size < CWU_N_SIZES) {
    cwu_picture_options_init(&options);
    cwu_picture_options_set_size(&options, (CwuPictureSize)size,
                                 chosen(self->format) == CWU_FORMAT_PNG);
    self->is_filling = true;
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->width), options.width);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->height), options.height);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->scale), options.scale);
    self->is_filling = false;
  }
  preview_soon(self);
}

static void
number_changed_cb(CwuExportDialog *self)
{
  if (!self->is_filling)
    preview_soon(self);
}

void
cwu_export_dialog_set_format(CwuExportDialog *self, CwuExportFormat format)
{
  adw_combo_row_set_selected(ADW_COMBO_ROW(self->format), format);
}

void
cwu_export_dialog_set_size(CwuExportDialog *self, CwuPictureSize size)
{
  adw_combo_row_set_selected(ADW_COMBO_ROW(self->size), size);
}

void
cwu_export_dialog_set_scope(CwuExportDialog *self, CwuPictureScope scope)
{
  adw_combo_row_set_selected(ADW_COMBO_ROW(self->scope), scope);
}

/* ---- writing ---------------------------------------------------------------------------- */

static void
save_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  if (cwu_picture_export(cwu_picture_subject_peek_graph(job->subject),
                         cwu_picture_subject_peek_pruned(job->subject), &job->options,
                         job->path, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

static void
save_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuExportDialog *self = CWU_EXPORT_DIALOG(source);
  Job *job = g_task_get_task_data(G_TASK(result));
  g_autoptr(GError) error = NULL;
  if (self->preview == NULL)
    return;
  gtk_widget_set_sensitive(self->export_button, TRUE);
  if (!g_task_propagate_boolean(G_TASK(result), &error)) {
    tell(self, error->message);
    return;
  }
  g_autoptr(GFile) file = g_file_new_for_path(job->path);
  g_signal_emit(self, signals[EXPORTED], 0, file);
  gtk_window_close(GTK_WINDOW(self));
}

void
cwu_export_dialog_save(CwuExportDialog *self, GFile *file)
{
  g_autoptr(GTask) task = g_task_new(self, NULL, save_done_cb, NULL);
  Job *job = job_new(self, file);
  g_task_set_task_data(task, job, job_free);
  if (job->path == NULL) {
    tell(self, _("Pictures are written into folders of this machine only: choose one of them"));
    return;
  }
  tell(self, NULL);
  gtk_widget_set_sensitive(self->export_button, FALSE);
  g_task_run_in_thread(task, save_thread);
}

static void
chooser_response_cb(GtkNativeDialog *chooser, int response, CwuExportDialog *self)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    cwu_export_dialog_save(self, file);
  g_object_unref(chooser);
}

static void
export_cb(CwuExportDialog *self)
{
  GtkFileChooserNative *chooser =
      gtk_file_chooser_native_new(_("Export the Picture"), GTK_WINDOW(self),
                                  GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), _("_Cancel"));
  const char *ending = endings[chosen(self->format)];
  g_autofree char *name =
      g_strconcat(cwu_picture_subject_peek_name(self->subject), ending, NULL);
  g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();
  gtk_file_filter_set_name(filter, ending + 1);
  gtk_file_filter_add_suffix(filter, ending + 1);
  gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(chooser), filter);
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(chooser), name);
  g_signal_connect_object(chooser, "response", G_CALLBACK(chooser_response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(chooser), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
add_combo(CwuExportDialog *self, GtkWidget *group, const char *title,
          const char *const *choices, GCallback changed)
{
  g_autoptr(GtkStringList) model = gtk_string_list_new(NULL);
  for (; *choices != NULL; choices++)
    gtk_string_list_append(model, _(*choices));
  GtkWidget *row = adw_combo_row_new();
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(model));
  g_signal_connect_swapped(row, "notify::selected", changed, self);
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
  return row;
}

static GtkWidget *
add_number(CwuExportDialog *self, GtkWidget *group, const char *title, double least,
           double most)
{
  GtkWidget *row = adw_action_row_new();
  GtkWidget *spin = gtk_spin_button_new_with_range(least, most, least < 1 ? 0.05 : 10);
  gtk_spin_button_set_digits(GTK_SPIN_BUTTON(spin), least < 1 ? 2 : 0);
  gtk_widget_set_valign(spin, GTK_ALIGN_CENTER);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_action_row_add_suffix(ADW_ACTION_ROW(row), spin);
  adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), spin);
  g_signal_connect_swapped(spin, "value-changed", G_CALLBACK(number_changed_cb), self);
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
  return spin;
}

static GtkWidget *
add_switch(CwuExportDialog *self, GtkWidget *group, const char *title, bool is_on)
{
  GtkWidget *row = adw_action_row_new(), *toggle = gtk_switch_new();
  gtk_switch_set_active(GTK_SWITCH(toggle), is_on);
  gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
  adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
  g_signal_connect_swapped(toggle, "notify::active", G_CALLBACK(preview_soon), self);
  adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
  return toggle;
}

static GtkWidget *
header_new(CwuExportDialog *self)
{
  GtkWidget *header = adw_header_bar_new();
  GtkWidget *cancel = gtk_button_new_with_mnemonic(_("_Cancel"));
  self->export_button = gtk_button_new_with_mnemonic(_("_Export…"));
  gtk_widget_add_css_class(self->export_button, "suggested-action");
  g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_window_close), self);
  g_signal_connect_swapped(self->export_button, "clicked", G_CALLBACK(export_cb), self);
  adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(header), FALSE);
  adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(header), FALSE);
  adw_header_bar_pack_start(ADW_HEADER_BAR(header), cancel);
  adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->export_button);
  return header;
}

static GtkWidget *
choices_new(CwuExportDialog *self)
{
  static const char *const formats[] = { N_("PDF"), N_("SVG"), N_("PNG"), NULL };
  static const char *const sizes[] = {
    N_("Screen"),      N_("Paper, one column"), N_("Paper, full width"),
    N_("Slide, 16:9"), N_("Own size"),          NULL
  };
  static const char *const scopes[] = { N_("Whole graph"), N_("As in the window"),
                                        N_("Selection"), NULL };
  static const char *const styles[] = { N_("Light"), N_("Dark"), NULL };
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
  GtkWidget *file = adw_preferences_group_new(), *shown = adw_preferences_group_new();
  GCallback sized = G_CALLBACK(size_changed_cb), changed = G_CALLBACK(preview_soon);
  self->own_size = adw_preferences_group_new();
  self->width = add_number(self, self->own_size, _("Width"), 120, 16000);
  self->height = add_number(self, self->own_size, _("Height"), 120, 16000);
  self->scale = add_number(self, self->own_size, _("Scale"), 0.1, 16);
  self->format = add_combo(self, file, _("Format"), formats, sized);
  self->size = add_combo(self, file, _("Size"), sizes, sized);
  self->scope = add_combo(self, shown, _("Show"), scopes, changed);
  self->style = add_combo(self, shown, _("Style"), styles, changed);
  self->title = add_switch(self, shown, _("Title"), true);
  self->legend = add_switch(self, shown, _("Legend"), true);
  gtk_box_append(GTK_BOX(box), file);
  gtk_box_append(GTK_BOX(box), self->own_size);
  gtk_box_append(GTK_BOX(box), shown);
  return box;
}

static GtkWidget *
preview_new(CwuExportDialog *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12), *frame = gtk_frame_new(NULL);
  self->preview = gtk_picture_new();
  self->failure = g_object_new(GTK_TYPE_LABEL, "wrap", TRUE, "wrap-mode", PANGO_WRAP_WORD_CHAR,
                               "xalign", 0.0f, "visible", FALSE, "selectable", TRUE, NULL);
  gtk_widget_add_css_class(self->failure, "error");
  gtk_picture_set_alternative_text(GTK_PICTURE(self->preview), _("The picture, small"));
  gtk_widget_set_size_request(self->preview, (int)PREVIEW_WIDTH_PX, (int)PREVIEW_HEIGHT_PX);
  gtk_widget_set_hexpand(self->preview, TRUE);
  gtk_widget_set_vexpand(self->preview, TRUE);
  gtk_frame_set_child(GTK_FRAME(frame), self->preview);
  gtk_box_append(GTK_BOX(box), frame);
  gtk_box_append(GTK_BOX(box), self->failure);
  return box;
}

static void
cwu_export_dialog_dispose(GObject *object)
{
  CwuExportDialog *self = CWU_EXPORT_DIALOG(object);
  g_clear_handle_id(&self->preview_timeout, g_source_remove);
  g_clear_pointer(&self->subject, cwu_picture_subject_unref);
  self->preview = NULL;
  G_OBJECT_CLASS(cwu_export_dialog_parent_class)->dispose(object);
}

static void
cwu_export_dialog_class_init(CwuExportDialogClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_export_dialog_dispose;
  signals[EXPORTED] = g_signal_new("exported", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_FILE);
  gtk_widget_class_add_binding_action(GTK_WIDGET_CLASS(class), GDK_KEY_Escape, 0,
                                      "window.close", NULL);
}

static void
cwu_export_dialog_init(CwuExportDialog *self)
{
  GtkWidget *outer = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *inner = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);
  GtkWidget *scroller = gtk_scrolled_window_new();
  gtk_window_set_title(GTK_WINDOW(self), _("Export the Picture"));
  gtk_box_append(GTK_BOX(outer), header_new(self));
  gtk_box_append(GTK_BOX(inner), preview_new(self));
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), choices_new(self));
  gtk_widget_set_size_request(scroller, 320, -1);
  gtk_box_append(GTK_BOX(inner), scroller);
  g_object_set(inner, "margin-top", 12, "margin-bottom", 18, "margin-start", 18, "margin-end",
               18, "vexpand", TRUE, NULL);
  gtk_box_append(GTK_BOX(outer), inner);
  adw_window_set_content(ADW_WINDOW(self), outer);
  gtk_window_set_default_size(GTK_WINDOW(self), 860, 540);
}

CwuExportDialog *
cwu_export_dialog_new(GtkWindow *parent, CwuPictureSubject *subject)
{
  CwuExportDialog *self = g_object_new(CWU_TYPE_EXPORT_DIALOG, "transient-for", parent, "modal",
                                       parent != NULL, NULL);
  const CwuPictureOptions *view = cwu_picture_subject_peek_view(subject);
  bool is_dark = view->theme == CWU_THEME_DARK || view->theme == CWU_THEME_CONTRAST_DARK;
  self->subject = cwu_picture_subject_ref(subject);
  adw_combo_row_set_selected(ADW_COMBO_ROW(self->style), is_dark ? 1 : 0);
  if (view->selected < 0) { /* Nothing is selected: that choice is left out. */
    GListModel *model = adw_combo_row_get_model(ADW_COMBO_ROW(self->scope));
    gtk_string_list_remove(GTK_STRING_LIST(model), CWU_SCOPE_SELECTION);
  }
  size_changed_cb(self);
  return self;
}
