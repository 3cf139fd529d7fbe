/* Rows with AVX2. */
#include <immintrin.h>

#define CODE               stencil_code_avx2
#define LANES              4
#define STREAM(address, x) _mm256_stream_pd(address, x)
#define FENCE()            _mm_sfence()
#include "rows.inc"
