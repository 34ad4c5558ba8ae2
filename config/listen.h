/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the gateway can be reached: the listeners of visitors and the one of the admin. Texts and
 * defaults as in sections.h. Thread: immutable after loading. Owns: nothing; the configuration
 * does. */
#include "gateway/base/ip.h"

/* Where to listen: an IP address and port, or a Unix socket. */
struct config_address {
    struct gw_str text; /* as written */
    struct gw_ip ip;    /* family GW_IP_NONE for a Unix socket */
    uint16_t port;      /* 0: the kernel chooses */
    struct gw_str unix_path;
};

/* Files, or what the local authority makes for the hosts of all zones. */
struct config_certificate {
    struct gw_str certificate, key; /* paths, both or neither */
    bool local_ca;                  /* [false] */
    struct gw_str local_ca_dir;     /* a path [$XDG_DATA_HOME/nearedge] */
};

struct config_listen {
    struct config_address address;  /* [127.0.0.1:8080] */
    struct gw_str edge_name;        /* [the first edge] */
    size_t edge;                    /* its index in edges */
    uint32_t visitor_port;          /* the public port it stands for [443 or 80 by scheme] */
    bool visitor_https;             /* "visitor_scheme" [http]: visitors are taken to come by TLS */
    bool h2c;                       /* [false] HTTP/2 without TLS, by prior knowledge */
    struct config_certificate *tls; /* [none: plain]; the first one answers unknown names */
    size_t tls_count;
};

struct config_admin {
    bool enabled;                  /* "admin" is in the file */
    struct config_address address; /* [127.0.0.1:8081] */
    struct gw_str token;           /* bearer token; always given unless loopback or Unix socket */
    struct gw_str api_email;       /* the older X-Auth-Email and X-Auth-Key pair, both or none */
    struct gw_str api_key;
    struct config_certificate *tls; /* [none: plain], as of a listener */
    size_t tls_count;
    bool persist; /* [false] rulesets changed through the API are written to their files */
    bool record;  /* [false] the newest exchanges are kept also while nobody looks */
};
