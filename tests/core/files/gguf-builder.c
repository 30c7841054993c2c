/* gguf-builder.c - see gguf-builder.h. */
#include "gguf-builder.h"

#include <string.h>

void
gguf_u8(GByteArray *out, uint8_t value)
{
  g_byte_array_append(out, &value, 1);
}

void
gguf_u32(GByteArray *out, uint32_t value)
{
  g_byte_array_append(out, (const uint8_t *)&value, sizeof value);
}

void
gguf_u64(GByteArray *out, uint64_t value)
{
  g_byte_array_append(out, (const uint8_t *)&value, sizeof value);
}

void
gguf_f32(GByteArray *out, float value)
{
  g_byte_array_append(out, (const uint8_t *)&value, sizeof value);
}

void
gguf_string(GByteArray *out, const char *text, size_t n)
{
  gguf_u64(out, n);
  g_byte_array_append(out, (const uint8_t *)text, (guint)n);
}

GByteArray *
gguf_begin(uint32_t version, uint64_t n_tensors, uint64_t n_pairs)
{
  GByteArray *out = g_byte_array_new();
  g_byte_array_append(out, (const uint8_t *)"GGUF", 4);
  gguf_u32(out, version);
  gguf_u64(out, n_tensors);
  gguf_u64(out, n_pairs);
  return out;
}

void
gguf_key(GByteArray *out, const char *key, uint32_t kind)
{
  gguf_string(out, key, strlen(key));
  gguf_u32(out, kind);
}

void
gguf_tensor(GByteArray *out, const char *name, uint32_t n_dims, const uint64_t *dims,
            uint32_t type, uint64_t offset)
{
  gguf_string(out, name, strlen(name));
  gguf_u32(out, n_dims);
  for (uint32_t i = 0; i < n_dims; i++)
    gguf_u64(out, dims[i]);
  gguf_u32(out, type);
  gguf_u64(out, offset);
}

void
gguf_data(GByteArray *out, size_t alignment, size_t n)
{
  while (out->len % alignment != 0)
    gguf_u8(out, 0);
  for (size_t i = 0; i < n; i++)
    gguf_u8(out, (uint8_t)i);
}

static void
put_scalars(GByteArray *out)
{
  gguf_key(out, "k.u8", GGUF_U8);
  gguf_u8(out, 200);
  gguf_key(out, "k.i8", GGUF_I8);
  gguf_u8(out, 0xfe);
  gguf_key(out, "k.u32", GGUF_U32);
  gguf_u32(out, 4000000000u);
  gguf_key(out, "k.i32", GGUF_I32);
  gguf_u32(out, (uint32_t)-5);
  gguf_key(out, "k.u64", GGUF_U64);
  gguf_u64(out, UINT64_MAX);
  gguf_key(out, "k.f32", GGUF_F32);
  gguf_f32(out, 0.5f);
  gguf_key(out, "k.bool", GGUF_BOOL);
  gguf_u8(out, 1);
  gguf_key(out, "k.string", GGUF_STRING);
  gguf_string(out, "text", 4);
}

static void
put_arrays(GByteArray *out)
{
  gguf_key(out, "a.strings", GGUF_ARRAY);
  gguf_u32(out, GGUF_STRING);
  gguf_u64(out, 3);
  gguf_string(out, "ab", 2);
  gguf_string(out, "\0x", 2);
  gguf_string(out, "", 0);
  gguf_key(out, "a.ints", GGUF_ARRAY);
  gguf_u32(out, GGUF_I32);
  gguf_u64(out, 2);
  gguf_u32(out, (uint32_t)-1);
  gguf_u32(out, 7);
  gguf_key(out, "a.floats", GGUF_ARRAY);
  gguf_u32(out, GGUF_F32);
  gguf_u64(out, 2);
  gguf_f32(out, 1.5f);
  gguf_f32(out, -2);
  gguf_key(out, "a.none", GGUF_ARRAY);
  gguf_u32(out, GGUF_U8);
  gguf_u64(out, 0);
}

GByteArray *
gguf_valid(void)
{
  GByteArray *out = gguf_begin(3, 4, 12);
  put_scalars(out);
  put_arrays(out);
  gguf_tensor(out, "f32", 2, (uint64_t[]){ 4, 3 }, 0, 0);    /* 48 bytes */
  gguf_tensor(out, "q8_0", 2, (uint64_t[]){ 64, 2 }, 8, 64); /* 136 bytes */
  gguf_tensor(out, "q6_k", 1, (uint64_t[]){ 256 }, 14, 224); /* 210 bytes */
  gguf_tensor(out, "scalar", 0, NULL, 1, 448);               /* 2 bytes */
  gguf_data(out, 32, 450);
  return out;
}
