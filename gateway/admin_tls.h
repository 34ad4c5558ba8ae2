/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How verbs make sure that they speak to the admin listener of a configuration and to nobody else,
 * before they send the token.
 *
 * The file that the listener shows is its own proof: what it holds is trusted, the certificate or
 * the authorities behind it, and the listener must be whom the certificate names first. So neither
 * its address needs to stand in it nor its authority in the system's store, and whoever has another
 * certificate of the same authority is still refused. Of "local_ca" the authority is trusted, and
 * the name is localhost, which all its certificates have. Thread: one, blocking. Owns: nothing. */
#include "config/config.h"

struct tls_client;

/* For a configuration with "admin.tls". NULL after an error, which is in diags. */
GW_MUST struct tls_client *admin_tls_client(const struct config *config, struct gw_diags *diags);
