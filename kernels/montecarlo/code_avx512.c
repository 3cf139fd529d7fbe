/* For AVX-512 F, VL, DQ and BW; the functions for ARS-7 also need AES. */
#include "lanes_avx512.h"

#define CODE   montecarlo_avx512
#define GROUPS 6
#define FUSED  true

#include "code.inc"
