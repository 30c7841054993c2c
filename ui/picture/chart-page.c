/* chart-page.c - several charts on one page, as a file: see cwu-chart.h. */
#include <math.h>

#include "picture/chart.h"
#include "picture/drawing.h"

#define MARGIN_PX     24.0
#define BETWEEN_PX    24.0
#define TITLE_PX      16.0
#define TITLE_ROW_PX  28.0
#define NOTE_PX       11.0
#define NOTE_ROW_PX   17.0
#define BELOW_HEAD_PX 12.0

void
cwu_chart_page_init(CwuChartPage *page)
{
  *page = (CwuChartPage){ .n_columns = 2,
                          .chart_width = 420,
                          .chart_height = 240,
                          .scale = 1,
                          .theme = CWU_THEME_LIGHT };
}

static size_t
n_columns(const CwuChartPage *page)
{
  return CLAMP(page->n_columns, 1, MAX(page->n_charts, 1));
}

static double
head_height(const CwuChartPage *page)
{
  double height = page->title != NULL ? TITLE_ROW_PX : 0;
  for (size_t i = 0; page->notes != NULL && page->notes[i] != NULL; i++)
    height += NOTE_ROW_PX;
  return height > 0 ? height + BELOW_HEAD_PX : 0;
}

static double
page_width(const CwuChartPage *page)
{
  double n = (double)n_columns(page);
  return 2 * MARGIN_PX + n * page->chart_width + (n - 1) * BETWEEN_PX;
}

static double
page_height(const CwuChartPage *page)
{
  double n = ceil((double)MAX(page->n_charts, 1) / (double)n_columns(page));
  return 2 * MARGIN_PX + head_height(page) + n * page->chart_height + (n - 1) * BETWEEN_PX;
}

static void
draw_head(CwuCanvas *canvas, const CwuChartPage *page, const CwuTheme *theme)
{
  double y = MARGIN_PX, most = page_width(page) - 2 * MARGIN_PX;
  if (page->title != NULL) {
    g_autofree char *words =
        cwu_text_face_dup_fitting(canvas->face, page->title, TITLE_PX, true, most);
    CwuText title = { .text = words,
                      .at = { MARGIN_PX, y + TITLE_ROW_PX / 2 },
                      .size_px = TITLE_PX,
                      .is_bold = true,
                      .colour = theme->text };
    canvas->class->text(canvas, &title);
    y += TITLE_ROW_PX;
  }
  for (size_t i = 0; page->notes != NULL && page->notes[i] != NULL; i++, y += NOTE_ROW_PX) {
    g_autofree char *words =
        cwu_text_face_dup_fitting(canvas->face, page->notes[i], NOTE_PX, false, most);
    CwuText note = { .text = words,
                     .at = { MARGIN_PX, y + NOTE_ROW_PX / 2 },
                     .size_px = NOTE_PX,
                     .colour = theme->text_dim };
    canvas->class->text(canvas, &note);
  }
}

static void
draw_page(CwuCanvas *canvas, gconstpointer data)
{
  const CwuChartPage *page = data;
  const CwuTheme *theme = cwu_theme_get(page->theme);
  CwuStyle ground = { .fill = theme->surface };
  CwuRect all = { 0, 0, page_width(page), page_height(page) };
  canvas->class->box(canvas, &all, 0, &ground);
  draw_head(canvas, page, theme);
  for (size_t i = 0; i < page->n_charts; i++) {
    double column = (double)(i % n_columns(page)), row = (double)(i / n_columns(page));
    CwuRect rect = { MARGIN_PX + column * (page->chart_width + BETWEEN_PX),
                     MARGIN_PX + head_height(page) + row * (page->chart_height + BETWEEN_PX),
                     page->chart_width, page->chart_height };
    cwu_chart_draw(canvas, theme, &page->charts[i], &rect);
  }
}

bool
cwu_chart_page_write(const CwuChartPage *page, const char *path, GError **error)
{
  CwuDrawing drawing = { .width = page_width(page),
                         .height = page_height(page),
                         .scale = page->scale,
                         .title = page->title != NULL ? page->title : "Clew",
                         .draw = draw_page,
                         .data = page };
  return cwu_drawing_check_path(path, error) &&
         cwu_drawing_check_size(drawing.width, drawing.height, drawing.scale, error) &&
         cwu_drawing_write(&drawing, path, error);
}
