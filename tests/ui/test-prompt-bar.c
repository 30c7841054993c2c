/* test-prompt-bar.c - the prompt bar in a window, with the real model: what it shows and asks
 * for while one types, traces and cancels; settings and recent prompts; names for everything
 * that takes the focus; a main loop that never waits. Wants a display. */
#include <adwaita.h>
#include <string.h>

#include "desktop/settings.h"
#include "loop-watch.h"
#include "test-support.h"
#include "text-sight.h"
#include "trace/message-row.h"
#include "trace/prompt-bar.h"
#include "trace/target-list.h"
#include "trace/token-view.h"
#include "widget-test.h"

#define PROMPT          "The capital of France is"
#define NARROW_PX       1024
#define LONG_LINE_BYTES 36000

typedef struct {
  GtkWidget *window;
  CwuPromptBar *bar;
  CwuEngine *engine;
  char *model, *transcoder;
  guint n_requested, n_cancel_requested, n_settings;
  char *requested;
  guint n_started, n_finished, n_cancelled; /* traces */
} Fixture;

static void
requested_cb(CwuPromptBar *bar, const char *text, Fixture *fixture)
{
  fixture->n_requested++;
  g_free(fixture->requested);
  fixture->requested = g_strdup(text);
}

static void
count_cb(guint *count)
{
  (*count)++;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->model = test_smollm2_path_or_skip();
  if (fixture->model == NULL)
    return;
  fixture->transcoder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "smollm2-clt", NULL);
  fixture->window = adw_window_new();
  fixture->bar = cwu_prompt_bar_new();
  fixture->engine = cwu_engine_new();
  adw_window_set_content(ADW_WINDOW(fixture->window), GTK_WIDGET(fixture->bar));
  g_signal_connect(fixture->bar, "trace-requested", G_CALLBACK(requested_cb), fixture);
  g_signal_connect_swapped(fixture->bar, "cancel-requested", G_CALLBACK(count_cb),
                           &fixture->n_cancel_requested);
  g_signal_connect_swapped(fixture->bar, "notify::settings", G_CALLBACK(count_cb),
                           &fixture->n_settings);
  cwu_prompt_bar_set_engine(fixture->bar, fixture->engine);
  gtk_window_set_default_size(GTK_WINDOW(fixture->window), NARROW_PX, 400);
  gtk_window_present(GTK_WINDOW(fixture->window));
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  if (fixture->window != NULL) {
    g_object_add_weak_pointer(G_OBJECT(fixture->bar), (gpointer *)&fixture->bar);
    gtk_window_destroy(GTK_WINDOW(fixture->window));
    loop_turn_for(20);
    g_assert_null(fixture->bar);
    g_assert_finalize_object(fixture->engine);
    /* What the engine's end has cancelled is still told. */
    loop_turn_until(fixture->n_finished + fixture->n_cancelled == fixture->n_started);
  }
  g_free(fixture->requested);
  g_free(fixture->model);
  g_free(fixture->transcoder);
}

static void
load(Fixture *fixture)
{
  cwu_engine_set_paths(fixture->engine, fixture->model, fixture->transcoder);
  loop_turn_until(cwu_engine_get_state(fixture->engine) == CWU_ENGINE_READY);
}

static bool
has_next(Fixture *fixture)
{
  size_t n;
  bool is_current;
  cwu_engine_peek_next(fixture->engine, &n, &is_current);
  return is_current;
}

static void
traced_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = cwu_engine_trace_finish(result, &error);
  if (graph != NULL)
    fixture->n_finished++;
  else
    fixture->n_cancelled++;
}

static void
trace(Fixture *fixture)
{
  g_autoptr(CwuTraceRequest) request = cwu_prompt_bar_dup_request(fixture->bar);
  fixture->n_started++;
  cwu_engine_trace_async(fixture->engine, request, traced_cb, fixture);
}

/* ---- widgets by what they are ----------------------------------------------------------- */

typedef bool (*Match)(GtkWidget *widget, const void *data);

static GtkWidget *
find(GtkWidget *widget, Match match, const void *data)
{
  if (match(widget, data))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = find(child, match, data);
    if (found != NULL)
      return found;
  }
  return NULL;
}

static bool
has_class(GtkWidget *widget, const void *name)
{
  return gtk_widget_has_css_class(widget, name);
}

static bool
has_type(GtkWidget *widget, const void *type)
{
  return g_type_is_a(G_OBJECT_TYPE(widget), *(const GType *)type);
}

static GtkWidget *
find_class(Fixture *fixture, const char *name)
{
  GtkWidget *found = find(GTK_WIDGET(fixture->bar), has_class, name);
  g_assert_nonnull(found);
  return found;
}

static GtkWidget *
find_type(Fixture *fixture, GType type)
{
  GtkWidget *found = find(GTK_WIDGET(fixture->bar), has_type, &type);
  g_assert_nonnull(found);
  return found;
}

static const char *
message_of(Fixture *fixture)
{
  GtkWidget *row = find_type(fixture, CWU_TYPE_MESSAGE_ROW);
  GType revealer = GTK_TYPE_REVEALER, label = GTK_TYPE_LABEL;
  GtkWidget *folded = find(row, has_type, &revealer);
  if (!gtk_revealer_get_reveal_child(GTK_REVEALER(folded)))
    return NULL;
  return gtk_label_get_text(GTK_LABEL(find(row, has_type, &label)));
}

static void
press(GtkWidget *widget, guint key, GdkModifierType state)
{
  g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(widget);
  for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
    g_autoptr(GtkEventController) controller = g_list_model_get_item(controllers, i);
    gboolean is_handled = FALSE;
    if (GTK_IS_EVENT_CONTROLLER_KEY(controller))
      g_signal_emit_by_name(controller, "key-pressed", key, 0, state, &is_handled);
    if (is_handled)
      return;
  }
}

/* ---- cases ------------------------------------------------------------------------------ */

static void
test_typing(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  GtkWidget *button = find_class(fixture, "cwu-trace");
  g_assert_false(gtk_widget_get_sensitive(button));
  g_assert_true(gtk_widget_get_visible(find_class(fixture, "cwu-placeholder")));
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(find_class(fixture, "cwu-count"))), ==,
                  "6 tokens");
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(find_class(fixture, "cwu-start"))), ==,
                  "<|im_start|>");
  g_assert_false(gtk_widget_get_visible(find_class(fixture, "cwu-placeholder")));
  g_assert_true(gtk_widget_get_sensitive(button));
  loop_turn_until(has_next(fixture));
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(find_class(fixture, "cwu-first"))), ==, "Paris");
  g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(find_class(fixture, "cwu-share"))), ==, "75%");
  /* What was said of the last text is dimmed until the new is known. */
  GtkWidget *next = find_class(fixture, "cwu-next");
  g_assert_false(gtk_widget_has_css_class(next, "cwu-stale"));
  cwu_prompt_bar_set_text(fixture->bar, PROMPT " a");
  g_assert_true(gtk_widget_has_css_class(next, "cwu-stale"));
  loop_turn_until(has_next(fixture));
  g_assert_false(gtk_widget_has_css_class(next, "cwu-stale"));
  cwu_prompt_bar_set_text(fixture->bar, "");
  g_assert_false(gtk_widget_get_visible(next));
  g_assert_false(gtk_widget_get_sensitive(button));
}

/* What the model says next takes room from the text once it is known: the bar is as high as
 * the lines that there are then. */
static void
test_height(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  g_autoptr(GString) text = g_string_new("The");
  GtkAdjustment *seen =
      gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(find_class(fixture, "cwu-token-view")));
  for (int i = 0; i < 14; i++) {
    cwu_prompt_bar_set_text(fixture->bar, "");
    loop_turn_for(40);
    g_string_append(text, " weather");
    cwu_prompt_bar_set_text(fixture->bar, text->str);
    loop_turn_until(has_next(fixture));
    loop_turn_until(gtk_adjustment_get_page_size(seen) >= gtk_adjustment_get_upper(seen));
  }
  g_assert_cmpfloat(gtk_adjustment_get_upper(seen), >, 40); /* two lines or more */
}

static void
test_keys(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  GtkWidget *view = find_type(fixture, CWU_TYPE_TOKEN_VIEW);
  press(view, GDK_KEY_Return, 0);
  g_assert_cmpuint(fixture->n_requested, ==, 0); /* there is nothing to trace */
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  press(view, GDK_KEY_Return, GDK_SHIFT_MASK);
  g_assert_cmpuint(fixture->n_requested, ==, 0);
  g_assert_cmpstr(cwu_prompt_bar_peek_text(fixture->bar), ==, PROMPT "\n");
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  press(view, GDK_KEY_Return, 0);
  press(view, GDK_KEY_KP_Enter, 0);
  g_assert_cmpuint(fixture->n_requested, ==, 2);
  g_assert_cmpstr(fixture->requested, ==, PROMPT);
  press(GTK_WIDGET(fixture->bar), GDK_KEY_Escape, 0);
  g_assert_cmpuint(fixture->n_cancel_requested, ==, 0); /* nothing runs */
  trace(fixture);
  press(GTK_WIDGET(fixture->bar), GDK_KEY_Escape, 0);
  g_assert_cmpuint(fixture->n_cancel_requested, ==, 1);
}

static void
test_trace_button(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  GtkWidget *button = find_class(fixture, "cwu-trace");
  GtkStack *faces = GTK_STACK(gtk_button_get_child(GTK_BUTTON(button)));
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  g_signal_emit_by_name(button, "clicked");
  g_assert_cmpuint(fixture->n_requested, ==, 1);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(faces), ==, "trace");
  trace(fixture);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(faces), ==, "cancel");
  loop_turn_until(cwu_engine_get_fraction(fixture->engine) > 0.1);
  GtkLabel *phase = GTK_LABEL(find_class(fixture, "cwu-phase"));
  g_assert_cmpstr(gtk_label_get_text(phase), ==, cwu_engine_peek_phase(fixture->engine));
  GType type = GTK_TYPE_PROGRESS_BAR;
  GtkWidget *progress = find(GTK_WIDGET(fixture->bar), has_type, &type);
  g_assert_cmpfloat(gtk_progress_bar_get_fraction(GTK_PROGRESS_BAR(progress)), ==,
                    cwu_engine_get_fraction(fixture->engine));
  g_signal_emit_by_name(button, "clicked");
  g_assert_cmpuint(fixture->n_cancel_requested, ==, 1);
  cwu_engine_cancel_trace(fixture->engine);
  g_assert_cmpstr(gtk_stack_get_visible_child_name(faces), ==, "trace");
  loop_turn_for(5);
  g_assert_cmpuint(fixture->n_cancelled, ==, 1);
}

static void
test_messages(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_assert_nonnull(strstr(message_of(fixture), "./packaging/start"));
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  g_assert_false(gtk_widget_get_sensitive(find_class(fixture, "cwu-trace")));
  load(fixture);
  g_assert_null(message_of(fixture));
  cwu_prompt_bar_tell(fixture->bar, "It went wrong");
  g_assert_cmpstr(message_of(fixture), ==, "It went wrong");
  cwu_prompt_bar_set_text(fixture->bar, PROMPT " a");
  g_assert_null(message_of(fixture));
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 9000; i++)
    g_string_append(text, " cat");
  cwu_prompt_bar_set_text(fixture->bar, text->str);
  loop_turn_until(message_of(fixture) != NULL);
  g_assert_nonnull(strstr(message_of(fixture), "9001"));
  g_assert_false(gtk_widget_get_sensitive(find_class(fixture, "cwu-trace")));
  g_string_free(text, TRUE);
  cwu_engine_set_paths(fixture->engine, "/nowhere.gguf", NULL);
  loop_turn_until(cwu_engine_get_state(fixture->engine) == CWU_ENGINE_FAILED);
  g_assert_nonnull(strstr(message_of(fixture), "/nowhere.gguf"));
}

static void
test_settings(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_autoptr(CwuTraceSettings) wanted = cwu_trace_settings_new();
  static const char *const tokens[] = { " Paris", " saxophone", NULL };
  wanted->kind = CW_TARGETS_TOKENS;
  g_strfreev(wanted->targets);
  wanted->targets = g_strdupv((char **)tokens);
  wanted->max_n_logits = 7;
  wanted->desired_logit_prob = 0.5;
  wanted->max_feature_nodes = 100;
  wanted->batch_size = 32;
  wanted->update_interval = 2;
  wanted->node_threshold = 0.6;
  wanted->edge_threshold = 0.9;
  wanted->model_path = g_strdup("/a/model.gguf");
  wanted->transcoder_path = g_strdup("/a/transcoder");
  cwu_prompt_bar_set_settings(fixture->bar, wanted);
  cwu_prompt_bar_set_settings(fixture->bar, wanted);
  g_assert_cmpuint(fixture->n_settings, ==, 1);
  g_assert_true(cwu_trace_settings_equal(cwu_prompt_bar_peek_settings(fixture->bar), wanted));
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  g_autoptr(CwuTraceRequest) request = cwu_prompt_bar_dup_request(fixture->bar);
  g_assert_cmpint(request->options.max_feature_nodes, ==, 100);
  g_assert_cmpint(request->options.targets, ==, CW_TARGETS_TOKENS);
  g_assert_cmpstr(request->target_texts[1], ==, " saxophone");

  /* A widget that is edited writes its field and nothing else. */
  GType spin = GTK_TYPE_SPIN_BUTTON;
  GtkWidget *first = find(GTK_WIDGET(fixture->bar), has_type, &spin);
  gtk_spin_button_set_value(GTK_SPIN_BUTTON(first), 9);
  g_assert_cmpuint(fixture->n_settings, ==, 2);
  wanted->max_n_logits = 9;
  g_assert_true(cwu_trace_settings_equal(cwu_prompt_bar_peek_settings(fixture->bar), wanted));

  /* Targets are checked once the model is there. */
  load(fixture);
  GtkWidget *wrong = find_class(fixture, "cwu-wrong");
  GType label = GTK_TYPE_LABEL;
  GtkWidget *note = gtk_widget_get_last_child(wrong);
  g_assert_true(has_type(note, &label));
  g_assert_nonnull(strstr(gtk_label_get_text(GTK_LABEL(note)), "2 tokens"));
  gtk_editable_set_text(GTK_EDITABLE(gtk_widget_get_first_child(wrong)), " London");
  g_assert_null(find(GTK_WIDGET(fixture->bar), has_class, "cwu-wrong"));
  g_assert_cmpstr(cwu_prompt_bar_peek_settings(fixture->bar)->targets[1], ==, " London");
}

static void
test_settings_store(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  GSettings *store = cwu_settings_peek();
  g_autoptr(CwuTraceSettings) defaults = cwu_trace_settings_new();
  g_autoptr(CwuTraceSettings) fresh = cwu_trace_settings_new_from_store(store);
  g_assert_true(cwu_trace_settings_equal(defaults, fresh));
  static const char *const pair[] = { " hot", " cold", NULL };
  g_autoptr(CwuTraceSettings) changed = cwu_trace_settings_copy(defaults);
  changed->kind = CW_TARGETS_DIFFERENCE;
  g_strfreev(changed->targets);
  changed->targets = g_strdupv((char **)pair);
  changed->update_interval = 9;
  changed->edge_threshold = 0.5;
  changed->model_path = g_strdup("/m.gguf");
  cwu_trace_settings_store(changed, store);
  g_autoptr(CwuTraceSettings) back = cwu_trace_settings_new_from_store(store);
  g_assert_true(cwu_trace_settings_equal(changed, back));
  cwu_trace_settings_store(defaults, store);
}

static void
test_recent(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_autoptr(GtkStringList) recent = gtk_string_list_new(NULL);
  cwu_prompt_bar_set_recent(fixture->bar, G_LIST_MODEL(recent));
  GtkWidget *list = find_class(fixture, "cwu-recent-list");
  for (int i = 0; i < 25; i++) {
    g_autofree char *text = g_strdup_printf("Prompt %d", i);
    gtk_string_list_append(recent, text);
  }
  g_assert_nonnull(gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 19));
  g_assert_null(gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 20));
  GtkListBoxRow *row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 3);
  g_signal_emit_by_name(list, "row-activated", row);
  g_assert_cmpstr(cwu_prompt_bar_peek_text(fixture->bar), ==, "Prompt 3");
  /* The owner moves the newest to the front. */
  static const char *const newest[] = { "Newest", NULL };
  gtk_string_list_splice(recent, 0, 0, newest);
  row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 0);
  g_signal_emit_by_name(list, "row-activated", row);
  g_assert_cmpstr(cwu_prompt_bar_peek_text(fixture->bar), ==, "Newest");
}

static void
test_target_from_next(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  loop_turn_until(has_next(fixture));
  GtkWidget *list = find_class(fixture, "cwu-next-list");
  GtkListBoxRow *row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 1);
  size_t n;
  bool is_current;
  const CwuNextToken *next = cwu_engine_peek_next(fixture->engine, &n, &is_current);
  g_autofree char *text = g_strdup_printf("id:%d", next[1].id);
  g_signal_emit_by_name(list, "row-activated", row);
  const CwuTraceSettings *settings = cwu_prompt_bar_peek_settings(fixture->bar);
  g_assert_cmpint(settings->kind, ==, CW_TARGETS_TOKENS);
  g_assert_cmpstr(settings->targets[0], ==, text);
  g_assert_null(settings->targets[1]);
}

static bool
is_unnamed(GtkWidget *widget, const void *data)
{
  GtkAccessible *accessible = GTK_ACCESSIBLE(widget);
  bool takes_focus = GTK_IS_MENU_BUTTON(widget) || GTK_IS_SPIN_BUTTON(widget) ||
                     GTK_IS_ENTRY(widget) || GTK_IS_TEXT_VIEW(widget) ||
                     GTK_IS_DROP_DOWN(widget);
  bool is_own = !GTK_IS_SPIN_BUTTON(gtk_widget_get_parent(widget)); /* its + and - */
  bool is_icon = is_own && GTK_IS_BUTTON(widget) && !GTK_IS_TOGGLE_BUTTON(widget) &&
                 gtk_button_get_label(GTK_BUTTON(widget)) == NULL &&
                 gtk_widget_get_focusable(widget) &&
                 gtk_widget_get_tooltip_text(widget) == NULL;
  return is_icon ||
         (takes_focus &&
          !gtk_test_accessible_has_property(accessible, GTK_ACCESSIBLE_PROPERTY_LABEL) &&
          !gtk_test_accessible_has_relation(accessible, GTK_ACCESSIBLE_RELATION_LABELLED_BY));
}

static void
test_names(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  loop_turn_until(has_next(fixture));
  GtkWidget *unnamed = find(GTK_WIDGET(fixture->bar), is_unnamed, NULL);
  if (unnamed != NULL)
    g_error("%s without a name", G_OBJECT_TYPE_NAME(unnamed));
  int least, natural;
  gtk_widget_measure(GTK_WIDGET(fixture->bar), GTK_ORIENTATION_HORIZONTAL, -1, &least, &natural,
                     NULL, NULL);
  g_test_message("at least %d px wide", least);
  g_assert_cmpint(least, <=, 700);
}

static void
test_loop_never_waits(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  loop_turn_for(300); /* the window's first frames are the toolkit's matter */
  LoopWatch watch;
  loop_watch_start(&watch);
  load(fixture);
  for (size_t i = 1; i <= strlen(PROMPT); i++) {
    g_autofree char *text = g_strndup(PROMPT, i);
    cwu_prompt_bar_set_text(fixture->bar, text);
    loop_turn_for(15);
  }
  trace(fixture);
  loop_turn_until(fixture->n_finished == 1);
  GString *text = g_string_new(NULL);
  while (text->len < 8000)
    g_string_append(text, PROMPT " ");
  cwu_prompt_bar_set_text(fixture->bar, text->str);
  loop_turn_for(200);
  cwu_prompt_bar_set_text(fixture->bar, PROMPT);
  loop_turn_for(100);
  loop_watch_stop(&watch);
  g_string_free(text, TRUE);
  /* What the display server makes the toolkit wait for is not ours; that the engine blocks
   * nobody is test-engine's case. */
  loop_check_turn("load, typing, trace, 8 KB pasted", watch.worst_cpu_ms);
}

/* What Ctrl+V does, in the focused view: the end of the text is in sight then. */
static void
paste(Fixture *fixture, const char *text)
{
  GtkWidget *view = find_type(fixture, CWU_TYPE_TOKEN_VIEW);
  gtk_widget_grab_focus(view);
  gdk_clipboard_set_text(gtk_widget_get_clipboard(view), text);
  g_signal_emit_by_name(view, "paste-clipboard");
  loop_turn_until(strcmp(cwu_prompt_bar_peek_text(fixture->bar), text) == 0);
}

/* The text view lays out a paragraph as a whole, whatever is in sight of it. */
static void
test_long_line(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  GtkTextView *view = GTK_TEXT_VIEW(find_type(fixture, CWU_TYPE_TOKEN_VIEW));
  GString *text = g_string_new(NULL);
  LoopWatch watch;
  /* A revealer on its way rounds two heights apart, and the toolkit complains. */
  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", FALSE, NULL);
  load(fixture);
  loop_turn_for(300);
  while (text->len < LONG_LINE_BYTES)
    g_string_append(text, " cat");
  loop_watch_start(&watch);
  paste(fixture, text->str);
  loop_turn_until(message_of(fixture) != NULL); /* longer than the context */
  for (int i = 0; i < 3; i++) {
    gtk_text_buffer_insert_at_cursor(gtk_text_view_get_buffer(view), " cat", -1);
    loop_turn_for(100);
  }
  loop_watch_stop(&watch);
  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", TRUE, NULL);
  g_string_free(text, TRUE);
  loop_check_turn("36 KB pasted as one line", watch.worst_cpu_ms);
}

/* However large the type is, and whatever takes room from the text after it was put there. */
static void
test_cursor_is_seen(Fixture *fixture, gconstpointer data)
{
  static const int n_words[] = { 5, 40, 90, 150, 8400 };
  if (fixture->model == NULL)
    return;
  GtkTextView *view = GTK_TEXT_VIEW(find_type(fixture, CWU_TYPE_TOKEN_VIEW));
  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", FALSE, NULL);
  load(fixture);
  for (int dpi = 96; dpi <= 144; dpi += 48) {
    g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", dpi * 1024, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(n_words); i++) {
      g_autoptr(GString) text = g_string_new("The");
      for (int k = 1; k < n_words[i]; k++)
        g_string_append(text, k % 100 == 99 ? "\n" : " weather");
      cwu_prompt_bar_set_text(fixture->bar, "");
      paste(fixture, text->str);
      loop_turn_until(n_words[i] > 8192 ? message_of(fixture) != NULL : has_next(fixture));
      loop_turn_for(200);
      loop_turn_until(text_sight_has_cursor(view));
    }
  }
  g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", 96 * 1024, "gtk-enable-animations",
               TRUE, NULL);
}

#define ADD(name, function) \
  g_test_add("/ui/prompt-bar/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  g_setenv("GTK_A11Y", "test", TRUE);
  g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
  if (!widget_test_init(&argc, &argv))
    return 0;
  ADD("typing", test_typing);
  ADD("height", test_height);
  ADD("keys", test_keys);
  ADD("trace-button", test_trace_button);
  ADD("messages", test_messages);
  ADD("settings", test_settings);
  ADD("settings-store", test_settings_store);
  ADD("recent", test_recent);
  ADD("target-from-next", test_target_from_next);
  ADD("names", test_names);
  ADD("loop-never-waits", test_loop_never_waits);
  ADD("long-line", test_long_line);
  ADD("cursor-is-seen", test_cursor_is_seen);
  return g_test_run();
}
