/* test-session-prompt.c - a prompt in the real window, with the real model: typed, traced,
 * cancelled, superseded, too long. Keys and pointer are a person's; what is asserted is what
 * the window shows and what the document holds. */
#include <string.h>

#include "desktop/settings.h"
#include "session-support.h"
#include "test-support.h"
#include "text-sight.h"
#include "trace/prompt-bar.h"
#include "trace/token-view.h"

#define PROMPT          "The capital of France is"
#define OTHER           "The opposite of hot is"
#define THIRD           "The grass is"
#define CANCEL_LIMIT_MS 200.0
#define LATE_MS         400 /* in which a late result would have shown */

typedef struct {
  Session session;
  char *model;    /* NULL: not on this machine */
  guint n_graphs; /* times that the document got another graph */
  CwGraph *graph; /* the last; borrowed */
} Fixture;

static CwuDocument *
document_of(Fixture *f)
{
  return session_document(&f->session);
}

static CwuEngine *
engine_of(Fixture *f)
{
  return cwu_context_peek_engine(f->session.context);
}

static GtkWidget *
window_of(Fixture *f)
{
  return GTK_WIDGET(f->session.window);
}

static void
graph_changed_cb(Fixture *f)
{
  CwGraph *graph = cwu_document_peek_graph(document_of(f));
  f->n_graphs += graph != f->graph && graph != NULL;
  f->graph = graph;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->model = test_smollm2_path_or_skip();
  if (f->model == NULL)
    return;
  session_step("start");
  session_open(&f->session, f->model);
  g_signal_connect_swapped(document_of(f), "graph-changed", G_CALLBACK(graph_changed_cb), f);
  session_step("load the model");
  session_until(cwu_engine_get_state(engine_of(f)) == CWU_ENGINE_READY);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  if (f->model != NULL)
    session_close(&f->session);
  g_free(f->model);
}

/* ---- the bar ---------------------------------------------------------------------------- */

static CwuPromptBar *
bar_of(Fixture *f)
{
  return CWU_PROMPT_BAR(session_find(window_of(f), CWU_TYPE_PROMPT_BAR));
}

static GtkTextView *
text_of(Fixture *f)
{
  return GTK_TEXT_VIEW(session_find(window_of(f), CWU_TYPE_TOKEN_VIEW));
}

static bool
says(Fixture *f, const char *css_class, const char *text)
{
  GtkWidget *label = session_find_class(window_of(f), css_class);
  return label != NULL && strcmp(gtk_label_get_text(GTK_LABEL(label)), text) == 0;
}

static bool
knows_next(Fixture *f)
{
  size_t n;
  bool is_current;
  cwu_engine_peek_next(engine_of(f), &n, &is_current);
  return is_current;
}

static bool
can_trace(Fixture *f)
{
  return gtk_widget_is_sensitive(session_find_class(window_of(f), "cwu-trace"));
}

static bool
has_message(Fixture *f)
{
  return session_find_class(window_of(f), "cwu-message") != NULL;
}

static bool
is_in_bar(Fixture *f, const char *text)
{
  return strcmp(cwu_prompt_bar_peek_text(bar_of(f)), text) == 0;
}

/* In the place of what is there. */
static void
type_prompt(Fixture *f, const char *text)
{
  gtk_widget_grab_focus(session_find(window_of(f), CWU_TYPE_TOKEN_VIEW));
  session_keys("ctrl+a");
  session_type(text);
  session_until(is_in_bar(f, text));
}

static void
press_enter(Fixture *f)
{
  session_keys("Return");
  session_until(cwu_engine_is_tracing(engine_of(f)));
}

static bool
is_graph_of(Fixture *f, const char *prompt)
{
  return f->graph != NULL && g_str_has_suffix(cw_graph_peek_prompt(f->graph), prompt);
}

/* ---- a trace ---------------------------------------------------------------------------- */

/* Follows the bar until the trace has ended: it never steps back, and names what is done. */
static void
follow_progress(Fixture *f)
{
  GtkWidget *bar = session_find(GTK_WIDGET(bar_of(f)), GTK_TYPE_PROGRESS_BAR);
  g_autoptr(GHashTable) phases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  double shown = 0, last = 0;
  while (cwu_engine_is_tracing(engine_of(f))) {
    GtkWidget *phase = session_find_class(window_of(f), "cwu-phase");
    if (phase != NULL) /* one frame after the trace began */
      g_hash_table_add(phases, g_strdup(gtk_label_get_text(GTK_LABEL(phase))));
    shown = gtk_progress_bar_get_fraction(GTK_PROGRESS_BAR(bar));
    g_assert_cmpfloat(gtk_widget_get_opacity(bar), ==, 1);
    g_assert_cmpfloat(shown, >=, last);
    last = shown;
    session_turn();
  }
  g_assert_cmpfloat(last, >, 0.5);
  g_assert_cmpuint(g_hash_table_size(phases), >=, 3);
}

static void
type_first(Fixture *f)
{
  session_step("type a prompt");
  session_keys("ctrl+n");
  session_type(PROMPT);
  session_until(is_in_bar(f, PROMPT) && knows_next(f));
  session_settle(&f->session);
  g_assert_true(says(f, "cwu-start", "<|im_start|>"));
  g_assert_true(says(f, "cwu-count", "6 tokens"));
  g_assert_true(says(f, "cwu-first", "Paris"));
  g_assert_true(says(f, "cwu-share", "75%"));
  session_shoot(&f->session, "typed");
}

/* The keys go to the picture then; undo takes the circuit away and redo brings it back. */
static void
go_on(Fixture *f)
{
  CwGraph *traced = f->graph;
  session_step("walk in what was traced");
  session_keys("Up Up");
  session_until(cwu_document_get_selected(document_of(f)) >= 0);
  session_step("undo a trace");
  session_keys("ctrl+z");
  session_until(f->graph == NULL);
  g_assert_true(is_in_bar(f, PROMPT));
  session_settle(&f->session);
  session_step("redo a trace");
  session_keys("ctrl+shift+z");
  session_until(f->graph == traced);
  session_settle(&f->session);
}

static void
test_trace(Fixture *f, gconstpointer data)
{
  if (f->model == NULL)
    return;
  type_first(f);
  session_step("trace");
  press_enter(f);
  follow_progress(f);
  session_until(f->graph != NULL);
  session_settle(&f->session);
  session_shoot(&f->session, "traced");
  session_step(NULL);
  g_assert_true(is_graph_of(f, PROMPT));
  g_assert_false(has_message(f));
  g_assert_nonnull(strstr(gtk_window_get_title(GTK_WINDOW(f->session.window)), PROMPT));
  g_auto(GStrv) recent = g_settings_get_strv(cwu_settings_peek(), "recent-prompts");
  g_assert_cmpstr(recent[0], ==, PROMPT);
  go_on(f);
}

/* ---- cancelling ------------------------------------------------------------------------- */

/* Escape, or the button. */
static void
cancel(Fixture *f, bool with_button)
{
  GtkWidget *button = session_find_class(window_of(f), "cwu-trace");
  if (!with_button) {
    session_keys("Escape");
  } else {
    session_point(button, gtk_widget_get_width(button) / 2.0,
                  gtk_widget_get_height(button) / 2.0);
    session_click(1);
  }
  session_until(!cwu_engine_is_tracing(engine_of(f)));
}

/* From the hand's message to an idle engine. On a machine that others share the wall clock is
 * theirs as well: it is told, and what is judged is what all cores computed. */
static void
test_cancel(Fixture *f, gconstpointer data)
{
  static const double moments[] = { 0, 0.04, 0.08, 0.15, 0.25, 0.35, 0.45 };
  double worst_cpu_ms = 0, worst_ms = 0;
  if (f->model == NULL)
    return;
  session_step("cancel");
  type_prompt(f, PROMPT);
  for (size_t i = 0; i < G_N_ELEMENTS(moments); i++) {
    press_enter(f);
    session_until(cwu_engine_get_fraction(engine_of(f)) >= moments[i]);
    cancel(f, i % 2 == 1);
    double cpu_ms = test_process_cpu_ms();
    gint64 since_us = g_get_monotonic_time();
    g_assert_true(can_trace(f));
    session_until(!cwu_engine_is_busy(engine_of(f)));
    worst_ms = MAX(worst_ms, (double)(g_get_monotonic_time() - since_us) / 1e3);
    worst_cpu_ms = MAX(worst_cpu_ms, test_process_cpu_ms() - cpu_ms);
    gtk_widget_grab_focus(session_find(window_of(f), CWU_TYPE_TOKEN_VIEW));
  }
  session_turn_for(LATE_MS);
  g_assert_cmpuint(f->n_graphs, ==, 0);
  g_assert_false(has_message(f));
  g_assert_true(is_in_bar(f, PROMPT));
  g_test_message("%zu cancels: idle after at most %.0f ms, %.0f ms of processor time",
                 G_N_ELEMENTS(moments), worst_ms, worst_cpu_ms);
  if (!session_is_slowed())
    g_assert_cmpfloat(worst_cpu_ms, <=, CANCEL_LIMIT_MS * g_get_num_processors());
}

/* The trace has ended, and the document takes its graph up on a thread. */
static void
trace_to_the_end(Fixture *f)
{
  press_enter(f);
  session_until(!cwu_engine_is_tracing(engine_of(f)));
}

static void
test_late_cancel(Fixture *f, gconstpointer data)
{
  if (f->model == NULL)
    return;
  session_step("cancel late");
  type_prompt(f, THIRD);
  trace_to_the_end(f);
  g_assert_null(f->graph);
  g_assert_true(cwu_page_cancel_trace(f->session.window->page));
  session_turn_for(LATE_MS);
  g_assert_cmpuint(f->n_graphs, ==, 0);
  g_assert_false(has_message(f));
}

/* ---- a newer prompt --------------------------------------------------------------------- */

/* What Enter does, before anything else can happen. */
static void
enter_at_once(Fixture *f, const char *text)
{
  cwu_prompt_bar_set_text(bar_of(f), text);
  g_signal_emit_by_name(session_find(window_of(f), CWU_TYPE_TOKEN_VIEW), "activated");
  g_assert_true(cwu_engine_is_tracing(engine_of(f)));
}

/* Of all that was asked for, the newest comes, and nothing else does, before or after. */
static void
expect_only(Fixture *f, const char *prompt)
{
  f->n_graphs = 0;
  session_until(f->n_graphs > 0);
  g_assert_true(is_graph_of(f, prompt));
  session_settle(&f->session);
  session_turn_for(LATE_MS);
  g_assert_cmpuint(f->n_graphs, ==, 1);
  g_assert_false(has_message(f));
  g_assert_true(is_in_bar(f, prompt));
}

static void
test_supersede(Fixture *f, gconstpointer data)
{
  if (f->model == NULL)
    return;
  session_step("supersede");
  type_prompt(f, PROMPT);
  press_enter(f);
  session_until(cwu_engine_get_fraction(engine_of(f)) >= 0.2);
  type_prompt(f, OTHER);
  session_keys("Return");
  expect_only(f, OTHER);
  /* The older result waits in the queue of the loop. */
  type_prompt(f, PROMPT);
  press_enter(f);
  while (cwu_engine_is_busy(engine_of(f)))
    g_usleep(1000);
  enter_at_once(f, THIRD);
  expect_only(f, THIRD);
  /* The older graph is on its way into the document. */
  type_prompt(f, OTHER);
  trace_to_the_end(f);
  g_assert_true(is_graph_of(f, THIRD));
  enter_at_once(f, PROMPT);
  expect_only(f, PROMPT);
}

/* ---- what does not fit ------------------------------------------------------------------ */

static void
test_too_long(Fixture *f, gconstpointer data)
{
  if (f->model == NULL)
    return;
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 8400; i++)
    g_string_append(text, i % 100 == 99 ? "\n" : " cat");
  session_copy(window_of(f), text->str);
  session_step("paste what does not fit");
  session_keys("ctrl+n ctrl+v");
  session_until(has_message(f));
  session_settle(&f->session);
  session_until(text_sight_has_cursor(text_of(f)));
  session_shoot(&f->session, "too-long");
  GtkWidget *message = session_find_class(window_of(f), "cwu-message");
  const char *said = gtk_label_get_text(GTK_LABEL(session_find(message, GTK_TYPE_LABEL)));
  g_assert_nonnull(strstr(said, "8401"));
  g_assert_false(can_trace(f));
  session_keys("Return");
  session_settle(&f->session);
  g_assert_false(cwu_engine_is_tracing(engine_of(f)));
  g_assert_true(is_in_bar(f, text->str));
  g_string_free(text, TRUE);
  session_step("type what fits");
  type_prompt(f, PROMPT);
  session_until(!has_message(f));
  g_assert_true(can_trace(f));
}

/* In the whole window, as a person pastes it; test prompt-bar has the bar alone. */
static void
test_long_line(Fixture *f, gconstpointer data)
{
  if (f->model == NULL)
    return;
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 9000; i++)
    g_string_append(text, " cat");
  session_copy(window_of(f), text->str);
  session_step("paste a long line");
  session_keys("ctrl+n ctrl+v");
  session_until(has_message(f));
  session_settle(&f->session);
  session_until(text_sight_has_cursor(text_of(f)));
  session_shoot(&f->session, "long-line");
  g_assert_true(is_in_bar(f, text->str));
  g_string_free(text, TRUE);
}

/* All the sessions together. */
static void
test_stalls(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model != NULL)
    session_check_stalls();
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } cases[] = { { "/ui/session-prompt/typed-and-traced", test_trace },
                { "/ui/session-prompt/cancelled-in-time", test_cancel },
                { "/ui/session-prompt/cancelled-at-the-last-moment", test_late_cancel },
                { "/ui/session-prompt/newest-prompt-wins", test_supersede },
                { "/ui/session-prompt/warns-of-what-does-not-fit", test_too_long },
                { "/ui/session-prompt/takes-a-long-line", test_long_line } };
  if (!session_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    g_test_add(cases[i].name, Fixture, NULL, set_up, cases[i].run, tear_down);
  g_test_add_func("/ui/session-prompt/never-stands-still", test_stalls);
  return session_run();
}
