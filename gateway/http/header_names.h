/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* X(id, name as we write it): the header names that the gateway treats specially. Shortest first,
 * because look-up goes through the names of one length (a unit test holds the order), and the usual
 * ones first among equals. At most 127 names: headers.h keeps their presence in 128 bits. Thread:
 * static data. Source: RFC 9110, 9111, 9112, 9213 and Cloudflare's own fields. */

/* clang-format off */
#define HEADER_NAMES(X)                                     \
    X(TE, "TE")                                             \
    X(AGE, "Age")                                           \
    X(VIA, "Via")                                           \
    X(HOST, "Host")                                         \
    X(ETAG, "ETag")                                         \
    X(DATE, "Date")                                         \
    X(VARY, "Vary")                                         \
    X(ALLOW, "Allow")                                       \
    X(RANGE, "Range")                                       \
    X(COOKIE, "Cookie")                                     \
    X(ACCEPT, "Accept")                                     \
    X(SERVER, "Server")                                     \
    X(ORIGIN, "Origin")                                     \
    X(EXPECT, "Expect")                                     \
    X(CF_RAY, "CF-Ray")                                     \
    X(PRAGMA, "Pragma")                                     \
    X(X_HOST, "X-Host")                                     \
    X(REFERER, "Referer")                                   \
    X(EXPIRES, "Expires")                                   \
    X(UPGRADE, "Upgrade")                                   \
    X(ALT_SVC, "Alt-Svc")                                   \
    X(TRAILER, "Trailer")                                   \
    X(LOCATION, "Location")                                 \
    X(CDN_LOOP, "CDN-Loop")                                 \
    X(IF_MATCH, "If-Match")                                 \
    X(IF_RANGE, "If-Range")                                 \
    X(CACHE_TAG, "Cache-Tag")                               \
    X(CF_EW_VIA, "CF-EW-Via")                               \
    X(CF_WORKER, "CF-Worker")                               \
    X(FORWARDED, "Forwarded")                               \
    X(X_REAL_IP, "X-Real-IP")                               \
    X(USER_AGENT, "User-Agent")                             \
    X(CONNECTION, "Connection")                             \
    X(SET_COOKIE, "Set-Cookie")                             \
    X(KEEP_ALIVE, "Keep-Alive")                             \
    X(CF_VISITOR, "CF-Visitor")                             \
    X(CONTENT_MD5, "Content-MD5")                           \
    X(RETRY_AFTER, "Retry-After")                           \
    X(CONTENT_TYPE, "Content-Type")                         \
    X(CF_IPCOUNTRY, "CF-IPCountry")                         \
    X(MAX_FORWARDS, "Max-Forwards")                         \
    X(X_CSRF_TOKEN, "X-CSRF-Token")                         \
    X(X_REQUEST_ID, "X-Request-ID")                         \
    X(CACHE_CONTROL, "Cache-Control")                       \
    X(AUTHORIZATION, "Authorization")                       \
    X(IF_NONE_MATCH, "If-None-Match")                       \
    X(LAST_MODIFIED, "Last-Modified")                       \
    X(ACCEPT_RANGES, "Accept-Ranges")                       \
    X(CF_ERROR_TYPE, "CF-Error-Type")                       \
    X(CONTENT_RANGE, "Content-Range")                       \
    X(X_HTTP_METHOD, "X-HTTP-Method")                       \
    X(X_REWRITE_URL, "X-Rewrite-URL")                       \
    X(CONTENT_LENGTH, "Content-Length")                     \
    X(ACCEPT_CHARSET, "Accept-Charset")                     \
    X(CF_DEVICE_TYPE, "CF-Device-Type")                     \
    X(CF_PSEUDO_IPV4, "CF-Pseudo-IPv4")                     \
    X(HTTP2_SETTINGS, "HTTP2-Settings")                     \
    X(TRUE_CLIENT_IP, "True-Client-IP")                     \
    X(X_ORIGINAL_URL, "X-Original-URL")                     \
    X(ACCEPT_ENCODING, "Accept-Encoding")                   \
    X(ACCEPT_LANGUAGE, "Accept-Language")                   \
    X(X_FORWARDED_FOR, "X-Forwarded-For")                   \
    X(CF_CACHE_STATUS, "CF-Cache-Status")                   \
    X(CF_ERROR_ORIGIN, "CF-Error-Origin")                   \
    X(X_ACCEL_CHARSET, "X-Accel-Charset")                   \
    X(X_NEAREDGE_EDGE, "X-Nearedge-Edge")                   \
    X(CONTENT_ENCODING, "Content-Encoding")                 \
    X(CF_CONNECTING_IP, "CF-Connecting-IP")                 \
    X(X_FORWARDED_HOST, "X-Forwarded-Host")                 \
    X(CONTENT_LANGUAGE, "Content-Language")                 \
    X(CONTENT_LOCATION, "Content-Location")                 \
    X(PROXY_CONNECTION, "Proxy-Connection")                 \
    X(WWW_AUTHENTICATE, "WWW-Authenticate")                 \
    X(X_ACCEL_REDIRECT, "X-Accel-Redirect")                 \
    X(X_FORWARDED_PORT, "X-Forwarded-Port")                 \
    X(TRANSFER_ENCODING, "Transfer-Encoding")               \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")               \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")               \
    X(CDN_CACHE_CONTROL, "CDN-Cache-Control")               \
    X(SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key")               \
    X(SURROGATE_CONTROL, "Surrogate-Control")               \
    X(X_ACCEL_BUFFERING, "X-Accel-Buffering")               \
    X(X_METHOD_OVERRIDE, "X-Method-Override")               \
    X(CF_CONNECTING_IPV6, "CF-Connecting-IPv6")             \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate")             \
    X(X_ACCEL_LIMIT_RATE, "X-Accel-Limit-Rate")             \
    X(X_FORWARDED_SCHEME, "X-Forwarded-Scheme")             \
    X(X_NEAREDGE_ISOLATE, "X-Nearedge-Isolate")             \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")           \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization")           \
    X(X_NEAREDGE_DECISION, "X-Nearedge-Decision")           \
    X(SEC_WEBSOCKET_ACCEPT, "Sec-WebSocket-Accept")         \
    X(SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")       \
    X(SEC_WEBSOCKET_PROTOCOL, "Sec-WebSocket-Protocol")     \
    X(X_HTTP_METHOD_OVERRIDE, "X-HTTP-Method-Override")     \
    X(SEC_WEBSOCKET_EXTENSIONS, "Sec-WebSocket-Extensions") \
    X(CLOUDFLARE_CDN_CACHE_CONTROL, "Cloudflare-CDN-Cache-Control")
/* clang-format on */
