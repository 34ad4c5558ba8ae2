/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verdict on an expectation that has taken all its samples: whether it held, and in words what
 * was seen. Thread: one. Owns: nothing. */
#include "bench/load/expect.h"

/* What the expectation cannot see in samples. */
struct expect_facts {
    double seconds;           /* of its scope */
    bool origin_known;        /* the admin listener was asked before and after */
    uint64_t origin_requests; /* of its scope */
    int honest;               /* 1: yes, 0: no, -1: it could not be found out */
    const char *honest_text;
};
/* Nothing that can happen would break it: "429 >= 0". Not known of the rest. */
bool expect_is_vacuous(const struct expectation *e);

enum expect_outcome { EXPECT_HELD, EXPECT_FAILED, EXPECT_UNKNOWN };

/* Appends what was seen, in words: "429 came 24 times". */
enum expect_outcome expect_judge(const struct expectation *e, const struct expect_facts *facts,
                                 struct gw_buf *seen);
