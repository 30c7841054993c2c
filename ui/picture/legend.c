/* legend.c - see legend.h. */
#include "picture/legend.h"

#include <glib/gi18n-lib.h>

#include "picture/painter.h"

#define GLYPH_PX     5.0
#define SAMPLE_PX    26.0
#define GAP_PX       22.0
#define LINE_PX      18.0
#define WORDS_GAP_PX 7.0

typedef enum { ENTRY_NODE, ENTRY_EDGE, ENTRY_SELECTED } EntryKind;

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
  { ENTRY_EDGE, CW_NODE_OTHER, false, N_("adds") },
  { ENTRY_EDGE, CW_NODE_OTHER, true, N_("takes away") },
  { ENTRY_SELECTED, CW_NODE_FEATURE, false, N_("selected") },
};

static double
sample_width(const Entry *entry)
{
  return entry->what == ENTRY_EDGE ? SAMPLE_PX : 2 * GLYPH_PX + 2;
}

static void
draw_sample(CwuCanvas *canvas, const CwuTheme *theme, const Entry *entry, CwuPoint at)
{
  CwuPoint middle = { at.x + GLYPH_PX + 1, at.y };
  CwuColour outline = entry->what == ENTRY_SELECTED  ? theme->selected
                      : entry->kind == CW_NODE_ERROR ? theme->node_pale
                                                     : theme->node_strong;
  CwuStyle edge = { .stroke = entry->is_negative ? theme->negative : theme->positive,
                    .stroke_px = 2,
                    .is_dashed = entry->is_negative };
  if (entry->what == ENTRY_EDGE)
    canvas->class->line(canvas, at, (CwuPoint){ at.x + SAMPLE_PX, at.y }, &edge);
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
