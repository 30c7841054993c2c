/* node-name.h - what a node is called, for people. A feature is named by its label (what it
 * promotes or what somebody called it), never by its type. */
#pragma once

#include "cw-document.h"

/* A prompt piece for display: no leading space, line ends and tabs as signs, lone spaces as
 * "␣". Transfer full. */
char *cwu_piece_dup_display(const char *piece);
/* The text between the quotes of a logit's label ("Output \" Paris\" (p=0.629)"), as a piece
 * for display; a label of another form is given whole. Transfer full. */
char *cwu_logit_dup_token(const CwGraph *graph, size_t node);
/* The label, or NULL if the node has none that says more than its type. Transfer full. */
char *cwu_node_dup_label(const CwGraph *graph, size_t node);
/* Always something: the label, the token, or "L19 #5287". Transfer full. */
char *cwu_node_dup_name(const CwGraph *graph, size_t node);
/* The same, where somebody may have called it something else; state may be NULL, else it is of
 * this graph. Transfer full. */
char *cwu_node_dup_shown_name(const CwGraph *graph, const CwDocumentState *state, size_t node);
/* Where it is: "layer 19, at “to”". Transfer full. */
char *cwu_node_dup_place(const CwGraph *graph, size_t node);
/* "Feature 5287 · layer 19, at “to”". Transfer full. */
char *cwu_node_dup_kind_and_place(const CwGraph *graph, size_t node);
/* Its name before its place; the kind where it has no name but those two, so that the layer is
 * not said twice. state as above. Transfer full. */
char *cwu_node_dup_name_and_place(const CwGraph *graph, const CwDocumentState *state,
                                  size_t node);
/* The prompt on one line, without the special token that begins it. Transfer full. */
char *cwu_prompt_dup_display(const CwGraph *graph);
/* What kind of thing it is, in a word: "Feature", "Token", "Output", "Unexplained". */
const char *cwu_node_kind_word(CwNodeKind kind);
