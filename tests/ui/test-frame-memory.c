/* test-frame-memory.c - frames drawn in software use the pages of those before them. */
#include <sys/resource.h>

#include "graph/frame-image.h"
#include "graph/graph-view.h"
#include "panes-support.h"
#include "widget-test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define HAS_OWN_HEAP true
#else
#  define HAS_OWN_HEAP false
#endif

#define WIDTH    900
#define HEIGHT   600
#define N_FRAMES 31

/* Pages that the kernel has given this thread so far. */
static glong
faults_now(void)
{
  struct rusage usage;
  g_assert_cmpint(getrusage(RUSAGE_THREAD, &usage), ==, 0);
  return usage.ru_minflt;
}

static void
painted_cb(guint *n_frames)
{
  (*n_frames)++;
}

static int
compare_faults(gconstpointer a, gconstpointer b)
{
  return *(const int *)a - *(const int *)b;
}

/* Half of all frames get along with fewer pages than this while the picture is panned. */
static int
usual_faults(PanesFixture *f, GtkWidget *view, guint *n_frames)
{
  int faults[N_FRAMES];
  for (int i = 0; i < N_FRAMES; i++) {
    guint n = *n_frames;
    glong before = faults_now();
    CwuViewpoint there = { 2, 0.3 + 0.01 * i, 0.5 };
    cwu_document_set_viewpoint(f->document, &there);
    gtk_widget_queue_draw(view);
    while (*n_frames == n)
      g_main_context_iteration(NULL, TRUE);
    faults[i] = (int)(faults_now() - before);
  }
  qsort(faults, N_FRAMES, sizeof(int), compare_faults);
  return faults[N_FRAMES / 2];
}

static void
test_keeps(PanesFixture *f, gconstpointer data)
{
  const int pages_of_a_frame = WIDTH * HEIGHT * 4 / 4096;
  guint n_frames = 0;
  panes_open(f, "capital-of-france.clew");
  GtkWidget *view = GTK_WIDGET(cwu_graph_view_new());
  cwu_graph_view_set_document(CWU_GRAPH_VIEW(view), f->document);
  panes_show(f, view, WIDTH, HEIGHT);
  panes_settle(f);
  if (!cwu_frame_image_is_wanted(view) || HAS_OWN_HEAP) {
    g_test_skip("nothing to keep: a GPU draws, or a sanitizer owns the heap");
    return;
  }
  GdkFrameClock *clock = gtk_widget_get_frame_clock(view);
  g_signal_connect_swapped(clock, "after-paint", G_CALLBACK(painted_cb), &n_frames);
  int faults = usual_faults(f, view, &n_frames);
  g_signal_handlers_disconnect_by_data(clock, &n_frames);
  g_test_message("%d pages of %d", faults, pages_of_a_frame);
  g_assert_cmpint(faults, <, pages_of_a_frame / 2);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/frame-memory/frames-use-pages-again", PanesFixture, NULL, NULL, test_keeps,
             panes_close);
  return g_test_run();
}
