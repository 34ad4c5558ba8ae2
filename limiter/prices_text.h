/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The price list as CMake built it in (cmake/prices.c.in). Thread: any, constant. */

extern const char prices_text[];
