/* card-keeper.c - see card-keeper.h. */
#include "graph/card-keeper.h"

#define REST_MS 90
/* Zoomed by more than this since they were chosen, cards are chosen anew on the way. */
#define ZOOM_MOST 1.3

void
cwu_card_keeper_init(CwuCardKeeper *keeper, GSourceFunc rest, gpointer user_data)
{
  *keeper = (CwuCardKeeper){ .rest = rest, .user_data = user_data };
}

void
cwu_card_keeper_clear(CwuCardKeeper *keeper)
{
  g_clear_pointer(&keeper->cards, g_array_unref);
  g_clear_pointer(&keeper->scene, cwu_scene_unref);
  g_clear_pointer(&keeper->layout, cwu_layout_unref);
  g_clear_pointer(&keeper->state, cw_document_state_unref);
  g_clear_handle_id(&keeper->timeout, g_source_remove);
}

static gboolean
rest_cb(gpointer user_data)
{
  CwuCardKeeper *keeper = user_data;
  keeper->timeout = 0;
  cwu_card_keeper_clear(keeper);
  keeper->rest(keeper->user_data);
  return G_SOURCE_REMOVE;
}

static bool
is_still(const CwuCardKeeper *keeper, const CwuPicture *picture)
{
  const CwuCamera *a = &keeper->camera, *b = &picture->camera;
  return keeper->layout == picture->layout && keeper->state == picture->state &&
         a->zoom == b->zoom && a->offset_x == b->offset_x && a->offset_y == b->offset_y &&
         a->plot.x == b->plot.x && a->plot.y == b->plot.y && a->plot.width == b->plot.width &&
         a->plot.height == b->plot.height;
}

static int64_t
selected_of(const CwuPicture *picture)
{
  return picture->focus != NULL ? picture->focus->selected : -1;
}

/* Whether what somebody wrote or moved changes which cards there should be. */
static bool
same_words(const CwDocumentState *a, const CwDocumentState *b)
{
  const CwDocumentParts words =
      CW_DOCUMENT_GRAPH | CW_DOCUMENT_PINS | CW_DOCUMENT_LABELS | CW_DOCUMENT_GROUPS;
  return a == b || (a != NULL && b != NULL && (cw_document_state_compare(a, b) & words) == 0);
}

static void
set_state(CwuCardKeeper *keeper, const CwDocumentState *state)
{
  CwDocumentState *new = state != NULL ? cw_document_state_ref((CwDocumentState *)state) : NULL;
  g_clear_pointer(&keeper->state, cw_document_state_unref);
  keeper->state = new;
}

static bool
can_follow(const CwuCardKeeper *keeper, const CwuPicture *picture)
{
  double zoom = picture->camera.zoom / MAX(keeper->zoom, 1e-9);
  return keeper->cards != NULL && keeper->scene == picture->scene &&
         same_words(keeper->state, picture->state) &&
         keeper->selected == selected_of(picture) &&
         keeper->layout->kind == picture->layout->kind && zoom < ZOOM_MOST &&
         zoom > 1 / ZOOM_MOST;
}

/* False where so few cards are left to be seen that others should be. */
static bool
follow(CwuCardKeeper *keeper, const CwuPicture *picture)
{
  if (2 * cwu_labels_follow(keeper->cards, picture) > keeper->cards->len)
    return false;
  cwu_layout_unref(keeper->layout);
  keeper->layout = cwu_layout_ref((CwuLayout *)picture->layout);
  set_state(keeper, picture->state);
  keeper->camera = picture->camera;
  keeper->number++;
  g_clear_handle_id(&keeper->timeout, g_source_remove);
  keeper->timeout = g_timeout_add(REST_MS, rest_cb, keeper);
  return true;
}

void
cwu_card_keeper_update(CwuCardKeeper *keeper, CwuTextFace *face, const CwuPicture *picture,
                       const CwuRect *blocked, size_t n_blocked)
{
  if (can_follow(keeper, picture) && (is_still(keeper, picture) || follow(keeper, picture)))
    return;
  guint number = keeper->number;
  cwu_card_keeper_clear(keeper);
  keeper->cards = cwu_labels_place_around(face, picture, blocked, n_blocked);
  keeper->scene = cwu_scene_ref((CwuScene *)picture->scene);
  keeper->layout = cwu_layout_ref((CwuLayout *)picture->layout);
  set_state(keeper, picture->state);
  keeper->selected = selected_of(picture);
  keeper->camera = picture->camera;
  keeper->zoom = picture->camera.zoom;
  keeper->number = number + 1;
}
