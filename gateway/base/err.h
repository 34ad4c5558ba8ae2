/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Error numbers. 0 is success, errors are negative. Negative errno values pass through unchanged
 * (libuv uses the same numbers, and -3000s for name resolution); our own start at -5000. One list
 * is number, name and sentence. "No" from a rule or a limiter is a result, never an error. Thread:
 * any; sentences are static. */
#include "gateway/base/base.h"

#define GW_ERRORS(X)                                                                               \
    X(GW_ELIMIT, -5000, "a configured limit was exceeded")                                         \
    X(GW_EPARSE, -5001, "malformed message")                                                       \
    X(GW_ECLOSED, -5002, "the peer closed the connection")                                         \
    X(GW_ETIMEOUT_CONNECT, -5003, "no connection within the connect timeout")                      \
    X(GW_ETIMEOUT_READ, -5004, "no answer within the read timeout")                                \
    X(GW_ETIMEOUT_WRITE, -5005, "the peer does not take the bytes sent to it")                     \
    X(GW_ERESOLVE, -5006, "the host name cannot be resolved")                                      \
    X(GW_ETRUNCATED, -5007, "the message ended before its announced length")                       \
    X(GW_ECANCELLED, -5008, "cancelled")                                                           \
    X(GW_EUNAVAILABLE, -5009, "the backend is not reachable")                                      \
    X(GW_EHEADERS, -5010, "the header section is too large")                                       \
    X(GW_EURI, -5011, "the request target is too long")                                            \
    X(GW_EVERSION, -5012, "HTTP version not supported")                                            \
    X(GW_ETLS, -5013, "the TLS handshake failed")                                                  \
    X(GW_ECERT, -5014, "the certificate cannot be verified")                                       \
    X(GW_ENOTIMPL, -5015, "not implemented")                                                       \
    X(GW_EPLAIN_HTTP, -5016, "plain HTTP was spoken to a TLS port")

#define X(name, number, text) name = number,
enum gw_error { GW_OK = 0, GW_ERRORS(X) };
#undef X

/* The sentence for an error of ours or of the system; never NULL, static storage. */
const char *gw_strerror(int err);
