/* show-prompt-bar.c - the prompt bar alone in a window, for looking at it:
 *   show-prompt-bar WIDTH light|dark [PROMPT [STATE]]
 * STATE: tracing, no-model, failed, told, settings, tokens, difference, recent, next. With the
 * model that packaging/start fetched and the transcoder of data/. */
#include <stdlib.h>
#include <string.h>

#include <adwaita.h>

#include "desktop/theme-watch.h"
#include "trace/prompt-bar.h"

static const char *const prompts[] = {
  "The capital of France is",
  "The saying goes: Cloud is to sky as fish is to",
  "When Mary and John went to the store, John gave a drink to",
  "A very long prompt that would not fit on a line of this list, however wide the window may "
  "be made by whoever types it",
  NULL,
};

typedef struct {
  const char *prompt, *state;
  CwuPromptBar *bar;
  CwuEngine *engine;
  bool is_staged;
} Stage;

static void
traced_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Stage *stage = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = cwu_engine_trace_finish(result, &error);
  if (graph != NULL)
    g_print("%zu nodes\n", cw_graph_get_n_nodes(graph));
  else if (!g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED))
    cwu_prompt_bar_tell(stage->bar, error->message);
}

static void
trace_cb(CwuPromptBar *bar, const char *text, Stage *stage)
{
  g_autoptr(CwuTraceRequest) request = cwu_prompt_bar_dup_request(bar);
  cwu_engine_trace_async(stage->engine, request, traced_cb, stage);
}

/* The n-th menu button below a widget, in the order of the bar: next, recent, settings. */
static GtkWidget *
find_menu_button(GtkWidget *widget, int *n)
{
  if (GTK_IS_MENU_BUTTON(widget) && (*n)-- == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = find_menu_button(child, n);
    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
set_targets(Stage *stage, CwTargets kind, const char *first, const char *second)
{
  g_autoptr(CwuTraceSettings) settings =
      cwu_trace_settings_copy(cwu_prompt_bar_peek_settings(stage->bar));
  const char *texts[] = { first, second, NULL };
  settings->kind = kind;
  g_strfreev(settings->targets);
  settings->targets = g_strdupv((char **)texts);
  cwu_prompt_bar_set_settings(stage->bar, settings);
}

/* Once the model says what comes next, the rest of the scene is set. */
static void
set_scene(Stage *stage)
{
  static const char *const popovers[] = { "next", "recent", "settings" };
  size_t n;
  bool is_current;
  cwu_engine_peek_next(stage->engine, &n, &is_current);
  if (stage->is_staged || stage->state == NULL || !is_current)
    return;
  stage->is_staged = true;
  if (g_str_equal(stage->state, "tracing"))
    trace_cb(stage->bar, stage->prompt, stage);
  if (g_str_equal(stage->state, "told"))
    cwu_prompt_bar_tell(stage->bar, "7500 feature nodes of 61234 active ones need 9.1 GiB, 3.2 "
                                    "GiB are free; max_feature_nodes of 2100 would fit");
  if (g_str_equal(stage->state, "tokens"))
    set_targets(stage, CW_TARGETS_TOKENS, " Paris", " saxophone");
  if (g_str_equal(stage->state, "difference"))
    set_targets(stage, CW_TARGETS_DIFFERENCE, " Paris", "mountain");
  for (int i = 0; i < (int)G_N_ELEMENTS(popovers); i++) {
    bool is_targets = i == 2 && cwu_prompt_bar_peek_settings(stage->bar)->kind != 0;
    int count = i;
    if (is_targets || g_str_equal(stage->state, popovers[i]))
      gtk_menu_button_popup(GTK_MENU_BUTTON(find_menu_button(GTK_WIDGET(stage->bar), &count)));
  }
}

static void
add_style(void)
{
  g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
  gtk_css_provider_load_from_resource(provider,
                                      "/io/github/clew_circuits/Clew/window/style.css");
  gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                             GTK_STYLE_PROVIDER(provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  cwu_theme_define_colours();
}

static void
load(Stage *stage)
{
  const char *state = stage->state != NULL ? stage->state : "";
  g_autofree char *model = g_build_filename(g_get_user_data_dir(), "clew", "models",
                                            "SmolLM2-135M-Instruct.Q4_1.gguf", NULL);
  g_autofree char *transcoder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "smollm2-clt", NULL);
  if (g_str_equal(state, "failed"))
    cwu_engine_set_paths(stage->engine, "/home/me/models/gemma-2-2b.gguf", transcoder);
  else if (!g_str_equal(state, "no-model"))
    cwu_engine_set_paths(stage->engine, model, transcoder);
}

int
main(int argc, char **argv)
{
  if (argc < 3 || g_getenv("CLEW_SOURCE_ROOT") == NULL) {
    g_printerr("CLEW_SOURCE_ROOT=... %s WIDTH light|dark [PROMPT [STATE]]\n", argv[0]);
    return 2;
  }
  adw_init();
  adw_style_manager_set_color_scheme(adw_style_manager_get_default(),
                                     strcmp(argv[2], "dark") == 0
                                         ? ADW_COLOR_SCHEME_FORCE_DARK
                                         : ADW_COLOR_SCHEME_FORCE_LIGHT);
  Stage stage = { .prompt = argc > 3 ? argv[3] : prompts[0],
                  .state = argc > 4 ? argv[4] : NULL };
  GtkWidget *window = adw_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *margin = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  g_autoptr(GtkStringList) recent = gtk_string_list_new(prompts);
  stage.bar = cwu_prompt_bar_new();
  stage.engine = cwu_engine_new();
  add_style();
  gtk_widget_add_css_class(margin, "work");
  gtk_box_append(GTK_BOX(margin), GTK_WIDGET(stage.bar));
  gtk_box_append(GTK_BOX(box), adw_header_bar_new());
  gtk_box_append(GTK_BOX(box), margin);
  adw_window_set_content(ADW_WINDOW(window), box);
  gtk_window_set_default_size(GTK_WINDOW(window), atoi(argv[1]), 760);
  g_signal_connect(stage.bar, "trace-requested", G_CALLBACK(trace_cb), &stage);
  g_signal_connect_swapped(stage.bar, "cancel-requested", G_CALLBACK(cwu_engine_cancel_trace),
                           stage.engine);
  g_signal_connect_data(stage.engine, "preview-changed", G_CALLBACK(set_scene), &stage, NULL,
                        G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  cwu_prompt_bar_set_recent(stage.bar, G_LIST_MODEL(recent));
  load(&stage);
  cwu_prompt_bar_set_engine(stage.bar, stage.engine);
  cwu_prompt_bar_set_text(stage.bar, stage.prompt);
  gtk_window_present(GTK_WINDOW(window));
  while (g_list_model_get_n_items(gtk_window_get_toplevels()) > 0)
    g_main_context_iteration(NULL, TRUE);
  g_object_unref(stage.engine);
  return 0;
}
