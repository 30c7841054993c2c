/* test-run-form.c - the form of a new run under hands: what is set reaches the command line,
 * what is wrong is told at its row, nothing is started before all is right. Wants a display. */
#include <string.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "runs/form-row.h"
#include "runs/path-picker.h"
#include "runs/run-form.h"
#include "test-support.h"
#include "widget-test.h"

/* The goal for a turn of the main loop is 16 ms; the test fails at twice that. */

typedef struct {
  GtkWidget *window;
  CwuRunForm *form;
  char *folder;
  guint n_started, n_cancelled;
} Fixture;

static void
count_cb(guint *n)
{
  (*n)++;
}

static void
open_form(Fixture *f, CwRunKind kind)
{
  f->folder = test_temp_dir();
  f->form = cwu_run_form_new(kind, f->folder);
  f->window = adw_window_new();
  adw_window_set_content(ADW_WINDOW(f->window), GTK_WIDGET(f->form));
  gtk_window_set_default_size(GTK_WINDOW(f->window), 760, 600);
  g_signal_connect_swapped(f->form, "start", G_CALLBACK(count_cb), &f->n_started);
  g_signal_connect_swapped(f->form, "cancel", G_CALLBACK(count_cb), &f->n_cancelled);
  gtk_window_present(GTK_WINDOW(f->window));
  loop_turn_for(100);
}

static void
close_form(Fixture *f)
{
  g_object_add_weak_pointer(G_OBJECT(f->form), (gpointer *)&f->form);
  gtk_window_destroy(GTK_WINDOW(f->window));
  loop_turn_for(20);
  g_assert_null(f->form);
  test_remove_tree(f->folder);
  g_free(f->folder);
}

/* The row of a field; NULL if it is not made. */
static GtkWidget *
find_row(Fixture *f, GtkWidget *widget, const char *key)
{
  if (CWU_IS_FORM_ROW(widget)) {
    size_t field = cwu_form_row_get_field(CWU_FORM_ROW(widget));
    CwuRunDraft *draft = cwu_run_form_peek_draft(f->form);
    return strcmp(cwu_run_draft_peek_field(draft, field)->key, key) == 0 ? widget : NULL;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = find_row(f, child, key);
    if (found != NULL)
      return found;
  }
  return NULL;
}

static GtkWidget *
row_of(Fixture *f, const char *key)
{
  return find_row(f, GTK_WIDGET(f->form), key);
}

static void
type(Fixture *f, const char *key, const char *text)
{
  GtkWidget *entry = panes_find(row_of(f, key), GTK_TYPE_ENTRY);
  gtk_editable_set_text(GTK_EDITABLE(entry), text);
}

/* Presses the button whose words begin so. */
static bool
press(GtkWidget *widget, const char *words)
{
  if (GTK_IS_BUTTON(widget) && gtk_button_get_label(GTK_BUTTON(widget)) != NULL &&
      g_str_has_prefix(gtk_button_get_label(GTK_BUTTON(widget)), words)) {
    g_signal_emit_by_name(widget, "clicked");
    return true;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    if (press(child, words))
      return true;
  return false;
}

static void
assert_says(GtkWidget *widget, const char *words, bool is_said)
{
  g_autofree char *all = panes_dup_words(widget);
  if ((strstr(all, words) != NULL) != is_said)
    g_error("\"%s\" is %ssaid: %s", words, is_said ? "not " : "", all);
}

static bool
is_wrong(Fixture *f, const char *key)
{
  return gtk_widget_has_css_class(row_of(f, key), "wrong");
}

static void
test_training(void)
{
  Fixture f = { 0 };
  open_form(&f, CW_RUN_TRAINING);
  g_assert_true(press(GTK_WIDGET(f.form), "_Start"));
  g_assert_true(is_wrong(&f, "activations"));
  g_assert_cmpuint(f.n_started, ==, 0);
  type(&f, "activations", f.folder);
  g_assert_false(is_wrong(&f, "activations"));
  type(&f, "batch", "none");
  g_assert_true(is_wrong(&f, "batch"));
  assert_says(row_of(&f, "batch"), "batch is none", true);
  g_assert_true(press(GTK_WIDGET(f.form), "_Start"));
  g_assert_cmpuint(f.n_started, ==, 0);
  type(&f, "batch", "2048");
  g_assert_false(is_wrong(&f, "batch"));
  assert_says(row_of(&f, "batch"), "batch is none", false);
  type(&f, "d_latent", "512");
  g_autofree char *words = panes_dup_words(GTK_WIDGET(f.form));
  g_assert_nonnull(strstr(words, "--d-latent 512"));
  g_assert_nonnull(strstr(words, "--batch 2048"));
  g_assert_true(press(GTK_WIDGET(f.form), "_Start"));
  g_assert_cmpuint(f.n_started, ==, 1);
  g_assert_true(press(GTK_WIDGET(f.form), "_Cancel"));
  g_assert_cmpuint(f.n_cancelled, ==, 1);
  close_form(&f);
}

/* The preset changes what the others show; what was set by hand stays. */
static void
test_preset(void)
{
  Fixture f = { 0 };
  open_form(&f, CW_RUN_TRAINING);
  GtkWidget *entry = panes_find(row_of(&f, "l0_coefficient"), GTK_TYPE_ENTRY);
  GtkWidget *preset = panes_find(row_of(&f, "recipe"), GTK_TYPE_DROP_DOWN);
  GtkWidget *gate = panes_find(row_of(&f, "activation"), GTK_TYPE_DROP_DOWN);
  g_assert_cmpstr(gtk_entry_get_placeholder_text(GTK_ENTRY(entry)), ==, "2");
  type(&f, "batch", "512");
  gtk_drop_down_set_selected(GTK_DROP_DOWN(preset), 1);
  g_assert_cmpstr(gtk_entry_get_placeholder_text(GTK_ENTRY(entry)), ==, "10");
  assert_says(GTK_WIDGET(f.form), "--batch 512", true);
  assert_says(GTK_WIDGET(f.form), "--recipe anthropic-2025-01", true);
  assert_says(row_of(&f, "total_steps"), "tokens in all", true);
  g_assert_false(gtk_widget_get_visible(row_of(&f, "k")));
  gtk_drop_down_set_selected(GTK_DROP_DOWN(gate), 1);
  g_assert_true(gtk_widget_get_visible(row_of(&f, "k")));
  close_form(&f);
}

static guint
count_visible_rows(GtkWidget *widget)
{
  if (CWU_IS_FORM_ROW(widget))
    return gtk_widget_get_visible(widget);
  guint n = 0;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += count_visible_rows(child);
  return n;
}

static void
test_all_settings(void)
{
  Fixture f = { 0 };
  LoopWatch watch = { 0 };
  open_form(&f, CW_RUN_TRAINING);
  GtkWidget *all = panes_find(GTK_WIDGET(f.form), ADW_TYPE_EXPANDER_ROW);
  size_t n_fields = cwu_run_draft_get_n_fields(cwu_run_form_peek_draft(f.form));
  g_assert_null(row_of(&f, "adam_beta1"));
  loop_watch_start(&watch);
  adw_expander_row_set_expanded(ADW_EXPANDER_ROW(all), TRUE);
  loop_turn_until(panes_count(GTK_WIDGET(f.form), CWU_TYPE_FORM_ROW) == n_fields);
  loop_turn_for(50);
  loop_watch_stop(&watch);
  loop_check_turn("all settings", watch.worst_cpu_ms);
  type(&f, "adam_beta1", "0.95");
  assert_says(GTK_WIDGET(f.form), "--adam-beta1 0.95", true);
  GtkWidget *shuffle = panes_find(row_of(&f, "shuffle"), GTK_TYPE_SWITCH);
  gtk_switch_set_active(GTK_SWITCH(shuffle), FALSE);
  assert_says(GTK_WIDGET(f.form), "--no-shuffle", true);
  assert_says(all, "2 changed", true);
  GtkWidget *search = panes_find(all, GTK_TYPE_SEARCH_ENTRY);
  gtk_editable_set_text(GTK_EDITABLE(search), "adam beta");
  loop_turn_until(count_visible_rows(all) == 2);
  gtk_editable_set_text(GTK_EDITABLE(search), "no such setting");
  loop_turn_until(count_visible_rows(all) == 0);
  close_form(&f);
}

static void
test_cache(void)
{
  Fixture f = { 0 };
  open_form(&f, CW_RUN_CACHE);
  GtkWidget *texts = panes_find(row_of(&f, "text"), CWU_TYPE_PATH_PICKER);
  cwu_path_picker_take(CWU_PATH_PICKER(texts), f.folder);
  cwu_path_picker_take(CWU_PATH_PICKER(texts), "/tmp");
  cwu_path_picker_take(CWU_PATH_PICKER(texts), "/tmp");
  assert_says(texts, "and 1 more", true);
  g_autofree char *words = panes_dup_words(GTK_WIDGET(f.form));
  g_autofree char *option = g_strdup_printf("--text %s /tmp", f.folder);
  g_assert_nonnull(strstr(words, option));
  gtk_drop_down_set_selected(
      GTK_DROP_DOWN(panes_find(row_of(&f, "quantise"), GTK_TYPE_DROP_DOWN)), 2);
  assert_says(GTK_WIDGET(f.form), "--quantise int4", true);
  g_assert_true(press(GTK_WIDGET(f.form), "_Start"));
  g_assert_cmpuint(f.n_started, ==, 1);
  cwu_run_form_tell(f.form, "No room on the disk");
  loop_turn_for(400); /* it slides in */
  assert_says(GTK_WIDGET(f.form), "No room on the disk", true);
  close_form(&f);
}

/* A click takes what a run has made. */
static void
test_suggestions(void)
{
  Fixture f = { 0 };
  open_form(&f, CW_RUN_EVALUATION);
  const char *const paths[] = { f.folder, NULL };
  cwu_run_form_set_suggestions(f.form, "activations", paths);
  GtkWidget *picker = panes_find(row_of(&f, "activations"), CWU_TYPE_PATH_PICKER);
  GtkWidget *offers = panes_find(picker, GTK_TYPE_MENU_BUTTON);
  g_assert_true(gtk_widget_get_visible(offers));
  GtkWidget *list = panes_find(GTK_WIDGET(gtk_menu_button_get_popover(GTK_MENU_BUTTON(offers))),
                               GTK_TYPE_LIST_BOX);
  g_signal_emit_by_name(list, "row-activated",
                        gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 0));
  g_assert_cmpstr(cwu_path_picker_peek_text(CWU_PATH_PICKER(picker)), ==, f.folder);
  g_assert_true(press(GTK_WIDGET(f.form), "_Start"));
  g_assert_cmpuint(f.n_started, ==, 1);
  close_form(&f);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/run-form/training", test_training);
  g_test_add_func("/ui/run-form/preset", test_preset);
  g_test_add_func("/ui/run-form/all-settings", test_all_settings);
  g_test_add_func("/ui/run-form/cache", test_cache);
  g_test_add_func("/ui/run-form/suggestions", test_suggestions);
  return g_test_run();
}
