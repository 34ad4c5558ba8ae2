/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/fields.h"

#include "config/rules/derive.h"

#define AT(member) offsetof(struct rules_request, member)
#define BYTES      RULES_TYPE(RULES_BYTES)
#define INT        RULES_TYPE(RULES_INT)
#define IP         RULES_TYPE(RULES_IP)
#define BOOL       RULES_TYPE(RULES_BOOL)
#define TEXTS      RULES_ARRAY_OF(RULES_BYTES)
#define INTS       RULES_ARRAY_OF(RULES_INT)
#define MULTIMAP   RULES_MULTIMAP_OF(RULES_BYTES)
#define FREE       CONFIG_PLAN_FREE
#define PRO        CONFIG_PLAN_PRO
#define BIZ        CONFIG_PLAN_BUSINESS
#define ENT        CONFIG_PLAN_ENTERPRISE

/* name, type, source, at, plan, plan in http_ratelimit, response. Columns five and six follow the
 * documentation's availability tables; rate limiting has its own, much stricter one. */
static const struct rules_field fields[] = {
    {"http.host", BYTES, FIELD_TEXT, AT(host), FREE, PRO, false},
    {"http.request.uri.path", BYTES, FIELD_TEXT, AT(path), FREE, FREE, false},
    {"http.request.uri.query", BYTES, FIELD_TEXT, AT(query), FREE, PRO, false},
    {"http.request.method", BYTES, FIELD_TEXT, AT(method), FREE, BIZ, false},
    {"http.request.version", BYTES, FIELD_TEXT, AT(version), FREE, ENT, false},
    {"http.request.uri", BYTES, FIELD_DERIVED, RULES_URI, FREE, PRO, false},
    {"http.request.full_uri", BYTES, FIELD_DERIVED, RULES_FULL_URI, FREE, PRO, false},
    {"http.request.uri.path.extension", BYTES, FIELD_DERIVED, RULES_EXTENSION, FREE, ENT, false},
    {"http.request.uri.path.basename", BYTES, FIELD_DERIVED, RULES_BASENAME, FREE, ENT, false},
    {"http.request.uri.args", MULTIMAP, FIELD_DERIVED, RULES_ARGS, FREE, ENT, false},
    {"http.request.uri.args.names", TEXTS, FIELD_DERIVED, RULES_ARG_NAMES, FREE, ENT, false},
    {"http.request.uri.args.values", TEXTS, FIELD_DERIVED, RULES_ARG_VALUES, FREE, ENT, false},
    {"http.cookie", BYTES, FIELD_DERIVED, RULES_COOKIE_LINE, FREE, ENT, false},
    {"http.referer", BYTES, FIELD_DERIVED, RULES_REFERER, FREE, ENT, false},
    {"http.user_agent", BYTES, FIELD_DERIVED, RULES_USER_AGENT, FREE, BIZ, false},
    {"http.x_forwarded_for", BYTES, FIELD_DERIVED, RULES_FORWARDED_FOR, FREE, ENT, false},
    {"http.request.headers", MULTIMAP, FIELD_DERIVED, RULES_HEADERS, FREE, ENT, false},
    {"http.request.headers.names", TEXTS, FIELD_DERIVED, RULES_HEADER_NAMES, FREE, ENT, false},
    {"http.request.headers.values", TEXTS, FIELD_DERIVED, RULES_HEADER_VALUES, FREE, ENT, false},
    {"http.request.headers.truncated", BOOL, FIELD_FLAG, AT(headers_truncated), FREE, ENT, false},
    {"http.request.cookies", MULTIMAP, FIELD_DERIVED, RULES_COOKIES, PRO, ENT, false},
    {"http.request.accepted_languages", TEXTS, FIELD_DERIVED, RULES_LANGUAGES, FREE, ENT, false},
    {"http.request.timestamp.sec", INT, FIELD_NUMBER, NUMBER_SECONDS, FREE, ENT, false},
    {"http.request.timestamp.msec", INT, FIELD_NUMBER, NUMBER_MILLIS, FREE, ENT, false},
    {"raw.http.request.uri", BYTES, FIELD_DERIVED, RULES_RAW_URI, FREE, ENT, false},
    {"raw.http.request.full_uri", BYTES, FIELD_DERIVED, RULES_RAW_FULL_URI, FREE, ENT, false},
    {"raw.http.request.uri.path", BYTES, FIELD_RAW, AT(raw_path), FREE, ENT, false},
    {"raw.http.request.uri.path.extension", BYTES, FIELD_DERIVED, RULES_RAW_EXTENSION, FREE, ENT,
     false},
    {"raw.http.request.uri.query", BYTES, FIELD_RAW, AT(raw_query), FREE, ENT, false},
    {"raw.http.request.uri.args", MULTIMAP, FIELD_DERIVED, RULES_RAW_ARGS, FREE, ENT, false},
    {"raw.http.request.uri.args.names", TEXTS, FIELD_DERIVED, RULES_RAW_ARG_NAMES, FREE, ENT,
     false},
    {"raw.http.request.uri.args.values", TEXTS, FIELD_DERIVED, RULES_RAW_ARG_VALUES, FREE, ENT,
     false},
    {"ip.src", IP, FIELD_ADDRESS, AT(client_ip), FREE, BIZ, false},
    {"ip.src.country", BYTES, FIELD_TEXT, AT(country), FREE, ENT, false},
    {"ip.src.continent", BYTES, FIELD_TEXT, AT(continent), FREE, ENT, false},
    {"ip.src.asnum", INT, FIELD_NUMBER, NUMBER_ASNUM, FREE, ENT, false},
    {"ip.geoip.country", BYTES, FIELD_TEXT, AT(country), FREE, ENT, false},
    {"ip.geoip.continent", BYTES, FIELD_TEXT, AT(continent), FREE, ENT, false},
    {"ip.geoip.asnum", INT, FIELD_NUMBER, NUMBER_ASNUM, FREE, ENT, false},
    {"ssl", BOOL, FIELD_FLAG, AT(https), FREE, ENT, false},
    {"true", BOOL, FIELD_TRUE, 0, FREE, FREE, false},
    {"cf.client.bot", BOOL, FIELD_FLAG, AT(bot), FREE, FREE, false},
    {"cf.edge.server_ip", IP, FIELD_ADDRESS, AT(server_ip), FREE, ENT, false},
    {"cf.edge.server_port", INT, FIELD_NUMBER, NUMBER_PORT, FREE, ENT, false},
    {"cf.ray_id", BYTES, FIELD_TEXT, AT(ray_id), FREE, ENT, false},
    {"cf.tls_cipher", BYTES, FIELD_TEXT, AT(tls.cipher), FREE, ENT, false},
    {"cf.tls_version", BYTES, FIELD_TEXT, AT(tls.version), FREE, ENT, false},
    {"cf.zone.name", BYTES, FIELD_TEXT, AT(zone_name), FREE, ENT, false},
    {"http.response.code", INT, FIELD_NUMBER, NUMBER_STATUS, FREE, BIZ, true},
    {"http.response.headers", MULTIMAP, FIELD_DERIVED, RULES_RESPONSE_HEADERS, FREE, BIZ, true},
    {"http.response.headers.names", TEXTS, FIELD_DERIVED, RULES_RESPONSE_HEADER_NAMES, FREE, BIZ,
     true},
    {"http.response.headers.values", TEXTS, FIELD_DERIVED, RULES_RESPONSE_HEADER_VALUES, FREE, BIZ,
     true},
    {"http.response.content_type.media_type", BYTES, FIELD_DERIVED, RULES_MEDIA_TYPE, FREE, BIZ,
     true},
    {"cf.hostname.metadata", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.worker.upstream_zone", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.verified_bot_category", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_verified", BOOL, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_revoked", BOOL, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_presented", BOOL, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_issuer_dn", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_subject_dn", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_serial", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.tls_client_auth.cert_fingerprint_sha256", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.threat_score", INT, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.zone.plan", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"cf.waf.score", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.score.sqli", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.score.xss", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.score.rce", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.score.class", BYTES, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"cf.waf.content_scan.has_obj", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.content_scan.has_malicious_obj", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.content_scan.num_obj", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.waf.content_scan.num_malicious_obj", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.score", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.verified_bot", BOOL, FIELD_FLAG, AT(bot), ENT, ENT, false},
    {"cf.bot_management.static_resource", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.corporate_proxy", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.js_detection.passed", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.ja3_hash", BYTES, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.ja4", BYTES, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"cf.bot_management.detection_ids", INTS, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.raw", BYTES, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.truncated", BOOL, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.size", INT, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.mime", BYTES, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.form", MULTIMAP, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.form.names", TEXTS, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"http.request.body.form.values", TEXTS, FIELD_UNKNOWN, 0, ENT, ENT, false},
    {"ip.src.city", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.region", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.region_code", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.postal_code", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.metro_code", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.lat", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.lon", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.timezone.name", BYTES, FIELD_UNKNOWN, 0, FREE, ENT, false},
    {"ip.src.subdivision_1_iso_code", BYTES, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"ip.src.subdivision_2_iso_code", BYTES, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"ip.src.is_in_european_union", BOOL, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"ip.geoip.subdivision_1_iso_code", BYTES, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"ip.geoip.subdivision_2_iso_code", BYTES, FIELD_UNKNOWN, 0, BIZ, ENT, false},
    {"ip.geoip.is_in_european_union", BOOL, FIELD_UNKNOWN, 0, BIZ, ENT, false},
};

/* While an expression is compiled, never for a request: one after the other will do. */
const struct rules_field *rules_field_find(struct gw_str name)
{
    for (size_t i = 0; i < GW_COUNT(fields); i++) {
        if (gw_str_eq(gw_str_z(fields[i].name), name))
            return &fields[i];
    }
    return NULL;
}

size_t rules_field_names(const char **names, size_t max)
{
    size_t count = gw_min_size(max, GW_COUNT(fields));
    for (size_t i = 0; i < count; i++)
        names[i] = fields[i].name;
    return count;
}

static int64_t number(enum field_number which, const struct rules_request *r)
{
    switch (which) {
    case NUMBER_ASNUM:
        return r->asnum;
    case NUMBER_PORT:
        return r->edge_port;
    case NUMBER_SECONDS:
        return (int64_t)(r->wall_ms / 1000);
    case NUMBER_MILLIS:
        return (int64_t)(r->wall_ms % 1000);
    case NUMBER_STATUS:
        return r->response_code;
    }
    return 0;
}

static struct rules_value absent(struct rules_type type)
{
    if (rules_type_is_map(type))
        return (struct rules_value){.kind = RULES_VALUE_MAP};
    if (type.depth)
        return (struct rules_value){.kind = RULES_VALUE_ARRAY};
    switch ((enum rules_base)type.base) {
    case RULES_BOOL:
        return rules_bool(false);
    case RULES_INT:
        return rules_int(0);
    case RULES_BYTES:
        return rules_bytes(GW_STR_EMPTY);
    case RULES_IP:
        break;
    }
    return RULES_NOTHING;
}

struct rules_value rules_field_value(const struct rules_field *f, struct rules_request *r)
{
    const void *place = (const char *)r + f->at;
    switch ((enum field_source)f->source) {
    case FIELD_TEXT:
        return rules_bytes(*(const struct gw_str *)place);
    case FIELD_RAW:
        return rules_bytes(f->at == AT(raw_path) ? rules_raw_path(r) : rules_raw_query(r));
    case FIELD_DERIVED:
        return *rules_derive(r, (enum rules_derived)f->at);
    case FIELD_ADDRESS:
        return (struct rules_value){.kind = RULES_VALUE_IP, .ip = place};
    case FIELD_FLAG:
        return rules_bool(*(const bool *)place);
    case FIELD_NUMBER:
        return rules_int(number((enum field_number)f->at, r));
    case FIELD_TRUE:
        return rules_bool(true);
    case FIELD_UNKNOWN:
        break;
    }
    return absent(f->type);
}
