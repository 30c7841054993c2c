/* node-name.c - names of nodes. Explorers write a node's type into its label when nobody has
 * given it one ("cross layer transcoder"); such a label says nothing and is treated as absent.
 * Labels are data: they are cleaned of control characters and never parsed as markup. */
#include "picture/node-name.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Longest name handed out, in characters; a file may hold a label of any length. */
#define MAX_NAME_CHARS 120

static const char *const type_words[] = {
  "cross layer transcoder",
  "unexplored node",
  "transcoder",
  "per layer transcoder",
  "mlp reconstruction error",
  "embedding",
  "logit",
  "lorsa",
  "lorsa error",
  "feature",
  "bias",
  "unknown",
  "null",
  "none",
};

static void
append_display_char(GString *out, gunichar c)
{
  if (c == '\n')
    g_string_append(out, "⏎");
  else if (c == '\t')
    g_string_append(out, "⇥");
  else if (c == 0x2581) /* SentencePiece's own space */
    g_string_append_c(out, ' ');
  else if (c != ' ' && g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR) /* no-break and others */
    g_string_append(out, "␣");
  else if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
    g_string_append(out, "·");
  else
    g_string_append_unichar(out, c);
}

/* Valid, one line, of bounded length. */
static char *
clean(const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *out = g_string_new(NULL);
  int n = 0;
  for (const char *p = valid; *p != 0; p = g_utf8_next_char(p)) {
    if (n++ == MAX_NAME_CHARS) {
      g_string_append(out, "…");
      break;
    }
    append_display_char(out, g_utf8_get_char(p));
  }
  return g_string_free(out, FALSE);
}

char *
cwu_piece_dup_display(const char *piece)
{
  g_autofree char *text = clean(piece);
  const char *rest = text;
  while (*rest == ' ')
    rest++;
  if (*rest != 0)
    return g_strdup(rest);
  GString *out = g_string_new(NULL);
  for (const char *p = text; *p != 0; p++)
    g_string_append(out, "␣");
  return g_string_free(out, FALSE);
}

/* Lines and their indentation are one line here, which needs one space for it. */
char *
cwu_prompt_dup_display(const CwGraph *graph)
{
  char *text = cwu_piece_dup_display(cw_graph_peek_typed_prompt(graph)), *end = text;
  for (const char *p = text; *p != 0; p++)
    if (*p != ' ' || p[1] != ' ')
      *end++ = *p;
  *end = 0;
  return text;
}

/* Finds the first quoted part; the closing quote is the last one of its kind before "(p=". */
static bool
find_quoted(const char *label, const char **from, const char **to)
{
  const char *open = strpbrk(label, "\"'");
  if (open == NULL)
    return false;
  const char *end = g_strrstr(label, "(p=");
  if (end == NULL || end <= open)
    end = label + strlen(label);
  for (const char *p = end - 1; p > open; p--)
    if (*p == *open) {
      *from = open + 1;
      *to = p;
      return true;
    }
  return false;
}

char *
cwu_logit_dup_token(const CwGraph *graph, size_t node)
{
  const char *label = cw_graph_peek_label(graph, node), *from, *to;
  if (find_quoted(label, &from, &to)) {
    g_autofree char *token = g_strndup(from, (size_t)(to - from));
    return cwu_piece_dup_display(token);
  }
  if (*label != 0)
    return clean(label);
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  return g_strdup_printf("#%" G_GINT64_FORMAT, n->feature);
}

char *
cwu_node_dup_label(const CwGraph *graph, size_t node)
{
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  if (n->kind == CW_NODE_LOGIT)
    return cwu_logit_dup_token(graph, node);
  if (n->kind == CW_NODE_TOKEN)
    return cwu_piece_dup_display(cw_graph_peek_prompt_token(graph, n->position));
  if (n->kind == CW_NODE_ERROR)
    return NULL;
  g_autofree char *label = g_strstrip(clean(cw_graph_peek_label(graph, node)));
  if (*label == 0)
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(type_words); i++)
    if (g_ascii_strcasecmp(label, type_words[i]) == 0)
      return NULL;
  return g_steal_pointer(&label);
}

char *
cwu_node_dup_name(const CwGraph *graph, size_t node)
{
  char *label = cwu_node_dup_label(graph, node);
  if (label != NULL)
    return label;
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  if (n->kind == CW_NODE_ERROR)
    return g_strdup_printf(_("error of layer %d"), n->layer);
  if (n->feature < 0)
    return g_strdup_printf("L%d", n->layer);
  return g_strdup_printf("L%d #%" G_GINT64_FORMAT, n->layer, n->feature);
}

char *
cwu_node_dup_shown_name(const CwGraph *graph, const CwDocumentState *state, size_t node)
{
  const char *label = state != NULL ? cw_document_state_peek_label(state, node) : NULL;
  return label != NULL ? clean(label) : cwu_node_dup_name(graph, node);
}

char *
cwu_node_dup_place(const CwGraph *graph, size_t node)
{
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(graph, n->position));
  if (n->kind == CW_NODE_TOKEN)
    return g_strdup_printf(_("token %d of the prompt"), n->position + 1);
  if (n->kind == CW_NODE_LOGIT)
    return g_strdup_printf(_("after “%s”"), piece);
  return g_strdup_printf(_("layer %d, at “%s”"), n->layer, piece);
}

char *
cwu_node_dup_kind_and_place(const CwGraph *graph, size_t node)
{
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  g_autofree char *place = cwu_node_dup_place(graph, node);
  const char *kind = cwu_node_kind_word(n->kind);
  if (n->kind == CW_NODE_FEATURE && n->feature >= 0)
    return g_strdup_printf("%s %" G_GINT64_FORMAT " · %s", kind, n->feature, place);
  return g_strdup_printf("%s · %s", kind, place);
}

char *
cwu_node_dup_name_and_place(const CwGraph *graph, const CwDocumentState *state, size_t node)
{
  bool is_called = state != NULL && cw_document_state_peek_label(state, node) != NULL;
  g_autofree char *label = cwu_node_dup_label(graph, node);
  if (!is_called && label == NULL)
    return cwu_node_dup_kind_and_place(graph, node);
  g_autofree char *name = cwu_node_dup_shown_name(graph, state, node);
  g_autofree char *place = cwu_node_dup_place(graph, node);
  return g_strdup_printf("%s  ·  %s", name, place);
}

const char *
cwu_node_kind_word(CwNodeKind kind)
{
  switch (kind) {
  case CW_NODE_FEATURE:
    return _("Feature");
  case CW_NODE_ERROR:
    return _("Unexplained");
  case CW_NODE_TOKEN:
    return _("Token");
  case CW_NODE_LOGIT:
    return _("Output");
  default:
    return _("Node");
  }
}
