/* node-table.c - open addressing over indices. GHashTable wants a NUL behind every key; the
 * ends of links are looked up where they stand in the file, a million times and more. */
#include "graph/node-table.h"

#include <string.h>

static uint32_t
hash_bytes(const char *at, size_t n)
{
  uint64_t hash = 0x9E3779B97F4A7C15u ^ n;
  for (; n >= 8; n -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 29;
  }
  uint64_t rest = 0;
  memcpy(&rest, at, n);
  hash = (hash ^ rest) * 0x94D049BB133111EBu;
  return (uint32_t)(hash ^ hash >> 32);
}

void
cw_node_table_clear(CwNodeTable *table)
{
  g_free(table->slot);
  g_free(table->hash);
  memset(table, 0, sizeof *table);
}

/* The slot of this id, or the free one where it belongs. */
static size_t
find_slot(const CwNodeTable *table, char *const *ids, const char *id, size_t n, uint32_t hash)
{
  size_t mask = table->n_slots - 1, i = hash & mask;
  for (; table->slot[i] != 0; i = (i + 1) & mask) {
    const char *other = ids[table->slot[i] - 1];
    if (table->hash[i] == hash && strncmp(other, id, n) == 0 && other[n] == '\0')
      break;
  }
  return i;
}

int64_t
cw_node_table_find(const CwNodeTable *table, char *const *ids, const char *id, size_t n)
{
  if (table->n_slots == 0)
    return -1;
  return (int64_t)table->slot[find_slot(table, ids, id, n, hash_bytes(id, n))] - 1;
}

static bool
grow(CwNodeTable *table)
{
  CwNodeTable bigger = { .n_slots = MAX(table->n_slots * 2, 1024), .n_used = table->n_used };
  bigger.slot = g_try_malloc0_n(bigger.n_slots, sizeof *bigger.slot);
  bigger.hash = g_try_malloc_n(bigger.n_slots, sizeof *bigger.hash);
  if (bigger.slot == NULL || bigger.hash == NULL) {
    cw_node_table_clear(&bigger);
    return false;
  }
  size_t mask = bigger.n_slots - 1;
  for (size_t k = 0; k < table->n_slots; k++) {
    if (table->slot[k] == 0)
      continue;
    size_t i = table->hash[k] & mask;
    while (bigger.slot[i] != 0)
      i = (i + 1) & mask;
    bigger.slot[i] = table->slot[k];
    bigger.hash[i] = table->hash[k];
  }
  cw_node_table_clear(table);
  *table = bigger;
  return true;
}

bool
cw_node_table_add(CwNodeTable *table, char *const *ids, uint32_t index, bool *is_new)
{
  if (table->n_used * 2 >= table->n_slots && !grow(table))
    return false;
  size_t n = strlen(ids[index]);
  uint32_t hash = hash_bytes(ids[index], n);
  size_t i = find_slot(table, ids, ids[index], n, hash);
  *is_new = table->slot[i] == 0;
  if (*is_new) {
    table->slot[i] = index + 1;
    table->hash[i] = hash;
    table->n_used++;
  }
  return true;
}
