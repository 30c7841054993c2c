/* context.c - see context.h. */
#include "window/context.h"

struct _CwuContext {
  GObject parent_instance;
  CwuPlaces places;
  CwuAutosaveStore *store;
};

G_DEFINE_TYPE(CwuContext, cwu_context, G_TYPE_OBJECT)

const CwuPlaces *
cwu_context_peek_places(CwuContext *self)
{
  return &self->places;
}

CwuAutosaveStore *
cwu_context_peek_store(CwuContext *self)
{
  return self->store;
}

static void
cwu_context_finalize(GObject *object)
{
  CwuContext *self = CWU_CONTEXT(object);
  g_free((char *)self->places.samples);
  g_free((char *)self->places.model);
  g_free((char *)self->places.transcoder);
  cwu_autosave_store_unref(self->store);
  G_OBJECT_CLASS(cwu_context_parent_class)->finalize(object);
}

static void
cwu_context_class_init(CwuContextClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_context_finalize;
}

static void
cwu_context_init(CwuContext *self)
{
  self->store = cwu_autosave_store_new(NULL);
}

CwuContext *
cwu_context_new(const CwuPlaces *places)
{
  CwuContext *self = g_object_new(CWU_TYPE_CONTEXT, NULL);
  self->places.samples = g_strdup(places->samples);
  self->places.model = g_strdup(places->model);
  self->places.transcoder = g_strdup(places->transcoder);
  return self;
}
