/* For AVX2 with FMA; the functions for ARS-7 also need AES. */
#include "lanes_avx2.h"

#define CODE   montecarlo_avx2
#define GROUPS 2
#define FUSED  true

#include "code.inc"
