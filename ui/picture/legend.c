/* legend.c - see legend.h. */
#include "picture/legend.h"

#include <glib/gi18n-lib.h>

#include "picture/painter.h"

#define GLYPH_PX     5.0
#define SAMPLE_PX    26.0
#define GAP_PX       22.0
#define LINE_PX      18.0
#define WORDS_GAP_PX 7.0
#define EDGE_PX      2.0
#define ARROW_PX     6.0

typedef enum {
  ENTRY_NODE,
  ENTRY_NAMED,
  ENTRY_EDGE,
  ENTRY_SELECTED,
  ENTRY_FEEDS,
  ENTRY_FED
} EntryKind;

typedef struct {
  EntryKind what;
  CwNodeKind kind;
  bool is_negative;
  const char *words;
} Entry;

static const Entry entries[] = {
  { ENTRY_NODE, CW_NODE_TOKEN, false, N_("token, output") },
  { ENTRY_NODE, CW_NODE_FEATURE, false, N_("feature") },
  { ENTRY_NODE, CW_NODE_ERROR, false, N_("unexplained") },
  { ENTRY_NAMED, CW_NODE_FEATURE, false, N_("named beside it") },
  { ENTRY_EDGE, CW_NODE_OTHER, false, N_("adds") },
  { ENTRY_EDGE, CW_NODE_OTHER, true, N_("takes away") },
  { ENTRY_SELECTED, CW_NODE_FEATURE, false, N_("selected") },
  { ENTRY_FEEDS, CW_NODE_FEATURE, false, N_("feeds it") },
  { ENTRY_FED, CW_NODE_OTHER, false, N_("fed by it") },
};

static void
draw_filled(CwuCanvas *canvas, const CwuTheme *theme, CwuColour fill, CwuPoint at,
            double radius)
{
  CwuStyle style = { .fill = fill,
                     .stroke = theme->node_strong,
                     .stroke_px = theme->outline_px };
  canvas->class->glyph(canvas, CWU_SHAPE_CIRCLE, at, radius, &style);
}

void
cwu_legend_draw_feeder(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double radius)
{
  draw_filled(canvas, theme, theme->positive, at, radius);
}

void
cwu_legend_draw_named(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double radius)
{
  draw_filled(canvas, theme, theme->node_strong, at, radius);
}

void
cwu_legend_draw_arrow(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double length)
{
  CwuStyle edge = { .stroke = theme->positive, .stroke_px = EDGE_PX };
  CwuPoint tip = { at.x + length, at.y };
  canvas->class->line(canvas, at, tip, &edge);
  for (int side = -1; side <= 1; side += 2)
    canvas->class->line(canvas, tip,
                        (CwuPoint){ tip.x - ARROW_PX, tip.y + side * ARROW_PX / 2 }, &edge);
}

static double
sample_width(const Entry *entry)
{
  bool is_edge = entry->what == ENTRY_EDGE || entry->what == ENTRY_FED;
  return is_edge ? SAMPLE_PX : 2 * GLYPH_PX + 2;
}

static void
draw_sample(CwuCanvas *canvas, const CwuTheme *theme, const Entry *entry, CwuPoint at)
{
  CwuPoint middle = { at.x + GLYPH_PX + 1, at.y };
  CwuColour outline = entry->what == ENTRY_SELECTED  ? theme->selected
                      : entry->kind == CW_NODE_ERROR ? theme->node_pale
                                                     : theme->node_strong;
  CwuStyle edge = { .stroke = entry->is_negative ? theme->negative : theme->positive,
                    .stroke_px = EDGE_PX,
                    .is_dashed = entry->is_negative };
  if (entry->what == ENTRY_EDGE)
    canvas->class->line(canvas, at, (CwuPoint){ at.x + SAMPLE_PX, at.y }, &edge);
  else if (entry->what == ENTRY_FED)
    cwu_legend_draw_arrow(canvas, theme, at, SAMPLE_PX);
  else if (entry->what == ENTRY_NAMED)
    cwu_legend_draw_named(canvas, theme, middle, GLYPH_PX);
  else if (entry->what == ENTRY_FEEDS)
    cwu_legend_draw_feeder(canvas, theme, middle, GLYPH_PX);
  else
    cwu_painter_draw_node(canvas, theme, entry->kind, middle, GLYPH_PX, outline);
}

/* Where entry i begins, in px from the legend's left top; `at` is that of the one before, whose
 * width is given (0: there is none). */
static CwuPoint
place(CwuPoint at, double width_before, double width, double most)
{
  if (width_before == 0)
    return at;
  double x = at.x + width_before + GAP_PX;
  return x + width > most ? (CwuPoint){ 0, at.y + LINE_PX } : (CwuPoint){ x, at.y };
}

static double
entry_width(CwuTextFace *face, const Entry *entry)
{
  double words, height;
  cwu_text_face_measure(face, _(entry->words), CWU_TEXT_PX, false, &words, &height);
  return sample_width(entry) + WORDS_GAP_PX + words;
}

double
cwu_legend_measure(CwuTextFace *face, double width)
{
  CwuPoint at = { 0, 0 };
  double before = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
    double own = entry_width(face, &entries[i]);
    at = place(at, before, own, width);
    before = own;
  }
  return at.y + LINE_PX;
}

void
cwu_legend_draw(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double width)
{
  CwuPoint in = { 0, 0 };
  double before = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
    double own = entry_width(canvas->face, &entries[i]);
    in = place(in, before, own, width);
    before = own;
    CwuPoint middle = { at.x + in.x, at.y + in.y + LINE_PX / 2 };
    draw_sample(canvas, theme, &entries[i], middle);
    CwuText text = { .text = _(entries[i].words),
                     .at = { middle.x + sample_width(&entries[i]) + WORDS_GAP_PX, middle.y },
                     .size_px = CWU_TEXT_PX,
                     .colour = theme->text_dim };
    canvas->class->text(canvas, &text);
  }
}
