/* command-prune.c - clew prune: other thresholds for a graph. */
#include <math.h>

#include "commands.h"
#include "graph-facts.h"
#include "graph-prune.h"
#include "graph-write.h"

static bool
prune(CwaRun *run, CwViewState *state, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const char *output = cwa_arguments_text(arguments, "output");
  g_autoptr(CwGraph) graph =
      cwa_graph_load(cwa_arguments_operand(arguments, 0), run, state, error);
  g_autoptr(CwPruned) pruned = graph != NULL ? cwa_graph_prune(graph, run, state, error) : NULL;
  if (pruned == NULL || cw_cancel_check(run->cancel, error) ||
      !cwa_graph_write(output, graph, pruned, run, state, error))
    return false;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_graph_facts_add(facts, graph);
  cwa_graph_facts_add_pruned(facts, graph, pruned);
  cwa_facts_add_text(facts, "written", output);
  cwa_facts_print(facts, cwa_arguments_flag(arguments, "json"));
  return true;
}

static bool
run_prune(CwaRun *run, GError **error)
{
  const char *output = cwa_arguments_text(run->arguments, "output");
  if (!cwa_run_check_ending(output, "clew json", error) || !cwa_run_check_output(output, error))
    return false;
  CwViewState state = { NAN, NAN, NULL };
  bool is_done = prune(run, &state, error);
  cw_view_state_clear(&state);
  return is_done;
}

static const CwaOption prune_options[] = {
  CWA_OPTION_ROWS_THRESHOLDS,
  { "output", CWA_OPTION_PATH, "G2",
    "where to write: .json what is kept, .clew the whole graph with these thresholds",
    .is_required = true, .letter = 'o' },
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_prune = {
  .name = "prune",
  .summary = "other thresholds for a graph",
  .usage = "G [--node-threshold X] [--edge-threshold X] --output G2",
  .description =
      "Ranks the nodes of graph G by their influence on the explained logits, keeps those that "
      "hold the asked share of it together, and then the edges likewise; nodes left without a "
      "way to a logit go too; what the file pins stays. The nodes of a .json file, which is "
      "pruned already, keep the ranks it gives them, and none goes for want of a way. A "
      "threshold that is not given is the file's own. The scores printed are those of the "
      "whole graph.\n\n"
      "A .json file holds only what was kept when it was written; a .clew document holds "
      "the whole graph, so its thresholds move both ways.",
  .examples = "clew prune paris.clew --node-threshold 0.6 --output paris-small.json\n"
              "clew prune whole.json --node-threshold 0.9 --edge-threshold 0.99 -o paris.json",
  .options = prune_options,
  .n_operands_least = 1,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "Pruning needs no device and no random draw: --device, --threads and --seed "
                 "are accepted, as by every command, and change nothing.",
  .run = run_prune,
};
