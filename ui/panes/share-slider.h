/* share-slider.h - one number of the document between 0 and 1: a name, a slider and the exact
 * value to type. A drag is one step of the history. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

typedef enum {
  CWU_SHARE_NODES,  /* node threshold */
  CWU_SHARE_EDGES,  /* edge threshold */
  CWU_SHARE_GRAVITY /* how far the force view keeps layers and tokens in order; no number */
} CwuShare;

#define CWU_TYPE_SHARE_SLIDER (cwu_share_slider_get_type())
G_DECLARE_FINAL_TYPE(CwuShareSlider, cwu_share_slider, CWU, SHARE_SLIDER, GtkWidget)

GtkWidget *cwu_share_slider_new(CwuDocument *document, CwuShare share);

/* A place of the slider, 0..1, as a value, and back. The value is what is shown, digit for
 * digit. */
double cwu_share_at_place(CwuShare share, double place);
double cwu_share_place_of(CwuShare share, double value);
/* "0.80", "0.9925": at least two digits, no more than tell. Transfer full. */
char *cwu_share_dup_text(double value);

G_END_DECLS
