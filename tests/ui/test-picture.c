/* test-picture.c - layout, cards and export of real graphs. */
#include <math.h>
#include <string.h>

#include "picture/edge-curve.h"
#include "picture/label-painter.h"
#include "picture/layers-layout.h"
#include "picture/sheet.h"
#include "small-graph.h"
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

/* The rightmost column's edges bow no further than the picture goes. */
static void
test_edges_stay_inside(void)
{
  g_autoptr(CwGraph) graph = load("graphs/uzairname__war_ea.json");
  if (graph == NULL)
    return;
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, 1000, 700, NULL);
  CwuCamera camera = { { 0, 0, 1000, 700 }, .zoom = 1 };
  double most = 0;
  for (size_t i = 0; i < scene->n_edges; i++) {
    CwuPoint points[CWU_CURVE_MAX_POINTS];
    CwuCurve curve = cwu_edge_curve(layout, &camera, &scene->edges[i]);
    size_t n = cwu_curve_flatten(&curve, points);
    for (size_t k = 0; k < n; k++)
      most = MAX(most, points[k].x);
  }
  g_assert_cmpfloat(most, <=, 1000);
  g_assert_cmpfloat(most, >, 990); /* They do bow. */
}

static void
test_cards(void)
{
  g_autoptr(CwGraph) graph = load("graphs/IamKrill1n__galaxy-clt-hp.json");
  if (graph == NULL)
    return;
  CwuRect all = { 0, 0, 1440, 900 }, plot = cwu_painter_plot(&all);
  g_autoptr(CwuSceneBase) base = cwu_scene_base_new(graph, NULL);
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    if (cw_graph_peek_nodes(graph)[i].kind == CW_NODE_FEATURE && base->labels[i] == NULL)
      base->labels[i] = g_strdup("forest, trees");
  g_autoptr(CwuScene) scene = cwu_scene_new_from(base, NULL, NULL);
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

/* ---- scope and size --------------------------------------------------------------------- */

static void
test_selection_keeps_neighbours(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.scope = CWU_SCOPE_SELECTION;
  options.selected = 1;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, NULL, &options, NULL);
  g_assert_cmpuint(sheet->scene->n_nodes, ==, 3);
  g_assert_cmpuint(sheet->scene->n_edges, ==, 3);
  g_assert_cmpint(cwu_scene_find(sheet->scene, 2), ==, -1);
  /* Shares are of the whole graph's input. */
  for (size_t e = 0; e < sheet->scene->n_edges; e++)
    if (sheet->scene->edges[e].weight == -1)
      g_assert_cmpfloat_with_epsilon(sheet->scene->edges[e].share, -1.0 / 3, 1e-7);
  const uint8_t subset[] = { 0, 0, 1, 1 };
  options.subset = subset;
  g_autoptr(CwuSheet) other = cwu_sheet_new(graph, NULL, &options, NULL);
  g_assert_cmpuint(other->scene->n_nodes, ==, 2);
  g_assert_cmpuint(other->scene->n_edges, ==, 0);
}

static void
test_selection_of_nothing(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  g_autoptr(GError) error = NULL, pruned_error = NULL;
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.scope = CWU_SCOPE_SELECTION;
  g_assert_null(cwu_sheet_new(graph, NULL, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  uint8_t nodes[] = { 1, 1, 0, 1 }, edges[] = { 1, 1, 1 };
  float share[] = { 0, 0, 0, 0 };
  CwPruned pruned = { .n_nodes = 4,
                      .n_edges = 3,
                      .node_mask = nodes,
                      .edge_mask = edges,
                      .cumulative_share = share };
  options.selected = 2;
  g_assert_null(cwu_sheet_new(graph, &pruned, &options, &pruned_error));
  g_assert_error(pruned_error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(pruned_error->message, "leaves"));
}

static void
test_view_is_around_the_selection(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.scope = CWU_SCOPE_VIEW;
  options.zoom = 3;
  options.selected = 1;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, NULL, &options, NULL);
  const CwuRect *plot = &sheet->picture.camera.plot;
  CwuPoint at =
      cwu_camera_to_screen(&sheet->picture.camera, sheet->layout->x[1], sheet->layout->y[1]);
  g_assert_cmpfloat_with_epsilon(at.x, plot->x + plot->width / 2, 1e-3);
  g_assert_cmpfloat_with_epsilon(at.y, plot->y + plot->height / 2, 1e-3);
  /* A centre near the edge stops where the picture ends. */
  options.centre_x = options.centre_y = 0;
  g_autoptr(CwuSheet) corner = cwu_sheet_new(graph, NULL, &options, NULL);
  g_assert_cmpfloat_with_epsilon(corner->picture.camera.offset_x, 0, 1e-9);
  g_assert_cmpfloat_with_epsilon(corner->picture.camera.offset_y, 0, 1e-9);
}

/* Without places the forces settle, twice alike; with a window's places those are drawn. */
static void
test_view_of_forces(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = small_graph_new();
  size_t n = cw_graph_get_n_nodes(graph);
  g_autofree float *places = g_new(float, 2 * n);
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.view = CWU_VIEW_FORCE;
  g_autoptr(CwuSheet) a = cwu_sheet_new(graph, NULL, &options, &error);
  g_autoptr(CwuSheet) b = cwu_sheet_new(graph, NULL, &options, &error);
  g_assert_no_error(error);
  g_assert_cmpint(a->layout->kind, ==, CWU_LAYOUT_PLANE);
  g_assert_cmpmem(a->layout->x, n * sizeof(float), b->layout->x, n * sizeof(float));
  for (size_t i = 0; i < n; i++) {
    places[2 * i] = (float)i; /* to the right, and down */
    places[2 * i + 1] = -(float)i;
  }
  options.places = places;
  g_autoptr(CwuSheet) shown = cwu_sheet_new(graph, NULL, &options, &error);
  for (size_t i = 1; i < n; i++) {
    g_assert_cmpfloat(shown->layout->x[i], >, shown->layout->x[i - 1]);
    g_assert_cmpfloat(shown->layout->y[i], >, shown->layout->y[i - 1]);
  }
  places[0] = NAN; /* A node the window has not laid out: then all are laid out here. */
  g_autoptr(CwuSheet) anew = cwu_sheet_new(graph, NULL, &options, &error);
  g_assert_cmpmem(a->layout->x, n * sizeof(float), anew->layout->x, n * sizeof(float));
}

/* What somebody called a node is in the figure. */
static void
test_labels_of_the_document(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = small_graph_new();
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, NULL, NULL);
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.svg", NULL);
  g_autofree char *text = NULL;
  CwuPictureOptions options;
  cw_document_set_label(document, 1, "named by hand");
  cwu_picture_options_init(&options);
  options.state = cw_document_peek_state(document);
  g_assert_true(cwu_picture_export(graph, NULL, &options, path, &error));
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_assert_nonnull(strstr(text, "named by hand"));
  test_remove_tree(folder);
}

/* Slanted texts whose angle in degrees is between the two, by their x. */
static GArray *
find_slanted(const char *svg, double from, double to)
{
  GArray *found = g_array_new(FALSE, FALSE, sizeof(double));
  double x, y, angle;
  for (const char *at = svg; (at = strstr(at, "<text transform=")) != NULL; at++)
    if (sscanf(at, "<text transform=\"translate(%lf %lf) rotate(%lf)\"", &x, &y, &angle) == 3 &&
        angle > from && angle < to)
      g_array_append_val(found, x);
  return found;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Outputs stand side by side with room between them: so do their names. */
static void
test_logit_names_keep_apart(void)
{
  g_autoptr(CwGraph) graph = load("graphs/IamKrill1n__dallas-austin-llamma.json");
  if (graph == NULL)
    return;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.svg", NULL);
  g_autofree char *text = NULL;
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  g_assert_true(cwu_picture_export(graph, NULL, &options, path, NULL));
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_autoptr(GArray) names = find_slanted(text, -50, -40);
  g_array_sort(names, compare_doubles);
  g_assert_cmpuint(names->len, ==, 10);
  double least = INFINITY, most = 0;
  for (guint i = 1; i < names->len; i++) {
    double apart = g_array_index(names, double, i) - g_array_index(names, double, i - 1);
    least = MIN(least, apart);
    most = MAX(most, apart);
  }
  g_assert_cmpfloat(least, >, 0.95 * most);
  test_remove_tree(folder);
}

/* A small picture has marks and edges and no words. */
static void
test_bare(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.svg", NULL);
  g_autofree char *text = NULL;
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.parts = CWU_PICTURE_BARE;
  g_assert_true(cwu_picture_export(graph, NULL, &options, path, NULL));
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_assert_null(strstr(text, "<text"));
  g_assert_nonnull(strstr(text, "<circle"));
  test_remove_tree(folder);
}

static void
test_sizes(void)
{
  CwuPictureOptions points, pixels;
  cwu_picture_options_init(&points);
  cwu_picture_options_init(&pixels);
  cwu_picture_options_set_size(&points, CWU_SIZE_COLUMN, false);
  cwu_picture_options_set_size(&pixels, CWU_SIZE_COLUMN, true);
  g_assert_cmpfloat_with_epsilon(points.width * points.scale, 8.5 / 2.54 * 72, 1e-9);
  g_assert_cmpfloat_with_epsilon(pixels.width * pixels.scale, 8.5 / 2.54 * 300, 1e-9);
  g_assert_cmpfloat_with_epsilon(points.scale * CWU_TEXT_PX, 7, 1e-9);
  cwu_picture_options_set_size(&pixels, CWU_SIZE_SLIDE, true);
  g_assert_cmpfloat(pixels.width * pixels.scale, ==, 1920);
  g_assert_cmpfloat(pixels.height * pixels.scale, ==, 1080);
}

/* The colour of a pixel of an image, 0xrrggbb. */
static guint32
pixel(cairo_surface_t *image, int x, int y)
{
  const unsigned char *row = cairo_image_surface_get_data(image) +
                             (size_t)y * (size_t)cairo_image_surface_get_stride(image);
  return ((const guint32 *)(const void *)row)[x] & 0xffffff;
}

/* The selected node's outline has its colour, and a page without parts has an empty top. */
static void
test_image_has_what_was_chosen(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  options.scale = 2;
  options.parts = 0;
  options.selected = 1;
  options.scope = CWU_SCOPE_SELECTION;
  cairo_surface_t *image = cwu_picture_new_image(graph, NULL, &options, NULL);
  g_assert_cmpint(cairo_image_surface_get_width(image), ==, 2880);
  g_assert_cmpint(cairo_image_surface_get_height(image), ==, 1800);
  size_t n_selected = 0;
  for (int y = 0; y < 1800; y++)
    for (int x = 0; x < 2880; x++)
      n_selected += pixel(image, x, y) == 0x8b2fb3;
  g_assert_cmpuint(n_selected, >, 20);
  for (int x = 0; x < 2880; x++)
    g_assert_cmphex(pixel(image, x, 20), ==, 0xffffff);
  cairo_surface_destroy(image);
}

/* What pdftotext reads of an export; NULL where that program is not. */
static char *
export_and_read(CwGraph *graph, const CwuPictureOptions *options)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "a.pdf", NULL), *text = NULL;
  const char *arguments[] = { "pdftotext", path, "-", NULL };
  g_assert_true(cwu_picture_export(graph, NULL, options, path, &error));
  g_assert_no_error(error);
  if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text,
                    NULL, NULL, NULL))
    g_test_skip("pdftotext is not installed");
  test_remove_tree(folder);
  return g_steal_pointer(&text);
}

static void
test_pdf_has_its_text(void)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  CwuPictureOptions options;
  cwu_picture_options_init(&options);
  cwu_picture_options_set_size(&options, CWU_SIZE_PAGE, false);
  g_autofree char *whole = export_and_read(graph, &options);
  if (whole == NULL)
    return;
  static const char *const words[] = { "one two three", "4 nodes",  "3 edges",
                                       "takes away",    "selected", "leaves" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (strstr(whole, words[i]) == NULL)
      g_error("\"%s\" is not in:\n%s", words[i], whole);
  options.scope = CWU_SCOPE_SELECTION;
  options.selected = 1;
  options.parts = CWU_PICTURE_TITLE;
  g_autofree char *part = export_and_read(graph, &options);
  g_assert_nonnull(strstr(part, "3 nodes"));
  g_assert_nonnull(strstr(part, "roots"));
  g_assert_null(strstr(part, "leaves"));
  g_assert_null(strstr(part, "takes away"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/layout/keeps-nodes-in-their-cells", test_layout);
  g_test_add_func("/ui/layout/edges-stay-inside", test_edges_stay_inside);
  g_test_add_func("/ui/axis/logit-names-keep-apart", test_logit_names_keep_apart);
  g_test_add_func("/ui/export/bare", test_bare);
  g_test_add_func("/ui/cards/cover-nothing", test_cards);
  g_test_add_func("/ui/theme/has-contrast", test_contrast);
  g_test_add_data_func("/ui/export/png-same-twice", "png", test_export_is_the_same_twice);
  g_test_add_data_func("/ui/export/svg-same-twice", "svg", test_export_is_the_same_twice);
  g_test_add_func("/ui/export/refuses-other-endings", test_bad_ending);
  g_test_add_func("/ui/export/selection-keeps-neighbours", test_selection_keeps_neighbours);
  g_test_add_func("/ui/export/selection-of-nothing", test_selection_of_nothing);
  g_test_add_func("/ui/export/view-is-around-the-selection", test_view_is_around_the_selection);
  g_test_add_func("/ui/export/view-of-forces", test_view_of_forces);
  g_test_add_func("/ui/export/labels-of-the-document", test_labels_of_the_document);
  g_test_add_func("/ui/export/sizes", test_sizes);
  g_test_add_func("/ui/export/image-has-what-was-chosen", test_image_has_what_was_chosen);
  g_test_add_func("/ui/export/pdf-has-its-text", test_pdf_has_its_text);
  return g_test_run();
}
