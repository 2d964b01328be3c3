/*
** softfloat.c - the part of Berkeley SoftFloat that stands in for what
** Debian's libgcc for the lx106 lacks, under the names that gcc calls
*/

#include "f32_add.c"
#include "f32_mul.c"
#include "f32_sub.c"
#include "f32_to_f64.c"
#include "f64_add.c"
#include "f64_div.c"
#include "f64_mul.c"
#include "f64_sub.c"
#include "f64_to_f32.c"
#include "f64_to_i32_r_minMag.c"
#include "f64_to_ui32_r_minMag.c"
#include "i32_to_f32.c"
#include "i32_to_f64.c"
#include "s_addMagsF32.c"
#include "s_addMagsF64.c"
#include "s_approxRecip32_1.c"
#include "s_approxRecip_1Ks.c"
#include "s_commonNaNToF32UI.c"
#include "s_commonNaNToF64UI.c"
#include "s_f32UIToCommonNaN.c"
#include "s_f64UIToCommonNaN.c"
#include "s_mul64To128M.c"
#include "s_normRoundPackToF32.c"
#include "s_normRoundPackToF64.c"
#include "s_normSubnormalF32Sig.c"
#include "s_normSubnormalF64Sig.c"
#include "s_propagateNaNF32UI.c"
#include "s_propagateNaNF64UI.c"
#include "s_roundPackToF32.c"
#include "s_roundPackToF64.c"
#include "s_shiftRightJam32.c"
#include "s_shiftRightJam64.c"
#include "s_shortShiftRightJam64.c"
#include "s_subMagsF32.c"
#include "s_subMagsF64.c"
#include "softfloat_raiseFlags.c"
#include "softfloat_state.c"
#include "ui32_to_f32.c"
#include "ui32_to_f64.c"

typedef union { float f; float32_t soft; } single;
typedef union { double d; float64_t soft; } twofold;

#define SINGLE_OPERATION(name, operation) \
  float name (float a, float b); \
  float name (float a, float b) { \
    single x = {a}, y = {b}; \
    x.soft = operation(x.soft, y.soft); \
    return x.f; \
  }

#define DOUBLE_OPERATION(name, operation) \
  double name (double a, double b); \
  double name (double a, double b) { \
    twofold x = {a}, y = {b}; \
    x.soft = operation(x.soft, y.soft); \
    return x.d; \
  }

SINGLE_OPERATION(__addsf3, f32_add)
SINGLE_OPERATION(__subsf3, f32_sub)
SINGLE_OPERATION(__mulsf3, f32_mul)

DOUBLE_OPERATION(__adddf3, f64_add)
DOUBLE_OPERATION(__subdf3, f64_sub)
DOUBLE_OPERATION(__muldf3, f64_mul)
DOUBLE_OPERATION(__divdf3, f64_div)

float __floatsisf (int32_t n);
float __floatunsisf (uint32_t n);
double __floatsidf (int32_t n);
double __floatunsidf (uint32_t n);
double __extendsfdf2 (float f);
float __truncdfsf2 (double d);
int32_t __fixdfsi (double d);
uint32_t __fixunsdfsi (double d);

float __floatsisf (int32_t n) {
  single x = {.soft = i32_to_f32(n)};
  return x.f;
}

float __floatunsisf (uint32_t n) {
  single x = {.soft = ui32_to_f32(n)};
  return x.f;
}

double __floatsidf (int32_t n) {
  twofold x = {.soft = i32_to_f64(n)};
  return x.d;
}

double __floatunsidf (uint32_t n) {
  twofold x = {.soft = ui32_to_f64(n)};
  return x.d;
}

double __extendsfdf2 (float f) {
  single x = {f};
  twofold y = {.soft = f32_to_f64(x.soft)};
  return y.d;
}

float __truncdfsf2 (double d) {
  twofold x = {d};
  single y = {.soft = f64_to_f32(x.soft)};
  return y.f;
}

int32_t __fixdfsi (double d) {
  twofold x = {d};
  return f64_to_i32_r_minMag(x.soft, false);
}

uint32_t __fixunsdfsi (double d) {
  twofold x = {d};
  return f64_to_ui32_r_minMag(x.soft, false);
}
