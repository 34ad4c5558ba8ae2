/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* CRC-16/XMODEM (polynomial 0x1021, start 0, nothing reflected): the checksum by which Redis
 * Cluster deals keys out to slots (redis.io, "Redis cluster specification", appendix A). It spreads
 * keys and protects nothing. Thread: any. */
#include "gateway/base/str.h"

uint16_t crc16(struct gw_str data);
