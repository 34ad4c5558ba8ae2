/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every file of nearedge may rely on: attributes, container_of, allocation that cannot
 * fail, and a list of libc calls that do not compile here.
 *
 * Allocation: small allocations abort the process when memory is gone (h2o's choice): thousands of
 * error branches that no test reaches do not exist. Whatever a client, an origin, Redis or a file
 * can grow has a ceiling of its own and answers GW_ELIMIT instead; it never gets here. Thread: any.
 * Owns: nothing; what is allocated is the caller's, for free(). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* before the bans below: fortified headers define sprintf */
#include <stdlib.h>
#include <string.h>

#define GW_MUST                            __attribute__((warn_unused_result))
#define GW_PRINTF(fmt, first)              __attribute__((format(printf, fmt, first)))
#define GW_COLD                            __attribute__((cold))
#define GW_COUNT(array)                    (sizeof(array) / sizeof((array)[0]))
#define gw_likely(x)                       __builtin_expect(!!(x), 1)
#define gw_unlikely(x)                     __builtin_expect(!!(x), 0)

#define gw_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline size_t gw_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}
static inline uint64_t gw_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t gw_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Like malloc, calloc and realloc, but never NULL: they abort. The caller frees with free(). */
void *gw_alloc(size_t size);
void *gw_zalloc(size_t size);
void *gw_realloc(void *ptr, size_t size);
char *gw_strdup(const char *text);

/* Unbounded or locale-dependent libc calls (the idea is git's banned.h). Use gw_buf, gw_str and
 * snprintf. */
#define GW_BANNED(func) banned_call_##func##_use_gw_buf_or_gw_str
#undef strcpy
#define strcpy(d, s) GW_BANNED(strcpy)
#undef strcat
#define strcat(d, s) GW_BANNED(strcat)
#undef strncat
#define strncat(d, s, n) GW_BANNED(strncat)
#undef sprintf
#define sprintf(...) GW_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) GW_BANNED(vsprintf)
#undef strtok
#define strtok(s, d) GW_BANNED(strtok)
#undef gets
#define gets(s) GW_BANNED(gets)
#undef atoi
#define atoi(s) GW_BANNED(atoi)
#undef atol
#define atol(s) GW_BANNED(atol)
