/* prompt-bar.c - see prompt-bar.h. The parts show what they are given; here is what they are
 * given when: on an edit, and whenever the engine says something new. */
#include "trace/prompt-bar.h"

#include <glib/gi18n-lib.h>

#include "clew-window-resources.h"
#include "trace/message-row.h"
#include "trace/next-strip.h"
#include "trace/recent-button.h"
#include "trace/settings-popover.h"
#include "trace/token-view.h"

#define STYLE_RESOURCE     "/io/github/clew_circuits/Clew/window/trace.css"
#define MAX_TEXT_HEIGHT_PX 132 /* five lines, then it scrolls */
#define POPOVER_FRAME_PX   56  /* arrow, padding and what is left free below */

struct _CwuPromptBar {
  GtkWidget parent_instance;
  CwuEngine *engine;
  GListModel *recent;
  char *text, *told; /* told: by the owner */
  CwuMessageRow *message;
  CwuTokenView *view;
  CwuNextStrip *next;
  CwuRecentButton *recent_button;
  CwuSettingsPopover *settings;
  GtkWidget *start, *placeholder, *count, *says, *phase, *settings_button;
  GtkWidget *trace_button, *trace_faces, *progress;
};

G_DEFINE_TYPE(CwuPromptBar, cwu_prompt_bar, GTK_TYPE_WIDGET)

enum { PROP_TEXT = 1, PROP_ENGINE, PROP_SETTINGS, PROP_RECENT, N_PROPS };
enum { TRACE_REQUESTED, CANCEL_REQUESTED, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- what is shown ---------------------------------------------------------------------- */

static const CwuPreview *
peek_preview(CwuPromptBar *self)
{
  const CwuPreview *preview =
      self->engine != NULL ? cwu_engine_peek_preview(self->engine) : NULL;
  /* Between an edit elsewhere and the engine's answer it may speak of another text. */
  return preview != NULL && g_str_equal(preview->text, self->text) ? preview : NULL;
}

static bool
is_tracing(CwuPromptBar *self)
{
  return self->engine != NULL && cwu_engine_is_tracing(self->engine);
}

static bool
can_trace(CwuPromptBar *self)
{
  if (self->engine == NULL || *self->text == '\0')
    return false;
  CwuEngineState state = cwu_engine_get_state(self->engine);
  const CwuPreview *preview = peek_preview(self);
  return (state == CWU_ENGINE_READY || state == CWU_ENGINE_LOADING) &&
         (preview == NULL || preview->problem == NULL);
}

static void
show_message(CwuPromptBar *self)
{
  CwuEngineState state =
      self->engine != NULL ? cwu_engine_get_state(self->engine) : CWU_ENGINE_READY;
  const CwuPreview *preview = peek_preview(self);
  if (self->told != NULL)
    cwu_message_row_set(self->message, CWU_MESSAGE_ERROR, self->told, false, true);
  else if (state == CWU_ENGINE_NO_MODEL)
    cwu_message_row_set(self->message, CWU_MESSAGE_WARNING,
                        cwu_engine_peek_message(self->engine), true, false);
  else if (state == CWU_ENGINE_FAILED)
    cwu_message_row_set(self->message, CWU_MESSAGE_ERROR, cwu_engine_peek_message(self->engine),
                        true, false);
  else if (preview != NULL && preview->problem != NULL)
    cwu_message_row_set(self->message, CWU_MESSAGE_WARNING, preview->problem, false, false);
  else if (state == CWU_ENGINE_READY && self->engine != NULL &&
           cwu_engine_peek_message(self->engine) != NULL)
    cwu_message_row_set(self->message, CWU_MESSAGE_WARNING,
                        cwu_engine_peek_message(self->engine), true, false);
  else
    cwu_message_row_set(self->message, CWU_MESSAGE_NONE, NULL, false, false);
}

static void
show_tokens(CwuPromptBar *self)
{
  const CwuPreview *preview = peek_preview(self);
  bool has_start = preview != NULL && preview->n_tokens > 0 && preview->has_start;
  cwu_token_view_set_preview(self->view, preview);
  gtk_widget_set_visible(self->start, has_start);
  if (has_start)
    gtk_label_set_text(GTK_LABEL(self->start), preview->tokens[0].piece);
  gtk_widget_set_visible(self->count, preview != NULL && preview->n_tokens > 0);
  if (preview == NULL)
    return;
  g_autofree char *text = g_strdup_printf(
      g_dngettext(GETTEXT_PACKAGE, "%zu token", "%zu tokens", preview->n_tokens),
      preview->n_tokens);
  gtk_label_set_text(GTK_LABEL(self->count), text);
}

/* What the model says next, or that it loads, or what a trace does. */
static void
show_says(CwuPromptBar *self)
{
  size_t n = 0;
  bool is_current = false;
  const CwuNextToken *next =
      self->engine != NULL ? cwu_engine_peek_next(self->engine, &n, &is_current) : NULL;
  bool is_loading =
      self->engine != NULL && cwu_engine_get_state(self->engine) == CWU_ENGINE_LOADING;
  const char *phase = is_tracing(self) ? cwu_engine_peek_phase(self->engine) : NULL;
  if (is_loading)
    phase = _("Loading the model");
  /* Of another tab's text it is as out of date as of an older one. */
  cwu_next_strip_set(self->next, next, *self->text != '\0' ? n : 0,
                     is_current && peek_preview(self) != NULL);
  gtk_label_set_text(GTK_LABEL(self->phase), phase != NULL ? phase : "");
  gtk_stack_set_visible_child(GTK_STACK(self->says),
                              phase != NULL ? self->phase : GTK_WIDGET(self->next));
}

static void
show_button(CwuPromptBar *self)
{
  bool tracing = is_tracing(self);
  gtk_stack_set_visible_child_name(GTK_STACK(self->trace_faces), tracing ? "cancel" : "trace");
  gtk_widget_set_sensitive(self->trace_button, tracing || can_trace(self));
  gtk_widget_set_opacity(self->progress, tracing ? 1 : 0);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->progress),
                                tracing ? cwu_engine_get_fraction(self->engine) : 0);
  if (tracing)
    gtk_widget_remove_css_class(self->trace_button, "suggested-action");
  else
    gtk_widget_add_css_class(self->trace_button, "suggested-action");
  gtk_widget_set_tooltip_text(self->trace_button,
                              tracing ? _("Stop the trace (Escape)")
                                      : _("Trace what makes the model say this (Enter)"));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->trace_button),
                                 GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 tracing ? _("Cancel") : _("Trace"), -1);
}

static void
show_all(CwuPromptBar *self)
{
  show_tokens(self);
  show_says(self);
  show_button(self);
  show_message(self);
}

static void
show_progress(CwuPromptBar *self)
{
  show_says(self);
  show_button(self);
}

/* ---- what is done ----------------------------------------------------------------------- */

static void
set_told(CwuPromptBar *self, const char *message)
{
  g_autofree char *old = g_steal_pointer(&self->told);
  self->told = g_strdup(message);
}

static void
edited_cb(CwuPromptBar *self)
{
  g_autofree char *old = g_steal_pointer(&self->text);
  self->text = cwu_token_view_dup_text(self->view);
  gtk_widget_set_visible(self->placeholder, *self->text == '\0');
  if (g_str_equal(old, self->text))
    return;
  set_told(self, NULL);
  if (self->engine != NULL)
    cwu_engine_preview(self->engine, self->text); /* and it says "preview-changed" */
  else
    show_all(self);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TEXT]);
}

static void
request_trace(CwuPromptBar *self)
{
  if (!can_trace(self))
    return;
  set_told(self, NULL);
  show_message(self);
  g_signal_emit(self, signals[TRACE_REQUESTED], 0, self->text);
}

static void
button_cb(CwuPromptBar *self)
{
  if (is_tracing(self))
    g_signal_emit(self, signals[CANCEL_REQUESTED], 0);
  else
    request_trace(self);
}

static gboolean
key_pressed_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
               CwuPromptBar *self)
{
  if (key != GDK_KEY_Escape || !is_tracing(self))
    return FALSE;
  g_signal_emit(self, signals[CANCEL_REQUESTED], 0);
  return TRUE;
}

static void
recent_chosen_cb(CwuRecentButton *button, const char *text, CwuPromptBar *self)
{
  cwu_prompt_bar_set_text(self, text);
  gtk_widget_grab_focus(GTK_WIDGET(self->view));
}

static void
settings_changed_cb(CwuPromptBar *self)
{
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SETTINGS]);
}

static void
target_chosen_cb(CwuNextStrip *strip, int id, CwuPromptBar *self)
{
  g_autoptr(CwuTraceSettings) settings =
      cwu_trace_settings_copy(cwu_settings_popover_peek(self->settings));
  g_autoptr(GStrvBuilder) targets = g_strv_builder_new();
  g_autofree char *text = g_strdup_printf("id:%d", id);
  g_strv_builder_add(targets, text);
  settings->kind = CW_TARGETS_TOKENS;
  g_strfreev(settings->targets);
  settings->targets = g_strv_builder_end(targets);
  cwu_prompt_bar_set_settings(self, settings);
  gtk_widget_grab_focus(self->trace_button);
}

static void
message_closed_cb(CwuPromptBar *self)
{
  cwu_prompt_bar_tell(self, NULL);
}

/* ---- for the owner ---------------------------------------------------------------------- */

const char *
cwu_prompt_bar_peek_text(CwuPromptBar *self)
{
  return self->text;
}

void
cwu_prompt_bar_set_text(CwuPromptBar *self, const char *text)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self));
  cwu_token_view_set_text(self->view, text != NULL ? text : "");
}

void
cwu_prompt_bar_set_engine(CwuPromptBar *self, CwuEngine *engine)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self));
  if (self->engine == engine)
    return;
  if (self->engine != NULL)
    g_signal_handlers_disconnect_by_data(self->engine, self);
  g_set_object(&self->engine, engine);
  cwu_settings_popover_set_engine(self->settings, engine);
  if (engine != NULL) {
    g_signal_connect_swapped(engine, "preview-changed", G_CALLBACK(show_all), self);
    g_signal_connect_swapped(engine, "notify::state", G_CALLBACK(show_all), self);
    g_signal_connect_swapped(engine, "notify::message", G_CALLBACK(show_message), self);
    g_signal_connect_swapped(engine, "notify::is-tracing", G_CALLBACK(show_progress), self);
    g_signal_connect_swapped(engine, "notify::fraction", G_CALLBACK(show_progress), self);
    cwu_engine_preview(engine, self->text);
  }
  show_all(self);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_ENGINE]);
}

const CwuTraceSettings *
cwu_prompt_bar_peek_settings(CwuPromptBar *self)
{
  return cwu_settings_popover_peek(self->settings);
}

void
cwu_prompt_bar_set_settings(CwuPromptBar *self, const CwuTraceSettings *settings)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self) && settings != NULL);
  if (cwu_trace_settings_equal(settings, cwu_settings_popover_peek(self->settings)))
    return;
  cwu_settings_popover_set(self->settings, settings);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SETTINGS]);
}

void
cwu_prompt_bar_set_recent(CwuPromptBar *self, GListModel *recent)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self));
  if (!g_set_object(&self->recent, recent))
    return;
  cwu_recent_button_set_model(self->recent_button, recent);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_RECENT]);
}

CwuTraceRequest *
cwu_prompt_bar_dup_request(CwuPromptBar *self)
{
  return cwu_trace_settings_dup_request(cwu_prompt_bar_peek_settings(self), self->text);
}

void
cwu_prompt_bar_tell(CwuPromptBar *self, const char *message)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self));
  set_told(self, message);
  show_message(self);
}

void
cwu_prompt_bar_edit(CwuPromptBar *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->view));
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds(buffer, &start, &end);
  gtk_text_buffer_select_range(buffer, &end, &start);
  gtk_widget_grab_focus(GTK_WIDGET(self->view));
}

void
cwu_prompt_bar_choose_files(CwuPromptBar *self)
{
  g_return_if_fail(CWU_IS_PROMPT_BAR(self));
  gtk_menu_button_popup(GTK_MENU_BUTTON(self->settings_button));
  cwu_settings_popover_show_files(self->settings);
}

/* ---- building --------------------------------------------------------------------------- */

static GtkWidget *
start_new(CwuPromptBar *self)
{
  self->start = gtk_label_new(NULL);
  gtk_widget_add_css_class(self->start, "cwu-start");
  gtk_widget_set_valign(self->start, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text(self->start, _("Put in front of every prompt, as position 0"));
  return self->start;
}

static GtkWidget *
text_new(CwuPromptBar *self)
{
  GtkWidget *overlay = gtk_overlay_new(), *scroller = gtk_scrolled_window_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
  GtkTextBuffer *buffer;
  self->view = cwu_token_view_new();
  self->placeholder = gtk_label_new(_("Type a prompt, and press Enter to see its circuit"));
  gtk_label_set_ellipsize(GTK_LABEL(self->placeholder), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign(GTK_LABEL(self->placeholder), 0);
  gtk_widget_set_can_target(self->placeholder, FALSE);
  gtk_widget_add_css_class(self->placeholder, "cwu-placeholder");
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Prompt"), GTK_ACCESSIBLE_PROPERTY_PLACEHOLDER,
                                 _("Type a prompt, and press Enter to see its circuit"), -1);
  buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->view));
  g_signal_connect_swapped(buffer, "changed", G_CALLBACK(edited_cb), self);
  g_signal_connect_swapped(self->view, "activated", G_CALLBACK(request_trace), self);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), MAX_TEXT_HEIGHT_PX);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), GTK_WIDGET(self->view));
  gtk_overlay_set_child(GTK_OVERLAY(overlay), scroller);
  gtk_overlay_add_overlay(GTK_OVERLAY(overlay), self->placeholder);
  gtk_widget_set_hexpand(overlay, TRUE);
  gtk_box_append(GTK_BOX(box), start_new(self));
  gtk_box_append(GTK_BOX(box), overlay);
  gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
  return box;
}

static GtkWidget *
says_new(CwuPromptBar *self)
{
  self->says = gtk_stack_new();
  self->next = cwu_next_strip_new();
  self->phase = gtk_label_new(NULL);
  gtk_widget_add_css_class(self->phase, "cwu-phase");
  gtk_label_set_xalign(GTK_LABEL(self->phase), 1);
  gtk_stack_set_hhomogeneous(GTK_STACK(self->says), TRUE);
  gtk_stack_set_interpolate_size(GTK_STACK(self->says), FALSE);
  gtk_stack_add_child(GTK_STACK(self->says), GTK_WIDGET(self->next));
  gtk_stack_add_child(GTK_STACK(self->says), self->phase);
  g_signal_connect(self->next, "target-chosen", G_CALLBACK(target_chosen_cb), self);
  return self->says;
}

static GtkWidget *
face_new(const char *text, const char *key)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *mark = gtk_label_new(key);
  gtk_widget_add_css_class(mark, "cwu-key");
  gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(box), gtk_label_new(text));
  gtk_box_append(GTK_BOX(box), mark);
  return box;
}

static GtkWidget *
trace_button_new(CwuPromptBar *self)
{
  self->trace_button = gtk_button_new();
  self->trace_faces = gtk_stack_new();
  gtk_stack_add_named(GTK_STACK(self->trace_faces), face_new(_("Trace"), "⏎"), "trace");
  gtk_stack_add_named(GTK_STACK(self->trace_faces), face_new(_("Cancel"), _("Esc")), "cancel");
  gtk_button_set_child(GTK_BUTTON(self->trace_button), self->trace_faces);
  gtk_widget_add_css_class(self->trace_button, "cwu-trace");
  g_signal_connect_swapped(self->trace_button, "clicked", G_CALLBACK(button_cb), self);
  return self->trace_button;
}

/* A small window has less room below the button than all the settings take. */
static void
fit_settings_cb(GtkMenuButton *button, gpointer data)
{
  CwuPromptBar *self = data;
  GtkWidget *root = GTK_WIDGET(gtk_widget_get_root(GTK_WIDGET(button)));
  graphene_rect_t bounds;
  if (root == NULL || !gtk_widget_compute_bounds(GTK_WIDGET(button), root, &bounds))
    return;
  int below = gtk_widget_get_height(root) - (int)(bounds.origin.y + bounds.size.height);
  cwu_settings_popover_set_room(self->settings, below - POPOVER_FRAME_PX);
}

static GtkWidget *
settings_button_new(CwuPromptBar *self)
{
  self->settings = cwu_settings_popover_new();
  self->settings_button = gtk_menu_button_new();
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(self->settings_button),
                                "emblem-system-symbolic");
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->settings_button),
                              GTK_WIDGET(self->settings));
  gtk_menu_button_set_create_popup_func(GTK_MENU_BUTTON(self->settings_button), fit_settings_cb,
                                        self, NULL);
  gtk_widget_add_css_class(self->settings_button, "flat");
  gtk_widget_set_tooltip_text(self->settings_button, _("Settings of the trace"));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->settings_button),
                                 GTK_ACCESSIBLE_PROPERTY_LABEL, _("Settings of the trace"), -1);
  g_signal_connect_swapped(self->settings, "changed", G_CALLBACK(settings_changed_cb), self);
  return self->settings_button;
}

static GtkWidget *
row_new(CwuPromptBar *self)
{
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  self->count = gtk_label_new(NULL);
  self->recent_button = cwu_recent_button_new();
  gtk_widget_add_css_class(self->count, "cwu-count");
  g_signal_connect(self->recent_button, "chosen", G_CALLBACK(recent_chosen_cb), self);
  GtkWidget *parts[] = { text_new(self),
                         self->count,
                         says_new(self),
                         GTK_WIDGET(self->recent_button),
                         settings_button_new(self),
                         trace_button_new(self) };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    gtk_box_append(GTK_BOX(row), parts[i]);
  for (size_t i = 1; i < G_N_ELEMENTS(parts); i++)
    gtk_widget_set_valign(parts[i], GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(row, "cwu-row");
  return row;
}

static void
add_style(void)
{
  g_resources_register(clew_window_get_resource());
  g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
  gtk_css_provider_load_from_resource(provider, STYLE_RESOURCE);
  gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                             GTK_STYLE_PROVIDER(provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

/* ---- the object ------------------------------------------------------------------------- */

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CwuPromptBar *self = CWU_PROMPT_BAR(object);
  if (id == PROP_TEXT)
    g_value_set_string(value, self->text);
  else if (id == PROP_ENGINE)
    g_value_set_object(value, self->engine);
  else if (id == PROP_SETTINGS)
    g_value_set_boxed(value, cwu_prompt_bar_peek_settings(self));
  else if (id == PROP_RECENT)
    g_value_set_object(value, self->recent);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CwuPromptBar *self = CWU_PROMPT_BAR(object);
  if (id == PROP_TEXT)
    cwu_prompt_bar_set_text(self, g_value_get_string(value));
  else if (id == PROP_ENGINE)
    cwu_prompt_bar_set_engine(self, g_value_get_object(value));
  else if (id == PROP_SETTINGS)
    cwu_prompt_bar_set_settings(self, g_value_get_boxed(value));
  else if (id == PROP_RECENT)
    cwu_prompt_bar_set_recent(self, g_value_get_object(value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
dispose(GObject *object)
{
  CwuPromptBar *self = CWU_PROMPT_BAR(object);
  GtkWidget *child;
  if (self->engine != NULL)
    g_signal_handlers_disconnect_by_data(self->engine, self);
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))) != NULL)
    gtk_widget_unparent(child);
  g_clear_object(&self->engine);
  g_clear_object(&self->recent);
  G_OBJECT_CLASS(cwu_prompt_bar_parent_class)->dispose(object);
}

static void
finalize(GObject *object)
{
  CwuPromptBar *self = CWU_PROMPT_BAR(object);
  g_free(self->text);
  g_free(self->told);
  G_OBJECT_CLASS(cwu_prompt_bar_parent_class)->finalize(object);
}

static void
cwu_prompt_bar_class_init(CwuPromptBarClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS(class);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  object->get_property = get_property;
  object->set_property = set_property;
  object->dispose = dispose;
  object->finalize = finalize;
  properties[PROP_TEXT] = g_param_spec_string("text", NULL, NULL, "", flags);
  properties[PROP_ENGINE] = g_param_spec_object("engine", NULL, NULL, CWU_TYPE_ENGINE, flags);
  properties[PROP_SETTINGS] =
      g_param_spec_boxed("settings", NULL, NULL, CWU_TYPE_TRACE_SETTINGS, flags);
  properties[PROP_RECENT] = g_param_spec_object("recent", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties(object, N_PROPS, properties);
  signals[TRACE_REQUESTED] =
      g_signal_new("trace-requested", CWU_TYPE_PROMPT_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                   NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[CANCEL_REQUESTED] =
      g_signal_new("cancel-requested", CWU_TYPE_PROMPT_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                   NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name(GTK_WIDGET_CLASS(class), "promptbar");
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_GROUP);
  add_style();
}

static void
cwu_prompt_bar_init(CwuPromptBar *self)
{
  GtkLayoutManager *layout = gtk_widget_get_layout_manager(GTK_WIDGET(self));
  GtkEventController *keys = gtk_event_controller_key_new();
  gtk_orientable_set_orientation(GTK_ORIENTABLE(layout), GTK_ORIENTATION_VERTICAL);
  self->text = g_strdup("");
  self->message = cwu_message_row_new();
  self->progress = gtk_progress_bar_new();
  gtk_widget_add_css_class(self->progress, "osd");
  gtk_widget_set_parent(row_new(self), GTK_WIDGET(self));
  gtk_widget_set_parent(self->progress, GTK_WIDGET(self));
  gtk_widget_set_parent(GTK_WIDGET(self->message), GTK_WIDGET(self));
  g_signal_connect_swapped(self->message, "closed", G_CALLBACK(message_closed_cb), self);
  g_signal_connect_swapped(self->message, "settings-requested",
                           G_CALLBACK(cwu_prompt_bar_choose_files), self);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(key_pressed_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
  gtk_widget_add_css_class(GTK_WIDGET(self), "surface");
  gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Prompt"), -1);
  show_all(self);
}

CwuPromptBar *
cwu_prompt_bar_new(void)
{
  return g_object_new(CWU_TYPE_PROMPT_BAR, NULL);
}
