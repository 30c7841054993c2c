/* layout-runner.h - lets a force-directed layout settle on a thread of its own, and hands what
 * it looks like to the main loop, at most sixty times a second. No widget in here.
 *
 * All functions are for the thread that made the runner; they return at once. Commands are
 * carried out in the order given. Settled or paused, the thread sleeps. */
#pragma once

#include "cw-layout.h"

/* Positions at one moment; immutable, reference counted, for any thread. */
typedef struct {
  gint n_references;
  guint generation; /* of the selection laid out: what start or update returned */
  guint64 number;   /* grows with every snapshot of a runner */
  size_t n_nodes;
  const float *x, *y; /* [n_nodes] diameters, y upwards */
  bool is_settled;
} CwuLayoutSnapshot;

CwuLayoutSnapshot *cwu_layout_snapshot_ref(CwuLayoutSnapshot *snapshot);
void cwu_layout_snapshot_unref(CwuLayoutSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuLayoutSnapshot, cwu_layout_snapshot_unref)

typedef struct _CwuLayoutRunner CwuLayoutRunner;

/* Called in the main context that is the thread's default when the runner is made. snapshot is
 * NULL where error says why there is no layout; both are borrowed. May free the runner. */
typedef void (*CwuLayoutMovedCb)(CwuLayoutSnapshot *snapshot, const GError *error,
                                 gpointer user_data);

CwuLayoutRunner *cwu_layout_runner_new(CwuLayoutMovedCb moved, gpointer user_data);
/* No callback comes any more. The thread ends by itself after the step under way. */
void cwu_layout_runner_free(CwuLayoutRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuLayoutRunner, cwu_layout_runner_free)

/* A new layout. The graph is copied. Returns the generation its snapshots will carry. */
guint cwu_layout_runner_start(CwuLayoutRunner *runner, const CwForceGraph *graph,
                              const CwForceOptions *options);
/* Another selection: previous[i] is node i's index in the selection given last, or -1. Updates
 * that follow each other faster than they can be shown become one. */
guint cwu_layout_runner_update(CwuLayoutRunner *runner, const CwForceGraph *graph,
                               const int64_t *previous);

/* Indices of these four are of the selection given last. */
void cwu_layout_runner_drag(CwuLayoutRunner *runner, size_t node, float x, float y);
/* The end of a drag: the node stays where it is, or moves with the others again. */
void cwu_layout_runner_release(CwuLayoutRunner *runner, size_t node, bool stays);
void cwu_layout_runner_reheat(CwuLayoutRunner *runner, double amount);
void cwu_layout_runner_set_gravity(CwuLayoutRunner *runner, double gravity);

/* Paused, commands are carried out and shown, but nothing moves by itself. */
void cwu_layout_runner_set_paused(CwuLayoutRunner *runner, bool is_paused);
/* Only settled layouts are handed out (for those whom motion disturbs). */
void cwu_layout_runner_set_reduced_motion(CwuLayoutRunner *runner, bool is_reduced);
