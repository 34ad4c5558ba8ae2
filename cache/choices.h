/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where Cloudflare's documents are silent, contradict one another or were only measured, this room
 * had to choose. All choices stand here, each with the section of spec/cache-behaviour.md that
 * leaves it open; those that are a single yes or no are constants that the code asks.
 *
 *   question                                             choice                            section
 *   ---------------------------------------------------  --------------------------------  -------
 *   case of a file extension                             folded                            2.1
 *   extension of x.tar.gz                                the last one                      2.1
 *   status of a port without caching                     DYNAMIC                           1.1
 *   port 8443 in the key                                 yes, all but 80 and 443           2.14
 *   "/a?" and "/a"                                       one object                        2.14
 *   bytes of a custom "contains"                         name and the values found, any    4.4
 *                                                        case, as substrings
 *   client Cache-Control, Pragma                         ignored                           1.1
 *   unsafe method on a stored URL                        CACHE_UNSAFE_METHOD_INVALIDATES   2.3
 *   positive explicit TTL, any status                    stored (not 1xx, not 304)         2.2
 *   which statuses override_origin covers                all that the origin sends         4.3
 *   status_code_ttl entries that overlap                 exact code, then first listed     4.3
 *   Authorization and an edge TTL rule                   CACHE_RULE_LIFTS_AUTHORIZATION    2.5
 *   no-cache, max-age=0 under OCC                        stored, always verified           9.1
 *   Set-Cookie with cache:true only                      BYPASS                            9.2
 *   too large                                            BYPASS                            9.3
 *   no-cache and stale-while-revalidate                  CACHE_NO_CACHE_ALLOWS_SWR         9.5
 *   no-cache="field"                                     the field is left out             9.8
 *   private="field" without OCC                          the field is left out             2.6
 *   Vary without a rule                                  ignored, but for *                9.9
 *   Vary of one variant, and of the next one             the last response's names hold    4.7
 *   Accept, Accept-Language under a vary rule            normalised to the origin in       4.7
 *                                                        fills, not in what passes
 *   coding for who takes gzip and br                     br; Enterprise gzip; his q first  7.3
 *   stored gzip, and a client who takes br too           recoded, as the table says        2.10
 *   no-transform and a coding the client does not take   sent as it is                     7.3
 *   recoded variants                                     made on delivery, never stored    7.3
 *   Range for a body that is not coded                   cut uncompressed                  2.11
 *   response rule that sets a lifetime                   max-age, s-maxage, no-store,      1.3 c'
 *                                                        no-cache, private
 *   vary action bypass beside an edge TTL rule           bypass wins                       1.3 n
 *   Expires in the past or unreadable                    TTL 0; without OCC as max-age=0   2.6
 *   several Expires lines                                ignored                           2.6
 *   origin's Age                                         CACHE_ORIGIN_AGE_COUNTS           2.6
 *   Surrogate-Control                                    hides Cache-Control and Expires,  2.7
 *                                                        its own directives are not used
 *   bypass_by_default and Expires alone                  Expires counts                    4.3
 *   no stale-if-error                                    stale without limit               2.9
 *   uncacheable answer to a revalidation                 passed through, BYPASS; the old   2.9
 *                                                        object stays
 *   304 that forbids storing                             served, not renewed               2.9
 *   fields of a 304 that count                           all of RFC 9111 section 3.2, not  2.9
 *                                                        only those measured
 *   206 to a request for the whole                       stored only if it is the whole    2.2
 *   empty or malformed CDN-Cache-Control                 passed over, as RFC 9213 says     2.7
 *   must-understand and an unknown status                not stored; never lifts no-store  2.6
 *   Last-Modified made by the edge                       for a 200 without validators;     2.9
 *                                                        never sent to the origin
 *   browser TTL over no Cache-Control                    max-age=N without public          2.18
 *   other directives under a browser TTL                 kept; private kept under OCC      2.18
 *   origin says no-store or no-cache                     kept, no browser TTL              2.18
 *   browser_ttl bypass_by_default                        no-store, as bypass               9.16
 *   browser TTL 0                                        respect the origin                9.12
 *   waiting requests                                     HIT                               2.15
 *   If-Match, If-Unmodified-Since                        not evaluated                     2.10
 *   status of the edge's own error pages                 header absent                     3 */

/* An edge TTL rule says "ignore the origin's directives"; those of section 2.5 are among them. */
#define CACHE_RULE_LIFTS_AUTHORIZATION  true
/* Documents forbid it; the Workers cache on the same engine answers UPDATING. */
#define CACHE_NO_CACHE_ALLOWS_SWR       false
/* RFC 9111 section 4.4 demands it and no document of Cloudflare's forbids it: a page that was
 * changed through the edge would otherwise stay old for its own author. */
#define CACHE_UNSAFE_METHOD_INVALIDATES true
/* RFC 9111 section 4.2.3: a response that was in another cache before has used up part of the
 * lifetime its origin gave it. Cloudflare's engine is said to overwrite Age, no document says it
 * does not count. */
#define CACHE_ORIGIN_AGE_COUNTS         true
