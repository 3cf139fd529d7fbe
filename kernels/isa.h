/* Instruction sets for vectors of doubles. Each includes those before it; one is chosen when the program runs, so that
 * one binary runs on every machine of its architecture and uses what that machine has. */
#ifndef KERNELS_ISA_H
#define KERNELS_ISA_H

enum isa {
    ISA_BASE,   /* what every machine of this architecture has: "sse2" (x86-64), "neon" (aarch64), else "generic" */
    ISA_AVX2,   /* "avx2": AVX2 and FMA */
    ISA_AVX512, /* "avx512": AVX-512 F, VL, DQ and BW */
    ISA_COUNT
};

/* As the record and SPEEDUP_ISA name it. */
const char *isa_name(enum isa);
/* The best that this CPU, its operating system and this build have. */
enum isa isa_best(void);
/* By name; "" and NULL mean the best. 0, -EINVAL (no such name on any machine), -ENOTSUP (not on this machine). */
int isa_find(const char *name, enum isa *isa_p);
/* "sse2, avx2, avx512": those of this machine, for messages. Returns text. */
const char *isa_list(unsigned long length, char *text);

#endif
