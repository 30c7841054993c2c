/* test-lazy-rows.c - what is seen of a list is what the model holds there, wherever it is
 * scrolled and whatever becomes of the model; the keyboard goes along. */
#include "panes-support.h"
#include "panes/lazy-row.h"
#include "panes/lazy-rows.h"
#include "widget-test.h"

#define N_ITEMS   1000
#define N_ACTIONS 120

typedef struct {
  GtkWidget *window, *scroller, *list;
  GtkStringList *strings;
  GtkSingleSelection *model;
  guint activated; /* position; G_MAXUINT: none */
} Fixture;

static GtkWidget *
make(gpointer data)
{
  return gtk_label_new(NULL);
}

static bool
bind(GtkWidget *content, gpointer item, gpointer data)
{
  const char *text = item != NULL ? gtk_string_object_get_string(item) : "";
  gtk_label_set_text(GTK_LABEL(content), text);
  cwu_lazy_rows_name(content, text);
  return item != NULL;
}

static void
activate_cb(CwuLazyRows *list, guint position, Fixture *f)
{
  f->activated = position;
}

static gboolean
tick_cb(GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  (*(int *)user_data)++;
  return G_SOURCE_CONTINUE;
}

static void
settle(Fixture *f)
{
  int n_frames = 0;
  guint tick = gtk_widget_add_tick_callback(f->window, tick_cb, &n_frames, NULL);
  while (n_frames < 2)
    g_main_context_iteration(NULL, TRUE);
  gtk_widget_remove_tick_callback(f->window, tick);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  static const CwuRowMaker maker = { make, bind };
  f->strings = gtk_string_list_new(NULL);
  for (int i = 0; i < N_ITEMS; i++) {
    g_autofree char *text = g_strdup_printf("item %d", i);
    gtk_string_list_append(f->strings, text);
  }
  f->activated = G_MAXUINT;
  f->model = gtk_single_selection_new(g_object_ref(G_LIST_MODEL(f->strings)));
  gtk_single_selection_set_autoselect(f->model, FALSE);
  gtk_single_selection_set_can_unselect(f->model, TRUE);
  gtk_single_selection_set_selected(f->model, GTK_INVALID_LIST_POSITION);
  f->list = cwu_lazy_rows_new(&maker, f, false);
  g_signal_connect(f->list, "activate", G_CALLBACK(activate_cb), f);
  cwu_lazy_rows_set_header(CWU_LAZY_ROWS(f->list), gtk_button_new_with_label("Header"));
  cwu_lazy_rows_set_model(CWU_LAZY_ROWS(f->list), f->model);
  f->scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(f->scroller), f->list);
  f->window = gtk_window_new();
  gtk_window_set_default_size(GTK_WINDOW(f->window), 300, 400);
  gtk_window_set_child(GTK_WINDOW(f->window), f->scroller);
  gtk_window_present(GTK_WINDOW(f->window));
  settle(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  gtk_window_destroy(GTK_WINDOW(f->window));
  g_object_unref(f->model);
  g_object_unref(f->strings);
}

static GtkAdjustment *
adjustment_of(Fixture *f)
{
  return gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(f->scroller));
}

static CwuLazyRow *
row_of(Fixture *f, guint position)
{
  for (GtkWidget *child = gtk_widget_get_first_child(f->list); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    if (CWU_IS_LAZY_ROW(child) && CWU_LAZY_ROW(child)->position == position)
      return CWU_LAZY_ROW(child);
  return NULL;
}

/* Every row stands where it belongs, says what the model says, and none is missing. */
static void
check(Fixture *f)
{
  GtkWidget *header = panes_find(f->list, GTK_TYPE_BUTTON);
  guint n = g_list_model_get_n_items(G_LIST_MODEL(f->model));
  double top = gtk_adjustment_get_value(adjustment_of(f)), above, y, unused;
  double page = gtk_adjustment_get_page_size(adjustment_of(f));
  double high = gtk_adjustment_get_step_increment(adjustment_of(f));
  above = gtk_widget_get_allocated_height(header);
  g_assert_cmpfloat(above + page, ==, gtk_widget_get_height(f->list));
  g_assert_cmpfloat(gtk_adjustment_get_upper(adjustment_of(f)), ==, MAX(n * high, page));
  g_assert_cmpuint(panes_count(f->list, CWU_TYPE_LAZY_ROW), <, 2 * page / high + 5);
  for (guint i = (guint)(top / high); i < n && i * high < top + page; i++) {
    CwuLazyRow *row = row_of(f, i);
    g_assert_nonnull(row);
    g_autoptr(GtkStringObject) item = g_list_model_get_item(G_LIST_MODEL(f->model), i);
    g_assert_cmpstr(gtk_label_get_text(GTK_LABEL(row->content)), ==,
                    gtk_string_object_get_string(item));
    g_assert_true(gtk_widget_get_mapped(GTK_WIDGET(row)));
    gtk_widget_translate_coordinates(GTK_WIDGET(row), f->list, 0, 0, &unused, &y);
    g_assert_cmpfloat(ABS(y - (above + i * high - top)), <, 5); /* the row's own border */
    bool is_selected =
        (gtk_widget_get_state_flags(GTK_WIDGET(row)) & GTK_STATE_FLAG_SELECTED) != 0;
    g_assert_true(is_selected == (gtk_single_selection_get_selected(f->model) == i));
  }
}

static void
act(Fixture *f, GRand *rand)
{
  static const char *const more[] = { "new", "newer", "newest", NULL };
  guint n = g_list_model_get_n_items(G_LIST_MODEL(f->model));
  guint at = n > 0 ? (guint)g_rand_int_range(rand, 0, (gint)n) : 0;
  switch (g_rand_int_range(rand, 0, 6)) {
  case 0:
    gtk_adjustment_set_value(adjustment_of(f),
                             g_rand_double(rand) * gtk_adjustment_get_upper(adjustment_of(f)));
    break;
  case 1:
    gtk_string_list_splice(f->strings, at, MIN(n - at, 10), more);
    break;
  case 2:
    gtk_string_list_splice(f->strings, 0, 0, more);
    break;
  case 3:
    gtk_single_selection_set_selected(f->model, at);
    break;
  case 4:
    cwu_lazy_rows_scroll_to(CWU_LAZY_ROWS(f->list), at);
    break;
  default:
    cwu_lazy_rows_focus(CWU_LAZY_ROWS(f->list), at);
  }
}

static void
test_shows_the_model(Fixture *f, gconstpointer data)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(3);
  check(f);
  for (int i = 0; i < N_ACTIONS; i++) {
    act(f, rand);
    settle(f);
    check(f);
  }
  gtk_string_list_splice(f->strings, 0, g_list_model_get_n_items(G_LIST_MODEL(f->strings)),
                         NULL);
  settle(f);
  check(f);
}

/* ---- the keyboard ---------------------------------------------------------------------- */

static bool
press(Fixture *f, guint key)
{
  g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(f->list);
  gboolean is_taken = FALSE;
  for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
    g_autoptr(GtkEventController) controller = g_list_model_get_item(controllers, i);
    if (GTK_IS_EVENT_CONTROLLER_KEY(controller))
      g_signal_emit_by_name(controller, "key-pressed", key, 0, (GdkModifierType)0, &is_taken);
  }
  settle(f);
  return is_taken;
}

static bool
has_focus(Fixture *f, guint position)
{
  CwuLazyRow *row = row_of(f, position);
  return row != NULL && gtk_window_get_focus(GTK_WINDOW(f->window)) == GTK_WIDGET(row);
}

/* The row and those beside it are in the list, from top to bottom. */
static bool
is_seen(Fixture *f, guint position)
{
  guint n = g_list_model_get_n_items(G_LIST_MODEL(f->model));
  guint first = position > 0 ? position - 1 : 0, last = MIN(position + 1, n - 1);
  double top = gtk_adjustment_get_value(adjustment_of(f));
  double high = gtk_adjustment_get_step_increment(adjustment_of(f));
  return first * high >= top &&
         (last + 1) * high <= top + gtk_adjustment_get_page_size(adjustment_of(f));
}

static void
test_keys(Fixture *f, gconstpointer data)
{
  static const struct {
    guint key, position; /* G_MAXUINT: somewhere between */
  } steps[] = { { GDK_KEY_Down, 1 },
                { GDK_KEY_Down, 2 },
                { GDK_KEY_Up, 1 },
                { GDK_KEY_End, N_ITEMS - 1 },
                { GDK_KEY_Down, N_ITEMS - 1 },
                { GDK_KEY_Page_Up, G_MAXUINT },
                { GDK_KEY_Home, 0 },
                { GDK_KEY_Up, 0 },
                { GDK_KEY_Page_Down, G_MAXUINT } };
  g_assert_true(cwu_lazy_rows_focus(CWU_LAZY_ROWS(f->list), 0));
  for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
    g_assert_true(press(f, steps[i].key));
    guint selected = gtk_single_selection_get_selected(f->model);
    if (steps[i].position != G_MAXUINT)
      g_assert_cmpuint(selected, ==, steps[i].position);
    else
      g_assert_true(selected > 5 && selected < N_ITEMS - 5);
    g_assert_true(has_focus(f, selected));
    g_assert_true(is_seen(f, selected));
  }
  g_assert_false(press(f, GDK_KEY_a));
  g_assert_true(press(f, GDK_KEY_Return));
  g_assert_cmpuint(f->activated, ==, gtk_single_selection_get_selected(f->model));
}

/* The keyboard stays with its item: scrolled away, and when others come before it. */
static void
test_focus_stays(Fixture *f, gconstpointer data)
{
  static const char *const more[] = { "before", "it", NULL };
  cwu_lazy_rows_focus(CWU_LAZY_ROWS(f->list), 7);
  settle(f);
  gtk_adjustment_set_value(adjustment_of(f), 5000);
  settle(f);
  check(f);
  g_assert_false(is_seen(f, 7));
  g_assert_true(has_focus(f, 7));
  gtk_string_list_splice(f->strings, 0, 0, more);
  settle(f);
  g_assert_true(has_focus(f, 9));
  g_assert_true(press(f, GDK_KEY_Down));
  g_assert_true(has_focus(f, 10));
  g_assert_true(is_seen(f, 10));
}

/* Header, row, out; and back. */
static void
test_tab(Fixture *f, gconstpointer data)
{
  GtkWidget *header = panes_find(f->list, GTK_TYPE_BUTTON);
  gtk_single_selection_set_selected(f->model, 3);
  gtk_window_set_focus(GTK_WINDOW(f->window), NULL);
  g_assert_true(gtk_widget_child_focus(f->list, GTK_DIR_TAB_FORWARD));
  g_assert_true(gtk_window_get_focus(GTK_WINDOW(f->window)) == header);
  g_assert_true(gtk_widget_child_focus(f->list, GTK_DIR_TAB_FORWARD));
  g_assert_true(has_focus(f, 3));
  g_assert_false(gtk_widget_child_focus(f->list, GTK_DIR_TAB_FORWARD));
  g_assert_true(gtk_widget_child_focus(f->list, GTK_DIR_TAB_BACKWARD));
  g_assert_true(gtk_window_get_focus(GTK_WINDOW(f->window)) == header);
  g_assert_false(gtk_widget_child_focus(f->list, GTK_DIR_TAB_BACKWARD));
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/lazy-rows/shows-the-model", Fixture, NULL, set_up, test_shows_the_model,
             tear_down);
  g_test_add("/ui/lazy-rows/keys", Fixture, NULL, set_up, test_keys, tear_down);
  g_test_add("/ui/lazy-rows/focus-stays", Fixture, NULL, set_up, test_focus_stays, tear_down);
  g_test_add("/ui/lazy-rows/tab", Fixture, NULL, set_up, test_tab, tear_down);
  return g_test_run();
}
