/* test-engine.c - the engine behind the prompt bar with the real model: previews where the
 * newest wins, traces that are the command line's to the byte, cancelling, superseding, an end
 * in the middle of everything, and a main loop that never waits.
 *
 * Times are told as measured. What is asserted of them does not depend on what else the machine
 * does: processor time after a cancel, and a gap of the loop less its wait for a core. */
#include <gio/gio.h>
#include <math.h>
#include <string.h>

#include "loop-watch.h"
#include "test-support.h"
#include "trace/engine.h"

#define PROMPT           "The capital of France is"
#define CANCEL_LIMIT_MS  200.0
#define N_MOMENTS        20
#define N_TRIES          6    /* at each */
#define RELEASE_LIMIT_MS 10.0 /* waiting for the work takes hundreds */
#define N_RELEASES       12

typedef struct {
  CwuEngine *engine;
  char *model, *transcoder;
  guint n_previews, n_current;
  guint n_finished, n_cancelled, n_failed;
  CwGraph *graph; /* of the trace that finished last */
  GError *error;
} Fixture;

static void
preview_changed_cb(CwuEngine *engine, Fixture *fixture)
{
  size_t n;
  bool is_current;
  cwu_engine_peek_next(engine, &n, &is_current);
  fixture->n_previews++;
  fixture->n_current += is_current;
}

static void
traced_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr(GError) error = NULL;
  CwGraph *graph = cwu_engine_trace_finish(result, &error);
  if (graph != NULL) {
    g_clear_pointer(&fixture->graph, cw_graph_unref);
    fixture->graph = graph;
    fixture->n_finished++;
  } else if (g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED)) {
    fixture->n_cancelled++;
  } else {
    g_clear_error(&fixture->error);
    fixture->error = g_steal_pointer(&error);
    fixture->n_failed++;
  }
}

static bool
is_asan(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

static void
new_engine(Fixture *fixture)
{
  fixture->engine = cwu_engine_new();
  g_signal_connect(fixture->engine, "preview-changed", G_CALLBACK(preview_changed_cb), fixture);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->model = test_smollm2_path_or_skip();
  if (fixture->model == NULL)
    return;
  fixture->transcoder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "smollm2-clt", NULL);
  new_engine(fixture);
}

static void
load(Fixture *fixture)
{
  cwu_engine_set_paths(fixture->engine, fixture->model, fixture->transcoder);
  g_assert_cmpint(cwu_engine_get_state(fixture->engine), ==, CWU_ENGINE_LOADING);
  loop_turn_until(cwu_engine_get_state(fixture->engine) != CWU_ENGINE_LOADING);
  g_assert_null(cwu_engine_peek_message(fixture->engine));
  g_assert_cmpint(cwu_engine_get_state(fixture->engine), ==, CWU_ENGINE_READY);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  if (fixture->engine != NULL) {
    g_signal_handlers_disconnect_by_data(fixture->engine, fixture);
    g_assert_finalize_object(fixture->engine);
  }
  loop_turn_for(1);
  g_clear_pointer(&fixture->graph, cw_graph_unref);
  g_clear_error(&fixture->error);
  g_free(fixture->model);
  g_free(fixture->transcoder);
}

static void
trace(Fixture *fixture, const char *text)
{
  g_autoptr(CwuTraceRequest) request = cwu_trace_request_new(text);
  cwu_engine_trace_async(fixture->engine, request, traced_cb, fixture);
}

/* ---- states ----------------------------------------------------------------------------- */

/* The transcoder comes with Clew, the model has to be fetched: one without the other is what a
 * machine without a network has. */
static void
test_no_model(Fixture *fixture, gconstpointer data)
{
  g_autofree char *transcoder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "smollm2-clt", NULL);
  new_engine(fixture);
  cwu_engine_set_paths(fixture->engine, NULL, transcoder);
  loop_turn_until(!cwu_engine_is_busy(fixture->engine));
  loop_turn_for(20); /* What the thread said is told in a later turn. */
  g_assert_cmpint(cwu_engine_get_state(fixture->engine), ==, CWU_ENGINE_NO_MODEL);
  g_assert_nonnull(strstr(cwu_engine_peek_message(fixture->engine), "./packaging/start"));
}

static void
test_states(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  CwuEngine *engine = fixture->engine;
  g_assert_cmpint(cwu_engine_get_state(engine), ==, CWU_ENGINE_NO_MODEL);
  g_assert_nonnull(strstr(cwu_engine_peek_message(engine), "./packaging/start"));
  trace(fixture, PROMPT);
  loop_turn_until(fixture->n_failed == 1);
  g_assert_nonnull(strstr(fixture->error->message, "./packaging/start"));

  cwu_engine_set_paths(engine, "/nowhere/model.gguf", fixture->transcoder);
  loop_turn_until(cwu_engine_get_state(engine) == CWU_ENGINE_FAILED);
  g_assert_nonnull(strstr(cwu_engine_peek_message(engine), "/nowhere/model.gguf"));
  g_assert_nonnull(strstr(cwu_engine_peek_message(engine), "settings"));

  /* A model of another width: previews work, a trace says why it does not. */
  g_autofree char *other = test_golden_path("attribution/llama-clt/transcoder");
  cwu_engine_set_paths(engine, fixture->model, other);
  loop_turn_until(cwu_engine_get_state(engine) == CWU_ENGINE_FAILED);
  cwu_engine_preview(engine, PROMPT);
  g_assert_cmpuint(cwu_engine_peek_preview(engine)->n_tokens, ==, 6);
  loop_turn_until(fixture->n_current > 0);

  cwu_engine_set_paths(engine, fixture->model, NULL);
  loop_turn_until(cwu_engine_get_state(engine) == CWU_ENGINE_NO_MODEL);
  g_assert_nonnull(strstr(cwu_engine_peek_message(engine), "transcoder"));
}

/* ---- preview ---------------------------------------------------------------------------- */

static void
assert_next_is_the_models(Fixture *fixture, const char *text)
{
  CwModel *model = cwu_engine_peek_model(fixture->engine);
  CwkDevice *device = cwk_cpu_new(1);
  size_t n_tokens, n;
  bool is_current;
  g_autofree int32_t *tokens =
      cw_attribution_prompt(cw_model_peek_tokenizer(model), text, -1, &n_tokens, NULL);
  const CwuNextToken *got = cwu_engine_peek_next(fixture->engine, &n, &is_current);
  CwuNextToken *want = cwu_next_tokens_new(model, device, tokens, n_tokens, n, NULL, NULL);
  g_assert_true(is_current);
  for (size_t i = 0; i < n; i++) {
    g_assert_cmpint(got[i].id, ==, want[i].id);
    g_assert_cmpfloat(got[i].probability, ==, want[i].probability);
    g_assert_true(i == 0 || got[i].probability <= got[i - 1].probability);
  }
  cwu_next_tokens_free(want, n);
  cwk_device_free(device);
}

static void
test_quick_edits(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  static const char text[] = "The saying goes: Cloud is to sky as fish is to";
  load(fixture);
  for (size_t i = 1; i <= 30; i++) {
    g_autofree char *start = g_strndup(text, sizeof text - 1 - 30 + i);
    cwu_engine_preview(fixture->engine, start);
    const CwuPreview *preview = cwu_engine_peek_preview(fixture->engine);
    g_assert_cmpstr(preview->text, ==, start);
    g_assert_cmpuint(preview->n_tokens, >, 4);
    if (i < 30)
      loop_turn_for(1);
  }
  guint n_before = fixture->n_current;
  loop_turn_until(!cwu_engine_is_busy(fixture->engine));
  loop_turn_for(20);
  /* Of the 29 that were overtaken some may have been quick enough; after the last edit only its
   * own answer came. */
  g_test_message("%u of the 29 overtaken edits were answered in time", n_before);
  g_assert_cmpuint(fixture->n_current, ==, n_before + 1);
  g_assert_cmpstr(cwu_engine_peek_preview(fixture->engine)->text, ==, text);
  assert_next_is_the_models(fixture, text);
}

/* The work is done and told, but the loop has not turned: the event waits. */
static void
wait_idle_without_events(Fixture *fixture)
{
  while (cwu_engine_is_busy(fixture->engine))
    g_usleep(1000);
}

static void
test_late_preview(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  cwu_engine_preview(fixture->engine, PROMPT);
  wait_idle_without_events(fixture);
  cwu_engine_preview(fixture->engine, "The grass is");
  g_assert_cmpuint(fixture->n_current, ==, 0);
  loop_turn_until(fixture->n_current > 0);
  assert_next_is_the_models(fixture, "The grass is");
}

static void
test_tokens_cover_text(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  static const char *const texts[] = { PROMPT, "  two  spaces\n\tand a tab", "naïve 🧶 clew",
                                       "<|im_start|>user\nHi<|im_end|>" };
  load(fixture);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    cwu_engine_preview(fixture->engine, texts[i]);
    const CwuPreview *preview = cwu_engine_peek_preview(fixture->engine);
    size_t at = 0;
    g_assert_cmpint(preview->has_start, ==, texts[i][0] != '<');
    for (size_t t = preview->has_start; t < preview->n_tokens; t++) {
      g_assert_cmpuint(preview->tokens[t].start, ==, at);
      g_assert_cmpuint(preview->tokens[t].end, >, at);
      at = preview->tokens[t].end;
    }
    g_assert_cmpuint(at, ==, strlen(texts[i]));
    g_assert_null(preview->problem);
  }
  /* The longest text that is tokenised at once. */
  g_autofree char *longest = g_malloc0(16384 + 1);
  for (size_t i = 0; i < 16384; i++)
    longest[i] = (PROMPT " ")[i % sizeof PROMPT];
  LoopMoment before = loop_moment_now();
  cwu_engine_preview(fixture->engine, longest);
  g_test_message("16 KB in %.1f ms", loop_moment_own_ms(&before));
  g_assert_nonnull(cwu_engine_peek_preview(fixture->engine));
  cwu_engine_preview(fixture->engine, "");
  g_assert_cmpuint(cwu_engine_peek_preview(fixture->engine)->n_tokens, ==, 0);
}

static void
test_too_long(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 9000; i++)
    g_string_append(text, " cat");
  load(fixture);
  gint64 before = g_get_monotonic_time();
  cwu_engine_preview(fixture->engine, text->str);
  double at_once_ms = (double)(g_get_monotonic_time() - before) / 1e3;
  g_assert_null(cwu_engine_peek_preview(fixture->engine));
  loop_turn_until(cwu_engine_peek_preview(fixture->engine) != NULL);
  const CwuPreview *preview = cwu_engine_peek_preview(fixture->engine);
  g_test_message("36 KB asked for in %.2f ms: %s", at_once_ms, preview->problem);
  g_assert_cmpuint(preview->n_tokens, ==, 9001);
  g_assert_false(preview->fits_context);
  g_assert_nonnull(strstr(preview->problem, "9001"));
  g_assert_nonnull(strstr(preview->problem, "8192"));
  g_string_free(text, TRUE);
}

static void
test_preview_before_model(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  cwu_engine_preview(fixture->engine, PROMPT);
  g_assert_null(cwu_engine_peek_preview(fixture->engine));
  load(fixture);
  loop_turn_until(fixture->n_current > 0);
  g_assert_cmpuint(cwu_engine_peek_preview(fixture->engine)->n_tokens, ==, 6);
  assert_next_is_the_models(fixture, PROMPT);
}

static void
test_targets(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_autofree char *piece = NULL;
  int32_t id = -1;
  g_assert_false(cwu_engine_resolve_target(fixture->engine, " Paris", &id, &piece, &error));
  g_clear_error(&error);
  load(fixture);
  g_assert_true(cwu_engine_resolve_target(fixture->engine, " Paris", &id, &piece, &error));
  g_assert_cmpstr(piece, ==, " Paris");
  g_assert_false(cwu_engine_resolve_target(fixture->engine, " saxophone", &id, NULL, &error));
  g_assert_nonnull(strstr(error->message, "2 tokens: \""));

  static const char *const pair[] = { " Paris", " London", NULL };
  g_autoptr(CwuTraceRequest) request = cwu_trace_request_new(PROMPT);
  request->options.targets = CW_TARGETS_DIFFERENCE;
  request->options.max_feature_nodes = 64;
  request->target_texts = g_strdupv((char **)pair);
  cwu_engine_trace_async(fixture->engine, request, traced_cb, fixture);
  loop_turn_until(fixture->n_finished == 1);
  const CwNode *nodes = cw_graph_peek_nodes(fixture->graph);
  size_t n_nodes = cw_graph_get_n_nodes(fixture->graph), n_logits = 0;
  for (size_t i = 0; i < n_nodes; i++)
    n_logits += nodes[i].kind == CW_NODE_LOGIT;
  g_assert_cmpuint(n_logits, ==, 1);
}

/* ---- trace ------------------------------------------------------------------------------ */

typedef struct {
  const char *phase;
  double fraction;
  gint64 start_us;
} Course;

static void
fraction_cb(CwuEngine *engine, GParamSpec *pspec, Course *course)
{
  const char *phase = cwu_engine_peek_phase(engine);
  double fraction = cwu_engine_get_fraction(engine);
  if (phase == NULL)
    return;
  if (phase != course->phase)
    g_test_message("%4.0f ms  %s", (double)(g_get_monotonic_time() - course->start_us) / 1e3,
                   phase);
  g_assert_cmpfloat(fraction, >=, course->fraction);
  course->phase = phase;
  course->fraction = fraction;
}

static char *
attribute_by_command_line(const char *folder, const char *prompt, GBytes **bytes)
{
  g_autoptr(GError) error = NULL;
  char *path = g_build_filename(folder, "command.clew", NULL);
  const char *program = g_getenv("CLEW_PROGRAM");
  g_autoptr(GSubprocess) process =
      g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, program, "attribute",
                       "--prompt", prompt, "--output", path, "--quiet", NULL);
  g_assert_no_error(error);
  g_assert_true(g_subprocess_wait_check(process, NULL, &error));
  g_assert_no_error(error);
  g_autoptr(GFile) file = g_file_new_for_path(path);
  *bytes = g_file_load_bytes(file, NULL, NULL, &error);
  g_assert_no_error(error);
  return path;
}

static void
test_same_as_command_line(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autoptr(GBytes) expected = NULL;
  g_autofree char *path = attribute_by_command_line(folder, PROMPT, &expected);
  Course course = { .start_us = g_get_monotonic_time() };
  load(fixture);
  g_signal_connect(fixture->engine, "notify::fraction", G_CALLBACK(fraction_cb), &course);
  course.start_us = g_get_monotonic_time();
  trace(fixture, PROMPT);
  g_assert_true(cwu_engine_is_tracing(fixture->engine));
  loop_turn_until(fixture->n_finished + fixture->n_failed == 1);
  g_test_message("%4.0f ms  done", (double)(g_get_monotonic_time() - course.start_us) / 1e3);
  g_signal_handlers_disconnect_by_data(fixture->engine, &course);
  g_assert_no_error(fixture->error);
  g_assert_false(cwu_engine_is_tracing(fixture->engine));
  CwViewState view = { 0.8, 0.98, NULL };
  g_assert_true(cw_graph_save_document(fixture->graph, &view, path, NULL, &error));
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GBytes) got = g_file_load_bytes(file, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(g_bytes_get_size(got), >, 100000);
  g_assert_true(g_bytes_equal(got, expected));
  test_remove_tree(folder);
}

/* Cancels a trace a while after its begin; milliseconds until the engine is idle. */
static double
cancel_after(Fixture *fixture, guint moment_ms, double *worst_cpu_ms)
{
  trace(fixture, PROMPT);
  loop_turn_for(moment_ms);
  bool was_tracing = cwu_engine_is_tracing(fixture->engine);
  guint n_ended = fixture->n_cancelled + fixture->n_finished;
  gint64 before = g_get_monotonic_time();
  double cpu_before = test_process_cpu_ms();
  cwu_engine_cancel_trace(fixture->engine);
  g_assert_false(cwu_engine_is_tracing(fixture->engine));
  while (cwu_engine_is_busy(fixture->engine))
    loop_turn_for(1);
  double ms = (double)(g_get_monotonic_time() - before) / 1e3;
  *worst_cpu_ms = MAX(*worst_cpu_ms, test_process_cpu_ms() - cpu_before);
  loop_turn_for(2);
  g_assert_cmpuint(fixture->n_cancelled + fixture->n_finished, ==, n_ended + was_tracing);
  return ms;
}

/* By the clock a cancel may wait for a core that others have; one that is too late is tried
 * again at the same moment of the trace. A stretch that does not look for cancels is too late
 * every time, and costs processor time, which is limited in every try. */
static void
test_cancel(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  gint64 before = g_get_monotonic_time();
  trace(fixture, PROMPT);
  loop_turn_until(fixture->n_finished == 1);
  double whole_ms = (double)(g_get_monotonic_time() - before) / 1e3;
  g_autoptr(GRand) random = g_rand_new_with_seed(20);
  double worst_ms = 0, worst_cpu_ms = 0;
  guint n_again = 0;
  for (guint i = 0; i < N_MOMENTS; i++) {
    guint moment = (guint)g_rand_double_range(random, 0, 0.6 * whole_ms);
    double ms = cancel_after(fixture, moment, &worst_cpu_ms);
    for (guint k = 1; k < N_TRIES && ms > CANCEL_LIMIT_MS; k++, n_again++)
      ms = MIN(ms, cancel_after(fixture, moment, &worst_cpu_ms));
    worst_ms = MAX(worst_ms, ms);
  }
  g_test_message("trace %.0f ms; %d moments, %u cancels in time, %u tried again, the slowest "
                 "idle after %.0f ms (%.0f ms of processor time)",
                 whole_ms, N_MOMENTS, fixture->n_cancelled, n_again, worst_ms, worst_cpu_ms);
  g_assert_cmpuint(fixture->n_cancelled, >=, N_MOMENTS / 2);
  if (is_asan())
    return;
  g_assert_cmpfloat(worst_ms, <=, CANCEL_LIMIT_MS);
  g_assert_cmpfloat(worst_cpu_ms, <=, CANCEL_LIMIT_MS * g_get_num_processors());
}

static void
test_supersede(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  trace(fixture, "The opposite of hot is");
  loop_turn_for(30);
  trace(fixture, "The grass is");
  loop_turn_for(30);
  trace(fixture, PROMPT);
  loop_turn_until(fixture->n_finished == 1);
  loop_turn_until(!cwu_engine_is_busy(fixture->engine));
  loop_turn_for(20);
  g_assert_cmpuint(fixture->n_cancelled, ==, 2);
  g_assert_cmpuint(fixture->n_finished, ==, 1);
  g_assert_nonnull(strstr(cw_graph_peek_prompt(fixture->graph), PROMPT));
}

/* A result that is on its way when its trace is cancelled reaches nobody. */
static void
test_late_result(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  load(fixture);
  trace(fixture, PROMPT);
  wait_idle_without_events(fixture);
  cwu_engine_cancel_trace(fixture->engine);
  loop_turn_for(20);
  g_assert_cmpuint(fixture->n_finished, ==, 0);
  g_assert_cmpuint(fixture->n_cancelled, ==, 1);
  /* Nor does it pass for the result of a newer trace. */
  trace(fixture, "The grass is");
  wait_idle_without_events(fixture);
  trace(fixture, PROMPT);
  loop_turn_until(fixture->n_finished == 1);
  g_assert_nonnull(strstr(cw_graph_peek_prompt(fixture->graph), PROMPT));
  fixture->n_finished = fixture->n_cancelled = 0;
  /* The same with other files asked for in between. */
  trace(fixture, PROMPT);
  wait_idle_without_events(fixture);
  cwu_engine_set_paths(fixture->engine, fixture->model, NULL);
  loop_turn_for(20);
  g_assert_cmpuint(fixture->n_finished, ==, 0);
  g_assert_cmpuint(fixture->n_cancelled, ==, 1);
}

static void
test_preview_yields(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  /* Long enough that the trace comes in the middle of its pass. */
  GString *text = g_string_new(PROMPT);
  for (guint i = 0; i < 300; i++)
    g_string_append(text, " what");
  load(fixture);
  cwu_engine_preview(fixture->engine, text->str);
  loop_turn_for(60);
  g_assert_cmpuint(fixture->n_current, ==, 0);
  g_autoptr(CwuTraceRequest) request = cwu_trace_request_new(PROMPT);
  request->options.max_feature_nodes = 64;
  cwu_engine_trace_async(fixture->engine, request, traced_cb, fixture);
  loop_turn_until(fixture->n_finished == 1);
  g_assert_cmpuint(fixture->n_current, ==, 0);
  /* Interrupted, not forgotten. */
  loop_turn_until(fixture->n_current > 0);
  assert_next_is_the_models(fixture, text->str);
  g_string_free(text, TRUE);
}

/* ---- the end ---------------------------------------------------------------------------- */

static guint
count_engine_threads(void)
{
  guint n = 0;
  g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename("/proc/self/task", name, "comm", NULL);
    g_autofree char *comm = NULL;
    n += g_file_get_contents(path, &comm, NULL, NULL) && g_str_has_prefix(comm, "clew-engine");
  }
  return n;
}

static int
compare_numbers(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void
test_freed_in_the_middle(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  double release_ms[N_RELEASES];
  guint n_traces = 0;
  for (guint i = 0; i < N_RELEASES; i++) {
    cwu_engine_set_paths(fixture->engine, fixture->model, fixture->transcoder);
    if (i % 3 != 0)
      loop_turn_until(cwu_engine_get_state(fixture->engine) == CWU_ENGINE_READY);
    cwu_engine_preview(fixture->engine, PROMPT);
    if (i % 3 != 1) {
      trace(fixture, PROMPT);
      n_traces++;
    }
    loop_turn_for((guint)g_rand_int_range(random, 0, 250));
    g_signal_handlers_disconnect_by_data(fixture->engine, fixture);
    LoopMoment before = loop_moment_now();
    g_assert_finalize_object(g_steal_pointer(&fixture->engine));
    release_ms[i] = loop_moment_own_ms(&before);
    new_engine(fixture);
  }
  loop_turn_for(5);
  g_assert_cmpuint(fixture->n_cancelled + fixture->n_finished, ==, n_traces);
  /* Waiting for the work would be slow every time; a single one may meet the thread where it
   * holds the mutex and has lost its core to another program. */
  qsort(release_ms, N_RELEASES, sizeof *release_ms, compare_numbers);
  g_test_message("%d engines dropped at work, half of them in %.2f ms, the slowest in %.2f ms",
                 N_RELEASES, release_ms[N_RELEASES / 2], release_ms[N_RELEASES - 1]);
  g_assert_cmpfloat(release_ms[N_RELEASES / 2], <=, RELEASE_LIMIT_MS);
  loop_turn_until(count_engine_threads() == 1);
}

/* ---- the loop --------------------------------------------------------------------------- */

static void
test_loop_never_waits(Fixture *fixture, gconstpointer data)
{
  if (fixture->model == NULL)
    return;
  LoopWatch watch;
  loop_watch_start(&watch);
  cwu_engine_preview(fixture->engine, PROMPT);
  load(fixture);
  for (guint i = 0; i < 5; i++) {
    g_autofree char *text = g_strndup(PROMPT, strlen(PROMPT) - i);
    cwu_engine_preview(fixture->engine, text);
    loop_turn_for(20);
  }
  trace(fixture, PROMPT);
  loop_turn_until(fixture->n_finished == 1);
  trace(fixture, PROMPT);
  loop_turn_for(100);
  cwu_engine_set_paths(fixture->engine, NULL, NULL);
  loop_turn_until(!cwu_engine_is_busy(fixture->engine));
  loop_watch_stop(&watch);
  g_assert_cmpuint(watch.n_turns, >, 50);
  loop_check_turn("load, previews and traces", watch.worst_own_ms);
}

#define ADD(name, function) \
  g_test_add("/ui/engine/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add("/ui/engine/no-model", Fixture, NULL, NULL, test_no_model, tear_down);
  ADD("states", test_states);
  ADD("quick-edits-end-with-the-last", test_quick_edits);
  ADD("late-preview-dropped", test_late_preview);
  ADD("tokens-cover-text", test_tokens_cover_text);
  ADD("too-long", test_too_long);
  ADD("preview-before-model", test_preview_before_model);
  ADD("targets", test_targets);
  ADD("same-bytes-as-command-line", test_same_as_command_line);
  ADD("cancel-at-random-moments", test_cancel);
  ADD("newer-supersedes", test_supersede);
  ADD("late-result-dropped", test_late_result);
  ADD("preview-yields-to-trace", test_preview_yields);
  ADD("freed-in-the-middle", test_freed_in_the_middle);
  ADD("loop-never-waits", test_loop_never_waits);
  return g_test_run();
}
