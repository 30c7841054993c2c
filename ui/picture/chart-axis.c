/* chart-axis.c - see chart-axis.h. Ticks are 1, 2 or 5 times a power of ten apart; on a log
 * axis they are 1, 2, 5 of each power, or powers alone where those would be too close. */
#include "picture/chart-axis.h"

#include <math.h>
#include <string.h>

void
cwu_range_add(CwuRange *range, double value)
{
  if (!isfinite(value))
    return;
  range->least = fmin(range->least, value);
  range->most = fmax(range->most, value);
  if (value > 0)
    range->least_positive = fmin(range->least_positive, value);
}

double
cwu_chart_axis_to_px(const CwuChartAxis *axis, double value)
{
  double share = (value - axis->least) / (axis->most - axis->least);
  if (axis->is_log)
    share = value > axis->least ? log(value / axis->least) / log(axis->most / axis->least) : 0;
  return axis->from_px + share * (axis->to_px - axis->from_px);
}

double
cwu_chart_axis_to_value(const CwuChartAxis *axis, double px)
{
  double share = (px - axis->from_px) / (axis->to_px - axis->from_px);
  return axis->is_log ? axis->least * pow(axis->most / axis->least, share)
                      : axis->least + share * (axis->most - axis->least);
}

/* ---- linear ----------------------------------------------------------------------------- */

/* The least of 1, 2, 5, 10 times a power of ten that is not below x. */
static double
nice_at_least(double x)
{
  double power = pow(10, floor(log10(x)));
  double digits = x / power;
  return power * (digits <= 1 + 1e-9   ? 1
                  : digits <= 2 + 1e-9 ? 2
                  : digits <= 5 + 1e-9 ? 5
                                       : 10);
}

static void
set_linear_ticks(CwuChartAxis *axis, bool widens_least, bool widens_most, double gap_px)
{
  double most_ticks = CLAMP(fabs(axis->to_px - axis->from_px) / gap_px, 1, CWU_MAX_TICKS - 4);
  double step = nice_at_least((axis->most - axis->least) / most_ticks);
  double below = step * floor(axis->least / step + 1e-9);
  /* A log axis has no zero: there the data's least is its end. */
  if (widens_least && !(axis->is_log && below <= 0))
    axis->least = below;
  if (widens_most)
    axis->most = step * ceil(axis->most / step - 1e-9);
  axis->step = step;
  double first = ceil(axis->least / step - 1e-9), last = floor(axis->most / step + 1e-9);
  for (double i = first; i <= last && axis->n_ticks < CWU_MAX_TICKS; i++)
    axis->ticks[axis->n_ticks++] = i * step;
}

/* ---- log -------------------------------------------------------------------------------- */

static double
log_tick_below(double x)
{
  double power = pow(10, floor(log10(x) + 1e-9));
  double digits = x / power;
  return power * (digits >= 5 - 1e-9 ? 5 : digits >= 2 - 1e-9 ? 2 : 1);
}

static double
log_tick_above(double x)
{
  double below = log_tick_below(x);
  double digits = below / pow(10, floor(log10(below) + 1e-9));
  return x <= below * (1 + 1e-9) ? below : below * (digits < 1.5 ? 2 : digits < 3 ? 2.5 : 2);
}

static void
add_log_tick(CwuChartAxis *axis, double value)
{
  if (value >= axis->least * (1 - 1e-9) && value <= axis->most * (1 + 1e-9) &&
      axis->n_ticks < CWU_MAX_TICKS)
    axis->ticks[axis->n_ticks++] = value;
}

/* The ends are told too, where no tick is too close. */
static void
add_log_ends(CwuChartAxis *axis, double gap_px)
{
  double px_per_e = fabs(axis->to_px - axis->from_px) / log(axis->most / axis->least);
  const double ends[] = { axis->least, axis->most };
  size_t n = axis->n_ticks;
  for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
    bool has_room = true;
    for (size_t k = 0; k < n; k++)
      has_room &= fabs(log(axis->ticks[k] / ends[i])) * px_per_e >= gap_px;
    if (has_room && (n > 0 || i == 0))
      add_log_tick(axis, ends[i]);
  }
}

static void
set_log_ticks(CwuChartAxis *axis, bool widens_least, bool widens_most, double gap_px)
{
  if (widens_least)
    axis->least = log_tick_below(axis->least);
  if (widens_most)
    axis->most = log_tick_above(axis->most);
  double decades = log10(axis->most / axis->least);
  double decade_px = fabs(axis->to_px - axis->from_px) / decades;
  double least_px = gap_px / 0.301; /* of a decade with three ticks: 2 is 0.301 above 1 */
  int stride = (int)ceil(fmax(gap_px / decade_px, decades / (CWU_MAX_TICKS - 4)));
  int first = (int)floor(log10(axis->least) + 1e-9), last = (int)ceil(log10(axis->most));
  for (int k = first; k <= last; k++) {
    if (k % MAX(stride, 1) != 0)
      continue;
    add_log_tick(axis, pow(10, k));
    if (decade_px < least_px)
      continue;
    add_log_tick(axis, 2 * pow(10, k));
    add_log_tick(axis, 5 * pow(10, k));
  }
  if (widens_least && widens_most)
    add_log_ends(axis, gap_px);
}

/* ---- the axis --------------------------------------------------------------------------- */

static void
take_range(CwuChartAxis *axis, const CwuAxis *wanted, const CwuRange *range)
{
  bool is_empty = range->least > range->most;
  axis->is_log = wanted->scale == CWU_SCALE_LOG && isfinite(range->least_positive);
  axis->least = isfinite(wanted->least) ? wanted->least
                : is_empty              ? 0
                : axis->is_log          ? range->least_positive
                                        : range->least;
  axis->most = isfinite(wanted->most) ? wanted->most : is_empty ? 1 : range->most;
  if (axis->is_log && !(axis->least > 0))
    axis->least = range->least_positive;
  if (axis->most > axis->least)
    return;
  /* All the same: in the middle of a range of its own size. */
  double half = axis->least != 0 ? fabs(axis->least) / 2 : 1;
  axis->most = axis->least + half;
  if (!isfinite(wanted->least) && axis->least != 0)
    axis->least -= half;
}

void
cwu_chart_axis_init(CwuChartAxis *axis, const CwuAxis *wanted, const CwuRange *range,
                    bool is_widened, double gap_px)
{
  axis->n_ticks = 0;
  axis->step = 0;
  take_range(axis, wanted, range);
  bool widens_least = is_widened && !isfinite(wanted->least);
  bool widens_most = is_widened && !isfinite(wanted->most);
  if (axis->is_log && axis->most / axis->least >= 10)
    set_log_ticks(axis, widens_least, widens_most, gap_px);
  else
    set_linear_ticks(axis, widens_least, widens_most, gap_px);
}

/* ---- numbers ---------------------------------------------------------------------------- */

typedef struct {
  double unit;
  const char *suffix;
} Prefix;

static Prefix
prefix_for(double largest)
{
  static const Prefix prefixes[] = { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
  for (size_t i = 0; largest >= 1e4 && i < G_N_ELEMENTS(prefixes); i++)
    if (largest >= prefixes[i].unit)
      return prefixes[i];
  return (Prefix){ 1, "" };
}

/* No "-0.00". */
static char *
print_fixed(double value, int decimals, const char *suffix)
{
  double unit = pow(10, -decimals);
  return g_strdup_printf("%.*f%s", decimals, fabs(value) < unit / 2 ? 0 : value, suffix);
}

/* "1.25e-8": no zeros and no plus in the exponent. */
static char *
print_power(double value, int n_digits)
{
  char *text = g_strdup_printf("%.*e", n_digits - 1, value);
  char *e = strchr(text, 'e');
  if (e == NULL)
    return text;
  char *from = e + 1, *to = e + 1;
  if (*from == '-')
    *to++ = '-';
  while (*from == '-' || *from == '+' || *from == '0')
    from++;
  memmove(to, from, strlen(from) + 1);
  return text;
}

/* Digits that tell the tick from its neighbours. */
static int
power_digits(const CwuChartAxis *axis, double value)
{
  return (int)CLAMP(floor(log10(fabs(value)) + 1e-9) - floor(log10(axis->step) + 1e-9) + 1, 1,
                    16);
}

char *
cwu_chart_axis_dup_label(const CwuChartAxis *axis, double value)
{
  double largest = fmax(fabs(axis->least), fabs(axis->most));
  if (axis->is_log && axis->step == 0) {
    Prefix own = prefix_for(value);
    return value >= 1e-3 && value < 1e12 ? g_strdup_printf("%g%s", value / own.unit, own.suffix)
                                         : print_power(value, 1);
  }
  if (largest >= 1e13 || largest < 1e-3)
    return value == 0 ? g_strdup("0") : print_power(value, power_digits(axis, value));
  Prefix prefix = prefix_for(largest);
  int decimals = (int)CLAMP(ceil(-log10(axis->step / prefix.unit) - 1e-9), 0, 9);
  return value == 0 ? g_strdup("0") : print_fixed(value / prefix.unit, decimals, prefix.suffix);
}

char *
cwu_number_dup_short(double value)
{
  double size = fabs(value);
  if (!isfinite(value))
    return g_strdup("–");
  if (value == 0)
    return g_strdup("0");
  if (size < 1e-3 || size >= 1e13)
    return print_power(value, 3);
  if (size >= 1e3 && (size < 1e4 || value == floor(value)))
    return g_strdup_printf("%'.0f", value);
  Prefix prefix = prefix_for(size);
  int decimals = (int)CLAMP(3 - floor(log10(size / prefix.unit)), 0, 4);
  /* Whole numbers stay whole: 12, not 12.00. */
  if (prefix.unit == 1 && value == floor(value))
    decimals = 0;
  return print_fixed(value / prefix.unit, decimals, prefix.suffix);
}
