/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cloudflare's "Always Use HTTPS": who comes without TLS is sent to the same URL with it, before
 * any rule, limiter or cache sees the request. Thread: the worker's. */
#include "gateway/exchange.h"

/* 301, as x->reply. A Host without a port stands for the public ports and is sent to https://host/,
 * as by Cloudflare. One with a port is a visitor of this very machine: he gets the port of a TLS
 * listener, if there is one. */
void https_redirect(struct exchange *x);
