/* For AVX-512 with IFMA and VAES (from Ice Lake and Zen 4 on): EP's products in one instruction, four blocks of AES
 * too. */
#include "lanes_avx512.h"

#define CODE   montecarlo_avx512_vaes
#define GROUPS 6
#define FUSED  true

#include "code.inc"
