/* label-placer.c - greedy placement over a grid of buckets: labels come in order of importance,
 * each takes the first free place of eight. Cost per label O(rectangles in the few buckets it
 * touches). A global optimum (simulated annealing and the like) would let labels jump when one
 * is added; greedy keeps the important ones where they are. */
#include "picture/label-placer.h"

#include <math.h>

#define BUCKET_PX 40.0
#define GAP_PX    3.0
#define STEP_PX   3.0

struct _CwuLabelPlacer {
  CwuRect bounds;
  int n_columns, n_rows;
  GArray **buckets; /* [n_rows * n_columns] of CwuRect, made on first use */
};

CwuLabelPlacer *
cwu_label_placer_new(const CwuRect *bounds)
{
  CwuLabelPlacer *placer = g_new0(CwuLabelPlacer, 1);
  placer->bounds = *bounds;
  placer->n_columns = (int)CLAMP(ceil(bounds->width / BUCKET_PX), 1, 1024);
  placer->n_rows = (int)CLAMP(ceil(bounds->height / BUCKET_PX), 1, 1024);
  placer->buckets = g_new0(GArray *, (size_t)placer->n_columns * (size_t)placer->n_rows);
  return placer;
}

void
cwu_label_placer_free(CwuLabelPlacer *placer)
{
  if (placer == NULL)
    return;
  for (int i = 0; i < placer->n_columns * placer->n_rows; i++)
    g_clear_pointer(&placer->buckets[i], g_array_unref);
  g_free(placer->buckets);
  g_free(placer);
}

static void
bucket_range(const CwuLabelPlacer *placer, const CwuRect *rect, int range[4])
{
  double x = rect->x - placer->bounds.x, y = rect->y - placer->bounds.y;
  range[0] = (int)CLAMP(floor(x / BUCKET_PX), 0, placer->n_columns - 1);
  range[1] = (int)CLAMP(floor((x + rect->width) / BUCKET_PX), 0, placer->n_columns - 1);
  range[2] = (int)CLAMP(floor(y / BUCKET_PX), 0, placer->n_rows - 1);
  range[3] = (int)CLAMP(floor((y + rect->height) / BUCKET_PX), 0, placer->n_rows - 1);
}

void
cwu_label_placer_block(CwuLabelPlacer *placer, const CwuRect *rect)
{
  int range[4];
  if (!cwu_rect_overlaps(rect, &placer->bounds))
    return;
  bucket_range(placer, rect, range);
  for (int row = range[2]; row <= range[3]; row++)
    for (int column = range[0]; column <= range[1]; column++) {
      GArray **bucket = &placer->buckets[row * placer->n_columns + column];
      if (*bucket == NULL)
        *bucket = g_array_new(FALSE, FALSE, sizeof(CwuRect));
      g_array_append_val(*bucket, *rect);
    }
}

bool
cwu_label_placer_is_free(const CwuLabelPlacer *placer, const CwuRect *rect)
{
  int range[4];
  if (!cwu_rect_contains_rect(&placer->bounds, rect))
    return false;
  bucket_range(placer, rect, range);
  for (int row = range[2]; row <= range[3]; row++)
    for (int column = range[0]; column <= range[1]; column++) {
      const GArray *bucket = placer->buckets[row * placer->n_columns + column];
      for (guint i = 0; bucket != NULL && i < bucket->len; i++)
        if (cwu_rect_overlaps(&g_array_index(bucket, CwuRect, i), rect))
          return false;
    }
  return true;
}

/* Whether a line runs over blocked ground inside the bounds; in steps that are short beside
 * what it must not cross. */
static bool
is_crossed(const CwuLabelPlacer *placer, CwuPoint from, CwuPoint to)
{
  int n = (int)CLAMP(hypot(to.x - from.x, to.y - from.y) / STEP_PX, 1, 4096);
  for (int i = 0; i <= n; i++) {
    double x = from.x + (to.x - from.x) * i / n, y = from.y + (to.y - from.y) * i / n;
    CwuRect point = { x - 0.5, y - 0.5, 1, 1 };
    if (cwu_rect_contains_rect(&placer->bounds, &point) &&
        !cwu_label_placer_is_free(placer, &point))
      return true;
  }
  return false;
}

/* From outside of the square that a point of this radius blocks to the card's nearest point. */
static bool
has_clear_leader(const CwuLabelPlacer *placer, CwuPoint at, double radius, const CwuRect *card)
{
  CwuPoint to = { CLAMP(at.x, card->x, card->x + card->width),
                  CLAMP(at.y, card->y, card->y + card->height) };
  double length = hypot(to.x - at.x, to.y - at.y), start = (radius + GAP_PX) * G_SQRT2;
  if (length <= start)
    return true;
  CwuPoint from = { at.x + (to.x - at.x) * start / length,
                    at.y + (to.y - at.y) * start / length };
  return !is_crossed(placer, from, to);
}

bool
cwu_label_placer_place(CwuLabelPlacer *placer, CwuPoint at, double radius, double off,
                       CwuRect *card)
{
  double width = card->width, height = card->height;
  double side = radius + off + GAP_PX, corner = (radius + off) * 0.7 + 1;
  const CwuPoint places[] = {
    { at.x + side, at.y - height / 2 },
    { at.x - side - width, at.y - height / 2 },
    { at.x - width / 2, at.y - side - height },
    { at.x - width / 2, at.y + side },
    { at.x + corner, at.y - corner - height },
    { at.x - corner - width, at.y - corner - height },
    { at.x + corner, at.y + corner },
    { at.x - corner - width, at.y + corner },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
    CwuRect rect = { places[i].x, places[i].y, width, height };
    if (!cwu_label_placer_is_free(placer, &rect) ||
        (off > 0 && !has_clear_leader(placer, at, radius, &rect)))
      continue;
    cwu_label_placer_block(placer, &rect);
    *card = rect;
    return true;
  }
  return false;
}
