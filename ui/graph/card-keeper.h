/* card-keeper.h - the cards of a moving picture: chosen where they do not overlap, then carried
 * along with their nodes, and chosen anew when the picture has come to rest. A card that hopped
 * from one side of its node to the other at each step of a pan could not be read. */
#pragma once

#include "picture/label-painter.h"

typedef struct {
  GArray *cards; /* CwuCard; NULL: to be chosen */
  guint number;  /* of this choice and place of cards */
  /* Chosen and last carried for: */
  CwuScene *scene;
  CwuLayout *layout;
  CwDocumentState *state;
  int64_t selected; /* of the scene */
  CwuCamera camera;
  double zoom; /* when chosen */
  guint timeout;
  GSourceFunc rest; /* called when cards want to be chosen anew */
  gpointer user_data;
} CwuCardKeeper;

void cwu_card_keeper_init(CwuCardKeeper *keeper, GSourceFunc rest, gpointer user_data);
void cwu_card_keeper_clear(CwuCardKeeper *keeper); /* As well: chooses anew next time. */
/* Brings the cards up to date; they keep off the blocked ground when they are chosen. */
void cwu_card_keeper_update(CwuCardKeeper *keeper, CwuTextFace *face, const CwuPicture *picture,
                            const CwuRect *blocked, size_t n_blocked);
