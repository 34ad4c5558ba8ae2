/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is counted after the step RATE: rules that ask about the origin or about the answer
 * (limiter/rate_rules.h) get it when it is known. Both do nothing for exchanges without such rules.
 * Thread: the worker's. */
#include "gateway/exchange.h"

/* Called by who asks the origin for this visitor, not behind his back: again is no harm. */
void rate_on_origin(struct exchange *x);
/* Called once, with the final answer as it goes to the client. */
void rate_on_response(struct exchange *x, const struct response *response);
