/* row-order.h - which row stands where in a stream over a store. */
#pragma once

#include "activations/activations-private.h"

/* Frames of the part in the order of one pass, cut into groups that are mixed row by row. */
typedef struct {
  const CwActivations *activations;
  CwStreamOptions options;
  int64_t n_frames; /* that hold rows of the part */
  int64_t *frames;  /* [n_frames] ascending */
  int32_t *counts;  /* [n_frames] rows of the part */
  int64_t n_rows;   /* of one pass */
  int64_t n_groups;
  int64_t pass;
  int64_t *order;  /* [n_frames] indices into frames, as this pass has them */
  int64_t *starts; /* [n_groups + 1] first row of each group within the pass */
} CwRowOrder;

CwRowOrder *cw_row_order_new(const CwActivations *activations, const CwStreamOptions *options,
                             GError **error);
void cw_row_order_free(CwRowOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRowOrder, cw_row_order_free)
void cw_row_order_set_pass(CwRowOrder *order, int64_t pass);
/* The group that holds a row of the pass. */
int64_t cw_row_order_find_group(const CwRowOrder *order, int64_t row);
/* First and end index into `order` of a group's frames. */
void cw_row_order_get_group(const CwRowOrder *order, int64_t group, int64_t *first,
                            int64_t *end);
/* The group's rows from the order in which its frames hold them to that of the stream. */
void cw_row_order_mix(const CwRowOrder *order, int64_t group, CwRowRef *rows, int64_t n);
