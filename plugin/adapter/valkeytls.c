/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeytls.c - TLS to the server, where hiredis has it (hiredis_ssl, 1.0 and later). hiredis' own
 * context would take any certificate that the authority has signed, whatever name is in it.
 */
#include "valkey_private.h"

#include <stdio.h>

#ifdef INVIG_HAS_HIREDIS_SSL

#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

enum { NAME_BYTES_MAX = 64 /* of the file's name in an error line */ };

static SSL_CTX *tls_context(const struct valkey_tls *tls)
{
    return (SSL_CTX *)(uintptr_t)tls; /* there is nothing else to keep */
}

static enum invig_status tls_refuse_file(const char *ca_file, char error[INVIG_POLICY_ERROR_BYTES])
{
    char name[4 * NAME_BYTES_MAX + 4];

    invig_logline_escape(invig_text_of(ca_file), NAME_BYTES_MAX, name, sizeof name);
    snprintf(
        error, INVIG_POLICY_ERROR_BYTES,
        "plugin_opt_state_ca_file: found \"%s\", which cannot be read or holds no certificate, "
        "expected a PEM file of certificates",
        name);
    return INVIG_ERR_IO;
}

enum invig_status invig_valkeytls_new(const char *ca_file, struct valkey_tls **out_tls,
                                      char error[INVIG_POLICY_ERROR_BYTES])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(context);
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_state_url: out of memory for TLS");
        return INVIG_ERR_NO_MEMORY;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    /* hiredis hands what was not written over from another place of its memory. */
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if ((ca_file == NULL ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(context, ca_file, NULL)) != 1) {
        SSL_CTX_free(context);
        return tls_refuse_file(ca_file == NULL ? "the system's own" : ca_file, error);
    }
    *out_tls = (struct valkey_tls *)(void *)context;
    return INVIG_OK;
}

void invig_valkeytls_free(struct valkey_tls *tls)
{
    SSL_CTX_free(tls_context(tls));
}

/* An address is in the certificate as one, and is not sent as a name (RFC 6066 section 3). */
static bool tls_expect(SSL *ssl, const char *host)
{
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ||
           (SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1);
}

bool invig_valkeytls_start(const struct valkey_tls *tls, redisAsyncContext *async, const char *host)
{
    SSL *ssl = SSL_new(tls_context(tls));

    if (ssl == NULL || !tls_expect(ssl, host)) {
        SSL_free(ssl);
        return false;
    }
    /* It owns `ssl` once it has not failed. */
    if (redisInitiateSSL(&async->c, ssl) != REDIS_OK) {
        SSL_free(ssl);
        return false;
    }
    return true;
}

#else

enum invig_status invig_valkeytls_new(const char *ca_file, struct valkey_tls **out_tls,
                                      char error[INVIG_POLICY_ERROR_BYTES])
{
    (void)ca_file;
    *out_tls = NULL;
    snprintf(error, INVIG_POLICY_ERROR_BYTES,
             "plugin_opt_state_url: found a URL with TLS, but this build has no TLS for it (no "
             "hiredis_ssl), expected valkey:// or redis://");
    return INVIG_ERR_INVALID;
}

void invig_valkeytls_free(struct valkey_tls *tls)
{
    (void)tls;
}

bool invig_valkeytls_start(const struct valkey_tls *tls, redisAsyncContext *async, const char *host)
{
    (void)tls;
    (void)async;
    (void)host;
    return false;
}

#endif
