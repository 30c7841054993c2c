/* row-order.c - a global shuffle that is computed, not stored.
 *
 * Pass p permutes all frames by (seed, p); groups of at least pool_frames frames are mixed row
 * by row by (seed, p, group). Where any row stands follows from these three numbers, so that a
 * stream can be taken up anywhere at the cost of one group. */
#include "activations/row-order.h"

#include "base/rng.h"

#define SEED_OF_ROWS UINT64_C(0x726f77732d637700) /* keeps clear of other uses of a seed */

CwRowOrder *
cw_row_order_new(const CwActivations *activations, const CwStreamOptions *options,
                 GError **error)
{
  g_autoptr(CwRowOrder) order = g_new0(CwRowOrder, 1);
  order->activations = activations;
  order->options = *options;
  order->pass = -1;
  gsize n = (gsize)activations->n_frames;
  order->frames = g_try_new(int64_t, MAX(n, 1));
  order->counts = g_try_new(int32_t, MAX(n, 1));
  order->order = g_try_new(int64_t, MAX(n, 1));
  if (order->frames == NULL || order->counts == NULL || order->order == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "ordering activations");
    return NULL;
  }
  for (int64_t i = 0; i < activations->n_frames; i++) {
    int32_t count;
    if (!cw_activations_select(activations, i, options->held_out_fraction, options->part, NULL,
                               &count, error))
      return NULL;
    if (count == 0)
      continue;
    order->frames[order->n_frames] = i;
    order->counts[order->n_frames++] = count;
    order->n_rows += count;
  }
  int64_t size = options->is_shuffled ? activations->pool_frames : activations->ordered_frames;
  order->n_groups = options->is_shuffled ? MAX(order->n_frames / size, 1)
                                         : (order->n_frames + size - 1) / size;
  order->starts = g_new(int64_t, (gsize)order->n_groups + 1);
  return g_steal_pointer(&order);
}

void
cw_row_order_free(CwRowOrder *order)
{
  if (order == NULL)
    return;
  g_free(order->frames);
  g_free(order->counts);
  g_free(order->order);
  g_free(order->starts);
  g_free(order);
}

void
cw_row_order_get_group(const CwRowOrder *order, int64_t group, int64_t *first, int64_t *end)
{
  /* In 128 bits, since both factors may have 40. */
  *first = (int64_t)((__int128)group * order->n_frames / order->n_groups);
  *end = (int64_t)((__int128)(group + 1) * order->n_frames / order->n_groups);
}

void
cw_row_order_set_pass(CwRowOrder *order, int64_t pass)
{
  if (order->pass == pass)
    return;
  order->pass = pass;
  for (int64_t i = 0; i < order->n_frames; i++)
    order->order[i] = i;
  CwRng rng = { .seed = order->options.seed ^ SEED_OF_ROWS, .stream = (uint64_t)pass << 32 };
  for (int64_t i = order->n_frames - 1; order->options.is_shuffled && i > 0; i--) {
    int64_t j = (int64_t)cw_rng_next_below(&rng, (uint64_t)i + 1);
    int64_t other = order->order[j];
    order->order[j] = order->order[i];
    order->order[i] = other;
  }
  int64_t row = 0;
  for (int64_t group = 0; group < order->n_groups; group++) {
    int64_t first, end;
    cw_row_order_get_group(order, group, &first, &end);
    order->starts[group] = row;
    for (int64_t i = first; i < end; i++)
      row += order->counts[order->order[i]];
  }
  order->starts[order->n_groups] = row;
}

int64_t
cw_row_order_find_group(const CwRowOrder *order, int64_t row)
{
  int64_t low = 0, high = order->n_groups - 1;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    if (order->starts[middle] <= row)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

void
cw_row_order_mix(const CwRowOrder *order, int64_t group, CwRowRef *rows, int64_t n)
{
  if (!order->options.is_shuffled)
    return;
  CwRng rng = { .seed = order->options.seed ^ SEED_OF_ROWS,
                .stream = ((uint64_t)order->pass << 32) + (uint64_t)group + 1 };
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)cw_rng_next_below(&rng, (uint64_t)i + 1);
    CwRowRef other = rows[j];
    rows[j] = rows[i];
    rows[i] = other;
  }
}
