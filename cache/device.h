/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The three device classes of a User-Agent (spec/cache-behaviour.md section 4.5). The documented
 * patterns are two small regular expressions; they are matched by hand here because this runs per
 * request and PCRE2 belongs to the rules. Pure. Thread: any. Limits: bytes behind the first
 * CACHE_USER_AGENT_MAX are not looked at. */
#include "gateway/base/str.h"

#define CACHE_USER_AGENT_MAX ((size_t)2048)

enum cache_device { CACHE_DEVICE_DESKTOP, CACHE_DEVICE_MOBILE, CACHE_DEVICE_TABLET };

enum cache_device cache_device_of(struct gw_str user_agent);
/* "desktop", "mobile", "tablet": the value of CF-Device-Type. */
struct gw_str cache_device_name(enum cache_device device);
