/* command-render.c - clew render: the picture of a graph, as the window draws it. */
#include <math.h>
#include <string.h>

#include "commands.h"
#include "cwu-picture.h"
#include "file-facts.h"
#include "graph-facts.h"
#include "graph-prune.h"

/* The node that JSON files call `id`; -1 with *error set if there is none. */
static int64_t
find_node(const CwGraph *graph, const char *id, GError **error)
{
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  for (size_t i = 0; i < n_nodes; i++) {
    g_autofree char *node_id = cw_graph_dup_node_id(graph, i);
    if (strcmp(node_id, id) == 0)
      return (int64_t)i;
  }
  g_autofree char *example = n_nodes > 0 ? cw_graph_dup_node_id(graph, 0) : NULL;
  g_set_error(error, CWA_USAGE_ERROR, 0, "the graph has no node \"%s\"; ids look like %s", id,
              example != NULL ? example : "12_345_7");
  return -1;
}

/* In the order of CwuPictureSize. */
static const char *const sizes[] = { "screen", "column", "page", "slide", NULL };

static CwuThemeKind
theme_by_name(const char *name)
{
  static const char *const names[] = { "light", "dark", "contrast-light", "contrast-dark" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (strcmp(name, names[i]) == 0)
      return (CwuThemeKind)i;
  return CWU_THEME_LIGHT;
}

static CwuPictureSize
size_by_name(const char *name)
{
  for (size_t i = 0; sizes[i] != NULL; i++)
    if (strcmp(name, sizes[i]) == 0)
      return (CwuPictureSize)i;
  return CWU_SIZE_SCREEN;
}

/* A usual size, of which typed numbers replace their part. */
static void
read_size(const CwaArguments *arguments, CwuPictureOptions *options)
{
  bool is_png =
      strcmp(cwa_run_peek_ending(cwa_arguments_text(arguments, "output")), "png") == 0;
  cwu_picture_options_set_size(options, size_by_name(cwa_arguments_text(arguments, "size")),
                               is_png);
  if (cwa_arguments_has(arguments, "width"))
    options->width = cwa_arguments_number(arguments, "width");
  if (cwa_arguments_has(arguments, "height"))
    options->height = cwa_arguments_number(arguments, "height");
  if (cwa_arguments_has(arguments, "scale"))
    options->scale = cwa_arguments_number(arguments, "scale");
}

/* --selection draws a node's neighbourhood, --select a node in its graph. */
static bool
read_scope(const CwaArguments *arguments, const CwGraph *graph, CwuPictureOptions *options,
           GError **error)
{
  const char *selection = cwa_arguments_text(arguments, "selection");
  const char *id = selection != NULL ? selection : cwa_arguments_text(arguments, "select");
  options->zoom = cwa_arguments_number(arguments, "zoom");
  if (selection != NULL)
    options->scope = CWU_SCOPE_SELECTION;
  else if (options->zoom > 1)
    options->scope = CWU_SCOPE_VIEW;
  if (selection != NULL && options->zoom > 1) {
    g_set_error(error, CWA_USAGE_ERROR, 0,
                "--selection lays its nodes out on the whole page: leave out --zoom, or name "
                "the node by --select");
    return false;
  }
  if (id != NULL)
    options->selected = find_node(graph, id, error);
  return id == NULL || options->selected >= 0;
}

static bool
read_options(const CwaArguments *arguments, const CwGraph *graph, CwuPictureOptions *options,
             GError **error)
{
  cwu_picture_options_init(options);
  read_size(arguments, options);
  options->view = strcmp(cwa_arguments_text(arguments, "view"), "force") == 0 ? CWU_VIEW_FORCE
                                                                              : CWU_VIEW_LAYERS;
  options->theme = theme_by_name(cwa_arguments_text(arguments, "theme"));
  if (cwa_arguments_flag(arguments, "plain"))
    options->parts = 0;
  return read_scope(arguments, graph, options, error);
}

/* A document is drawn pruned; a .json file as it is, since it was pruned when it was written,
 * unless thresholds are typed. */
static bool
prune_for_picture(CwGraph *graph, const CwaRun *run, const CwViewState *state,
                  CwPruned **pruned, GError **error)
{
  bool is_typed = cwa_arguments_has(run->arguments, "node-threshold") ||
                  cwa_arguments_has(run->arguments, "edge-threshold");
  bool is_json =
      strcmp(cwa_run_peek_ending(cwa_arguments_operand(run->arguments, 0)), "json") == 0;
  if (is_json && !is_typed)
    return true;
  *pruned = cwa_graph_prune(graph, run, state, error);
  return *pruned != NULL;
}

static bool
draw(CwaRun *run, CwViewState *state, GError **error)
{
  const char *path = cwa_arguments_text(run->arguments, "output");
  CwuPictureOptions options;
  g_autoptr(CwPruned) pruned = NULL;
  g_autoptr(CwDocument) document = NULL;
  g_autoptr(CwGraph) graph =
      cwa_graph_load(cwa_arguments_operand(run->arguments, 0), run, state, error);
  if (graph == NULL || !read_options(run->arguments, graph, &options, error) ||
      !prune_for_picture(graph, run, state, &pruned, error) ||
      cw_cancel_check(run->cancel, error))
    return false;
  document = cw_document_new_from_graph(graph, state, NULL);
  options.state = cw_document_peek_state(document);
  if (!cwu_picture_export(graph, pruned, &options, path, error))
    return false;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_add_text(facts, "written", path);
  cwa_facts_add_size(facts, "bytes", cwa_path_get_size(path));
  cwa_facts_add_integer(
      facts, "nodes",
      (int64_t)(pruned != NULL ? pruned->n_kept_nodes : cw_graph_get_n_nodes(graph)));
  cwa_facts_add_integer(
      facts, "edges",
      (int64_t)(pruned != NULL ? pruned->n_kept_edges : cw_graph_get_n_edges(graph)));
  cwa_facts_print(facts, cwa_arguments_flag(run->arguments, "json"));
  return true;
}

static bool
run_render(CwaRun *run, GError **error)
{
  const char *path = cwa_arguments_text(run->arguments, "output");
  if (!cwa_run_check_ending(path, "png svg pdf", error) || !cwa_run_check_output(path, error))
    return false;
  CwViewState state = { NAN, NAN, NULL };
  bool is_done = draw(run, &state, error);
  cw_view_state_clear(&state);
  return is_done;
}

static const char *const views[] = { "layers", "force", NULL };
static const char *const themes[] = { "light", "dark", "contrast-light", "contrast-dark",
                                      NULL };

static const CwaOption render_options[] = {
  { "output", CWA_OPTION_PATH, "F", "picture to write: .png, .svg (text as text) or .pdf",
    .is_required = true, .letter = 'o' },
  { "view", CWA_OPTION_CHOICE, "NAME",
    "layers: tokens across, layers up; force: what belongs together stands together", "layers",
    .choices = views },
  { "size", CWA_OPTION_CHOICE, "NAME",
    "screen, column (of a paper, 8.5 cm), page (17.5 cm) or slide (16:9)", "screen",
    .choices = sizes },
  { "width", CWA_OPTION_NUMBER, "PX", "width that text and nodes are laid out in; --size's",
    NULL, 1, 32767 },
  { "height", CWA_OPTION_NUMBER, "PX", "height that text and nodes are laid out in; --size's",
    NULL, 1, 32767 },
  { "scale", CWA_OPTION_NUMBER, "X", "pixels (.png) or points of the file per PX; --size's",
    NULL, 0.1, 16 },
  { "theme", CWA_OPTION_CHOICE, "NAME", "light, dark, contrast-light or contrast-dark", "light",
    .choices = themes },
  { "plain", CWA_OPTION_FLAG, NULL, "without title and legend" },
  { "select", CWA_OPTION_TEXT, "ID", "show the edges of this node, by its id in .json files" },
  { "selection", CWA_OPTION_TEXT, "ID", "draw only this node and its neighbours" },
  { "zoom", CWA_OPTION_NUMBER, "X", "draw a part, X times as large, around --select", "1", 1,
    48 },
  CWA_OPTION_ROWS_THRESHOLDS,
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_render = {
  .name = "render",
  .summary = "the picture of a graph, without a window",
  .usage = "G --output F [OPTIONS]",
  .description =
      "Draws graph G (a .clew document, or .json of circuit-tracer, Neuronpedia or Anthropic) "
      "as the window of clew-app does, into a PNG, SVG or PDF file. No display is needed.\n\n"
      "A document is drawn with the thresholds it holds. A .json file is drawn whole, as it "
      "was pruned when it was written. --node-threshold and --edge-threshold ask for others.",
  .examples = "clew render paris.clew --output paris.png --scale 2\n"
              "clew render graph.json -o graph.svg --theme dark --width 1920 --height 1080\n"
              "clew render graph.clew -o figure.pdf --size column --selection 19_5287_12",
  .options = render_options,
  .n_operands_least = 1,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "Drawing needs no device and no random draw: --device, --threads and --seed "
                 "are accepted, as by every command, and change nothing.",
  .run = run_render,
};
