/* transcoder-hash.c - the identity of a transcoder's files, description included. */
#include "clt/transcoder.h"

#include "files/file-identity.h"

static char *
compute_hash(const CwTranscoder *transcoder)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  for (guint i = 0; i < transcoder->files->len; i++)
    g_ptr_array_add(paths, (gpointer)cw_tensor_file_peek_path(transcoder->files->pdata[i]));
  for (guint i = 0; i < transcoder->side_files->len; i++)
    g_ptr_array_add(paths, transcoder->side_files->pdata[i]);
  return cw_files_dup_identity(paths);
}

const char *
cw_transcoder_get_hash(CwTranscoder *transcoder)
{
  g_mutex_lock(&transcoder->hash_lock);
  if (transcoder->hash == NULL)
    transcoder->hash = compute_hash(transcoder);
  g_mutex_unlock(&transcoder->hash_lock);
  return transcoder->hash;
}
