/* document-builder.c - see document-builder.h. Written from the format's description, apart
 * from the writer under test. */
#include "document-builder.h"

#include <string.h>
#include <zstd.h>

#define HEADER_BYTES 32
#define ENTRY_BYTES  32

static void
append_number(GByteArray *out, uint64_t value, int n_bytes)
{
  for (int i = 0; i < n_bytes; i++) {
    uint8_t byte = (uint8_t)(value >> (8 * i));
    g_byte_array_append(out, &byte, 1);
  }
}

static GByteArray *
pack(const DocumentSection *section)
{
  GByteArray *packed = g_byte_array_new();
  g_byte_array_set_size(packed, (guint)ZSTD_compressBound(section->n));
  ZSTD_CCtx *zstd = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
  size_t n = ZSTD_compress2(zstd, packed->data, packed->len, section->data, section->n);
  ZSTD_freeCCtx(zstd);
  if (ZSTD_isError(n))
    g_error("%s", ZSTD_getErrorName(n));
  g_byte_array_set_size(packed, (guint)n);
  return packed;
}

void
document_seal(GByteArray *document)
{
  uint64_t hash = 0xcbf29ce484222325u;
  uint32_t n_sections;
  memcpy(&n_sections, document->data + 12, 4);
  size_t n = HEADER_BYTES + (size_t)GUINT32_FROM_LE(n_sections) * ENTRY_BYTES;
  memset(document->data + 24, 0, 8);
  for (size_t i = 0; i < n && i < document->len; i++)
    hash = (hash ^ document->data[i]) * 0x100000001b3u;
  hash = GUINT64_TO_LE(hash);
  memcpy(document->data + 24, &hash, 8);
}

size_t
document_entry(size_t i)
{
  return HEADER_BYTES + i * ENTRY_BYTES;
}

GByteArray *
document_build(const DocumentSection *sections, size_t n)
{
  GByteArray *out = g_byte_array_new();
  g_autoptr(GByteArray) body = g_byte_array_new();
  g_byte_array_append(out, (const guint8 *)"CLEWDOC\n", 8);
  append_number(out, 1, 4);
  append_number(out, n, 4);
  append_number(out, 0, 8); /* length and hash: below */
  append_number(out, 0, 8);
  for (size_t i = 0; i < n; i++) {
    g_autoptr(GByteArray) packed = pack(&sections[i]);
    append_number(out, sections[i].kind, 4);
    append_number(out, 0, 4);
    append_number(out, body->len, 8);
    append_number(out, packed->len, 8);
    append_number(out, sections[i].n, 8);
    g_byte_array_append(body, packed->data, packed->len);
  }
  g_byte_array_append(out, body->data, body->len);
  uint64_t length = GUINT64_TO_LE((uint64_t)out->len);
  memcpy(out->data + 16, &length, 8);
  document_seal(out);
  return out;
}
