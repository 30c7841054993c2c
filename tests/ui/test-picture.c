/* test-picture.c - layout, cards and export of real graphs. */
#include <string.h>

#include "picture/label-painter.h"
#include "test-support.h"

static CwGraph *
load(const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_shared_path_or_skip(name);
  if (path == NULL)
    return NULL;
  CwGraph *graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

static void
test_layout(void)
{
  g_autoptr(CwGraph) graph = load("graphs/IamKrill1n__galaxy-clt-hp.json");
  if (graph == NULL)
    return;
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, 1000, 700, NULL);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    int32_t column = scene->nodes[i].position;
    g_assert_cmpfloat(layout->x[i], >=, layout->column_right[column] - 0.5);
    g_assert_cmpfloat(layout->x[i], <=, layout->column_right[column + 1]);
    if (scene->nodes[i].kind == CW_NODE_TOKEN)
      g_assert_cmpfloat(layout->y[i], >, 700 - layout->row_height);
    if (scene->nodes[i].kind == CW_NODE_LOGIT)
      g_assert_cmpfloat(layout->y[i], <, layout->row_height);
  }
}

static void
test_cards(void)
{
  g_autoptr(CwGraph) graph = load("graphs/IamKrill1n__galaxy-clt-hp.json");
  if (graph == NULL)
    return;
  CwuRect all = { 0, 0, 1440, 900 }, plot = cwu_painter_plot(&all);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  for (size_t i = 0; i < scene->n_nodes; i++)
    if (scene->nodes[i].kind == CW_NODE_FEATURE && scene->labels[i] == NULL)
      scene->labels[i] = g_strdup("forest, trees");
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, plot.width, plot.height, NULL);
  CwuPicture picture = { scene, layout, cwu_theme_get(CWU_THEME_LIGHT),
                         NULL,  -1,     { plot, 1, 0, 0 } };
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
  g_assert_cmpuint(cards->len, >, 5);
  double radius = cwu_painter_radius(&picture);
  for (guint k = 0; k < cards->len; k++) {
    const CwuCard *card = &g_array_index(cards, CwuCard, k);
    g_assert_true(cwu_rect_contains_rect(&plot, &card->rect));
    for (guint m = 0; m < k; m++)
      g_assert_false(cwu_rect_overlaps(&card->rect, &g_array_index(cards, CwuCard, m).rect));
    for (size_t i = 0; i < scene->n_nodes; i++) {
      CwuPoint at = cwu_camera_to_screen(&picture.camera, layout->x[i], layout->y[i]);
      CwuRect node = { at.x - radius, at.y - radius, 2 * radius, 2 * radius };
      g_assert_false(cwu_rect_overlaps(&card->rect, &node));
    }
  }
}

static void
check_contrast(CwuColour colour, const CwuTheme *theme, double least)
{
  g_assert_cmpfloat(cwu_colour_contrast(colour, theme->surface), >=, least);
}

static void
test_contrast(void)
{
  for (int kind = 0; kind < CWU_N_THEMES; kind++) {
    const CwuTheme *theme = cwu_theme_get((CwuThemeKind)kind);
    check_contrast(theme->text, theme, 7);
    check_contrast(theme->text_dim, theme, 4.5);
    check_contrast(theme->positive, theme, 4.5);
    check_contrast(theme->negative, theme, 4.5);
    check_contrast(theme->selected, theme, 4.5);
    check_contrast(theme->node_pale, theme, 3);
  }
}

static void
test_export_is_the_same_twice(gconstpointer ending)
{
  g_autoptr(CwGraph) graph = load("graphs/uzairname__war_ea.json");
  if (graph == NULL)
    return;
  g_autofree char *folder = test_temp_dir(), *first = NULL;
  char *contents[2] = { NULL, NULL };
  gsize n[2];
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  for (int i = 0; i < 2; i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strdup_printf("%s/%d.%s", folder, i, (const char *)ending);
    g_assert_true(cwu_picture_export(graph, NULL, &options, path, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &contents[i], &n[i], NULL));
  }
  g_assert_cmpmem(contents[0], n[0], contents[1], n[1]);
  if (strcmp(ending, "svg") == 0)
    g_assert_nonnull(strstr(contents[0], "</text>"));
  first = contents[0];
  g_free(contents[1]);
  test_remove_tree(folder);
}

static void
test_bad_ending(void)
{
  g_autoptr(CwGraph) graph = load("graphs/uzairname__war_ea.json");
  g_autoptr(GError) error = NULL;
  CwuPictureOptions options;
  if (graph == NULL)
    return;
  cwu_picture_options_init(&options);
  g_assert_false(cwu_picture_export(graph, NULL, &options, "/nowhere/a.gif", &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/layout/keeps-nodes-in-their-cells", test_layout);
  g_test_add_func("/ui/cards/cover-nothing", test_cards);
  g_test_add_func("/ui/theme/has-contrast", test_contrast);
  g_test_add_data_func("/ui/export/png-same-twice", "png", test_export_is_the_same_twice);
  g_test_add_data_func("/ui/export/svg-same-twice", "svg", test_export_is_the_same_twice);
  g_test_add_func("/ui/export/refuses-other-endings", test_bad_ending);
  return g_test_run();
}
