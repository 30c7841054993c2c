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

static CwuThemeKind
theme_by_name(const char *name)
{
  static const char *const names[] = { "light", "dark", "contrast-light", "contrast-dark" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (strcmp(name, names[i]) == 0)
      return (CwuThemeKind)i;
  return CWU_THEME_LIGHT;
}

static bool
read_options(const CwaArguments *arguments, const CwGraph *graph, CwuPictureOptions *options,
             GError **error)
{
  const char *id = cwa_arguments_text(arguments, "select");
  cwu_picture_options_init(options);
  options->width = cwa_arguments_number(arguments, "width");
  options->height = cwa_arguments_number(arguments, "height");
  options->scale = cwa_arguments_number(arguments, "scale");
  options->theme = theme_by_name(cwa_arguments_text(arguments, "theme"));
  if (cwa_arguments_flag(arguments, "plain"))
    options->parts = 0;
  if (id != NULL)
    options->selected = find_node(graph, id, error);
  return id == NULL || options->selected >= 0;
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
  g_autoptr(CwGraph) graph =
      cwa_graph_load(cwa_arguments_operand(run->arguments, 0), run, state, error);
  if (graph == NULL || !read_options(run->arguments, graph, &options, error) ||
      !prune_for_picture(graph, run, state, &pruned, error) ||
      cw_cancel_check(run->cancel, error) ||
      !cwu_picture_export(graph, pruned, &options, path, error))
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

static const char *const views[] = { "layers", NULL };
static const char *const themes[] = { "light", "dark", "contrast-light", "contrast-dark",
                                      NULL };

static const CwaOption render_options[] = {
  { "output", CWA_OPTION_PATH, "F", "picture to write: .png, .svg (text as text) or .pdf",
    .is_required = true, .letter = 'o' },
  { "view", CWA_OPTION_CHOICE, "layers", "layers: tokens across, layers up", "layers",
    .choices = views },
  { "width", CWA_OPTION_NUMBER, "PX", "width in pixels (.png) or points", "1440", 1, 32767 },
  { "height", CWA_OPTION_NUMBER, "PX", "height in pixels (.png) or points", "900", 1, 32767 },
  { "scale", CWA_OPTION_NUMBER, "X", "pixels of a .png per pixel of the size, 2 for print", "1",
    0.1, 16 },
  { "theme", CWA_OPTION_CHOICE, "NAME", "light, dark, contrast-light or contrast-dark", "light",
    .choices = themes },
  { "plain", CWA_OPTION_FLAG, NULL, "without title and legend" },
  { "select", CWA_OPTION_TEXT, "ID", "show the edges of this node, by its id in .json files" },
  CWA_OPTION_ROWS_THRESHOLDS,
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_render = {
  .name = "render",
  .summary = "the picture of a graph, without a window",
  .usage = "G --output F [OPTIONS]",
  .description =
      "Draws graph G (.json of circuit-tracer, Neuronpedia or Anthropic) as the "
      "window of clew-app does, into a PNG, SVG or PDF file. No display is needed.\n\n"
      "A .json file is drawn whole, as it was pruned when it was written, unless "
      "--node-threshold or --edge-threshold ask for others.",
  .examples = "clew render paris.json --output paris.png --scale 2\n"
              "clew render graph.json -o graph.svg --theme dark --width 1920 --height 1080",
  .options = render_options,
  .n_operands_least = 1,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "Drawing needs no device and no random draw: --device, --threads and --seed "
                 "are accepted, as by every command, and change nothing.",
  .run = run_render,
};
