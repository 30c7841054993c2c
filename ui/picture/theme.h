/* theme.h - the colours of a picture. Colour means something or is not there: blue = positive,
 * orange (and dashed) = negative, purple = selected; all else is grey. */
#pragma once

#include "cwu-picture.h"

typedef struct {
  double r, g, b, a;
} CwuColour;

typedef struct {
  bool is_dark;
  CwuColour surface;  /* behind everything */
  CwuColour hairline; /* rules of rows and columns */
  CwuColour text;     /* >= 7 : 1 on the surface */
  CwuColour text_dim; /* >= 4.5 : 1 */
  CwuColour card;     /* behind a label */
  CwuColour card_border;
  CwuColour note;        /* behind what somebody wrote */
  CwuColour node_strong; /* outline of what matters */
  CwuColour node_pale;   /* outline of the rest, >= 3 : 1 */
  CwuColour node_faint;  /* outline of what is out of focus */
  CwuColour mass;        /* the texture of all edges; a is its densest */
  CwuColour positive, negative, selected;
  double outline_px;
} CwuTheme;

const CwuTheme *cwu_theme_get(CwuThemeKind kind);
/* Between a (t = 0) and b (t = 1). */
CwuColour cwu_colour_mix(CwuColour a, CwuColour b, double t);
CwuColour cwu_colour_fade(CwuColour colour, double alpha);
/* WCAG contrast ratio of two opaque colours, 1..21. */
double cwu_colour_contrast(CwuColour a, CwuColour b);
