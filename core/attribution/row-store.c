/* row-store.c - see row-store.h. */
#include "attribution/row-store.h"

CwRowStore *
cw_row_store_new(const CwReplacement *replacement)
{
  CwRowStore *store = g_new0(CwRowStore, 1);
  int64_t L = replacement->n_layers, T = replacement->n_positions;
  store->replacement = replacement;
  store->rows = g_array_new(FALSE, FALSE, sizeof(CwRow));
  store->chunks = g_ptr_array_new_with_free_func(g_free);
  store->chunk_end = g_array_new(FALSE, FALSE, sizeof(guint));
  store->prefix = g_new(int64_t, (L + 1) * (T + 1));
  for (int64_t l = 0; l <= L; l++) {
    int64_t *prefix = store->prefix + l * (T + 1);
    prefix[0] = 0;
    for (int64_t p = 0; p < T; p++) {
      const int64_t *cells = replacement->cell_start + p * L;
      prefix[p + 1] = prefix[p] + (cells[l] - cells[0]) + l + 1;
    }
  }
  return store;
}

void
cw_row_store_free(CwRowStore *store)
{
  if (store == NULL)
    return;
  g_array_unref(store->rows);
  g_ptr_array_unref(store->chunks);
  g_array_unref(store->chunk_end);
  g_free(store->prefix);
  g_free(store);
}

int64_t
cw_row_store_block(const CwRowStore *store, int64_t layer, int64_t p)
{
  return store->prefix[layer * (store->replacement->n_positions + 1) + p];
}

int64_t
cw_row_store_length(const CwRowStore *store, int64_t layer, int64_t position)
{
  return cw_row_store_block(store, layer, position + 1);
}

int64_t
cw_row_store_error(const CwRowStore *store, int64_t layer, int64_t l, int64_t p)
{
  return cw_row_store_block(store, layer, p + 1) - 1 - layer + l;
}

int64_t
cw_row_store_token(const CwRowStore *store, int64_t layer, int64_t p)
{
  return cw_row_store_block(store, layer, p + 1) - 1;
}

bool
cw_row_store_append(CwRowStore *store, const CwRow *rows, size_t n, size_t *first,
                    GError **error)
{
  size_t n_values = 0;
  for (size_t i = 0; i < n; i++)
    n_values += (size_t)cw_row_store_length(store, rows[i].layer, rows[i].position);
  float *chunk = g_try_new0(float, MAX(n_values, 1));
  if (chunk == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "No memory for %zu more rows (%.1f MiB) after %u; ask for fewer feature nodes",
                n, (double)n_values * sizeof(float) / 1048576.0, store->rows->len);
    return false;
  }
  g_ptr_array_add(store->chunks, chunk);
  *first = store->rows->len;
  for (size_t i = 0; i < n; i++) {
    CwRow row = rows[i];
    row.values = chunk;
    row.sum_abs = row.rest = 0;
    chunk += cw_row_store_length(store, row.layer, row.position);
    g_array_append_val(store->rows, row);
  }
  g_array_append_val(store->chunk_end, store->rows->len);
  return true;
}

void
cw_row_store_drop_chunk(CwRowStore *store, guint chunk)
{
  guint end = g_array_index(store->chunk_end, guint, chunk);
  for (guint i = chunk > 0 ? g_array_index(store->chunk_end, guint, chunk - 1) : 0; i < end;
       i++)
    g_array_index(store->rows, CwRow, i).values = NULL;
  g_clear_pointer(&g_ptr_array_index(store->chunks, chunk), g_free);
}
