#include <immintrin.h>
#include <sleef.h>

#define NAME           option_sleef_avx2
#define NAME_BY_VECTOR option_sleef_by_vector_avx2
#define LANES          4
#define PAIR           Sleef___m256d_2
#define LOG(x)         Sleef_logd4_u35avx2(x)
#define EXP(x)         Sleef_expd4_u10avx2(x)
#define SINCOS(x)      Sleef_sincosd4_u35avx2(x)
#define ROOT(x)        _mm256_sqrt_pd(x)
#define MAXIMUM(x, y)  _mm256_max_pd(x, y)

#include "peers_sleef.inc"
