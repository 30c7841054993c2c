/* node-table.h - from a node's id to its index. */
#pragma once

#include "cw-base.h"

typedef struct {
  uint32_t *slot; /* [n_slots] index + 1, 0 for none */
  uint32_t *hash; /* [n_slots] */
  size_t n_slots; /* a power of two, or 0 */
  size_t n_used;
} CwNodeTable;

void cw_node_table_clear(CwNodeTable *table);
/* The index of the node whose id is the n bytes at id, or -1. */
int64_t cw_node_table_find(const CwNodeTable *table, char *const *ids, const char *id,
                           size_t n);
/* Adds ids[index] unless that id is there already: then *is_new is false. False: no memory. */
bool cw_node_table_add(CwNodeTable *table, char *const *ids, uint32_t index, bool *is_new);
