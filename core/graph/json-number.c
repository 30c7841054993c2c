/* json-number.c - see json-number.h.
 *
 * Reading: up to 19 digits fit a 64-bit integer, and powers of ten up to 10^27 are exact in a
 * long double of 64 bits, so one division gives the value rounded to 64 bits (Clinger, 1990).
 * Rounding that to a double can only go wrong if it lies half-way between two doubles; then,
 * and for longer numbers, the C library's slower reader decides. */
#include "graph/json-number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool
is_digit(char c)
{
  return (unsigned char)(c - '0') < 10;
}

static size_t
word_span(const char *text)
{
  static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_str_has_prefix(text, words[i]))
      return strlen(words[i]);
  return 0;
}

typedef struct {
  uint64_t digits; /* without the point; valid if n_digits <= 19 */
  int n_digits;
  int64_t exponent; /* of ten */
  bool is_negative;
} Decimal;

static inline const char *
read_digits(const char *at, Decimal *decimal)
{
  for (; is_digit(*at); at++) {
    if (decimal->n_digits > 0 || *at != '0')
      decimal->n_digits++;
    decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
  }
  return at;
}

/* The end of the exponent at `at`, or NULL. */
static const char *
read_exponent(const char *at, int64_t *exponent)
{
  bool is_negative = *++at == '-';
  int64_t value = 0;
  if (*at == '-' || *at == '+')
    at++;
  if (!is_digit(*at))
    return NULL;
  for (; is_digit(*at); at++)
    value = MIN(value * 10 + (*at - '0'), 1000000);
  *exponent += is_negative ? -value : value;
  return at;
}

static size_t
read_decimal(const char *text, Decimal *decimal)
{
  const char *at = text;
  *decimal = (Decimal){ .is_negative = *at == '-' };
  at += decimal->is_negative;
  if (!is_digit(*at) || (at[0] == '0' && is_digit(at[1])))
    return 0;
  at = read_digits(at, decimal);
  if (*at == '.') {
    const char *point = at + 1;
    at = read_digits(point, decimal);
    if (at == point)
      return 0;
    decimal->exponent = -(at - point);
  }
  if ((*at == 'e' || *at == 'E') && (at = read_exponent(at, &decimal->exponent)) == NULL)
    return 0;
  return (size_t)(at - text);
}

size_t
cw_json_number_span(const char *text)
{
  Decimal decimal;
  size_t n = read_decimal(text, &decimal);
  return n > 0 ? n : word_span(text);
}

#if LDBL_MANT_DIG == 64
static bool
value_of_decimal(const Decimal *decimal, double *value)
{
  static const long double powers[] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
    1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
    1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L,
  };
  if (decimal->n_digits > 19 || decimal->exponent < -27 || decimal->exponent > 27)
    return false;
  long double exact = (long double)decimal->digits;
  exact = decimal->exponent < 0 ? exact / powers[-decimal->exponent]
                                : exact * powers[decimal->exponent];
  uint64_t mantissa;
  memcpy(&mantissa, &exact, sizeof mantissa);
  if ((mantissa & 0x7ff) == 0x400)
    return false;
  *value = decimal->is_negative ? -(double)exact : (double)exact;
  return true;
}
#else
static bool
value_of_decimal(const Decimal *decimal, double *value)
{
  return false;
}
#endif

size_t
cw_json_number_parse(const char *text, double *value)
{
  Decimal decimal;
  size_t n = read_decimal(text, &decimal);
  if (n == 0) {
    n = word_span(text);
    *value = n == 3 ? NAN : *text == '-' ? -INFINITY : INFINITY;
    return n;
  }
  if (!value_of_decimal(&decimal, value))
    *value = g_ascii_strtod(text, NULL);
  return n;
}

/* digits: "ddd", the value being 0.ddd * 10^point. */
static size_t
lay_out(bool is_negative, const char *digits, int n, int point, char *text)
{
  char *out = text;
  if (is_negative)
    *out++ = '-';
  if (point < -3 || point > 16) {
    *out++ = digits[0];
    if (n > 1) {
      *out++ = '.';
      memcpy(out, digits + 1, (size_t)(n - 1));
      out += n - 1;
    }
    out += sprintf(out, "e%c%02d", point < 1 ? '-' : '+', ABS(point - 1));
    return (size_t)(out - text);
  }
  if (point <= 0) {
    out += sprintf(out, "0.%.*s", -point, "000");
    memcpy(out, digits, (size_t)n);
    out += n;
  } else {
    for (int i = 0; i < MAX(n, point); i++) {
      if (i == point)
        *out++ = '.';
      *out++ = i < n ? digits[i] : '0';
    }
    if (n <= point)
      out += sprintf(out, ".0");
  }
  *out = '\0';
  return (size_t)(out - text);
}

/* "d.ddde+xx" to its digits without trailing zeros, and the place of the point. */
static int
split_scientific(const char *text, char *digits, int *point)
{
  int n = 0;
  for (; *text != 'e'; text++)
    if (is_digit(*text))
      digits[n++] = *text;
  *point = atoi(text + 1) + 1;
  while (n > 1 && digits[n - 1] == '0')
    n--;
  return n;
}

size_t
cw_json_number_format(double value, char text[CW_JSON_NUMBER_BYTES])
{
  char scientific[CW_JSON_NUMBER_BYTES], digits[CW_JSON_NUMBER_BYTES];
  if (!isfinite(value))
    return (size_t)sprintf(text, "null");
  if (value == 0)
    return (size_t)sprintf(text, signbit(value) ? "-0.0" : "0.0");
  double magnitude = fabs(value), back = 0;
  for (int precision = 15; precision <= 17; precision++) {
    char *to = scientific;
    g_ascii_formatd(scientific, sizeof scientific,
                    precision == 15   ? "%.14e"
                    : precision == 16 ? "%.15e"
                                      : "%.16e",
                    magnitude);
    cw_json_number_parse(to, &back);
    if (back == magnitude)
      break;
  }
  int point, n = split_scientific(scientific, digits, &point);
  return lay_out(value < 0, digits, n, point, text);
}
